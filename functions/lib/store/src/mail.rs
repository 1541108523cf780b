//! The queue of outgoing mail.
//!
//! A mail is claimed with a lease and an attempt number, so that no two hands send it at once; what is not reported
//! before the lease ends is sent again. Its words are removed once it is sent or given up.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{id, ints, optional, optional_ints, optional_texts, text, texts},
};
use pm_api::{
    Timestamp,
    mail::{Digest, MailResult, OutgoingMail},
};
use pm_domain::{
    duration::DAY_S,
    mail::{Rendered, one_line},
    notice::Channel,
    retry::Allowed,
};
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    ENQUEUE = "
        insert into mails (id, kind, recipient, subject, body_text, body_html, dedupe_key, attempts_allowed, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::int8 * interval '1 second')
        on conflict (dedupe_key) do nothing";
    CLAIM = "
        update mails m
        set status = 'sending', attempts = attempts + 1, next_attempt_at = now() + $3::int8 * interval '1 second'
        from (
            select id from mails
            where channel = $1 and status in ('pending', 'sending') and next_attempt_at <= now() and expires_at > now()
            order by next_attempt_at limit $2 for update skip locked) due
        where m.id = due.id
        returning m.id, m.attempts, m.recipient, m.subject, m.body_text, m.body_html, m.digest";
    ALLOWED = "
        select id, attempts_allowed, expires_at at time zone 'utc' from mails where id = any ($1::text[]::uuid[])";
    FINISH = "
        update mails m set
            status = r.status, error = r.error,
            finished_at = case when r.status <> 'pending' then now() end,
            body_text = case when r.status = 'pending' then m.body_text else '' end,
            body_html = case when r.status = 'pending' then m.body_html end,
            next_attempt_at = coalesce(epoch_us(r.next_us), m.next_attempt_at)
        from (
            select id::uuid, attempt, error, status, next_us
            from unnest($1::text[], $2::int8[], $3::text[], $4::text[], $5::int8[]) i (id, attempt, error, status, next_us)) r
        -- a late failure must not undo a newer attempt; that a mail was sent is true whenever it is said
        where m.id = r.id and m.status in ('pending', 'sending') and (m.attempts = r.attempt or r.error is null)";
    STATE = "select status, error from mails where id = $1";
    GIVE_UP = "
        update mails set status = 'failed', finished_at = now(), error = coalesce(error, $2), body_text = '', body_html = null
        where id = $1 and status in ('pending', 'sending')";
}

/// Attempts at an ordinary mail: the whole schedule of [`pm_domain::retry`].
pub const ALL_ATTEMPTS: i32 = pm_domain::retry::MAX_RETRIES + 1;
/// An ordinary mail that could not be sent for so long is given up, seconds.
pub const VALID_S: i64 = 3 * DAY_S;

/// A mail for the queue.
#[derive(Debug, Clone)]
pub struct NewMail<'m> {
    /// What it is about, e.g. `password_reset`.
    pub kind: &'m str,
    /// Address of the recipient, one line.
    pub to: &'m str,
    /// Its words.
    pub words: &'m Rendered,
    /// Two mails of one key are one mail.
    pub dedupe_key: Option<&'m str>,
    /// How often it is tried.
    pub attempts: i32,
    /// After how many seconds it is of no use any more.
    pub valid_for_s: i64,
}

impl<'m> NewMail<'m> {
    /// A mail that is tried for three days.
    #[must_use]
    pub fn new(kind: &'m str, to: &'m str, words: &'m Rendered) -> Self {
        Self { kind, to, words, dedupe_key: None, attempts: ALL_ATTEMPTS, valid_for_s: VALID_S }
    }
}

