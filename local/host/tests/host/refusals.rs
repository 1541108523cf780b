//! Manifests and components that the host does not start, and what it says.

use crate::running::{folder, load, manifest, options};
use std::fs;

async fn refusal(manifest: &str) -> String {
    format!("{:#}", load(manifest, options()).await.unwrap_err())
}

#[tokio::test]
async fn unknown_keys_are_named_with_their_place() {
    for (text, named) in [
        (manifest("colour = 1"), "`colour`"),
        (manifest("").replace("[application]", "[application]\nlogo = 1"), "`logo`"),
        (manifest("").replace("[[trigger.http]]", "[[trigger.http]]\npath = 1"), "`path`"),
        (
            manifest("").replace("[[trigger.http]]", "[[trigger.redis]]\nchannel = \"a\"\n[[trigger.http]]"),
            "`redis`",
        ),
        (manifest("[variables]\na = { defautl = \"1\" }"), "`defautl`"),
        (manifest("[component.probe.build]\ncommand = \"a\"\nshell = 1"), "`shell`"),
    ] {
        let message = refusal(&text).await;
        assert!(message.contains(named) && message.contains("line "), "{message}");
    }
}

#[tokio::test]
async fn what_spin_offers_and_this_host_does_not_is_named() {
    let message = refusal(&manifest("key_value_stores = [\"default\"]")).await;
    assert!(message.contains("component.probe") && message.contains("`key_value_stores`"), "{message}");
}

#[tokio::test]
async fn a_missing_variable_stops_the_start() {
    let message = refusal(&manifest("[variables]\nlonely_secret = { required = true, secret = true }")).await;
    assert!(message.contains("SPIN_VARIABLE_LONELY_SECRET"), "{message}");
}

#[tokio::test]
async fn an_unknown_template_variable_stops_the_start() {
    let message = refusal(&manifest("variables = { a = \"{{ nowhere }}\" }")).await;
    assert!(message.contains("\"probe\"") && message.contains("\"nowhere\""), "{message}");
}

#[tokio::test]
async fn a_missing_component_file_is_named() {
    let message = refusal(
        "spin_manifest_version = 2\napplication = { name = \"a\" }\n[[trigger.http]]\nroute = \"/\"\n\
                        component = \"absent\"\n[component.absent]\nsource = \"absent.wasm\"",
    )
    .await;
    assert!(message.contains("\"absent\"") && message.contains("absent.wasm"), "{message}");
}

#[tokio::test]
async fn an_unknown_import_is_named_with_its_component() {
    let wat = r#"(component (import "acme:missing/thing@1.0.0" (instance (export "go" (func)))))"#;
    let file = folder().join("stranger.wasm");
    fs::write(&file, wat::parse_str(wat).unwrap()).unwrap();
    let text = format!(
        "spin_manifest_version = 2\napplication = {{ name = \"a\" }}\n[[trigger.http]]\nroute = \"/\"\n\
         component = \"stranger\"\n[component.stranger]\nsource = {:?}",
        file.display().to_string()
    );
    let message = refusal(&text).await;
    assert!(message.contains("\"stranger\"") && message.contains("acme:missing/thing@1.0.0"), "{message}");
}
