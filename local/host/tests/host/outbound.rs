//! Requests that a component sends.

use crate::running::{Running, manifest, options, probe};
use http::StatusCode;
use pm_host::{BlockedNetworks, Options};

/// The probe twice: `probe` in public, `inner` in private.
fn two(allowed: &str) -> String {
    format!(
        "{}[[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"inner\"\n[component.inner]\nsource = {:?}\n",
        manifest(&format!("allowed_outbound_hosts = [{allowed}]")),
        probe().display().to_string()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_leave_only_to_allowed_hosts() {
    let target = Running::start(&manifest("")).await;
    let url = format!("http://{}/probe/hello", target.address);
    let open =
        Running::start(&manifest(&format!("allowed_outbound_hosts = [\"http://{}\"]", target.address))).await;
    assert_eq!(open.ok(&format!("/probe/out?{url}")).await, "200 hello");
    let closed = Running::start(&manifest("allowed_outbound_hosts = [\"http://127.0.0.1:1\"]")).await;
    assert!(closed.ok(&format!("/probe/out?{url}")).await.contains("HttpRequestDenied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_reaches_another_only_if_it_may() {
    let url = "/probe/out?http://inner.spin.internal/hello";
    let open = Running::start(&two("\"http://inner.spin.internal\"")).await;
    assert_eq!(open.ok(url).await, "200 hello");
    assert!(open.ok("/probe/out?http://probe.spin.internal/hello").await.contains("HttpRequestDenied"));
    let closed = Running::start(&two("")).await;
    assert!(closed.ok(url).await.contains("HttpRequestDenied"));
    assert_eq!(open.get("/inner/hello").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_behind_a_chain_is_an_answer_500() {
    let host = Running::start(&two("\"http://*.spin.internal\"")).await;
    let answer = host.ok("/probe/out?http://inner.spin.internal/panic").await;
    assert!(answer.starts_with(r#"500 {"detail":"Internal Server Error","request_id":"#), "{answer}");
    assert!(host.ok("/probe/out?http://nobody.spin.internal/hello").await.contains("DestinationNotFound"));
    assert_eq!(host.ok("/probe/out?http://inner.spin.internal/hello").await, "200 hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_is_reached_as_self_only_if_it_may() {
    let open = Running::start(&manifest("allowed_outbound_hosts = [\"http://self\"]")).await;
    assert_eq!(open.ok("/probe/out?http://self.alt/probe/hello").await, "200 hello");
    let closed = Running::start(&manifest("")).await;
    assert!(closed.ok("/probe/out?http://self.alt/probe/hello").await.contains("HttpRequestDenied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_networks_are_out_of_reach_whatever_name_leads_there() {
    let target = Running::start(&manifest("")).await;
    let port = target.address.port();
    let manifest = manifest("allowed_outbound_hosts = [\"http://*:*\", \"https://*:*\"]");
    let blocked_networks = BlockedNetworks::new(&["private"]).unwrap();
    let host = Running::start_with(&manifest, Options { blocked_networks, ..options() }).await;
    for url in [
        format!("http://127.0.0.1:{port}/probe/hello"),
        format!("http://localhost:{port}/probe/hello"),
        format!("https://localhost:{port}/probe/hello"),
        format!("http://[::ffff:127.0.0.1]:{port}/probe/hello"),
    ] {
        let text = host.ok(&format!("/probe/out?{url}")).await;
        assert!(text.contains("DestinationIpProhibited"), "{url}: {text}");
    }
    let open = Running::start(&manifest).await;
    assert_eq!(open.ok(&format!("/probe/out?http://localhost:{port}/probe/hello")).await, "200 hello");
}
