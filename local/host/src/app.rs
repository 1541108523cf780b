//! The running application: its components and routes.

use super::outbound::{Answer, Application};
use super::route::{RouteMatch, Router};
use super::worker::Workers;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

/// Paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The client address of a request of a component, as Spin gives it.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Components by id, and where requests go.
pub(crate) struct App {
    /// The application's name.
    pub(crate) name: String,
    /// The application's version.
    pub(crate) version: String,
    /// Public routes.
    pub(crate) router: Router,
    /// Instances of every component.
    pub(crate) components: HashMap<String, ProxyHandler<Workers>>,
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
    pub(crate) async fn public(&self, request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        let path = request.uri().path();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return self.well_known(name);
        }
        match self.router.find(path) {
            None => empty(StatusCode::NOT_FOUND),
            Some(found) => self
                .run(found, request, client)
                .await
                .unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR)),
        }
    }

    /// Lets a component answer; `None` if there is no such component.
    async fn run(
        &self,
        found: RouteMatch,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Option<Response<WasiBody>> {
        let workers = self.components.get(&found.component)?;
        if !complete(&mut request, &found, client) {
            return Some(empty(StatusCode::BAD_REQUEST));
        }
        match workers.handle((), request).await {
            Ok(response) => Some(response),
            Err(error) => {
                tracing::error!(component = %found.component, "a request failed: {error:#}");
                Some(empty(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
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
        let mut response = with_body(StatusCode::OK, body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
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
        Box::pin(self.run(found, request, CHAINED_CLIENT))
    }

    fn to_itself(&self, mut request: Request<WasiBody>) -> Answer<'_, Response<WasiBody>> {
        *request.uri_mut() = path_of(request.uri());
        request.headers_mut().insert(HOST, self.origin());
        Box::pin(self.public(request, CHAINED_CLIENT))
    }
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
    with_body(status, String::new())
}

fn with_body(status: StatusCode, body: String) -> Response<WasiBody> {
    let length = HeaderValue::from(body.len());
    let body = Full::new(Bytes::from(body)).map_err(Into::into).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
