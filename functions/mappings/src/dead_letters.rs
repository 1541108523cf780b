//! Dead letters: payloads and readings that could not be used, one by one and by topic and reason.

use pm_api::{
    list::Page,
    route::op,
    status::{DeadLetter, DeadLetterGroup},
};
use pm_store::{
    audit::{self, Event},
    dead_letter::{self, StoredLetter},
};
use pm_web::{Input, Refusal};

/// Groups at most.
const MAX_GROUPS: i64 = 200;

fn shown(letter: StoredLetter) -> DeadLetter {
    DeadLetter {
        id: letter.id,
        received_at: letter.received_at,
        topic: letter.topic,
        payload: String::from_utf8_lossy(&letter.payload).into_owned(),
        reason: letter.reason,
        count: letter.count,
        replayed_at: letter.replayed_at,
    }
}

pub(crate) async fn list(input: Input<op::ListDeadLetters>) -> Result<Page<DeadLetter>, Refusal> {
    Ok(dead_letter::list(&input.db().await?, &input.page).await?.map(shown))
}

pub(crate) async fn groups(input: Input<op::DeadLetterGroups>) -> Result<Vec<DeadLetterGroup>, Refusal> {
    let groups = dead_letter::groups(&input.db().await?, MAX_GROUPS).await?;
    let shown = |group: dead_letter::Group| DeadLetterGroup {
        topic: group.topic,
        reason: group.reason,
        count: group.count,
        first_received_at: group.first_at,
        received_at: group.last_at,
        newest_id: group.newest_id,
        payload: String::from_utf8_lossy(&group.payload).into_owned(),
    };
    Ok(groups.into_iter().map(shown).collect())
}

pub(crate) async fn delete(input: Input<op::DeleteDeadLetters>) -> Result<(), Refusal> {
    let (topic, reason) = (&*input.query.topic, &*input.query.reason);
    let db = input.db().await?;
    let event = Event {
        action: "delete",
        resource_type: "dead_letters",
        resource_id: Some(topic.to_owned()),
        details: Some(reason.to_owned()),
    };
    audit::record(&db, &input.actor(&db).await?, event).await?;
    let deleted = dead_letter::delete(&db, topic, reason).await?;
    if deleted > 0 { Ok(()) } else { Err(Refusal::NotFound) }
}
