//! A request to another server: resolves its name, connects to an address that is not blocked, exchanges.

use super::block::BlockedNetworks;
use super::outbound::{Io, Sent};
use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Where a component sets no timeout.
const TIMEOUT: Duration = Duration::from_secs(600);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
});

/// Sends a request and gives the response as it comes.
///
/// # Errors
/// As the components see them.
pub(crate) async fn send(
    mut request: Request<WasiBody>,
    options: Option<RequestOptions>,
    blocked: &BlockedNetworks,
) -> Sent {
    let options = options.unwrap_or_default();
    let time = |given: Option<Duration>| given.unwrap_or(TIMEOUT);
    let stream = timeout(time(options.connect_timeout), connect(request.uri(), blocked)).await;
    let stream = stream.map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    // only a request to a proxy names more than the path
    let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    let mut connection = Box::pin(connection);
    let exchange = timeout(time(options.first_byte_timeout), sender.send_request(request));
    let mut exchange = std::pin::pin!(exchange);
    let mut ended = false;
    let response = loop {
        tokio::select! {
            biased;
            response = &mut exchange => break response.map_err(|_| Error::ConnectionReadTimeout)??,
            // it may end well once the response is here
            result = &mut connection, if !ended => match result {
                Ok(()) => ended = true,
                Err(error) => return Err(error.into()),
            },
        }
    };
    let limit = time(options.between_bytes_timeout);
    let response = response.map(|body| Paced { body, limit, late: Box::pin(sleep(limit)) }.boxed_unsync());
    let io: Io = Box::new(async move {
        // the sender goes last, or the connection would end before the response is read
        let result = if ended { Ok(()) } else { connection.await.map_err(Error::from) };
        drop(sender);
        result
    });
    Ok((response, io))
}

async fn connect(uri: &Uri, blocked: &BlockedNetworks) -> Result<Box<dyn Stream>, Error> {
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?.trim_matches(['[', ']']);
    let with_tls = uri.scheme() != Some(&Scheme::HTTP);
    let port = uri.port_u16().unwrap_or(if with_tls { 443 } else { 80 });
    let found = lookup_host((host, port)).await.map_err(|_| Error::DestinationNotFound)?;
    let (blocked, usable): (Vec<_>, Vec<_>) = found.partition(|address| blocked.blocks(address.ip()));
    let mut stream: Result<TcpStream, Error> =
        Err(if blocked.is_empty() { Error::DestinationNotFound } else { Error::DestinationIpProhibited });
    for address in usable {
        stream = TcpStream::connect(address).await.map_err(Error::Connect);
        if stream.is_ok() {
            break;
        }
    }
    let stream = stream?;
    if !with_tls {
        return Ok(Box::new(stream));
    }
    let name = match host.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(host.to_owned())?,
    };
    let secured = TlsConnector::from(TLS.clone()).connect(name, stream).await;
    Ok(Box::new(secured.map_err(|error: io::Error| Error::Tls(error))?))
}

/// A response body whose parts must not take too long.
struct Paced {
    body: Incoming,
    limit: Duration,
    late: Pin<Box<Sleep>>,
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                let end = tokio::time::Instant::now() + self.limit;
                self.late.as_mut().reset(end);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => match self.late.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(Error::ConnectionReadTimeout))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
