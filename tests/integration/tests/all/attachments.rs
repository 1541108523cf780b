//! Files attached to alarms and tickets, in the database and in an object store.

use crate::{
    alarm_work::{ids, raise, stack, texts},
    client::{ADMIN, Answer, Client, ENGINEER, VIEWER},
    object_store::ObjectStore,
};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const UNKNOWN_ID: &str = "01890000-0000-7000-8000-000000000000";
/// The default of the setting `attachments.max_bytes`.
const DEFAULT_MAX_BYTES: usize = 10 * 1024 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

/// Sends a form: text fields, then one part with these header lines and this content.
async fn form(
    client: &Client,
    path: &str,
    fields: &[(&str, &str)],
    head: &str,
    content: &[u8],
) -> Result<Answer> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--B0UNDARY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(format!("--B0UNDARY\r\n{head}\r\n\r\n").as_bytes());
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--B0UNDARY--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=B0UNDARY")];
    client.send(Method::POST, path, &headers, body).await
}

/// Sends a file under a name.
pub(crate) async fn attach(client: &Client, path: &str, name: &str, content: &[u8]) -> Result<Answer> {
    let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
    form(client, path, &[], &head, content).await
}

#[tokio::test]
async fn an_uploaded_file_is_downloaded_unchanged() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let nobody = Client::new(&stack.base_url());
    let (viewer, admin) = (nobody.sign_in(VIEWER).await?, nobody.sign_in(ADMIN).await?);
    let alarm = raise(&engineer, &machine, "warning", "noise").await?;
    let ticket =
        engineer.get("/tickets").await?.expect(200)?[0]["id"].as_str().context("no ticket")?.to_owned();

    let stored =
        attach(&viewer, &format!("/alarms/{alarm}/attachments"), "pump.png", PNG).await?.expect(201)?;
    assert_eq!(
        (&stored["filename"], &stored["content_type"], &stored["file_size"], &stored["resource_type"]),
        (&json!("pump.png"), &json!("image/png"), &json!(PNG.len()), &json!("alarm"))
    );
    assert_eq!((&stored["resource_id"], stored["sha256"].as_str().map(str::len)), (&json!(alarm), Some(64)));
    let id = stored["id"].as_str().context("no id")?.to_owned();
    assert_eq!(stored["file_path"], format!("attachments/{id}"));
    assert_eq!(engineer.get(&format!("/attachments/{id}")).await?.expect(200)?, stored);
    let file = engineer.get(&format!("/attachments/{id}/download")).await?;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, PNG));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "attachment; filename=\"pump.png\"; filename*=UTF-8''pump.png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("content-length", "20"),
    ] {
        assert_eq!(file.headers[name], value, "{name}");
    }

    // the documented form (query) and the old front end's (form fields)
    let path = format!("/attachments?resource_type=ticket&resource_id={ticket}");
    let documented = attach(&viewer, &path, "notes.txt", "Grüße".as_bytes()).await?.expect(201)?;
    assert_eq!(
        (&documented["resource_id"], &documented["content_type"]),
        (&json!(ticket), &json!("text/plain"))
    );
    let fields = [("resource_type", "ticket"), ("resource_id", ticket.as_str())];
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"v.csv\"\r\nContent-Type: text/csv";
    let from_form = form(&viewer, "/attachments", &fields, head, b"t;v\n").await?.expect(201)?;
    let general = attach(&viewer, "/attachments", "manual.pdf", b"%PDF-1.7\n").await?.expect(201)?;
    assert_eq!((&general["resource_type"], &general["resource_id"]), (&json!("general"), &Value::Null));
    let of_ticket = viewer.get(&format!("/tickets/{ticket}/attachments")).await?.expect(200)?;
    let id_of = |a: &Value| a["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(ids(&of_ticket), [id_of(&from_form), id_of(&documented)]);
    let filtered = viewer.get(&path).await?;
    assert_eq!((filtered.expect(200)?, filtered.headers["x-total-count"].to_str()?), (of_ticket, "2"));
    assert_eq!(ids(&viewer.get("/attachments?resource_type=general").await?.expect(200)?), [id_of(&general)]);
    let text = viewer.get(&format!("/attachments/{}/download", id_of(&documented))).await?;
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");

    // only its owner or an administrator deletes a file
    let refused = engineer.delete(&format!("/attachments/{id}")).await?.expect(403)?;
    assert_eq!(refused, json!({"detail": "Not authorized to delete this attachment"}));
    assert_eq!(viewer.delete(&format!("/attachments/{id}")).await?.status, 204);
    viewer.delete(&format!("/attachments/{id}")).await?.expect(404)?;
    viewer.get(&format!("/attachments/{id}/download")).await?.expect(404)?;
    assert_eq!(admin.delete(&format!("/attachments/{}", id_of(&general))).await?.status, 204);

    for missing in ["alarms", "tickets"] {
        let path = format!("/{missing}/{UNKNOWN_ID}/attachments");
        attach(&viewer, &path, "a.png", PNG).await?.expect(404)?;
        viewer.get(&path).await?.expect(404)?;
    }
    viewer.get("/attachments/x").await?.expect(422)?;
    let events =
        texts(&stack, "select event_type from outbox where event_type like 'attachment.%' order by position")
            .await?;
    assert_eq!(events.iter().filter(|e| *e == "attachment.created").count(), 4, "{events:?}");
    assert_eq!(events.iter().filter(|e| *e == "attachment.deleted").count(), 2, "{events:?}");
    let audit = texts(&stack, "select action_type from audit_log where resource_type = 'attachment'").await?;
    assert_eq!(audit.len(), 6, "{audit:?}");
    Ok(())
}

