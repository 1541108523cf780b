//! The route table, walked with every role, no token, tokens of another kind, and in every state of a session.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::{Method, StatusCode};
use pm_api::{
    Role,
    route::{Access, Op, ROUTES, Route, permission},
};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

fn path(route: &Route) -> String {
    let some_id = "01890000-0000-7000-8000-000000000000";
    let path = route.path.split('/').map(|s| if s.starts_with('{') { some_id } else { s });
    let path = path.collect::<Vec<_>>().join("/");
    // the session of the walk goes on
    if route.op == Op::EndMySessions { path + "?keep_current=true" } else { path }
}

/// The status of a request without body, read from the answer's head only (event streams do not end).
async fn status(client: &Client, route: &Route, prefix: &str) -> Result<StatusCode> {
    let path = format!("{prefix}{}", path(route));
    let headers = [("content-type", "application/json")];
    Ok(client.open(Method::from_bytes(route.method.as_bytes())?, &path, &headers, "").await?.status())
}

#[tokio::test]
async fn every_route_is_refused_to_roles_that_may_not_use_it() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let nobody = Client::new(&stack.base_url());
    let admin = nobody.sign_in(ADMIN).await?;
    admin.patch("/settings/password.change_first", json!({ "value": "false" })).await?.expect(200)?;
    let operator = ("operator@example.com", "operator123");
    let body = json!({"email": operator.0, "password": operator.1, "role": "operator"});
    admin.post("/users", body).await?.expect(201)?;
    let roles = [
        (Role::Operator, nobody.sign_in(operator).await?),
        (Role::Viewer, nobody.sign_in(VIEWER).await?),
        (Role::Engineer, nobody.sign_in(ENGINEER).await?),
        (Role::Admin, admin),
    ];
    let pair = nobody.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    let refresh_token = nobody.with_token(pair["refresh_token"].as_str().context("no refresh token")?);
    let service = nobody.with_token(stack.service_token());
    let forged = nobody.with_token("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbkBleGFtcGxlLmNvbSJ9.");

    for route in ROUTES {
        let name = format!("{} {}", route.method, route.path);
        let open = route.access == Access::Public;
        for prefix in ["", "/api"] {
            if route.access == Access::Service && !prefix.is_empty() {
                continue;
            }
            assert_eq!(status(&nobody, route, prefix).await? == 401, !open, "{prefix} {name}: nobody");
        }
        for (kind, client) in [("refresh token", &refresh_token), ("forged token", &forged)] {
            assert_eq!(status(client, route, "").await? == 401, !open, "{name}: {kind}");
        }
        let served = status(&service, route, "").await?;
        assert_eq!(
            served == 401,
            !(open || route.access == Access::Service),
            "{name}: service token: {served}"
        );
        for (role, client) in &roles {
            let status = status(client, route, "").await?;
            let expected_refusal = match route.access {
                Access::Service => Some(StatusCode::UNAUTHORIZED),
                access if !access.allows(*role) => Some(StatusCode::FORBIDDEN),
                _ => None,
            };
            match expected_refusal {
                Some(refusal) => assert_eq!(status, refusal, "{name}: {role}"),
                None => assert!(status != 401 && status != 403, "{name}: {role}: {status}"),
            }
            assert!(status.as_u16() < 500, "{name}: {role}: {status}");
        }
    }
    Ok(())
}

/// What a caller in some state may do.
enum Expected {
    /// Nothing: 401.
    Unknown,
    /// What its role may.
    ByRole(Role),
    /// What its role may, as far as the key is for it.
    ByKey(Role, Vec<String>),
    /// Only what is open to people who have to do something first.
    Restricted,
}

impl Expected {
    /// The refusal that a route has for it; `None`: no refusal.
    fn refusal(&self, route: &Route) -> Option<StatusCode> {
        let forbidden = |refused: bool| refused.then_some(StatusCode::FORBIDDEN);
        match (route.access, self) {
            (Access::Public, _) => None,
            (Access::Service, _) | (_, Self::Unknown) => Some(StatusCode::UNAUTHORIZED),
            (access, Self::ByRole(role)) => forbidden(!access.allows(*role)),
            (access, Self::ByKey(role, permissions)) => {
                let needed = permission::of(route).unwrap_or_default();
                forbidden(!access.allows(*role) || !permissions.contains(&needed))
            }
            (_, Self::Restricted) => forbidden(!route.op.is_open_while_restricted()),
        }
    }
}

fn token<'v>(pair: &'v Value, name: &str) -> Result<&'v str> {
    pair[name].as_str().with_context(|| format!("no {name} in {pair}"))
}

/// Accounts for the walk, each signed in.
struct Accounts {
    nobody: Client,
    admin: Client,
    made: usize,
}

