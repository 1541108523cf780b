//! The manifests for a cluster fit the schemas, the application, the bridge and each other.

use crate::schema_check::{Schemas, documents};
use anyhow::{Context, Result, ensure};
use pm_api::route::ROUTES;
use pm_migrations::GroupUrls;
use pm_stack::up::sibling;
use pm_test_support::manifest;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

const OWNER_URL: &str = "postgres://owner:it's@db.example:5432/pm";

fn folder() -> PathBuf {
    manifest().with_file_name("deploy")
}

/// Every object of the manifests, and the secrets as the script makes them.
fn objects() -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder().join("kubernetes"))? {
        all.extend(documents(&fs::read_to_string(entry?.path())?)?);
    }
    let script = folder().join("secrets.sh");
    let made =
        Command::new("sh").arg(script).args([OWNER_URL, "mqtt://u:p@mq", "boss@example.com"]).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    all.extend(documents(&String::from_utf8(made.stdout)?)?);
    Ok(all)
}

fn one<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let found = objects.iter().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
    found.with_context(|| format!("no {kind} {name}"))
}

/// Every object within `value` that has the field, with the field's value.
fn having<'a>(value: &'a Value, field: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(field));
            fields.values().for_each(|value| having(value, field, found));
        }
        Value::Array(items) => items.iter().for_each(|value| having(value, field, found)),
        _ => {}
    }
}

#[test]
fn every_object_fits_its_schema_and_a_misspelt_field_does_not() -> Result<()> {
    let schemas = Schemas::load()?;
    let objects = objects()?;
    for object in &objects {
        assert_eq!(schemas.errors(object), Vec::<String>::new());
        let in_namespace =
            object["kind"] == "Namespace" || object["metadata"]["namespace"] == "predictive-maintenance";
        assert!(in_namespace, "{object}");
    }
    for (kind, name, field, wrong) in [
        ("SpinApp", "functions", "replicas", "replica"),
        ("SpinApp", "functions", "secretKeyRef", "secretKeyref"),
        ("StatefulSet", "bridge", "readinessProbe", "readynessProbe"),
        ("Job", "migrations", "backoffLimit", "backOffLimit"),
        ("NetworkPolicy", "functions", "ipBlock", "ipblock"),
    ] {
        let text = one(&objects, kind, name)?.to_string();
        let misspelt = text.replace(&format!("\"{field}\""), &format!("\"{wrong}\""));
        assert_ne!(text, misspelt, "{kind} has no {field}");
        let errors = schemas.errors(&serde_json::from_str(&misspelt)?);
        assert!(errors.iter().any(|error| error.ends_with(&format!(".{wrong}: unknown"))), "{errors:?}");
    }
    Ok(())
}

#[test]
fn every_reference_between_manifests_resolves() -> Result<()> {
    let objects = objects()?;
    for object in &objects {
        for (field, kind) in [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")] {
            let mut references = Vec::new();
            having(object, field, &mut references);
            for reference in references.into_iter().filter(|reference| reference["optional"] != true) {
                let text = |name: &str| reference[name].as_str().unwrap_or_default();
                let holder = one(&objects, kind, text("name"))?;
                let data = if kind == "Secret" { &holder["stringData"] } else { &holder["data"] };
                assert!(data[text("key")].is_string(), "{kind} {} lacks {}", text("name"), text("key"));
            }
        }
        for (field, kind) in [("secretRef", "Secret"), ("configMapRef", "ConfigMap")] {
            let mut references = Vec::new();
            having(object, field, &mut references);
            for reference in references {
                one(&objects, kind, reference["name"].as_str().unwrap_or_default())?;
            }
        }
        // selectors find the pods
        if object["kind"] == "StatefulSet" {
            assert_eq!(
                object["spec"]["selector"]["matchLabels"],
                object["spec"]["template"]["metadata"]["labels"]
            );
        }
    }
    let secret = one(&objects, "Secret", "migrations")?["stringData"]["PM_ROLE_SECRET"].as_str();
    for (group, url) in GroupUrls::new("postgres://db.example:5432/pm", secret.context("no secret")?)?.all() {
        let given = &one(&objects, "Secret", "functions")?["stringData"][format!("database_url_{group}")];
        assert_eq!(given, url, "{group}");
    }
    let runtime_config = &one(&objects, "SpinApp", "functions")?["spec"]["runtimeConfig"]["loadFromSecret"];
    let runtime_config =
        one(&objects, "Secret", runtime_config.as_str().context("no runtime configuration")?)?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(&file, runtime_config["stringData"]["runtime-config.toml"].as_str().context("no file")?)?;
    let blocked = pm_host::BlockedNetworks::load(file.path())?;
    assert!(blocked.blocks("10.0.0.1".parse()?) && !blocked.blocks("1.1.1.1".parse()?));
    assert_eq!(one(&objects, "Secret", "migrations")?["stringData"]["DATABASE_URL"], OWNER_URL);
    Ok(())
}

