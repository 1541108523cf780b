//! Comments on alarms and tickets.

use crate::{
    alarm_work::{ids, raise, stack, texts},
    client::{ADMIN, Client, VIEWER},
};
use anyhow::{Context, Result};
use serde_json::json;

const UNKNOWN_ID: &str = "01890000-0000-7000-8000-000000000000";

#[tokio::test]
async fn alarms_and_tickets_have_comments() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let nobody = Client::new(&stack.base_url());
    let (viewer, admin) = (nobody.sign_in(VIEWER).await?, nobody.sign_in(ADMIN).await?);
    let alarm = raise(&engineer, &machine, "warning", "noise").await?;
    let ticket =
        engineer.get("/tickets").await?.expect(200)?[0]["id"].as_str().context("no ticket")?.to_owned();

    for (kind, id) in [("alarm", &alarm), ("ticket", &ticket)] {
        let path = format!("/{kind}s/{id}/comments");
        // as an old client sends it; the path says what it is about
        let body = json!({"resource_type": "ticket", "resource_id": UNKNOWN_ID, "content": "hello", "is_internal": false});
        let first = viewer.post(&path, body).await?.expect(201)?;
        assert_eq!(
            (&first["resource_type"], &first["resource_id"], &first["author_email"]),
            (&json!(kind), &json!(id), &json!(VIEWER.0))
        );
        assert!(first["author_name"].is_string(), "{first}");
        let internal = json!({"content": "the supplier is to blame", "is_internal": true});
        viewer.post(&path, internal.clone()).await?.expect(403)?;
        let internal = engineer.post(&path, internal).await?.expect(201)?;
        let id_of = |comment: &serde_json::Value| comment["id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(ids(&engineer.get(&path).await?.expect(200)?), [id_of(&internal), id_of(&first)]);
        let seen = viewer.get(&format!("/api{path}")).await?;
        assert_eq!(
            (ids(&seen.expect(200)?), &seen.headers["x-total-count"]),
            (vec![&id_of(&first)[..]], &"1".parse()?)
        );

        for (body, field) in [
            (json!({}), "content"),
            (json!({"content": " "}), "content"),
            (json!({"content": 7}), "content"),
            (json!({"content": "x".repeat(10_001)}), "content"),
            (json!({"content": "c", "is_internal": "no"}), "is_internal"),
            (json!({"content": "c", "resource_type": "banana"}), "resource_type"),
            (json!({"content": "c", "resource_id": "banana"}), "resource_id"),
        ] {
            let refused = viewer.post(&path, body.clone()).await?.expect(422)?;
            assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{body}");
        }

        // one's own, or any as an administrator; what may not be seen is not there
        let (own, others) = (format!("{path}/{}", id_of(&first)), format!("{path}/{}", id_of(&internal)));
        viewer.patch(&others, json!({"content": "c"})).await?.expect(404)?;
        viewer.delete(&others).await?.expect(404)?;
        let refused = engineer.patch(&own, json!({"content": "c"})).await?.expect(403)?;
        assert_eq!(refused["detail"], "Not authorized to change this comment");
        engineer.delete(&own).await?.expect(403)?;
        viewer.patch(&own, json!({"is_internal": true})).await?.expect(403)?;
        viewer.patch(&own, json!({"content": ""})).await?.expect(422)?;
        let changed = viewer.patch(&own, json!({"content": "hello again"})).await?.expect(200)?;
        assert_eq!(changed["content"], "hello again");
        admin.patch(&own, json!({"content": "hello all"})).await?.expect(200)?;
        // of another alarm
        viewer.delete(&format!("/{kind}s/{UNKNOWN_ID}/comments/{}", id_of(&first))).await?.expect(404)?;
        assert_eq!(viewer.delete(&own).await?.status, 204);
        viewer.delete(&own).await?.expect(404)?;
        assert_eq!(admin.delete(&others).await?.status, 204);
        assert_eq!(engineer.get(&path).await?.expect(200)?, json!([]));

        let nowhere = format!("/{kind}s/{UNKNOWN_ID}/comments");
        viewer.get(&nowhere).await?.expect(404)?;
        viewer.post(&nowhere, json!({"content": "c"})).await?.expect(404)?;
        viewer.post(&format!("/{kind}s/x/comments"), json!({"content": "c"})).await?.expect(422)?;
    }
    let events = texts(
        &stack,
        "select event_type || (data ? 'content') from outbox where event_type like 'comment.%'",
    )
    .await?;
    for kind in ["comment.createdfalse", "comment.updatedfalse", "comment.deletedfalse"] {
        assert_eq!(events.iter().filter(|e| *e == kind).count(), 4, "{kind} in {events:?}");
    }
    let audit = texts(&stack, "select action_type from audit_log where resource_type = 'comment'").await?;
    assert_eq!(audit.len(), 12, "{audit:?}");
    let texts_of_audit =
        "select coalesce(metadata -> 'after' ->> 'content', metadata -> 'before' ->> 'content')
        from audit_log where resource_type = 'comment'";
    assert!(texts(&stack, texts_of_audit).await?.iter().all(|text| !text.is_empty()));
    Ok(())
}

#[tokio::test]
async fn no_comment_or_file_is_left_of_a_deleted_machine() -> Result<()> {
    let (stack, engineer, [machine, other]) = stack().await?;
    for machine in [&machine, &other] {
        let alarm = raise(&engineer, machine, "warning", "noise").await?;
        let tickets = engineer.get(&format!("/tickets?alarm_id={alarm}")).await?.expect(200)?;
        let ticket = ids(&tickets).first().map(|id| id.to_string()).context("no ticket")?;
        for path in [format!("/alarms/{alarm}/comments"), format!("/tickets/{ticket}/comments")] {
            engineer.post(&path, json!({"content": "c"})).await?.expect(201)?;
        }
        crate::attachments::attach(&engineer, &format!("/alarms/{alarm}/attachments"), "a.txt", b"text")
            .await?
            .expect(201)?;
        crate::attachments::attach(&engineer, &format!("/tickets/{ticket}/attachments"), "a.txt", b"text")
            .await?
            .expect(201)?;
    }
    assert_eq!(engineer.delete(&format!("/machines/{machine}")).await?.status, 204);
    let left = texts(
        &stack,
        "select concat_ws(' ', (select count(*) from comments), (select count(*) from attachments),
                          (select count(*) from attachment_contents), (select count(*) from ticket_transitions))",
    )
    .await?;
    assert_eq!(left, ["2 2 2 1"]);
    engineer.get("/alarms").await?.expect(200)?;
    Ok(())
}
