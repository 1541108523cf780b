use super::*;

// Made with the npm package jose. The claims: {"iss":"https://id.example","sub":"alice","iat":1800000000,"exp":1800000600}.
const RSA_MODULUS: &str = "\
     lbVfDJkx-0c2XUspyEV4PpkAKUJzKm-bzaB99oEptKloR3DwHJH7B7R3Xs-VbJxEJvfLjlfmP01p95gxmo_7lnkvwYhbZFnjkU0QlsAUO5BzVO\
     JuQKGjfGGAtR0SstkJfNPavPPZHtUxdV5phE4djVUQAViH3x1em1NzgpPrRyvWF6ef8aD1Q23ExpX_0VPUPbMPo7vPPPphtUjYQbiAmWLLVg4R\
     Zl53etYa98QE-z-u48yl9AaVdbMO5Y1gpIHH-4InoiLtTAqn2mCFpJFDqs_nIfDcw1_H0F-XdFAx-J89TMuUx_skuggKZqhLny45KnqjESXkaf\
     C-EhqKRZbNuQ";
const RSA_TOKEN: &str = "\
     eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhbGljZSIsImlhdCI6MTgwMD\
     AwMDAwMCwiZXhwIjoxODAwMDAwNjAwfQ.WJYbnCVPLaDG-_2BwGIm4AmdUfn9u3MEq5ADZnF8qpvFcl3oPb6YuOQ0V99o_vihtl9zo5-OLW1jH\
     ymKHbob18sSuT3A_Bg8K73mxMuBVhnHlTXTsEQxywg9S8xDAIBDx19_VbEbJ0I9Ei7VumzFkEx6hl-vj61lPwxZi1nRm-YcbPD4Vk36sFPjHjb\
     L2J2LltFBqxAxEaMHsVXEVMuq1ugOd92cj2ZcIjQ2ZLSQS4to3z-u67T_A4jgIrkJcDawmHB7xzbIghmj2Ad0FbkKoPVpFHvEJs0z671qH9T1m\
     -46qZW8TypkjwyARMEMXbs-PTRf2_zzVS-cMCHqQzlO8Q";
const EC_X: &str = "LpM70WpQhy9c3L68NxCCNNUR3BohDkjc9mLURzB3yAc";
const EC_Y: &str = "JBAT9v8X9YkCCf0SaMPK0_E3ZQ2WmgLN4mvSQQAb10g";
const EC_TOKEN: &str = "\
     eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjLTEifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhbGljZSIsImlhdCI6MTgwMDA\
     wMDAwMCwiZXhwIjoxODAwMDAwNjAwfQ.o9t-IJt-cslK6H8r0qpFgsIx7r03kbHQLB9K-slt6M_u-25yL3dygatgP_Fn2JfaxArvTv5qnkmoE7\
     94KZm5EA";
const EC_TOKEN_WITHOUT_KEY_ID: &str = "\
     eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiJhbGljZSIsImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxO\
     DAwMDAwNjAwfQ.VZeh9_M9Nhfp7LKGjQ8d3LMbB8JhJaGNJPhJJR3U1IRXqDmtXK779ccwUO_rIvfU9k44GM6YLbNa6nBu-r5eQA";

fn rsa_key(kid: &str) -> Value {
    serde_json::json!({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "e": "AQAB", "n": RSA_MODULUS})
}

fn ec_key(kid: &str) -> Value {
    serde_json::json!({"kty": "EC", "kid": kid, "crv": "P-256", "x": EC_X, "y": EC_Y})
}

fn keys(keys: &[Value]) -> String {
    serde_json::json!({ "keys": keys }).to_string()
}

fn subject(token: &str, keys: &str) -> Result<String, IdTokenError> {
    verify::<Value>(token, keys).map(|claims| claims["sub"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_token_is_accepted_with_the_key_that_it_names_or_one_of_the_set() {
    let strange = serde_json::json!({"kty": "AKP", "kid": "ec-1"});
    let set = keys(&[strange, rsa_key("rsa-1"), ec_key("ec-1")]);
    for token in [RSA_TOKEN, EC_TOKEN, EC_TOKEN_WITHOUT_KEY_ID] {
        assert_eq!(subject(token, &set), Ok("alice".to_owned()));
    }
}

#[test]
fn a_token_of_another_key_is_refused() {
    let unknown = Err(IdTokenError::UnknownKey);
    assert_eq!(subject(RSA_TOKEN, &keys(&[rsa_key("rsa-2"), ec_key("rsa-1")])), unknown);
    assert_eq!(subject(EC_TOKEN_WITHOUT_KEY_ID, &keys(&[rsa_key("rsa-1")])), unknown);
    let mut for_encryption = rsa_key("rsa-1");
    for_encryption["use"] = "enc".into();
    assert_eq!(subject(RSA_TOKEN, &keys(&[for_encryption])), unknown);
    let mut other = ec_key("ec-1");
    (other["x"], other["y"]) = (
        // RFC 7515, appendix A.3
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into(),
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into(),
    );
    assert_eq!(subject(EC_TOKEN, &keys(&[other])), Err(IdTokenError::Signature));
}

#[test]
fn a_token_that_was_changed_or_is_not_signed_is_refused() {
    let set = keys(&[rsa_key("rsa-1"), ec_key("ec-1")]);
    let parts: Vec<_> = EC_TOKEN.split('.').collect();
    let forged =
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"https://id.example","sub":"mallory","exp":1800000600}"#);
    assert_eq!(subject(&format!("{}.{forged}.{}", parts[0], parts[2]), &set), Err(IdTokenError::Signature));
    for (header, signature) in [
        (r#"{"alg":"none"}"#, ""),
        (r#"{"alg":"HS256","kid":"rsa-1"}"#, parts[2]),
        (r#"{"alg":"PS256","kid":"rsa-1"}"#, parts[2]),
    ] {
        let token = format!("{}.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(header), parts[1]);
        assert_eq!(subject(&token, &set), Err(IdTokenError::Algorithm), "{header}");
    }
    for (token, set) in [("", set.as_str()), ("a.b.c", &set), (EC_TOKEN, "{}"), (EC_TOKEN, "<html>")] {
        assert_eq!(subject(token, set), Err(IdTokenError::Malformed), "{token} {set}");
    }
}

#[test]
fn a_key_of_about_1024_bits_is_none() {
    let mut weak = rsa_key("rsa-1");
    weak["n"] = RSA_MODULUS[..172].into();
    assert_eq!(subject(RSA_TOKEN, &keys(&[weak])), Err(IdTokenError::Signature));
}