#[test]
fn the_application_gets_every_variable() -> Result<()> {
    let objects = objects()?;
    let spin: toml::Table = fs::read_to_string(manifest())?.parse()?;
    let declared = spin["variables"].as_table().context("no variables")?;
    let app = &one(&objects, "SpinApp", "functions")?["spec"];
    let given: BTreeMap<&str, &Value> = app["variables"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| Some((v["name"].as_str()?, v)))
        .collect();
    let names: BTreeSet<&str> = declared.keys().map(String::as_str).collect();
    assert_eq!(given.keys().copied().collect::<BTreeSet<_>>(), names);
    for (name, declaration) in declared {
        let from_secret = given[name.as_str()]["valueFrom"]["secretKeyRef"].is_object();
        let secret = declaration.get("secret").and_then(toml::Value::as_bool).unwrap_or(false);
        assert_eq!(from_secret, secret, "{name}");
        let required = declaration.get("required").and_then(toml::Value::as_bool).unwrap_or(false);
        let optional = given[name.as_str()]["valueFrom"]["secretKeyRef"]["optional"] == true;
        assert!(!(required && optional), "{name} is required");
    }
    for probe in ["liveness", "readiness"] {
        let path = app["checks"][probe]["httpGet"]["path"].as_str().context("no probe")?;
        assert!(ROUTES.iter().any(|route| route.path == path), "{path}");
    }
    let version = spin["application"]["version"].as_str().context("no version")?;
    let mut images = Vec::new();
    objects.iter().for_each(|object| having(object, "image", &mut images));
    assert_eq!(images.len(), 3);
    for image in images {
        assert!(image.as_str().is_some_and(|image| image.ends_with(&format!(":{version}"))), "{image}");
    }
    Ok(())
}

#[test]
fn the_bridge_reads_every_variable_of_its_manifest() -> Result<()> {
    let objects = objects()?;
    let help = Command::new(sibling("ingest-bridge")?).arg("--help").output()?;
    let help = String::from_utf8(help.stdout)?;
    let mut given: BTreeSet<&str> = BTreeSet::new();
    given.extend(
        one(&objects, "ConfigMap", "bridge")?["data"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, _)| k.as_str()),
    );
    given.extend(
        one(&objects, "Secret", "bridge")?["stringData"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, _)| k.as_str()),
    );
    let bridge = &one(&objects, "StatefulSet", "bridge")?["spec"]["template"]["spec"]["containers"][0];
    given.extend(bridge["env"].as_array().into_iter().flatten().filter_map(|e| e["name"].as_str()));
    for name in given {
        assert!(help.contains(&format!("[env: {name}")), "the bridge does not know {name}");
    }
    Ok(())
}

#[test]
fn the_container_file_copies_existing_files_only() -> Result<()> {
    let text = fs::read_to_string(folder().join("Containerfile"))?;
    let copied =
        text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from"));
    let mut sources = BTreeSet::new();
    for line in copied {
        let words: Vec<&str> = line.split(' ').collect();
        sources.extend(words[..words.len() - 1].iter().copied());
    }
    let workspace = fs::read_to_string(manifest().with_file_name("Cargo.toml"))?;
    let workspace: toml::Table = workspace.parse()?;
    let members = workspace["workspace"]["members"].as_array().context("no members")?;
    // cargo reads every member, whatever it builds
    for member in members.iter().filter_map(toml::Value::as_str).chain(["migrations", "Cargo.lock"]) {
        assert!(sources.contains(member.split('/').next().unwrap_or_default()), "{member} is not copied");
    }
    for source in sources {
        assert!(manifest().with_file_name(source).exists(), "{source}");
    }
    let rust = workspace["workspace"]["package"]["rust-version"].as_str().context("no version")?;
    assert!(text.contains(&format!("/rust:{rust}-")), "the container's Rust is not {rust}");
    Ok(())
}