#[tokio::test]
async fn files_of_other_types_are_refused() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let alarm = raise(&engineer, &machine, "info", "noise").await?;
    let path = format!("/alarms/{alarm}/attachments");
    for (head, content, status) in [
        (
            "name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png",
            &b"<html><script>alert(1)</script>"[..],
            415,
        ),
        ("name=\"file\"; filename=\"a.svg\"\r\nContent-Type: image/svg+xml", b"<svg onload='x'/>", 415),
        ("name=\"file\"; filename=\"a.exe\"", b"MZ\x90\0", 415),
        ("name=\"file\"; filename=\"a.jpg\"", PNG, 422),
        ("name=\"file\"; filename=\"a.png\"\r\nContent-Type: text/html", PNG, 422),
        ("name=\"file\"; filename=\"page.html\"", b"plain", 422),
        ("name=\"file\"; filename=\"a.txt\"", b"", 422),
        ("name=\"other\"; filename=\"a.png\"", PNG, 422),
    ] {
        let head = format!("Content-Disposition: form-data; {head}");
        let refused = form(&engineer, &path, &[], &head, content).await?.expect(status)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", "file"]), "{head}");
    }
    let as_json = engineer.post(&path, json!({"file": "x"})).await?.expect(422)?;
    assert_eq!(as_json["errors"][0]["loc"], json!(["body", "file"]));
    let headers = [("content-type", "multipart/form-data; boundary=B0UNDARY")];
    engineer.send(Method::POST, &path, &headers, "no boundary here").await?.expect(422)?;
    let file =
        "--B0UNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nnote\r\n";
    let two = format!("{file}{file}--B0UNDARY--\r\n");
    let refused = engineer.send(Method::POST, &path, &headers, two).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "file"]));
    let cut =
        "--B0UNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\ncut off";
    engineer.send(Method::POST, &path, &headers, cut).await?.expect(422)?;
    for (query, field) in [
        ("?resource_type=alarm", "resource_id"),
        ("?resource_type=banana", "resource_type"),
        ("?resource_type=alarm&resource_id=x", "resource_id"),
        (&format!("?resource_type=ticket&resource_id={alarm}"), "resource_id"),
    ] {
        let refused = attach(&engineer, &format!("/attachments{query}"), "a.png", PNG).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"][1], field, "{query}");
    }

    // as large as allowed, and one byte more
    let mut large = vec![b'x'; DEFAULT_MAX_BYTES];
    let stored = attach(&engineer, &path, "large.txt", &large).await?.expect(201)?;
    let file =
        engineer.get(&format!("/attachments/{}/download", stored["id"].as_str().context("no id")?)).await?;
    assert!(file.status == 200 && file.body == large, "{} {}", file.status, file.body.len());
    large.push(b'x');
    attach(&engineer, &path, "large.txt", &large).await?.expect(413)?;
    assert_eq!(ids(&engineer.get(&path).await?.expect(200)?).len(), 1);
    // settings rule
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    for (key, value) in [("max_bytes", "1024"), ("allowed_types", r#"["application/pdf"]"#)] {
        admin.patch(&format!("/settings/attachments.{key}"), json!({"value": value})).await?.expect(200)?;
    }
    attach(&engineer, &path, "a.pdf", &[b"%PDF-1.7".as_slice(), &[b' '; 1017]].concat())
        .await?
        .expect(413)?;
    attach(&engineer, &path, "a.pdf", &[b"%PDF-1.7".as_slice(), &[b' '; 1016]].concat())
        .await?
        .expect(201)?;
    attach(&engineer, &path, "a.png", PNG).await?.expect(415)?;
    // other components do not take as much
    let comment = json!({"content": "x".repeat(2 * 1024 * 1024)});
    engineer.post(&format!("/alarms/{alarm}/comments"), comment).await?.expect(413)?;
    Ok(())
}

