//! From a request to its handler and back.

use crate::{Call, Refusal, reply::Answer};
use http::{HeaderValue, header};
use pm_auth::{
    Access, Op, Route,
    route::{self, Match},
    token::{Identity, Signer},
};
use spin_sdk::http::Request;
use std::sync::OnceLock;

/// What a handler gives for an operation.
pub type Outcome = Result<Answer, Refusal>;

/// Largest request body, bytes, unless the component says otherwise.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Serves a request of `component`: finds the operation, checks the caller, calls `handle`, turns refusals into
/// answers.
pub async fn serve<F>(component: &'static str, request: Request, handle: impl FnOnce(Op, Call) -> F) -> Answer
where
    F: Future<Output = Outcome>,
{
    let path = request.uri().path().to_owned();
    let mut answer = match admit(component, request, &path).await {
        Ok((op, call)) => handle(op, call).await.unwrap_or_else(|refusal| refusal.answer(&path)),
        Err(refusal) => refusal.answer(&path),
    };
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

async fn admit(component: &str, request: Request, path: &str) -> Result<(Op, Call), Refusal> {
    let method = request.method().clone();
    let found = match route::find(method.as_str(), path) {
        Match::Found(route, params) if route.component == component => (route, params),
        // HEAD is answered as GET; the host leaves the body out
        Match::OtherMethod(methods) => return Err(Refusal::MethodNotAllowed(methods)),
        Match::Found(..) | Match::Unknown => return Err(Refusal::NotFound),
    };
    let (route, params) = found;
    let params: Vec<_> = params.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let identity = check(route, &request).await?;
    let limit = if route.access == Access::Service { 32 * MAX_BODY_BYTES } else { MAX_BODY_BYTES };
    let call = Call::read(route, request, params, identity, limit).await?;
    Ok((route.op, call))
}

/// Checks the caller against the route's access.
async fn check(route: &Route, request: &Request) -> Result<Option<Identity>, Refusal> {
    if route.access == Access::Public {
        return Ok(None);
    }
    let Some(token) = token(route, request) else {
        return if route.access == Access::Registration { Ok(None) } else { Err(Refusal::NotAuthenticated) };
    };
    if route.access == Access::Service {
        let expected = crate::variable("service_token").await?;
        let same = !expected.is_empty() && constant_time_eq(token.as_bytes(), expected.as_bytes());
        return if same { Ok(None) } else { Err(Refusal::BadToken) };
    }
    let identity = signer().await?.check_access(&token).map_err(|_| Refusal::BadToken)?;
    // whether anybody may register is for the handler to find out
    if route.allows(identity.role, &identity.permissions) || route.access == Access::Registration {
        Ok(Some(identity))
    } else {
        Err(Refusal::Forbidden(route.access.refusal()))
    }
}

/// The bearer token; for event streams also from the query, since browsers cannot set headers there.
fn token(route: &Route, request: &Request) -> Option<String> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer = header.and_then(|v| {
        let (scheme, token) = v.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let in_query = || {
        let query = request.uri().query().filter(|_| route.component == "events")?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token").map(|(_, v)| v.into_owned())
    };
    bearer.or_else(in_query).filter(|t| !t.is_empty())
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

fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
