//! Throwing away what has had its time, in bounded portions.

use crate::{Db, StoreError, statement::statements};

statements! {
    TURN = "
        update clock_tasks set due_at = now() + interval '1 minute' where task = 'housekeeping' and due_at <= now()";
    DELIVERIES = "
        delete from webhook_deliveries where id in (
            select id from webhook_deliveries where created_at < now() - interval '30 days' order by created_at limit 5000)";
    EXPIRED_MAILS = "
        update mails set status = 'failed', finished_at = now(), error = coalesce(error, 'not sent in time'), body_text = '',
                         body_html = null
        where id in (
            select id from mails where status in ('pending', 'sending') and expires_at < now() order by expires_at limit 5000)";
    MAILS = "
        delete from mails where id in (
            select id from mails where finished_at < now() - interval '30 days' order by finished_at limit 5000)";
    OUTBOX = "
        delete from outbox where id in (
            select id from outbox
            where created_at < now() - interval '7 days' and position <= (select min(position) from outbox_cursors)
            order by created_at limit 5000)";
    SESSIONS = "
        delete from refresh_families where id in (
            select id from refresh_families where expires_at < now() - interval '7 days' order by expires_at limit 5000)";
    RESETS = "delete from password_resets where expires_at < now() - interval '1 day'";
    THROTTLE = "
        delete from login_throttle
        where window_started_at < now() - interval '1 day' and coalesce(blocked_until, window_started_at) < now()";
    REQUESTS = "delete from request_counts where minute < extract(epoch from now())::int8 / 60 - 1";
    REPORTS = "delete from service_reports where reported_at < now() - interval '7 days'";
}

/// Does a portion, at most once a minute whoever asks; returns how many rows went.
pub async fn tidy(db: &Db) -> Result<u64, StoreError> {
    if db.execute(TURN, vec![]).await? == 0 {
        return Ok(0);
    }
    let mut gone = 0;
    for statement in [DELIVERIES, EXPIRED_MAILS, MAILS, OUTBOX, SESSIONS, RESETS, THROTTLE, REQUESTS, REPORTS]
    {
        gone += db.execute(statement, vec![]).await?;
    }
    Ok(gone)
}
