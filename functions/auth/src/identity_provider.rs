//! Sign-in by identity providers (OpenID Connect). A sign-in that was begun is a signed token, so nothing is stored for who
//! does not come back.

use crate::{
    device, login,
    provider_documents::{ask, documents, newer_documents, unusable},
    throttled::{LOGIN_SETTINGS, LoginAttempt},
};
use pm_api::{
    UserId,
    input::MailAddress,
    route::op,
    sign_in::{ProviderRequest, SignInBegun, SignInCompletion, SignInProvider},
    user::{NewUser, TokenPair, UserChange},
};
use pm_auth::{
    id_token::{self, IdTokenError},
    token::PendingSignIn,
};
use pm_domain::{
    identity_provider::{
        Admission, Begun, Claims, NotAdmitted, Provider, admit, authorization_url, challenge, check_claims,
        code_verifier, providers, secrets, token_request,
    },
    settings::{Key, Values},
};
use pm_store::{
    Db, StoreError, audit,
    identity::{self, Candidate, Identity},
    session, setting,
    user::{self, AccessRights, Account, FirstPassword},
};
use pm_web::{Call, Input, Refusal, SignedIn, log_warning, now};
use serde::Deserialize;
use uuid::Uuid;

/// Page of the web interface to which a provider sends the browser back.
const PAGE: &str = "/app/sign-in";

/// `GET /users/sign-in/providers`.
pub(crate) async fn list(input: Input<op::ListSignInProviders>) -> Result<Vec<SignInProvider>, Refusal> {
    let settings = setting::read(&input.db().await?, &[Key::LoginProviders]).await?;
    let shown = |provider: Provider| SignInProvider { name: provider.name, label: provider.label };
    Ok(configured(&settings).into_iter().map(shown).collect())
}

/// `POST /users/sign-in/providers/{provider}`.
pub(crate) async fn begin(input: Input<op::BeginSignIn>) -> Result<SignInBegun, Refusal> {
    let db = input.db().await?;
    let settings = setting::read(&db, &[Key::LoginProviders, Key::GeneralPublicUrl]).await?;
    let provider = named(&settings, input.param("provider")).ok_or(Refusal::NotFound)?;
    let published = documents(&db, &provider).await?;
    let verifier = code_verifier(crate::second_factor::random());
    let pending = PendingSignIn {
        provider: provider.name.clone(),
        id: Uuid::new_v4(),
        challenge: challenge(&verifier),
    };
    let state = input.signer().await?.sign_in(&pending).map_err(|e| Refusal::Internal(e.to_string()))?;
    let begun = Begun {
        redirect_uri: &redirect_uri(&settings),
        state: &state,
        nonce: &pending.id.to_string(),
        challenge: &pending.challenge,
    };
    let authorization_url =
        authorization_url(&provider, &published.configuration.authorization_endpoint, &begun);
    Ok(SignInBegun { authorization_url, code_verifier: verifier })
}

/// `POST /users/sign-in`.
pub(crate) async fn complete(input: Input<op::CompleteSignIn>) -> Result<SignedIn<TokenPair>, Refusal> {
    let given = &input.body;
    let db = input.db().await?;
    let own = [Key::LoginProviders, Key::LoginProviderSecrets, Key::GeneralPublicUrl];
    let settings = setting::read(&db, &[own.as_slice(), &login::LIVES, &LOGIN_SETTINGS].concat()).await?;
    let attempt = LoginAttempt::by_provider(&input, &settings);
    attempt.wait(&input, &db, None).await?;
    let pending = input.signer().await?.check_sign_in(&given.state).map_err(|_| begun_elsewhere())?;
    let same_browser = challenge(&given.code_verifier) == pending.challenge;
    if !same_browser || !session::spend_ticket(&db, pending.id).await? {
        return Err(begun_elsewhere());
    }
    let provider = named(&settings, &pending.provider).ok_or_else(begun_elsewhere)?;
    let claims = match claims(&db, &provider, &settings, &pending, given).await {
        Ok(claims) => claims,
        Err(Untrusted::Because(why)) => {
            let failed = audit::Event {
                action: "login_failed",
                resource_type: "user",
                resource_id: None,
                details: Some(format!("Identity provider {}: {why}", provider.name)),
            };
            audit::record_of(&db, None, &input.origin(), failed).await?;
            let text = format!("The answer of {} is not to be trusted: {why}", provider.label);
            return Err(Refusal::Unauthorized(text));
        }
        Err(Untrusted::Unusable(refusal)) => return Err(refusal),
    };
    let account = account(&input, &db, &provider, &claims).await?;
    attempt.succeeded(&db).await?;
    let device = device::known(&input, Some(account.user_id)).await?;
    let cookie = device::cookie(&input, account.user_id, device, &settings).await?;
    let body = login::begin(&input, &db, account, &settings, Some(&provider.name)).await?;
    Ok(SignedIn { body, cookie })
}

