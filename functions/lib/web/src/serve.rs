//! From a request to its handler and back.

use crate::{
    Call, Refusal, address,
    call::take,
    cors,
    credentials::check,
    denied,
    finish::{RequestInfo, finish},
    rate,
    refusal::allow,
    repeat,
    reply::Answer,
    trace::{Trace, within},
};
use bytes::Bytes;
use futures::future::{Either, select};
use http::Method;
use pm_api::route::{self, Access, Match, Op, Route};
use spin_sdk::http::Request;
use std::{pin::pin, time::Duration};

/// How long a handler may take until its answer begins.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(25);

/// What a handler gives for an operation.
pub type Outcome = Result<Answer, Refusal>;

/// Largest request body, bytes, unless the component says otherwise.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Largest body of a request by the bridge or another component, bytes.
const MAX_INTERNAL_BODY_BYTES: usize = 32 * MAX_BODY_BYTES;

/// Serves a request of `component`: finds the operation, checks the caller, calls `handle`, turns refusals into
/// answers, and finishes the answer.
pub async fn serve<F>(component: &'static str, request: Request, handle: impl FnOnce(Op, Call) -> F) -> Answer
where
    F: Future<Output = Outcome>,
{
    serve_up_to(MAX_BODY_BYTES, component, request, handle).await
}

/// The same for a component that takes larger bodies, of at most `max_body_bytes`.
pub async fn serve_up_to<F>(
    max_body_bytes: usize,
    component: &'static str,
    request: Request,
    handle: impl FnOnce(Op, Call) -> F,
) -> Answer
where
    F: Future<Output = Outcome>,
{
    let path = request.uri().path().to_owned();
    let trace = Trace::begin(component, request.method().as_str(), request.headers());
    let request_info = RequestInfo::of(request.method(), request.headers());
    let (answer, quiet) = within(trace.clone(), async {
        let mut quiet = false;
        let answer = match admit(max_body_bytes, component, request, &path, &trace).await {
            Ok(Admission::Call(op, call)) => {
                quiet = call.route.access == Access::Service;
                let route = call.route;
                match in_time(route, repeat::once(op, *call, handle)).await {
                    Ok(answer) => answer,
                    Err(refusal) => {
                        denied::note(route, &refusal, &trace, &request_info.headers).await;
                        refusal.answer(&path)
                    }
                }
            }
            Ok(Admission::Answered(answer)) => answer,
            Err(refusal) => refusal.answer(&path),
        };
        (answer, quiet)
    })
    .await;
    let answer = within(trace.clone(), finish(&request_info, answer, &trace.id)).await;
    // the bridge calls many times a second: only what went wrong is of interest
    if !quiet || !answer.status().is_success() {
        trace.end(answer.status());
    }
    answer
}

/// What the handler gives, if it does so in time. Hosts of functions end a request after 30 s: better an answer before
/// that, and what the handler waits for is given up. The bridge and the components give their own calls the time that
/// they take.
async fn in_time(route: &Route, outcome: impl Future<Output = Outcome>) -> Outcome {
    if route.access == Access::Service {
        return outcome.await;
    }
    match select(pin!(outcome), pin!(spin_sdk::time::sleep(HANDLER_TIMEOUT))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => {
            Err(Refusal::Unavailable(format!("no answer within {} s", HANDLER_TIMEOUT.as_secs())))
        }
    }
}

/// Serves a request of a component that only other components can call (`private` in spin.toml). There is no access to
/// check, and `handle` finds the operation by method and path. Only failed requests are logged: `ingest` calls many times
/// a second.
pub async fn serve_private<F>(
    component: &'static str,
    request: Request,
    handle: impl FnOnce(http::Request<Bytes>) -> F,
) -> Answer
where
    F: Future<Output = Outcome>,
{
    let path = request.uri().path().to_owned();
    let trace = Trace::begin(component, request.method().as_str(), request.headers());
    let answer = within(trace.clone(), async {
        let (parts, body) = request.into_parts();
        let outcome = match take(body, MAX_INTERNAL_BODY_BYTES).await {
            Ok(body) => handle(http::Request::from_parts(parts, body)).await,
            Err(refusal) => Err(refusal),
        };
        outcome.unwrap_or_else(|refusal| refusal.answer(&path))
    })
    .await;
    if !answer.status().is_success() {
        trace.end(answer.status());
    }
    answer
}

/// Serves a request of the component that gets whatever no other claims; it answers by itself.
pub async fn serve_rest<F>(
    component: &'static str,
    request: Request,
    handle: impl FnOnce(Request) -> F,
) -> Answer
where
    F: Future<Output = Answer>,
{
    let trace = Trace::begin(component, request.method().as_str(), request.headers());
    let request_info = RequestInfo::of(request.method(), request.headers());
    let answer = within(trace.clone(), handle(request)).await;
    let answer = within(trace.clone(), finish(&request_info, answer, &trace.id)).await;
    trace.end(answer.status());
    answer
}

/// The documented answer for a known path and an unknown method; `OPTIONS` is known to all.
#[must_use]
pub fn other_method(request: &Request, methods: &[&'static str]) -> Answer {
    if request.method() == Method::OPTIONS {
        return cors::options(request.headers(), &allow(methods));
    }
    Refusal::MethodNotAllowed(methods.to_vec()).answer(request.uri().path())
}

enum Admission {
    Call(Op, Box<Call>),
    Answered(Answer),
}

async fn admit(
    max_body_bytes: usize,
    component: &str,
    request: Request,
    path: &str,
    trace: &Trace,
) -> Result<Admission, Refusal> {
    // HEAD is answered as GET; the host leaves the body out
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let (route, params) = match route::find(method.as_str(), path) {
        Match::Found(route, params) if route.component == component => (route, params),
        Match::OtherMethod(methods) => return Ok(Admission::Answered(other_method(&request, &methods))),
        Match::Found(..) | Match::Unknown => return Err(Refusal::NotFound),
    };
    trace.route.set(route.path);
    let params: Vec<_> = params.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let address = address::of_client(request.headers()).await;
    let checked = check(route, &request, trace).await;
    if let Err(refusal) = &checked {
        denied::note(route, refusal, trace, request.headers()).await;
    }
    if route.access != Access::Service {
        let user = checked.as_ref().ok().and_then(Option::as_ref).map(|caller| caller.identity.user_id);
        rate::count(user, address).await?;
    }
    let caller = checked?;
    let limit = if route.access == Access::Service { MAX_INTERNAL_BODY_BYTES } else { max_body_bytes };
    let call = Call::read(route, request, params, caller, address, limit).await?;
    Ok(Admission::Call(route.op, Box::new(call)))
}
