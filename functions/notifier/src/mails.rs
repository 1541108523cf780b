//! Mails: notices of new events, what became of the mails that the bridge took, and the next ones for it.

use crate::{escalation, settings::Settings};
use pm_api::mail::{MailReport, MailResult, OutgoingMail};
use pm_domain::{
    alarm_summary,
    duration::DAY_S,
    mail::digest,
    notice::{Audience, Channel, leaves, news, next_summary, recipients},
    retry,
};
use pm_store::{
    Db, StoreError,
    mail::{self, Claimed},
    notice::{self, Planned},
};
use pm_web::now;

/// Most mails in the answer to one tick; each has up to 600 kB.
const MAILS_PER_TICK: i64 = 8;
/// Seconds a bridge has to send and report; it gives up on its server earlier.
const LEASE_S: i64 = 120;
/// Most messages that one tick makes of notices, so that it stays short.
const MAX_MESSAGES_PER_TICK: usize = 100;

/// Turns new events into notices, and notices that have waited into messages.
pub(crate) async fn notices(db: &Db, audience: &Audience) -> Result<(), StoreError> {
    plan(db, audience).await?;
    let now = now();
    let waiting = notice::waiting(db).await?;
    let leaving = waiting.iter().filter(|w| leaves(w.oldest, w.last_sent, now));
    for recipient in leaving.take(MAX_MESSAGES_PER_TICK) {
        let (ids, notices): (Vec<_>, _) = notice::of_recipient(db, recipient).await?.into_iter().unzip();
        notice::send(db, recipient, &ids, &pm_domain::notice::digest(notices)).await?;
    }
    Ok(())
}

/// Plans who is told of the next events.
async fn plan(db: &Db, audience: &Audience) -> Result<(), StoreError> {
    let events = notice::events(db).await?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    let news: Vec<_> = events.iter().filter_map(|e| Some((e, news(&e.event_type, &e.data)?))).collect();
    let mut planned = Vec::new();
    if !news.is_empty() {
        let assignees: Vec<_> = news.iter().filter_map(|(_, news)| news.assignee.clone()).collect();
        let subscribers = notice::subscribers(db, &assignees).await?;
        let mail_server_seen = notice::mail_server_seen(db).await?;
        for (event, news) in &news {
            let class = event.machine_class.as_deref();
            let told = recipients(news, class, audience, &subscribers, mail_server_seen, now());
            planned.extend(told.into_iter().map(|(channel, recipient)| Planned {
                channel,
                recipient,
                event,
                news,
            }));
        }
    }
    notice::plan(db, first.cursor, last.position, &planned).await
}

/// Queues the daily summaries that are due. While mail is switched off, none is, also not later.
pub(crate) async fn summaries(db: &Db, settings: &Settings) -> Result<(), StoreError> {
    for due in notice::summaries_due(db).await? {
        let now = now();
        let alarms = notice::summary(db, due.due_at.plus_seconds(-DAY_S)).await?;
        let words = alarm_summary::mail(&alarms, &due.preferences, &settings.public_url);
        let words = settings.audience.mail.then_some(&words);
        notice::summarized(db, &due, next_summary(&due.preferences, now), words).await?;
    }
    Ok(())
}

/// Notes the results in a report and claims as many mails as the bridge has room for.
pub(crate) async fn exchange(
    db: &Db,
    report: &MailReport,
    settings: &Settings,
) -> Result<Vec<OutgoingMail>, StoreError> {
    finish(db, &report.results).await?;
    let room = MAILS_PER_TICK.min(report.room.into());
    if !report.configured || room == 0 {
        return Ok(Vec::new());
    }
    // alarms that wait for an answer go first
    let mut mails = escalation::mails(db, room, &settings.public_url).await?;
    let room = room - i64::try_from(mails.len()).unwrap_or(room);
    if room > 0 {
        let claimed = mail::claim(db, Channel::Mail, room, LEASE_S).await?;
        mails.extend(claimed.into_iter().map(|claimed| worded(claimed, &settings.public_url)));
    }
    Ok(mails)
}

/// Notes what became of mails: those that failed are tried again as long as the rule allows.
pub(crate) async fn finish(db: &Db, results: &[MailResult]) -> Result<(), StoreError> {
    if results.is_empty() {
        return Ok(());
    }
    let allowed = mail::allowed(db, results).await?;
    // the others are notices of escalations
    for result in results.iter().filter(|result| !allowed.contains_key(&result.id)) {
        escalation::mailed(db, result).await?;
    }
    let now = now();
    let next = |result: &MailResult| {
        result.error.as_ref()?;
        let allowed = *allowed.get(&result.id)?;
        retry::next_mail_attempt(result.attempt, result.permanent, allowed, now, fastrand::f64())
    };
    let finished: Vec<_> = results.iter().map(|result| (result, next(result))).collect();
    mail::finish(db, &finished).await
}

fn worded(claimed: Claimed, public_url: &str) -> OutgoingMail {
    let Claimed { mail, digest: notices } = claimed;
    match notices {
        None => mail,
        Some(notices) => {
            let words = digest(&notices, public_url);
            OutgoingMail { subject: words.subject, text: words.text, html: Some(words.html), ..mail }
        }
    }
}