fn begun_elsewhere() -> Refusal {
    let text = "The sign-in was begun elsewhere, is too old or was completed before. Please begin again.";
    Refusal::Unauthorized(text.to_owned())
}

/// Why a provider's answer gives no claims.
enum Untrusted {
    /// It is not to be trusted.
    Because(String),
    /// There is none that can be used.
    Unusable(Refusal),
}

impl From<Refusal> for Untrusted {
    fn from(refusal: Refusal) -> Self {
        Self::Unusable(refusal)
    }
}

/// Exchanges the code for an ID token: the claims of a good one.
async fn claims(
    db: &Db,
    provider: &Provider,
    settings: &Values,
    pending: &PendingSignIn,
    given: &SignInCompletion,
) -> Result<Claims, Untrusted> {
    #[derive(Deserialize)]
    struct Tokens {
        id_token: String,
    }
    if given.iss.as_ref().is_some_and(|issuer| **issuer != *provider.issuer) {
        return Err(Untrusted::Because("the code has another issuer".to_owned()));
    }
    let published = documents(db, provider).await?;
    let all_secrets = secrets(settings.text(Key::LoginProviderSecrets)).unwrap_or_default();
    let secret = all_secrets.get(&provider.name).map(String::as_str);
    let (form, authorization) = token_request(
        provider,
        published.configuration.client_secret(secret),
        &given.code,
        &redirect_uri(settings),
        &given.code_verifier,
    );
    let request = ProviderRequest {
        url: published.configuration.token_endpoint.clone(),
        form: Some(form),
        authorization,
    };
    let (status, body) = ask(provider, &request).await?;
    if status == 400 || status == 401 {
        let beginning: String = body.chars().take(300).collect();
        log_warning(&format!(
            "identity provider {}: it answered {status} to a code: {beginning}",
            provider.name
        ));
        return Err(Untrusted::Because("it does not accept the code".to_owned()));
    }
    let tokens: Result<Tokens, _> = serde_json::from_str(&body);
    let Tokens { id_token } = match tokens {
        Ok(tokens) if status == 200 => tokens,
        Ok(_) => return Err(unusable(provider, &format!("its token endpoint answered {status}")).into()),
        Err(error) => return Err(unusable(provider, &format!("its tokens: {error}")).into()),
    };
    let claims: Claims = match id_token::verify(&id_token, &published.keys) {
        // keys rotate
        Err(IdTokenError::UnknownKey) => match newer_documents(db, provider).await? {
            Some(newer) => id_token::verify(&id_token, &newer.keys),
            None => Err(IdTokenError::UnknownKey),
        },
        checked => checked,
    }
    .map_err(|why| Untrusted::Because(why.to_string()))?;
    check_claims(&claims, provider, &pending.id.to_string(), now())
        .map_err(|why| Untrusted::Because(why.to_string()))?;
    Ok(claims)
}

