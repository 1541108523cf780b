//! How often one client may ask.

use crate::client::{Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};

#[tokio::test]
async fn a_client_beyond_its_rate_is_refused_and_others_are_not() -> Result<()> {
    let environment = vec![("SPIN_VARIABLE_REQUESTS_PER_MINUTE".to_owned(), "100".to_owned())];
    let options = StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let nobody = Client::new(&stack.base_url());
    let (viewer, engineer) = (nobody.sign_in(VIEWER).await?, nobody.sign_in(ENGINEER).await?);
    let mut refused = None;
    // a new minute may begin during the requests
    for n in 0..2000 {
        let answer = viewer.get("/machines").await?;
        if answer.status == 429 {
            refused = Some((n, answer));
            break;
        }
        answer.expect(200)?;
    }
    let (after, refused) = refused.context("nothing was refused")?;
    assert!(after >= 100, "refused after {after}");
    assert_eq!(refused.json()?, serde_json::json!({"detail": "Too many requests. Please try again later."}));
    let wait_s: u64 = refused.headers["retry-after"].to_str()?.parse()?;
    assert!((1..=60).contains(&wait_s));
    engineer.get("/machines").await?.expect(200)?;

    // without account the address counts, also with tokens that are no good
    for path in ["/machines", "/health"] {
        let mut asked = 0;
        while nobody.with_token("guess").get(path).await?.status != 429 {
            asked += 1;
            assert!(asked < 2000, "{path}: nothing was refused");
        }
    }
    engineer.get("/machines").await?.expect(200)?;

    // the bridge asks as often as it has to
    let bridge = nobody.with_token(stack.service_token());
    for _ in 0..300 {
        assert_ne!(bridge.send(Method::POST, "/internal/ingest", &[], "").await?.status, 429);
    }
    Ok(())
}
