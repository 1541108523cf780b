//! Requests that components send: the allow-list, service chaining, and everything else.

use super::allow::chain_target;
use super::app::App;
use super::guest::ComponentInfo;
use super::route::RouteMatch;
use http::header::HOST;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The client address of a chained request, as Spin gives it.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Sends a component's requests, of WASI 0.2 and 0.3 alike.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The component that sends.
    pub info: Arc<ComponentInfo>,
    /// The application, for requests that stay in it.
    pub app: Weak<App>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

impl Outbound {
    async fn send(self, mut request: Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
        let uri = request.uri().clone();
        let host = uri.host().unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or("https");
        let to_itself = host.is_empty() || host == "self.alt";
        let allowed = if to_itself {
            self.info.allowed.allows_itself()
        } else {
            self.info.allowed.allows(scheme, host.trim_matches(['[', ']']), uri.port_u16())
        };
        if !allowed {
            let component = &*self.info.id;
            tracing::warn!(component, "a request to {scheme}://{host} is not in allowed_outbound_hosts");
            return Err(Error::HttpRequestDenied);
        }
        let target = chain_target(&uri);
        if !to_itself && target.is_none() {
            let (response, io) = default_send_request(request, options).await?;
            return Ok((response.map(BodyExt::boxed_unsync), Box::new(io)));
        }
        let app = self.app.upgrade().ok_or(Error::ConnectionTerminated)?;
        let response = match target {
            Some(component) => {
                request.headers_mut().remove(HOST);
                let found = RouteMatch::chained(component, uri.path());
                app.run(found, request, CHAINED_CLIENT).await.ok_or(Error::DestinationNotFound)?
            }
            None => {
                *request.uri_mut() = path_of(&uri);
                request.headers_mut().insert(HOST, app.origin());
                app.public(request, CHAINED_CLIENT).await
            }
        };
        Ok((response, Box::new(async { Ok(()) })))
    }
}

fn path_of(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from)
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_result: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(self.clone().send(request, options))
    }
}