/// Puts a mail into the queue; the next tick sends it. `None`: a mail of its key was there already.
///
/// # Errors
/// Constraint `mails_recipient_one_line` or `mails_size`; else whatever the database says.
pub async fn enqueue(db: &Db, mail: &NewMail<'_>) -> Result<Option<Uuid>, StoreError> {
    let mail_id = Uuid::now_v7();
    let params = vec![
        id(mail_id),
        text(mail.kind),
        text(mail.to),
        text(one_line(&mail.words.subject)),
        text(&mail.words.text),
        text(&mail.words.html),
        optional(mail.dedupe_key, text),
        mail.attempts.into(),
        mail.valid_for_s.into(),
    ];
    Ok((db.execute(ENQUEUE, params).await? > 0).then_some(mail_id))
}

/// A mail that was claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The mail, worded unless it is a digest.
    pub mail: OutgoingMail,
    /// The notices of a digest, which has no words yet.
    pub digest: Option<Digest>,
}

/// Takes up to `most` mails that are due; they are the caller's for `lease_s` seconds.
pub async fn claim(db: &Db, channel: Channel, most: i64, lease_s: i64) -> Result<Vec<Claimed>, StoreError> {
    db.rows(CLAIM, vec![text(channel.as_str()), most.into(), lease_s.into()], |c| {
        let mail = OutgoingMail {
            id: c.take()?,
            attempt: c.take()?,
            to: c.take()?,
            subject: c.take()?,
            text: c.take()?,
            html: c.take()?,
        };
        let digest: Option<serde_json::Value> = c.take()?;
        let digest = digest.map(serde_json::from_value).transpose();
        Ok(Claimed { mail, digest: digest.map_err(|e| StoreError::Failed(e.to_string()))? })
    })
    .await
}

/// How often mails are tried, and until when, by their ids.
pub async fn allowed(db: &Db, results: &[MailResult]) -> Result<HashMap<Uuid, Allowed>, StoreError> {
    let rows = db.rows(ALLOWED, vec![texts(results.iter().map(|r| r.id))], |c| {
        Ok((c.take()?, Allowed { attempts: c.take()?, until: c.take()? }))
    });
    Ok(rows.await?.into_iter().collect())
}

/// Notes what became of claimed mails. `next_attempt` is that of a failed one; `None`: it is given up.
pub async fn finish(db: &Db, results: &[(&MailResult, Option<Timestamp>)]) -> Result<(), StoreError> {
    if results.is_empty() {
        return Ok(());
    }
    let status = |(result, next): &(&MailResult, Option<Timestamp>)| match (&result.error, next) {
        (None, _) => "sent",
        (Some(_), Some(_)) => "pending",
        (Some(_), None) => "failed",
    };
    let params = vec![
        texts(results.iter().map(|(r, _)| r.id)),
        ints(results.iter().map(|(r, _)| i64::from(r.attempt))),
        optional_texts(results.iter().map(|(r, _)| r.error.as_ref())),
        texts(results.iter().map(status)),
        optional_ints(results.iter().map(|(_, next)| next.map(|at| at.0))),
    ];
    db.execute(FINISH, params).await.map(drop)
}

/// How a mail stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailState {
    /// Waiting or under way; with the error of the last attempt.
    Open(Option<String>),
    /// The SMTP server has taken it.
    Sent,
    /// Given up, with the reason.
    Failed(String),
}

/// How a mail stands; `None`: there is no such mail.
pub async fn state(db: &Db, mail_id: Uuid) -> Result<Option<MailState>, StoreError> {
    db.first(STATE, vec![id(mail_id)], |c| {
        let (status, error): (String, Option<String>) = (c.take()?, c.take()?);
        Ok(match status.as_str() {
            "sent" => MailState::Sent,
            "failed" => MailState::Failed(error.unwrap_or_default()),
            _ => MailState::Open(error),
        })
    })
    .await
}

/// Gives up a mail that is still open.
pub async fn give_up(db: &Db, mail_id: Uuid, reason: &str) -> Result<(), StoreError> {
    db.execute(GIVE_UP, vec![id(mail_id), text(reason)]).await.map(drop)
}
