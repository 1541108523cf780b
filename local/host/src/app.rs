//! The running application: its components and routes.

use super::body::Bodies;
use super::caller::{Caller, caller};
use super::fault::{fault, request_id, text};
use super::options::Limits;
use super::outbound::{Answer, Application};
use super::route::{RouteMatch, Router};
use super::telemetry::Telemetry;
use super::worker::Workers;
use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{InstantiationError, ProxyHandler};

/// Paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The client address of a request of a component, as Spin gives it.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// How long a request waits for its turn when its component has as many as it may have.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// A component's instances, and how many requests of clients they may serve at one time.
pub(crate) struct Served {
    /// The instances.
    pub(crate) workers: ProxyHandler<Workers>,
    /// One permit for each request that has no response yet. Requests of other components need none: a component that
    /// waits for another one must not wait for its turn as well.
    pub(crate) turns: Semaphore,
}

/// Components by id, and where requests go.
pub(crate) struct App {
    /// The application's name.
    pub(crate) name: String,
    /// The application's version.
    pub(crate) version: String,
    /// Public routes.
    pub(crate) router: Router,
    /// Every component.
    pub(crate) components: HashMap<String, Served>,
    /// What clients and components may use up.
    pub(crate) limits: Limits,
    /// Where spans of requests go.
    pub(crate) telemetry: Telemetry,
    /// Takes in the bodies of clients' requests.
    pub(crate) bodies: Bodies,
    /// The first address that is listened on, for requests of components to the application itself.
    pub(crate) listening: OnceLock<SocketAddr>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("name", &self.name).finish_non_exhaustive()
    }
}

impl App {
    /// Answers a request to a public route.
    pub(crate) async fn public(
        &self,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let path = request.uri().path();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return self.well_known(name);
        }
        let Some(found) = self.router.find(path) else { return empty(StatusCode::NOT_FOUND) };
        let Some(component) = self.components.get(&found.component) else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let Ok(Ok(_turn)) = timeout(TURN_TIMEOUT, component.turns.acquire()).await else {
            tracing::warn!(component = %found.component, "a request was refused: too many wait for the component");
            return fault(StatusCode::SERVICE_UNAVAILABLE, &request_id(request.headers_mut()));
        };
        self.run(component, found, request, client).await
    }

    /// Lets a component answer.
    async fn run(
        &self,
        component: &Served,
        found: RouteMatch,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let span = self.telemetry.begin(&found.component, found.pattern(), &mut request);
        let response = run(&component.workers, found, request, client).await;
        self.telemetry.end(span, response.status());
        response
    }

    /// The `host` header of requests to the application itself.
    fn origin(&self) -> HeaderValue {
        let address = self.listening.get().map_or_else(|| "localhost".to_owned(), SocketAddr::to_string);
        HeaderValue::try_from(address).unwrap_or(HeaderValue::from_static("localhost"))
    }

    fn well_known(&self, name: &str) -> Response<WasiBody> {
        let (kind, body) = match name {
            "health" => ("text/plain", "OK".to_owned()),
            "info" => (
                "application/json",
                serde_json::json!({ "name": self.name, "version": self.version }).to_string(),
            ),
            _ => return empty(StatusCode::NOT_FOUND),
        };
        text(StatusCode::OK, kind, body)
    }
}

impl Application for App {
    fn chained<'a>(
        &'a self,
        component: &'a str,
        mut request: Request<WasiBody>,
    ) -> Answer<'a, Option<Response<WasiBody>>> {
        request.headers_mut().remove(HOST);
        let found = RouteMatch::chained(component, request.uri().path());
        Box::pin(async move {
            let component = self.components.get(component)?;
            Some(self.run(component, found, request, CHAINED_CLIENT).await)
        })
    }

    fn to_itself(&self, mut request: Request<WasiBody>) -> Answer<'_, Response<WasiBody>> {
        *request.uri_mut() = path_of(request.uri());
        request.headers_mut().insert(HOST, self.origin());
        Box::pin(self.public(request, CHAINED_CLIENT))
    }
}

/// Lets a component answer.
async fn run(
    workers: &ProxyHandler<Workers>,
    found: RouteMatch,
    mut request: Request<WasiBody>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let id = request_id(request.headers_mut());
    if !complete(&mut request, &found, client) {
        return fault(StatusCode::BAD_REQUEST, &id);
    }
    // dropped before the response: the client has gone
    let (waiting, caller) = caller();
    let response = workers.handle(caller, request).await;
    waiting.answered();
    response.unwrap_or_else(|error| {
        let component = &found.component;
        tracing::error!(%component, request_id = id, "a request failed: {error:#}");
        let full = error.downcast_ref::<InstantiationError<Caller>>().is_some();
        fault(if full { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR }, &id)
    })
}

fn path_of(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from)
}

/// Gives the request its full address and the `spin-*` headers; false if it names no host.
fn complete(request: &mut Request<WasiBody>, found: &RouteMatch, client: SocketAddr) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let mut parts = request.uri().clone().into_parts();
    let authority = match (&host, parts.authority.take()) {
        (Some(host), uri) => match (host.parse::<Authority>(), uri) {
            (Ok(host), None) => host,
            (Ok(host), Some(uri)) if host == uri => host,
            _ => return false,
        },
        (None, Some(uri)) => uri,
        (None, None) => return false,
    };
    let path = parts.path_and_query.take().unwrap_or_else(|| PathAndQuery::from_static("/"));
    found.set_headers(request.headers_mut(), host.as_deref().unwrap_or("localhost"), &path, client);
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map(|uri| *request.uri_mut() = uri).is_ok()
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    text(status, "text/plain", String::new())
}
