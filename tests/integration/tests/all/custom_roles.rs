//! Built-in roles as the route table has them, and custom roles that take effect.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

fn id(resource: &Value) -> Result<&str> {
    resource["id"].as_str().with_context(|| resource.to_string())
}

#[tokio::test]
async fn built_in_roles_are_listed_with_their_permissions_and_cannot_be_changed() -> Result<()> {
    let (stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let roles = admin.get("/roles").await?.expect(200)?;
    let roles = roles.as_array().context("no list")?;
    assert_eq!(roles.iter().filter(|r| r["is_system"] == true).count(), 4);
    for role in roles {
        let name = role["name"].as_str().context("no name")?;
        let expected: Vec<_> = pm_api::route::permission::of_role(name.parse()?).into_iter().collect();
        assert_eq!(role["permissions"], json!(expected), "{name}");
        let path = format!("/roles/{}", id(role)?);
        assert_eq!(admin.get(&format!("{path}/permissions")).await?.expect(200)?, json!(expected));
        let refused = admin.delete(&path).await?.expect(400)?;
        assert_eq!(refused, json!({"detail": "Cannot delete system role"}));
        admin.patch(&path, json!({"permissions": []})).await?.expect(400)?;
        admin.patch(&path, json!({"name": "other"})).await?.expect(400)?;
        admin
            .post(&format!("{path}/permissions"), json!({"permissions": ["audit.read"]}))
            .await?
            .expect(400)?;
        admin.patch(&format!("{path}/permissions"), json!({"permissions": []})).await?.expect(400)?;
    }
    let holds = |role: &str, permission: &str| {
        roles
            .iter()
            .any(|r| r["name"] == role && r["permissions"].to_string().contains(&format!("\"{permission}\"")))
    };
    assert!(holds("engineer", "alarms.write") && !holds("viewer", "alarms.write"));
    assert!(holds("admin", "users.write") && !holds("engineer", "users.write"));

    // nor can it be done in the database directly
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    assert!(database.execute("delete from roles where is_system", &[]).await.is_err());
    assert!(database.execute("update roles set name = 'x' where name = 'viewer'", &[]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_custom_role_allows_its_routes_and_no_others() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let body = json!({"name": "Auditor", "description": "Looks back", "permissions": ["audit.read"]});
    let role = admin.post("/roles", body.clone()).await?.expect(201)?;
    assert_eq!((&role["is_system"], &role["permissions"]), (&json!(false), &json!(["audit.read"])));
    let twice = admin.post("/roles", body).await?.expect(400)?;
    assert_eq!(twice, json!({"detail": "Role with this name already exists"}));
    for taken in ["auditor", "Admin"] {
        admin.post("/roles", json!({"name": taken, "permissions": []})).await?.expect(400)?;
    }
    for bad in [
        json!({"permissions": []}),
        json!({"name": " ", "permissions": []}),
        json!({"name": "x", "permissions": ["coffee.make"]}),
        json!({"name": "x", "permissions": ["users.write"]}),
        json!({"name": "x", "permissions": ["roles.write"]}),
        json!({"name": "x", "permissions": "audit.read"}),
        json!({"name": "x", "permissions": [7]}),
    ] {
        admin.post("/roles", bad.clone()).await?.expect(422).with_context(|| bad.to_string())?;
    }
    admin.get("/roles/not-an-id").await?.expect(422)?;
    client.sign_in(ENGINEER).await?.get("/roles").await?.expect(403)?;

    let viewer = client.sign_in(VIEWER).await?;
    let me = viewer.get("/users/me").await?.expect(200)?;
    let user = format!("/users/{}", id(&me)?);
    let unknown = admin.patch(&user, json!({"custom_roles": ["Auditor", "Pilot"]})).await?.expect(422)?;
    assert_eq!(unknown["errors"][0]["msg"], "There is no custom role named 'Pilot'");
    admin.patch(&user, json!({"custom_roles": ["admin"]})).await?.expect(422)?;
    let held = admin.patch(&user, json!({"custom_roles": ["auditor"]})).await?.expect(200)?;
    assert_eq!((&held["custom_roles"], &held["role"]), (&json!(["Auditor"]), &json!("viewer")));

    let auditor = client.sign_in(VIEWER).await?;
    auditor.get("/audit/logs").await?.expect(200)?;
    auditor.get("/users").await?.expect(403)?;
    auditor.post("/machines", json!({"name": "m"})).await?.expect(403)?;
    // a token from before has its part in it
    viewer.get("/audit/logs").await?.expect(200)?;

    // more permissions, checked at once where something is changed
    let path = format!("/roles/{}", id(&role)?);
    let more = admin.post(&format!("{path}/permissions"), json!({"permissions": ["machines.write"]})).await?;
    assert_eq!(more.expect(200)?, json!(["audit.read", "machines.write"]));
    let builder = client.sign_in(VIEWER).await?;
    builder.post("/machines", json!({"name": "m"})).await?.expect(201)?;
    builder.post("/settings", json!({"key": "a"})).await?.expect(403)?;
    let settings = json!({"permissions": ["settings.write"]});
    admin.post(&format!("{path}/permissions"), settings).await?.expect(200)?;
    builder.patch("/settings/retention.raw_days", json!({"value": "80"})).await?.expect(200)?;
    // what decides who gets in is for administrators
    for (key, value) in [
        ("general.public_url", "http://evil.example"),
        ("registration.policy", "open"),
        ("cors.origins", "[\"*\"]"),
    ] {
        builder.patch(&format!("/settings/{key}"), json!({"value": value})).await?.expect(403)?;
        builder.delete(&format!("/settings/{key}")).await?.expect(403)?;
        admin.patch(&format!("/settings/{key}"), json!({"value": value})).await?.expect(200)?;
        assert_eq!(admin.delete(&format!("/settings/{key}")).await?.status, 204);
    }
    let fewer = admin.patch(&format!("{path}/permissions"), json!({"permissions": ["audit.read"]})).await?;
    assert_eq!(fewer.expect(200)?, json!(["audit.read"]));
    builder.post("/machines", json!({"name": "n"})).await?.expect(403)?;

    let renamed = admin.patch(&path, json!({"name": "Reviewer", "description": null})).await?.expect(200)?;
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Reviewer"), &Value::Null));
    assert_eq!(renamed["members"], 1);
    assert_eq!(admin.delete(&path).await?.status, 204);
    admin.get(&path).await?.expect(404)?;
    client.sign_in(VIEWER).await?.wait_for_refusal("/audit/logs", "Access denied").await?;
    let audit = admin.get("/audit/logs?resource_type=user_role").await?.expect(200)?;
    let actions: Vec<_> = audit.as_array().context("no list")?.iter().map(|e| &e["action_type"]).collect();
    assert_eq!(actions, [&json!("delete"), &json!("create")]);
    Ok(())
}
