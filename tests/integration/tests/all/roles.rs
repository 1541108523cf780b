//! The route table, walked with every role, no token, and tokens of another kind.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::{Method, StatusCode};
use pm_api::{
    Role,
    route::{Access, ROUTES, Route},
};
use pm_test_support::{Stack, StackOptions};
use serde_json::json;

fn path(route: &Route) -> String {
    let some_id = "01890000-0000-7000-8000-000000000000";
    route.path.split('/').map(|s| if s.starts_with('{') { some_id } else { s }).collect::<Vec<_>>().join("/")
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
