//! Sign-in by a real identity provider (tests/identity-provider) on this machine.

use crate::client::{ADMIN, Answer, Client, ENGINEER};
use anyhow::{Context, Result, ensure};
use pm_api::route::url_encoded;
use pm_test_support::{Stack, StackOptions, skipped};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::sleep,
};

const PUBLIC_URL: &str = "https://pm.example";

/// A provider, and a system that knows it.
struct Plant {
    _stack: Stack,
    client: Client,
    admin: Client,
    provider: Client,
    issuer: String,
    // ends the provider when it is dropped
    _process: Child,
}

/// A sign-in that has come back from the provider.
#[derive(Clone)]
struct Returned {
    code: String,
    state: String,
    iss: String,
    code_verifier: String,
}

impl Plant {
    /// None where this machine cannot run a provider.
    async fn start(test: &str) -> Result<Option<Self>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("identity-provider");
        if !folder.join("node_modules/oidc-provider").exists() {
            let why = "npm's oidc-provider is not there (./pm test fetches it where npm is installed)";
            skipped(test, why)?;
            return Ok(None);
        }
        let mut process = Command::new("node")
            .arg(folder.join("provider.mjs"))
            .arg(format!("{PUBLIC_URL}/app/sign-in"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run node")?;
        let out = process.stdout.take().context("no output")?;
        let issuer = BufReader::new(out).lines().next_line().await?.context("the provider did not start")?;
        let environment =
            vec![("SPIN_VARIABLE_IDENTITY_PROVIDER_ALLOW_PRIVATE".to_owned(), "true".to_owned())];
        let options =
            StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
        let stack = Stack::start(options).await?;
        let client = Client::new(&stack.base_url());
        let admin = client.sign_in(ADMIN).await?;
        let provider = Client::new(&issuer);
        let plant = Self { _stack: stack, client, admin, provider, issuer, _process: process };
        plant.set("general.public_url", PUBLIC_URL).await?;
        let secrets = json!({"plant": "a secret: with reserved characters", "ec": "another"});
        plant.set("login.provider_secrets", &secrets.to_string()).await?;
        plant.providers(json!({})).await?;
        Ok(Some(plant))
    }

    async fn set(&self, key: &str, value: &str) -> Result<Value> {
        self.admin.patch(&format!("/settings/{key}"), json!({"value": value})).await?.expect(200)
    }

    /// Sets the provider, with these fields besides the usual ones.
    async fn providers(&self, more: Value) -> Result<()> {
        let mut provider = json!({
            "name": "plant", "label": "Plant directory", "issuer": self.issuer, "client_id": "pm",
            "roles_claim": "groups", "roles": {"maintenance": "engineer", "it": "admin"}
        });
        for (key, value) in more.as_object().context("no fields")? {
            provider[key] = value.clone();
        }
        self.set("login.providers", &json!([provider]).to_string()).await.map(drop)
    }

    /// Begins a sign-in and goes through it at the provider.
    async fn returned(&self, account: &str) -> Result<Returned> {
        self.returned_from("plant", account).await
    }

    async fn returned_from(&self, provider: &str, account: &str) -> Result<Returned> {
        let path = format!("/users/sign-in/providers/{provider}");
        let begun = self.client.post(&path, json!({})).await?.expect(200)?;
        let query = url_encoded(&json!({"url": begun["authorization_url"], "account": account}));
        let address = self.provider.get(&format!("/test/sign-in?{query}")).await?.expect(200)?;
        let address = address.as_str().context("no address")?;
        ensure!(address.starts_with(PUBLIC_URL), "{address}");
        let address: http::Uri = address.parse()?;
        let query = address.query().unwrap_or_default();
        let value = |name: &str| {
            let of = |pair: &str| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
            query.split('&').find_map(of).with_context(|| format!("no {name} in {query}"))
        };
        let code_verifier = begun["code_verifier"].as_str().context("no code_verifier")?.to_owned();
        Ok(Returned { code: value("code")?, state: value("state")?, iss: self.issuer.clone(), code_verifier })
    }

    async fn complete(&self, returned: &Returned) -> Result<Answer> {
        let Returned { code, state, iss, code_verifier } = returned;
        let body = json!({"code": code, "state": state, "iss": iss, "code_verifier": code_verifier});
        self.client.post("/users/sign-in", body).await
    }

    /// Signs in.
    async fn sign_in(&self, account: &str) -> Result<Client> {
        let pair = self.complete(&self.returned(account).await?).await?.expect(200)?;
        Ok(self.client.with_token(pair["access_token"].as_str().context("no access token")?))
    }

    /// Signs in with a token of the provider that has these claims.
    async fn sign_in_with(&self, claims: Value) -> Result<Answer> {
        let returned = self.returned("alice").await?;
        self.provider.post("/test/spoil", claims).await?.expect(200)?;
        let answer = self.complete(&returned).await?;
        self.provider.post("/test/spoil", json!({})).await?.expect(200)?;
        Ok(answer)
    }
}

fn refused(answer: &Answer, status: u16, why: &str) -> Result<()> {
    let body = answer.expect(status)?;
    let detail = body["detail"].as_str().unwrap_or_default();
    ensure!(detail.contains(why), "{why}: {body}");
    Ok(())
}

#[tokio::test]
async fn a_person_signs_in_by_the_provider_and_gets_an_account_with_its_role() -> Result<()> {
    let test = "identity_provider::a_person_signs_in_by_the_provider_and_gets_an_account_with_its_role";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    let shown = plant.client.get("/users/sign-in/providers").await?.expect(200)?;
    assert_eq!(shown, json!([{"name": "plant", "label": "Plant directory"}]));
    plant.client.post("/users/sign-in/providers/other", json!({})).await?.expect(404)?;

    let alice = plant.sign_in("alice").await?;
    let me = alice.get("/users/me").await?.expect(200)?;
    assert_eq!((&me["email"], &me["role"]), (&json!("alice@example.com"), &json!("engineer")));
    assert_eq!(me["full_name"], "Alice Example");
    let sessions = alice.get("/users/me/sessions").await?.expect(200)?;
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "an ordinary session: {sessions}");
    // the same person has the same account, and it has no password
    let again = plant.sign_in("alice").await?.get("/users/me").await?.expect(200)?;
    assert_eq!(again["id"], me["id"]);
    plant.client.login("alice@example.com", "any password").await?.expect(401)?;