#[tokio::test]
async fn unsafe_file_names_are_cleaned() -> Result<()> {
    let (_stack, engineer, _) = stack().await?;
    for (sent, kept, header) in [
        (
            "Störung – März.txt",
            "Störung – März.txt",
            "filename*=UTF-8''St%C3%B6rung%20%E2%80%93%20M%C3%A4rz.txt",
        ),
        ("../../etc/passwd.txt", "passwd.txt", "filename=\"passwd.txt\""),
        ("C:\\\\temp\\\\a.txt", "a.txt", "filename=\"a.txt\""),
        (
            "a%0D%0ASet-Cookie: x=1.txt",
            "a%0D%0ASet-Cookie: x=1.txt",
            "filename=\"a_0D_0ASet-Cookie: x=1.txt\"",
        ),
        ("tab\there.txt", "tabhere.txt", "filename=\"tabhere.txt\""),
        ("gpj.\u{202e}evil.txt", "gpj.evil.txt", "filename=\"gpj.evil.txt\""),
        ("", "file", "filename=\"file\""),
    ] {
        let stored = attach(&engineer, "/attachments", sent, b"text").await?.expect(201)?;
        assert_eq!(stored["filename"], kept, "{sent:?}");
        let id = stored["id"].as_str().context("no id")?;
        let file = engineer.get(&format!("/attachments/{id}/download")).await?;
        let disposition = file.headers["content-disposition"].to_str()?;
        assert!(disposition.starts_with("attachment; ") && disposition.contains(header), "{disposition}");
        assert!(!file.headers.contains_key("set-cookie"));
    }
    Ok(())
}

