use super::*;
use proptest::prelude::*;
use serde_json::json;

const NOW_S: i64 = 1_800_000_000;
const NOW: Timestamp = Timestamp(NOW_S * 1_000_000);
const NONCE: &str = "n-0S6_WzA2Mj";

fn described(more: Value) -> Value {
    let mut provider = json!({
        "name": "plant", "label": "Plant directory", "issuer": "https://id.example", "client_id": "pm"
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        provider[key] = value.clone();
    }
    provider
}

fn provider(more: Value) -> Provider {
    let read = providers(&json!([described(more)]).to_string());
    read.map(|mut all| all.remove(0)).unwrap_or_else(|why| panic!("{why}"))
}

fn claims(more: Value) -> Claims {
    let mut claims = json!({
        "iss": "https://id.example", "aud": "pm", "sub": "alice", "exp": NOW_S + 600, "iat": NOW_S, "nonce": NONCE,
        "email": "alice@example.com", "email_verified": true, "name": "Alice"
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        claims[key] = value.clone();
    }
    serde_json::from_value(claims).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn a_setting_describes_providers_or_is_refused_with_a_reason() {
    assert_eq!(providers("[]"), Ok(vec![]));
    let plain = provider(json!({}));
    assert_eq!(plain.scopes, ["email", "profile"]);
    assert!(plain.create_accounts && !plain.link_by_email && plain.roles_claim.is_none());
    for (more, why) in [
        (json!({"name": "Plant"}), "name should"),
        (json!({"label": " "}), "label should"),
        (json!({"issuer": "id.example"}), "issuer: "),
        (json!({"issuer": "https://id.example?x"}), "issuer: "),
        (json!({"client_id": ""}), "client_id should"),
        (json!({"scopes": ["a b"]}), "scopes should"),
        (json!({"roles": {"x": "admin"}}), "roles need a roles_claim"),
    ] {
        let refused = providers(&json!([described(more)]).to_string());
        assert!(refused.as_ref().is_err_and(|text| text.contains(why)), "{why}: {refused:?}");
    }
    for bad in [
        json!([described(json!({"roles_claim": "groups", "roles": {"x": "boss"}}))]),
        json!([described(json!({"client_secret": "here"}))]),
        json!([described(json!({})), described(json!({"name": "other"}))]),
        json!([{"name": "plant"}]),
        json!({}),
    ] {
        assert!(providers(&bad.to_string()).is_err(), "{bad}");
    }
    assert!(secrets(r#"{"plant":"s"}"#).is_ok_and(|all| all["plant"] == "s"));
    assert!(secrets(r#"{"plant":7}"#).is_err_and(|text| !text.contains('7')));
}

#[test]
fn the_challenge_is_that_of_the_standard() {
    // RFC 7636, appendix B
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(code_verifier([0; 32]).len(), 43);
}

#[test]
fn the_provider_is_asked_for_a_code() {
    let begun =
        Begun { redirect_uri: "https://pm.example/app/sign-in", state: "s", nonce: "n", challenge: "c" };
    let url = authorization_url(
        &provider(json!({"scopes": ["openid", "email"]})),
        "https://id.example/auth",
        &begun,
    );
    assert_eq!(
        url,
        "https://id.example/auth?client_id=pm&code_challenge=c&code_challenge_method=S256&nonce=n&\
         redirect_uri=https%3A%2F%2Fpm.example%2Fapp%2Fsign-in&response_type=code&scope=openid%20email&state=s"
    );
    let with_query = authorization_url(&provider(json!({})), "https://id.example/auth?tenant=1", &begun);
    assert!(with_query.starts_with("https://id.example/auth?tenant=1&client_id=pm&"), "{with_query}");
}

#[test]
fn the_secret_goes_where_the_provider_takes_it() {
    let asked = |secret| token_request(&provider(json!({})), secret, "c", "https://pm.example", "v");
    let form = "code=c&code_verifier=v&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fpm.example";
    let header = format!("Basic {}", BASE64_STANDARD.encode("pm:a%3Ab"));
    assert_eq!(asked(ClientSecret::InHeader("a:b")), (form.to_owned(), Some(header)));
    let in_form = format!("client_id=pm&client_secret=a%3Ab&{form}");
    assert_eq!(asked(ClientSecret::InForm("a:b")), (in_form, None));
    assert_eq!(asked(ClientSecret::Absent), (format!("client_id=pm&{form}"), None));
}

#[test]
fn a_token_is_for_one_client_one_sign_in_and_a_short_time() {
    for (more, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": ["pm"]}), Ok(())),
        (json!({"aud": ["pm", "other"], "azp": "pm"}), Ok(())),
        (json!({"aud": ["pm", "other"]}), Err(Untrusted::Audience)),
        (json!({"aud": ["pm", "other"], "azp": "other"}), Err(Untrusted::Audience)),
        (json!({"aud": "other"}), Err(Untrusted::Audience)),
        (json!({"aud": "other", "azp": "pm"}), Err(Untrusted::Audience)),
        (json!({"aud": []}), Err(Untrusted::Audience)),
        (json!({"iss": "https://id.example/"}), Err(Untrusted::Issuer)),
        (json!({"exp": NOW_S - 59}), Ok(())),
        (json!({"exp": NOW_S - 60}), Err(Untrusted::Expired)),
        (json!({"iat": NOW_S - 3600}), Err(Untrusted::Expired)),
        (json!({"iat": NOW_S + 60}), Ok(())),
        (json!({"iat": NOW_S + 61}), Err(Untrusted::NotYet)),
        (json!({"nbf": NOW_S + 60}), Ok(())),
        (json!({"nbf": NOW_S + 61}), Err(Untrusted::NotYet)),
        (json!({"nonce": "another"}), Err(Untrusted::Nonce)),
        (json!({"nonce": null}), Err(Untrusted::Nonce)),
        (json!({"sub": ""}), Err(Untrusted::Subject)),
        (json!({"sub": "x".repeat(256)}), Err(Untrusted::Subject)),
    ] {
        let checked = check_claims(&claims(more.clone()), &provider(json!({})), NONCE, NOW);
        assert_eq!(checked, expected, "{more}");
    }
}

#[test]
fn only_a_verified_address_counts() {
    for (more, expected) in [
        (json!({}), Some("alice@example.com")),
        (json!({"email_verified": "true"}), Some("alice@example.com")),
        (json!({"email_verified": false}), None),
        (json!({"email_verified": null}), None),
        (json!({"email": "alice"}), None),
    ] {
        assert_eq!(claims(more.clone()).verified_email(), expected, "{more}");
    }
}

#[test]
fn who_gets_which_account() {
    let mine = |is_active| Known { is_linked: true, role: Role::Viewer, is_active, is_service: false };
    let same_mail = |is_service| Known { is_linked: false, role: Role::Viewer, is_active: true, is_service };
    let without_mail = json!({"email_verified": false});
    for (settings, more, known, expected) in [
        (json!({}), json!({}), None, Ok(Admission::Create(Role::Operator))),
        (json!({"default_role": "viewer"}), json!({}), None, Ok(Admission::Create(Role::Viewer))),
        (json!({"create_accounts": false}), json!({}), None, Err(NotAdmitted::NoAccount)),
        (json!({}), without_mail.clone(), None, Err(NotAdmitted::NoEmail)),
        (json!({}), without_mail, Some(mine(true)), Ok(Admission::Enter(None))),
        (json!({}), json!({}), Some(mine(false)), Err(NotAdmitted::Inactive)),
        (json!({}), json!({}), Some(same_mail(false)), Err(NotAdmitted::EmailTaken)),
        (json!({"link_by_email": true}), json!({}), Some(same_mail(false)), Ok(Admission::Link(None))),
        (json!({"link_by_email": true}), json!({}), Some(same_mail(true)), Err(NotAdmitted::EmailTaken)),
    ] {
        let admitted = admit(&provider(settings.clone()), &claims(more.clone()), known);
        assert_eq!(admitted, expected, "{settings} {more} {known:?}");
    }
}

#[test]
fn the_highest_role_of_the_claim_counts_each_time() {
    let known = Some(Known { is_linked: true, role: Role::Engineer, is_active: true, is_service: false });
    let roles = json!({"staff": "viewer", "maintenance": "engineer", "it": "admin"});
    for (path, more, default, expected) in [
        ("groups", json!({"groups": ["staff", "it", "unknown"]}), None, Ok(Some(Role::Admin))),
        ("groups", json!({"groups": "staff"}), None, Ok(Some(Role::Viewer))),
        ("groups", json!({"groups": ["maintenance"]}), None, Ok(None)),
        ("groups", json!({"groups": []}), None, Err(NotAdmitted::NoRole)),
        ("groups", json!({}), Some("operator"), Ok(Some(Role::Operator))),
        ("realm_access.roles", json!({"realm_access": {"roles": ["it"]}}), None, Ok(Some(Role::Admin))),
        (
            "https://id.example/roles",
            json!({"https://id.example/roles": ["it"]}),
            None,
            Ok(Some(Role::Admin)),
        ),
    ] {
        let provider = provider(json!({"roles_claim": path, "roles": roles, "default_role": default}));
        let expected = expected.map(Admission::Enter);
        assert_eq!(admit(&provider, &claims(more.clone()), known), expected, "{path} {more}");
    }
}

proptest! {
    #[test]
    fn a_person_whom_no_value_gives_a_role_gets_no_more_than_the_default(groups in prop::collection::vec("[a-z]{1,8}", 0..8)) {
        let provider = provider(json!({
            "roles_claim": "groups", "roles": {"it-department": "admin"}, "default_role": "viewer"
        }));
        let admitted = admit(&provider, &claims(json!({"groups": groups})), None);
        prop_assert_eq!(admitted, Ok(Admission::Create(Role::Viewer)));
    }

    #[test]
    fn no_setting_panics(text in "\\PC{0,60}") {
        let _ = (providers(&text), secrets(&text));
    }
}
