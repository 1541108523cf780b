//! Deletion of expired rows (`pm_domain::retention`), in bounded portions.

use crate::{Db, StoreError, setting, statement::statements, value::at};
use pm_api::Timestamp;
use pm_domain::{
    duration::{DAY_S, MINUTE_S},
    retention::{MAX_DEAD_LETTERS, cutoffs},
    settings::Key,
};

statements! {
    DELIVERIES = "
        delete from webhook_deliveries where id in (
            select id from webhook_deliveries where created_at < epoch_us($1) order by created_at limit 5000)";
    EXPIRED_MAILS = "
        update mails set status = 'failed', finished_at = now(), error = coalesce(error, 'not sent in time'), body_text = '',
                         body_html = null
        where id in (
            select id from mails where status in ('pending', 'sending') and expires_at < now() order by expires_at limit 5000)";
    MAILS = "
        delete from mails where id in (
            select id from mails where finished_at < epoch_us($1) order by finished_at limit 5000)";
    OUTBOX = "
        delete from outbox where id in (
            select id from outbox
            where created_at < epoch_us($1) and position <= (select min(position) from outbox_cursors)
            order by created_at limit 5000)";
    SESSIONS = "
        delete from refresh_families where id in (
            select id from refresh_families where expires_at < epoch_us($1) order by expires_at limit 5000)";
    RESETS = "delete from password_resets where expires_at < epoch_us($1)";
    THROTTLE = "
        delete from login_throttle
        where window_started_at < epoch_us($1) and coalesce(blocked_until, window_started_at) < now()";
    TICKETS = "delete from spent_tickets where spent_at < epoch_us($1)";
    API_KEYS = "delete from api_keys where least(expires_at, revoked_at) < epoch_us($1)";
    REQUESTS = "delete from request_counts where minute <= $1::int8";
    REPORTS = "delete from service_reports where reported_at < epoch_us($1)";
    SUPPRESSED = "delete from suppressed_conditions where last_seen_at < epoch_us($1)";
    ESCALATIONS = "delete from escalations where resolved_at < epoch_us($1)";
    IDEMPOTENCY_KEYS = "delete from idempotency_keys where created_at < epoch_us($1)";
    IMPORTS = "
        delete from imports i
        where created_at < epoch_us($1)
          and not exists (select from jobs j where j.id = i.job_id and j.status in ('pending', 'running'))";
    DEAD_LETTERS = "
        delete from dead_letters where id in (
            select id from dead_letters
            where received_at < greatest(epoch_us($1), (
                select received_at from dead_letters order by received_at desc offset $2 limit 1))
            order by received_at limit 5000)";
    AUDIT = "select drop_old_audit(epoch_us($1), 5000)";
}

/// Deletes a portion; returns how many rows it deleted.
pub async fn tidy(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let before = cutoffs(now);
    let counted_minute = before.request_counts.0.div_euclid(MINUTE_S * Timestamp::SECOND);
    let mut deleted = db.execute(EXPIRED_MAILS, vec![]).await?;
    for (statement, parameter) in [
        (DELIVERIES, at(before.deliveries)),
        (MAILS, at(before.mails)),
        (OUTBOX, at(before.events)),
        (SESSIONS, at(before.sessions)),
        (RESETS, at(before.password_resets)),
        (THROTTLE, at(before.login_failures)),
        (TICKETS, at(before.spent_tokens)),
        (API_KEYS, at(before.api_keys)),
        (REQUESTS, counted_minute.into()),
        (REPORTS, at(before.bridge_reports)),
        (IDEMPOTENCY_KEYS, at(before.idempotency_keys)),
        (IMPORTS, at(before.imports)),
        (SUPPRESSED, at(before.suppressed_conditions)),
        (ESCALATIONS, at(before.escalations)),
    ] {
        deleted += db.execute(statement, vec![parameter]).await?;
    }
    let days = setting::read(db, &[Key::RetentionDeadLetterDays, Key::RetentionAuditDays]).await?;
    let kept_from = |key| at(now.plus_seconds(-days.integer(key) * DAY_S));
    let letters = vec![kept_from(Key::RetentionDeadLetterDays), MAX_DEAD_LETTERS.into()];
    deleted += db.execute(DEAD_LETTERS, letters).await?;
    let entries: i64 = db.one(AUDIT, vec![kept_from(Key::RetentionAuditDays)], |c| c.take()).await?;
    deleted += entries.unsigned_abs();
    Ok(deleted)
}