    // a second factor is the provider's matter
    let boss = plant.sign_in("boss").await?;
    boss.get("/users").await?.expect(200)?;
    let second_factor = "/settings/login.second_factor";
    boss.patch(second_factor, json!({"value": "operator"})).await?.expect(200)?;
    plant.sign_in("alice").await?.get("/machines").await?.expect(200)?;
    plant.client.sign_in(ENGINEER).await?.get("/machines").await?.expect(403)?;
    boss.patch(second_factor, json!({"value": "optional"})).await?.expect(200)?;

    // roles follow the provider's word at each sign-in
    plant.providers(json!({"roles": {"maintenance": "viewer"}})).await?;
    let boss = plant.sign_in("boss").await?;
    assert_eq!(boss.get("/users/me").await?.expect(200)?["role"], "viewer");
    refused(&plant.complete(&plant.returned("guest").await?).await?, 403, "no role")?;
    plant.providers(json!({"default_role": "operator"})).await?;
    assert_eq!(plant.sign_in("guest").await?.get("/users/me").await?.expect(200)?["role"], "operator");

    let id = me["id"].as_str().context("no id")?;
    plant.admin.patch(&format!("/users/{id}"), json!({"is_active": false})).await?.expect(200)?;
    refused(&plant.complete(&plant.returned("alice").await?).await?, 403, "not active")?;
    let entries = plant.admin.get("/audit/logs?action_type=login_failed").await?.expect(200)?;
    assert!(entries.to_string().contains("Identity provider plant: Your account is not active"), "{entries}");
    Ok(())
}

#[tokio::test]
async fn an_account_that_exists_is_opened_only_if_the_provider_may() -> Result<()> {
    let test = "identity_provider::an_account_that_exists_is_opened_only_if_the_provider_may";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    refused(&plant.complete(&plant.returned("engineer").await?).await?, 403, "exists")?;
    refused(&plant.complete(&plant.returned("unverified").await?).await?, 403, "no verified mail address")?;
    plant.providers(json!({"create_accounts": false})).await?;
    refused(&plant.complete(&plant.returned("alice").await?).await?, 403, "no account")?;
    plant.providers(json!({"link_by_email": true})).await?;
    let engineer = plant.sign_in("engineer").await?.get("/users/me").await?.expect(200)?;
    assert_eq!(engineer["email"], ENGINEER.0);
    // from then on the link counts, and the password still works
    plant.providers(json!({})).await?;
    assert_eq!(plant.sign_in("engineer").await?.get("/users/me").await?.expect(200)?["id"], engineer["id"]);
    plant.client.sign_in(ENGINEER).await?;
    Ok(())
}