impl Accounts {
    /// A new account of this role, its path, and its tokens.
    async fn make(&mut self, role: Role) -> Result<(String, Value)> {
        self.made += 1;
        let email = format!("walker{}@example.com", self.made);
        let body = json!({ "email": email, "password": "walks through it all", "role": role });
        let account = self.admin.post("/users", body).await?.expect(201)?;
        let pair = self.nobody.login(&email, "walks%20through%20it%20all").await?.expect(200)?;
        Ok((format!("/users/{}", token(&account, "id")?), pair))
    }

    async fn walker(&mut self, role: Role) -> Result<(String, Client, Value)> {
        let (path, pair) = self.make(role).await?;
        Ok((path, self.nobody.with_token(token(&pair, "access_token")?), pair))
    }
}

#[tokio::test]
async fn every_route_knows_every_state_of_a_session() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let nobody = Client::new(&stack.base_url());
    let admin = nobody.sign_in(ADMIN).await?;
    admin.patch("/settings/password.change_first", json!({ "value": "false" })).await?.expect(200)?;
    let mut accounts = Accounts { nobody: nobody.clone(), admin: admin.clone(), made: 0 };
    let grantable: Vec<_> = permission::grantable().map(str::to_owned).collect();
    let mut states = Vec::new();
    for role in [Role::Operator, Role::Viewer, Role::Engineer, Role::Admin] {
        let (_, fresh, _) = accounts.walker(role).await?;
        states.push((format!("{role} fresh"), fresh, Expected::ByRole(role)));

        let (_, _, pair) = accounts.walker(role).await?;
        let body = json!({ "refresh_token": token(&pair, "refresh_token")? });
        let pair = nobody.post("/users/refresh", body).await?.expect(200)?;
        let rotated = nobody.with_token(token(&pair, "access_token")?);
        states.push((format!("{role} rotated"), rotated, Expected::ByRole(role)));

        let (_, out, pair) = accounts.walker(role).await?;
        out.post("/users/logout", json!({ "refresh_token": token(&pair, "refresh_token")? }))
            .await?
            .expect(200)?;
        states.push((format!("{role} logged out"), out, Expected::Unknown));

        let (path, inactive, _) = accounts.walker(role).await?;
        admin.patch(&path, json!({ "is_active": false })).await?.expect(200)?;
        states.push((format!("{role} deactivated"), inactive, Expected::Unknown));

        let (path, changed, _) = accounts.walker(role).await?;
        let other = if role == Role::Viewer { Role::Engineer } else { Role::Viewer };
        admin.patch(&path, json!({ "role": other })).await?.expect(200)?;
        states.push((format!("{role} of another role now"), changed, Expected::Unknown));

        let (_, owner, _) = accounts.walker(role).await?;
        for permissions in [grantable.clone(), Vec::new()] {
            let body = json!({ "name": "walk", "permissions": permissions });
            let key = owner.post("/users/me/api-keys", body).await?.expect(201)?;
            let name = format!("{role} key for {} permissions", permissions.len());
            states.push((name, nobody.with_token(token(&key, "key")?), Expected::ByKey(role, permissions)));
        }
    }
    // these two have to do something first
    let (_, pending, _) = accounts.walker(Role::Admin).await?;
    walk(&states).await?;
    admin.patch("/settings/login.second_factor", json!({ "value": "admin" })).await?.expect(200)?;
    walk(&[("second factor pending".to_owned(), pending, Expected::Restricted)]).await
}

#[tokio::test]
async fn a_password_of_somebody_else_opens_nothing_but_its_change() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let nobody = Client::new(&stack.base_url());
    let admin = nobody.sign_in(ADMIN).await?;
    let mut accounts = Accounts { nobody: nobody.clone(), admin, made: 0 };
    let (_, pending, _) = accounts.walker(Role::Engineer).await?;
    walk(&[("first password".to_owned(), pending.clone(), Expected::Restricted)]).await?;
    let body = json!({ "current_password": "walks through it all", "new_password": "walks its own way" });
    pending.post("/users/change-password", body).await?.expect(200)?;
    let own = nobody.sign_in(("walker1@example.com", "walks%20its%20own%20way")).await?;
    own.post("/machines", json!({ "name": "m" })).await?.expect(201)?;
    Ok(())
}

async fn walk(states: &[(String, Client, Expected)]) -> Result<()> {
    for route in ROUTES {
        for (state, client, expected) in states {
            let name = format!("{} {}: {state}", route.method, route.path);
            let status = status(client, route, "").await?;
            match expected.refusal(route) {
                Some(refusal) => assert_eq!(status, refusal, "{name}"),
                None => assert!(status != 401 && status != 403, "{name}: {status}"),
            }
            assert!(status.as_u16() < 500, "{name}: {status}");
        }
    }
    Ok(())
}
