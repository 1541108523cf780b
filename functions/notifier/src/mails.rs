//! Mails: notices of new events, what became of the mails that the bridge took, and the next ones for it.

use crate::{random, settings::Settings};
use pm_api::mail::{MailReport, OutgoingMail};
use pm_domain::{mail::digest, retry};
use pm_store::{
    Db, StoreError,
    mail::{self, ALL_ATTEMPTS, Channel, Claimed},
    notice::{self, Audience},
};

/// Most mails in the answer to one tick; each has up to 600 kB.
const MOST_AT_ONCE: i64 = 8;
/// Seconds a bridge has to send and report; it gives up on its server earlier.
const LEASE_S: i64 = 120;
/// How long a notice waits for others, seconds.
const GATHER_S: i64 = 5;
/// Between two mails with notices to one recipient, seconds.
const WINDOW_S: i64 = 300;
/// Notices listed in one mail.
const MOST_LISTED: i64 = 50;

/// Turns new events into notices, and notices that have waited into mails.
pub(crate) async fn notices(db: &Db, audience: &Audience) -> Result<(), StoreError> {
    notice::plan(db, audience).await?;
    notice::digest(db, GATHER_S, WINDOW_S, MOST_LISTED).await?;
    Ok(())
}

/// Notes the results in a report and claims as many mails as the bridge has room for.
pub(crate) async fn exchange(
    db: &Db,
    report: &MailReport,
    settings: &Settings,
) -> Result<Vec<OutgoingMail>, StoreError> {
    mail::finish(db, &report.results, |result| {
        if result.permanent { None } else { retry::delay_s(result.attempt, ALL_ATTEMPTS, random::fraction()) }
    })
    .await?;
    let room = MOST_AT_ONCE.min(report.room.into());
    if !report.configured || room == 0 {
        return Ok(Vec::new());
    }
    let claimed = mail::claim(db, Channel::Mail, room, LEASE_S).await?;
    Ok(claimed.into_iter().map(|claimed| worded(claimed, &settings.public_url)).collect())
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