#[tokio::test]
async fn a_sign_in_works_once_and_in_the_browser_that_began_it() -> Result<()> {
    let test = "identity_provider::a_sign_in_works_once_and_in_the_browser_that_began_it";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    let first = plant.returned("alice").await?;
    let second = plant.returned("alice").await?;
    // a code that somebody else got is brought to this browser
    let foreign = Returned { code: second.code.clone(), ..first.clone() };
    refused(&plant.complete(&foreign).await?, 401, "does not accept the code")?;
    let other_browser = Returned { code_verifier: "x".repeat(43), ..second.clone() };
    refused(&plant.complete(&other_browser).await?, 401, "begun elsewhere")?;
    let third = plant.returned("alice").await?;
    let mixed_up = Returned { iss: "https://other.example".to_owned(), ..third };
    refused(&plant.complete(&mixed_up).await?, 401, "another issuer")?;
    let last = plant.returned("alice").await?;
    plant.complete(&last).await?.expect(200)?;
    refused(&plant.complete(&last).await?, 401, "completed before")?;
    for state in ["", "x", first.code.as_str()] {
        let made_up = Returned { state: state.to_owned(), ..last.clone() };
        let status = plant.complete(&made_up).await?.status.as_u16();
        assert!([401, 422].contains(&status), "{status} for {state:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_is_refused() -> Result<()> {
    let test = "identity_provider::a_token_that_is_not_for_this_sign_in_is_refused";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    let now_s = i64::try_from(UNIX_EPOCH.elapsed()?.as_secs())?;
    for (claims, why) in [
        (json!({"aud": "another-client"}), "another audience"),
        (json!({"iss": "https://other.example"}), "another issuer"),
        (json!({"nonce": "of another sign-in"}), "another sign-in"),
        (json!({"exp": now_s - 120}), "expired"),
        (json!({"iat": now_s + 300, "exp": now_s + 600}), "clock"),
    ] {
        refused(&plant.sign_in_with(claims).await?, 401, why)?;
    }
    // a clock that differs by half a minute is good
    plant.sign_in_with(json!({"exp": now_s - 20})).await?.expect(200)?;
    plant.sign_in_with(json!({"iat": now_s + 30, "nbf": now_s + 30})).await?.expect(200)?;
    let entries = plant.admin.get("/audit/logs?action_type=login_failed").await?.expect(200)?;
    assert!(entries.to_string().contains("the ID token is for another audience"), "{entries}");
    Ok(())
}

#[tokio::test]
async fn keys_rotate_and_either_algorithm_and_kind_of_client_is_good() -> Result<()> {
    let test = "identity_provider::keys_rotate_and_either_algorithm_and_kind_of_client_is_good";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    plant.sign_in("alice").await?;
    // keys that were fetched a moment ago are not fetched again
    sleep(Duration::from_secs(6)).await;
    plant.provider.post("/test/rotate", json!({})).await?.expect(200)?;
    plant.sign_in("alice").await?;
    plant.providers(json!({"name": "ec", "client_id": "pm-ec"})).await?;
    plant.complete(&plant.returned_from("ec", "alice").await?).await?.expect(200)?;
    plant.providers(json!({"name": "public", "client_id": "pm-public"})).await?;
    plant.complete(&plant.returned_from("public", "alice").await?).await?.expect(200)?;
    // a secret that is wrong
    plant.set("login.provider_secrets", r#"{"plant":"wrong"}"#).await?;
    plant.providers(json!({})).await?;
    refused(&plant.complete(&plant.returned("alice").await?).await?, 401, "does not accept")?;
    Ok(())
}

#[tokio::test]
async fn only_administrators_set_providers_and_nobody_reads_their_secrets() -> Result<()> {
    let test = "identity_provider::only_administrators_set_providers_and_nobody_reads_their_secrets";
    let Some(plant) = Plant::start(test).await? else { return Ok(()) };
    let engineer = plant.client.sign_in(ENGINEER).await?;
    for key in ["login.providers", "login.provider_secrets"] {
        engineer.patch(&format!("/settings/{key}"), json!({"value": "[]"})).await?.expect(403)?;
        let setting = plant.admin.get(&format!("/settings/{key}")).await?.expect(200)?;
        assert!(!setting.to_string().contains("reserved characters"), "{setting}");
    }
    let bad = r#"[{"name":"a","label":"A","issuer":"a.example","client_id":"pm"}]"#;
    let refused = plant.admin.patch("/settings/login.providers", json!({"value": bad})).await?.expect(422)?;
    assert!(refused.to_string().contains("a: issuer: the address should begin with"), "{refused}");
    // a provider that is away
    let away = json!({"name": "away", "issuer": "http://127.0.0.1:9"});
    plant.providers(away).await?;
    let answer = plant.client.post("/users/sign-in/providers/away", json!({})).await?;
    assert_eq!(answer.expect(502)?["detail"].as_str().map(|text| text.contains("no answer")), Some(true));
    Ok(())
}

#[tokio::test]
async fn a_provider_in_a_private_network_is_not_asked_unless_allowed() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    let provider = json!([{"name": "a", "label": "A", "issuer": "http://127.0.0.1:9", "client_id": "pm"}]);
    let body = json!({"value": provider.to_string()});
    client.sign_in(ADMIN).await?.patch("/settings/login.providers", body).await?.expect(200)?;
    client.post("/users/sign-in/providers/a", json!({})).await?.expect(502)?;
    assert!(stack.log("host").contains("private network, which is not allowed"), "{}", stack.log("host"));
    Ok(())
}