/// The person's account, linked or created if there is none.
async fn account(call: &Call, db: &Db, provider: &Provider, claims: &Claims) -> Result<Account, Refusal> {
    let person = Identity { issuer: &provider.issuer, subject: claims.subject() };
    let found = identity::find(db, person, claims.verified_email()).await?;
    let (admission, candidate) = match (admit(provider, claims, found.as_ref().map(|f| f.known)), found) {
        (Ok(admission), candidate) => (admission, candidate),
        (Err(why), candidate) => return refused(call, db, provider, candidate, why).await,
    };
    match (admission, candidate) {
        (Admission::Enter(role), Some(Candidate { account, .. })) => with_role(call, db, account, role).await,
        (Admission::Link(role), Some(Candidate { account, known })) => {
            let actor = call.origin().actor(account.user_id);
            if identity::link(db, &actor, account.user_id, person).await? {
                with_role(call, db, account, role).await
            } else {
                refused(call, db, provider, Some(Candidate { account, known }), NotAdmitted::EmailTaken).await
            }
        }
        (Admission::Create(role), candidate) => {
            let user_id = UserId(Uuid::now_v7());
            let actor = call.origin().actor(user_id).doing("register");
            let email = MailAddress(claims.verified_email().unwrap_or_default().to_owned());
            let new = NewUser {
                email,
                password: None,
                is_service: None,
                full_name: claims.full_name().map(Into::into),
                role: Some(role),
            };
            match user::create(db, &actor, user_id, &new, FirstPassword::None, Some(person)).await {
                Ok(created) => Ok(Account {
                    user_id,
                    email: created.email,
                    rights: AccessRights { role, permissions: Vec::new() },
                }),
                // the same person, or the same address, was a moment earlier
                Err(StoreError::Constraint(_)) => {
                    refused(call, db, provider, candidate, NotAdmitted::EmailTaken).await
                }
                Err(other) => Err(other.into()),
            }
        }
        // the rule admits nobody to an account that was not found
        (Admission::Enter(_) | Admission::Link(_), None) => Err(Refusal::NotFound),
    }
}

/// The account with the role that the provider gives.
async fn with_role(
    call: &Call,
    db: &Db,
    account: Account,
    role: Option<pm_api::Role>,
) -> Result<Account, Refusal> {
    let Some(role) = role else { return Ok(account) };
    let actor = call.origin().actor(account.user_id).doing("role_of_identity_provider");
    let change = UserChange { role: Some(role), ..UserChange::default() };
    match user::change(db, &actor, account.user_id, &change, None).await {
        Ok(_) => Ok(Account { rights: AccessRights { role, ..account.rights }, ..account }),
        Err(StoreError::Constraint(name)) if name == "users_last_admin" => {
            let text = "The identity provider takes the administrator's role from you, but the last active administrator must stay one";
            Err(Refusal::Forbidden(text.to_owned()))
        }
        Err(other) => Err(other.into()),
    }
}

/// Refuses a person who is who they say, and writes it to the audit log.
async fn refused(
    call: &Call,
    db: &Db,
    provider: &Provider,
    candidate: Option<Candidate>,
    why: NotAdmitted,
) -> Result<Account, Refusal> {
    let user_id = candidate.map(|candidate| candidate.account.user_id);
    let failed = audit::Event {
        action: "login_failed",
        resource_type: "user",
        resource_id: user_id.map(|id| id.to_string()),
        details: Some(format!("Identity provider {}: {why}", provider.name)),
    };
    audit::record_of(db, user_id, &call.origin(), failed).await?;
    Err(Refusal::Forbidden(why.to_string()))
}

fn configured(settings: &Values) -> Vec<Provider> {
    providers(settings.text(Key::LoginProviders)).unwrap_or_default()
}

fn named(settings: &Values, name: &str) -> Option<Provider> {
    configured(settings).into_iter().find(|provider| provider.name == name)
}

fn redirect_uri(settings: &Values) -> String {
    format!("{}{PAGE}", settings.text(Key::GeneralPublicUrl).trim_end_matches('/'))
}
