//! Escalations: they begin, end, plan notices, and notices go out by mail and to services.

use crate::settings::Settings;
use futures::future::join_all;
use pm_api::{
    ChannelKind, MachineId, NoticeChannelId, NoticeSubject, Severity, Timestamp,
    mail::{MailResult, OutgoingMail},
};
use pm_domain::{
    alarm::suppression::{Suppression, suppression},
    alarm_notice::{self, KEEP_INCIDENTS, Message, RETRIES, post},
    escalation::{Candidate, choose, due, end},
    escalation_target::{Directory, mail_problem, notices},
    retry, target,
    webhook::{DeliveryOutcome, verdict},
};
use pm_store::{
    Db, StoreError,
    escalation::{self, Claimed},
    escalation_chain, maintenance, notice, notice_channel, on_call,
};
use pm_web::{Refusal, now, post_external};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// Notices to services in one request, sent side by side.
const NOTICES_PER_RUN: i64 = 20;
/// Longer than a service has for its answer, seconds.
const LEASE_S: i64 = 15;
/// For the answer of a service.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds a bridge has to send a mail and report.
const MAIL_LEASE_S: i64 = 120;
/// What is kept of an answer, bytes.
const MAX_RESPONSE_BYTES: usize = 512;

/// Ends, begins and plans. Each part looks at what is stored, so it may be cut off anywhere and done again.
pub(crate) async fn run(db: &Db, mail_enabled: bool) -> Result<(), StoreError> {
    let now = now();
    let chains = escalation_chain::all(db).await?;
    let running = escalation::running(db).await?;
    let suppressions = suppressions(db, running.iter().map(|r| r.machine_id), now).await?;
    let (mut ending, mut going_on) = (Vec::new(), Vec::new());
    for mut escalation in running {
        escalation.case.suppression = suppressions.get(&escalation.machine_id).copied();
        let chain = chains.iter().find(|chain| Some(chain.id) == escalation.chain_id);
        match (end(&escalation.case), chain) {
            (None, Some(_)) => going_on.push(escalation),
            (why, _) => ending.push((escalation.id, why)),
        }
    }
    escalation::end(db, &ending).await?;
    escalation::resolve(db).await?;
    let Some(since) = chains.iter().filter_map(|chain| chain.active_since).min() else { return Ok(()) };
    if begin(db, since, &chains, now).await? {
        going_on = escalation::running(db).await?;
    }
    let mut due_now = going_on.iter().filter(|escalation| escalation.is_due).peekable();
    if due_now.peek().is_none() {
        return Ok(());
    }
    let directory = directory(db, mail_enabled, now).await?;
    for escalation in due_now {
        let Some(chain) = chains.iter().find(|chain| Some(chain.id) == escalation.chain_id) else { continue };
        let done = escalation::done(db, escalation.id).await?;
        let due = due(chain, escalation.started_at, &done, now);
        let planned = notices(chain, &due.now, &directory, now);
        escalation::plan(db, escalation, &planned, due.next).await?;
    }
    Ok(())
}

/// Begins escalations of the cases that wait; false: there are none.
async fn begin(
    db: &Db,
    since: Timestamp,
    chains: &[pm_api::escalation::EscalationChain],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let waiting = escalation::candidates(db, since).await?;
    let suppressions = suppressions(db, waiting.iter().map(|w| w.machine_id), now).await?;
    let mut chosen = Vec::new();
    for case in waiting.iter().filter(|case| !suppressions.contains_key(&case.machine_id)) {
        let candidate = Candidate {
            machine_id: case.machine_id,
            machine_class: case.machine_class.as_deref(),
            severity: case.severity,
            raised_at: case.raised_at,
        };
        chosen.extend(choose(chains, &candidate).map(|chain| (case, chain)));
    }
    escalation::begin(db, &chosen).await?;
    Ok(!chosen.is_empty())
}

/// What suppresses the alarms of machines now.
async fn suppressions(
    db: &Db,
    machines: impl Iterator<Item = MachineId>,
    now: Timestamp,
) -> Result<BTreeMap<MachineId, Suppression>, StoreError> {
    let mut machines: Vec<_> = machines.collect();
    machines.sort_unstable();
    machines.dedup();
    if machines.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = maintenance::of_machines(db, machines, now).await?;
    let suppressed =
        |(id, (status, windows)): (MachineId, (_, Vec<_>))| Some((id, suppression(status, &windows, now)?));
    Ok(found.into_iter().filter_map(suppressed).collect())
}

async fn directory(db: &Db, mail_enabled: bool, now: Timestamp) -> Result<Directory, StoreError> {
    Ok(Directory {
        people: escalation::people(db).await?,
        schedules: on_call::all(db, now).await?,
        channels: escalation::channels(db).await?,
        mail_problem: mail_problem(mail_enabled, notice::mail_server_seen(db).await?, now),
    })
}

