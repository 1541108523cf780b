//! Bodies: a request's is taken in before a component sees the request, so that a slow client holds no instance.

use super::options::{Limits, MIN_BODY_BYTES_PER_S};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, timeout_at};
use wasmtime_wasi_http::{Error, WasiBody};

/// Every body may take this much memory; what is beyond it comes out of [`SHARED_BYTES`].
const OWN_BYTES: usize = 64 * 1024;
/// Memory for all larger bodies together.
const SHARED_BYTES: usize = 256 * 1024 * 1024;
/// What is too large is read and dropped up to this size, so that its sender gets the response instead of finding the
/// connection closed.
const MAX_DROPPED_BYTES: usize = 32 * 1024 * 1024;

/// Takes in request bodies.
#[derive(Debug)]
pub(crate) struct Bodies {
    limits: Limits,
    /// One permit is [`OWN_BYTES`] bytes.
    shared: Arc<Semaphore>,
}

impl Bodies {
    /// For bodies within `limits`.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, shared: Arc::new(Semaphore::new(SHARED_BYTES / OWN_BYTES)) }
    }

    /// The whole body.
    ///
    /// # Errors
    /// The status of the response: the body is too slow or too large, or there is no memory for it.
    pub(crate) async fn take<B>(&self, mut body: B) -> Result<WasiBody, StatusCode>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if body.is_end_stream() {
            return Ok(full(Bytes::new()));
        }
        let Limits { body_bytes, body_time, body_stall, .. } = self.limits;
        let mut too_large = body.size_hint().lower() > body_bytes as u64;
        let deadline = Instant::now() + body_time;
        let min_bytes = (f64::from(MIN_BODY_BYTES_PER_S) * body_stall.as_secs_f64()) as usize;
        let mut window = Window { end: Instant::now() + body_stall, bytes: 0 };
        let mut memory: Option<OwnedSemaphorePermit> = None;
        let (mut taken, mut length) = (Vec::new(), 0_usize);
        loop {
            let frame = match timeout_at(window.end.min(deadline), body.frame()).await {
                Ok(None) => break,
                Ok(Some(frame)) => frame.map_err(|_| StatusCode::BAD_REQUEST)?,
                Err(_) if window.bytes >= min_bytes && Instant::now() < deadline => {
                    window = Window { end: Instant::now() + body_stall, bytes: 0 };
                    continue;
                }
                Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
            };
            let Ok(data) = frame.into_data() else { continue };
            length += data.len();
            window.bytes += data.len();
            too_large |= length > body_bytes;
            if too_large {
                (taken, memory) = (Vec::new(), None);
                if length > body_bytes.saturating_add(MAX_DROPPED_BYTES) {
                    break;
                }
                continue;
            }
            let began = Instant::now();
            self.provide(length, &mut memory, deadline).await?;
            window.end += began.elapsed();
            taken.extend_from_slice(&data);
        }
        if too_large {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Ok(WithGuard::new(full(taken.into()), memory).boxed_unsync())
    }

    /// Takes as much of the shared memory as a body of this length needs.
    async fn provide(
        &self,
        length: usize,
        memory: &mut Option<OwnedSemaphorePermit>,
        deadline: Instant,
    ) -> Result<(), StatusCode> {
        let held = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = (length / OWN_BYTES).saturating_sub(held);
        let Some(missing) = u32::try_from(missing).ok().filter(|missing| *missing > 0) else { return Ok(()) };
        let more = timeout_at(deadline, self.shared.clone().acquire_many_owned(missing)).await;
        let more = more.ok().and_then(Result::ok).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        match memory {
            Some(memory) => memory.merge(more),
            None => *memory = Some(more),
        }
        Ok(())
    }
}

/// The bytes that arrived in the present [`Limits::body_stall`].
struct Window {
    end: Instant,
    bytes: usize,
}

fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(Into::into).boxed_unsync()
}

/// A body and something that lasts as long as it.
pub(crate) struct WithGuard<G> {
    inner: WasiBody,
    _guard: G,
}

impl<G> WithGuard<G> {
    /// Drops `guard` with the body.
    pub(crate) fn new(inner: WasiBody, guard: G) -> Self {
        Self { inner, _guard: guard }
    }
}

impl<G: Unpin> Body for WithGuard<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that breaks off at a time.
pub(crate) struct Until {
    inner: WasiBody,
    end: Pin<Box<Sleep>>,
}

impl Until {
    /// Ends `inner` with an error after `time`.
    pub(crate) fn new(inner: WasiBody, time: Duration) -> Self {
        Self { inner, end: Box::pin(tokio::time::sleep(time)) }
    }
}

impl Body for Until {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Error::HttpResponseTimeout)));
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
