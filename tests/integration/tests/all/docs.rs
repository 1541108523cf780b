//! The API's documentation as it is served.

use crate::client::Client;
use anyhow::Result;
use pm_api::route::{Access, ROUTES};
use pm_test_support::{Stack, StackOptions};

#[tokio::test]
async fn the_document_names_every_route_and_the_pages_load_nothing_from_elsewhere() -> Result<()> {
    let stack = Stack::start(StackOptions { without_bridge: true, ..StackOptions::default() }).await?;
    let nobody = Client::new(&stack.base_url());
    let document = nobody.get("/openapi.json").await?.expect(200)?;
    assert_eq!(document, nobody.get("/api/openapi.json").await?.expect(200)?);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Predictive Maintenance Platform");
    assert_eq!(document["info"]["version"], "1.0.0");
    let mut described = 0;
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
        let open = operation["security"].as_array().map(Vec::is_empty);
        assert_eq!(open, Some(route.access == Access::Public), "{} {}", route.method, route.path);
        described += 1;
    }
    let paths = document["paths"].as_object().into_iter().flatten();
    assert_eq!(described, paths.flat_map(|(_, item)| item.as_object()).map(|o| o.len()).sum::<usize>());

    for page in ["/docs", "/redoc"] {
        let answer = nobody.get(page).await?;
        assert_eq!(answer.status, 200, "{page}: {}", String::from_utf8_lossy(&answer.body));
        let policy = answer.headers["content-security-policy"].to_str()?;
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        let html = String::from_utf8(answer.body.to_vec())?;
        assert!(!html.contains("://"), "{page} loads something from elsewhere");
        for part in html.split(['"', '\'']).filter(|p| p.starts_with("docs/")) {
            let file = nobody.get(&format!("/{part}")).await?;
            assert_eq!(file.status, 200, "{part}");
            let headers = [("accept-encoding", "br")];
            let packed = nobody.send(http::Method::GET, &format!("/{part}"), &headers, "").await?;
            assert_eq!(packed.headers["content-encoding"], "br", "{part}");
            assert!(packed.body.len() < file.body.len(), "{part}");
        }
    }
    assert_eq!(nobody.get("/docs/openapi.json.bak").await?.status, 404);
    assert_eq!(nobody.get("/docs/..%2fopenapi.json").await?.status, 404);
    Ok(())
}