/// Hands out what is due, and nothing of machines under maintenance.
async fn claim(db: &Db, by_mail: bool, most: i64, lease_s: i64) -> Result<Vec<Claimed>, StoreError> {
    let machines = escalation::due_machines(db, Some(by_mail)).await?;
    if machines.is_empty() || most == 0 {
        return Ok(Vec::new());
    }
    let suppressed: Vec<_> = suppressions(db, machines.into_iter(), now()).await?.into_keys().collect();
    escalation::claim(db, by_mail, most, lease_s, &suppressed).await
}

/// Is a notice to a service due?
pub(crate) async fn any_due(db: &Db) -> Result<bool, StoreError> {
    Ok(!escalation::due_machines(db, Some(false)).await?.is_empty())
}

/// Up to `most` mails for the bridge.
pub(crate) async fn mails(db: &Db, most: i64, public_url: &str) -> Result<Vec<OutgoingMail>, StoreError> {
    let claimed = claim(db, true, most, MAIL_LEASE_S).await?;
    let mail = |Claimed { message, attempt, reason, address, .. }: Claimed| {
        let words = alarm_notice::mail(&message, &reason, public_url);
        OutgoingMail {
            id: message.id,
            attempt,
            to: address.unwrap_or_default(),
            subject: words.subject,
            text: words.text,
            html: Some(words.html),
        }
    };
    Ok(claimed.into_iter().map(mail).collect())
}

/// Notes what became of a mail.
pub(crate) async fn mailed(db: &Db, result: &MailResult) -> Result<(), StoreError> {
    let again = retry::delay_s(result.attempt, RETRIES, fastrand::f64()).filter(|_| !result.permanent);
    escalation::finish(db, result.id, result.attempt, result.error.as_deref(), again).await
}

/// Sends the notices to services that are due.
pub(crate) async fn send(db: &Db, settings: &Settings, allow_private: bool) -> Result<(), Refusal> {
    let claimed = claim(db, false, NOTICES_PER_RUN, LEASE_S).await?;
    let sent = claimed.iter().map(async |claimed| {
        let Some((kind, url, secret)) = &claimed.channel else {
            return Err("the notice channel was deleted".to_owned());
        };
        post_notice(*kind, url, secret.as_deref(), &claimed.message, &settings.public_url, allow_private)
            .await
    });
    for (claimed, result) in claimed.iter().zip(join_all(sent).await) {
        let error = result.err();
        let again =
            retry::delay_s(claimed.attempt, RETRIES, fastrand::f64()).filter(|_| claimed.channel.is_some());
        escalation::finish(db, claimed.message.id, claimed.attempt, error.as_deref(), again).await?;
    }
    Ok(())
}

/// Sends a test notice; a service that keeps incidents gets its end as well.
pub(crate) async fn test(
    db: &Db,
    channel_id: NoticeChannelId,
    allow_private: bool,
) -> Result<Result<(), String>, StoreError> {
    let Some((kind, url, secret)) = notice_channel::secret(db, channel_id).await? else {
        return Ok(Err("there is no such channel".to_owned()));
    };
    let message = |subject| Message {
        id: Uuid::now_v7(),
        escalation_id: channel_id.0,
        subject,
        alarm_id: channel_id.0.into(),
        severity: Severity::Info,
        text: "this notice was sent to test the channel".to_owned(),
        machine: "no machine".to_owned(),
        raised_at: now(),
        waiting: 0,
        chain: "Test".to_owned(),
        step: 1,
        repetition: 0,
    };
    let ends = KEEP_INCIDENTS.contains(&kind).then_some(NoticeSubject::Resolved);
    for subject in [NoticeSubject::Alarm].into_iter().chain(ends) {
        let sent = post_notice(kind, &url, secret.as_deref(), &message(subject), "", allow_private).await;
        if sent.is_err() {
            return Ok(sent);
        }
    }
    Ok(Ok(()))
}

/// Sends a notice to a service.
async fn post_notice(
    kind: ChannelKind,
    url: &str,
    secret: Option<&str>,
    message: &Message,
    public_url: &str,
    allow_private: bool,
) -> Result<(), String> {
    let post = post(kind, url, secret, message, public_url);
    target::check(&post.url, allow_private).map_err(|refused| refused.to_string())?;
    let answer = post_external(&post.url, &post.headers, &post.body, TIMEOUT, MAX_RESPONSE_BYTES).await?;
    match verdict(answer.status) {
        DeliveryOutcome::Delivered => Ok(()),
        DeliveryOutcome::Again | DeliveryOutcome::Gone => {
            Err(format!("the receiver answered {}", answer.status))
        }
    }
}