#[tokio::test]
async fn contents_are_stored_in_the_object_store() -> Result<()> {
    let objects = ObjectStore::start().await?;
    let environment = vec![("SPIN_VARIABLE_OBJECT_STORE_HOST".to_owned(), objects.url())];
    let options = StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let nobody = Client::new(&stack.base_url());
    let admin = nobody.sign_in(ADMIN).await?;
    for (key, value) in objects.settings() {
        admin.patch(&format!("/settings/{key}"), json!({"value": value})).await?.expect(200)?;
    }
    let engineer = nobody.sign_in(ENGINEER).await?;
    let machine =
        engineer.get("/machines").await?.expect(200)?[0]["id"].as_str().context("no machine")?.to_owned();
    let alarm = raise(&engineer, &machine, "info", "noise").await?;
    let path = format!("/alarms/{alarm}/attachments");
    let first = attach(&engineer, &path, "a.png", PNG).await?.expect(201)?;
    let second = attach(&engineer, &path, "b.txt", b"text").await?.expect(201)?;
    let key = |a: &Value| format!("files/{}", a["file_path"].as_str().unwrap_or_default());
    assert_eq!(objects.keys(), [key(&first), key(&second)]);
    assert_eq!(texts(&stack, "select count(*)::text from attachment_contents").await?, ["0"]);
    let download = format!("/attachments/{}/download", first["id"].as_str().context("no id")?);
    let file = engineer.get(&download).await?;
    assert_eq!((file.status.as_u16(), &file.body[..]), (200, PNG));

    let id = first["id"].as_str().context("no id")?;
    assert_eq!(engineer.delete(&format!("/attachments/{id}")).await?.status, 204);
    assert_eq!(objects.keys(), [key(&second)]);
    // what goes with its machine is removed after the next request that has to do with files
    assert_eq!(engineer.delete(&format!("/machines/{machine}")).await?.status, 204);
    let third = attach(&engineer, "/attachments", "c.txt", b"text").await?.expect(201)?;
    assert_eq!(objects.keys(), [key(&third)]);

    // a store that is away, and a file for nothing: no rows are left, and the object goes later
    let nowhere = format!("/alarms/{alarm}/attachments");
    attach(&engineer, &nowhere, "d.txt", b"text").await?.expect(404)?;
    let strays = texts(&stack, "select storage_key from stray_objects").await?;
    assert_eq!(strays.len(), 1, "{strays:?}");
    objects.refuse();
    attach(&engineer, "/attachments", "e.txt", b"text").await?.expect(503)?;
    let download = format!("/attachments/{}/download", third["id"].as_str().context("no id")?);
    engineer.get(&download).await?.expect(503)?;
    assert_eq!(ids(&engineer.get("/attachments").await?.expect(200)?).len(), 1);
    assert_eq!(objects.refused(), Vec::<String>::new(), "signatures that did not fit");
    Ok(())
}

#[tokio::test]
async fn attachments_have_a_quota_for_an_account_and_in_all() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let nobody = Client::new(&stack.base_url());
    let (viewer, engineer, admin) =
        (nobody.sign_in(VIEWER).await?, nobody.sign_in(ENGINEER).await?, nobody.sign_in(ADMIN).await?);
    let limit = async |key: &str, mib: &str| {
        let path = format!("/settings/attachments.{key}");
        admin.patch(&path, json!({"value": mib})).await?.expect(200).map(drop)
    };
    let refused = |answer: &Answer, why: &str| -> Result<()> {
        let body = answer.expect(409)?;
        assert!(body["detail"].as_str().is_some_and(|text| text.contains(why)), "{why}: {body}");
        Ok(())
    };
    limit("account_max_mib", "1").await?;
    let file = "x".repeat(700_000).into_bytes();
    let first = attach(&viewer, "/attachments", "a.txt", &file).await?.expect(201)?;
    refused(&attach(&viewer, "/attachments", "b.txt", &file).await?, "Your attachments may take 1 MiB")?;
    attach(&viewer, "/attachments", "small.txt", b"still fits").await?.expect(201)?;
    // of another account
    attach(&engineer, "/attachments", "c.txt", &file).await?.expect(201)?;
    limit("account_max_mib", "2").await?;
    limit("total_max_mib", "2").await?;
    refused(&attach(&viewer, "/attachments", "d.txt", &file).await?, "of all accounts may take 2 MiB")?;
    let id = first["id"].as_str().context("no id")?;
    viewer.delete(&format!("/attachments/{id}")).await?;
    attach(&viewer, "/attachments", "d.txt", &file).await?.expect(201)?;
    Ok(())
}
