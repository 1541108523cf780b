//! Requests that components send: the allow-list, service chaining, and everything else.

use super::allow::chain_target;
use super::component::ComponentInfo;
use super::send::send;
use http::{Request, Response};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// What a component's own application answers.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The application, as its components reach it.
pub(crate) trait Application: Debug + Send + Sync {
    /// Lets a component answer by service chaining; `None` if there is no such component.
    fn chained<'a>(
        &'a self,
        component: &'a str,
        request: Request<WasiBody>,
    ) -> Answer<'a, Option<Response<WasiBody>>>;

    /// Answers a request to one of the public routes.
    fn to_itself(&self, request: Request<WasiBody>) -> Answer<'_, Response<WasiBody>>;
}

/// Sends a component's requests, of WASI 0.2 and 0.3 alike.
#[derive(Debug, Clone)]
pub(crate) struct Outbound {
    /// The component that sends.
    pub(crate) info: Arc<ComponentInfo>,
    /// The application, for requests that stay in it.
    pub(crate) app: Weak<dyn Application>,
}

/// What is left to do for a connection while its response is read.
pub(crate) type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
/// A response and its connection.
pub(crate) type Sent = Result<(Response<WasiBody>, Io), Error>;

impl Outbound {
    async fn send(self, request: Request<WasiBody>, options: Option<RequestOptions>) -> Sent {
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
            return send(request, options, &self.info.blocked).await;
        }
        let app = self.app.upgrade().ok_or(Error::ConnectionTerminated)?;
        let response = match target {
            Some(component) => app.chained(component, request).await.ok_or(Error::DestinationNotFound)?,
            None => app.to_itself(request).await,
        };
        Ok((response, Box::new(async { Ok(()) })))
    }
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
