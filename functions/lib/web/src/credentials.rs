//! Who is asking, and may they?

use crate::{Refusal, access_rights, database::database, trace::Trace};
use http::header;
use pm_api::route::{Access, Route};
use pm_auth::token::{Identity, Signer};
use pm_domain::settings::Key;
use pm_store::{setting, user::AccessRights};
use spin_sdk::http::Request;
use std::sync::OnceLock;
use subtle::ConstantTimeEq;

/// What an event stream says to a caller without token, as documented.
const STREAM_NEEDS_TOKEN: &str =
    "Authentication required. Provide token as query parameter '?token=...' or Authorization header";

/// Checks the caller against the route's access.
pub(crate) async fn check(
    route: &Route,
    request: &Request,
    trace: &Trace,
) -> Result<Option<Identity>, Refusal> {
    let token = match (bearer(request), route.access) {
        (_, Access::Public) => return Ok(None),
        (Some(token), _) => token,
        (None, Access::Stream) => {
            token_in_query(request).ok_or_else(|| Refusal::Unauthorized(STREAM_NEEDS_TOKEN.to_owned()))?
        }
        (None, Access::Registration) if registration_is_open().await? => return Ok(None),
        (None, _) => return Err(Refusal::NotAuthenticated),
    };
    // while the service token rotates, some still show the previous one
    let secrets: &[&str] = match route.access {
        Access::Service => &["service_token", "service_token_previous", "component_token"],
        Access::Metrics => &["metrics_token"],
        _ => &[],
    };
    for name in secrets {
        let expected = crate::variable(name).await?;
        if !expected.is_empty() && bool::from(token.as_bytes().ct_eq(expected.as_bytes())) {
            return Ok(None);
        }
    }
    if route.access == Access::Service {
        return Err(Refusal::BadToken);
    }
    let signer = signer().await?;
    let identity = match (signer.check_access(&token), route.access) {
        (Err(_), Access::Stream) => signer.check_ticket(&token),
        (checked, _) => checked,
    };
    let mut identity = identity.map_err(|_| Refusal::BadToken)?;
    trace.user.set(Some(identity.user_id));
    let allows = |s: &AccessRights| route.allows(s.role, &s.permissions);
    let rights = access_rights::recent(identity.user_id, allows).await?.ok_or(Refusal::BadToken)?;
    let registers = route.access == Access::Registration && registration_is_open().await?;
    if !allows(&rights) && !registers {
        return Err(Refusal::Forbidden(route.access.refusal()));
    }
    (identity.role, identity.permissions) = (rights.role, rights.permissions);
    Ok(Some(identity))
}

/// May anyone create an account?
async fn registration_is_open() -> Result<bool, Refusal> {
    let settings = setting::read(&database().await?, &[Key::RegistrationPolicy]).await?;
    Ok(settings.text(Key::RegistrationPolicy) == "open")
}

fn bearer(request: &Request) -> Option<String> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

fn token_in_query(request: &Request) -> Option<String> {
    let query = request.uri().query()?;
    let token = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token")?.1.into_owned();
    (!token.is_empty()).then_some(token)
}

/// The signer, made once per instance. The secret does not change while an instance lives.
pub(crate) async fn signer() -> Result<&'static Signer, Refusal> {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    if let Some(signer) = SIGNER.get() {
        return Ok(signer);
    }
    let secret = crate::variable("jwt_secret").await?;
    let signer = Signer::new(&secret).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(SIGNER.get_or_init(|| signer))
}
