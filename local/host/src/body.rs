//! Bodies: a request's is taken in before a component sees the request, so that a slow client holds no instance.

use super::clients::network;
use super::options::{Limits, MIN_BODY_BYTES_PER_S};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, timeout_at};
use wasmtime_wasi_http::{Error, WasiBody};

/// Every body may take this much memory; what is beyond it comes out of [`SHARED_BYTES`].
const OWN_BYTES: usize = 64 * 1024;
/// Memory for all larger bodies together. Those of one address get half of it, so that nobody keeps everybody else's out.
const SHARED_BYTES: usize = 256 * 1024 * 1024;
/// Addresses whose use of the memory is known; from here on, those that use none are forgotten.
const MAX_IDLE_ADDRESSES: usize = 1024;
/// What is too large is read and dropped up to this size, so that its sender gets the response instead of finding the
/// connection closed.
const MAX_DROPPED_BYTES: usize = 32 * 1024 * 1024;

/// Takes in request bodies.
#[derive(Debug)]
pub(crate) struct Bodies {
    limits: Limits,
    /// One permit is [`OWN_BYTES`] bytes.
    shared: Arc<Semaphore>,
    permits_of_address: usize,
    by_address: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// What a body takes of the memory of its address, and of that of all.
struct Memory([OwnedSemaphorePermit; 2]);

impl Bodies {
    /// For bodies within `limits`.
    pub(crate) fn new(limits: Limits) -> Self {
        Self::with_memory(limits, SHARED_BYTES)
    }

    fn with_memory(limits: Limits, shared_bytes: usize) -> Self {
        let permits = shared_bytes / OWN_BYTES;
        Self {
            limits,
            shared: Arc::new(Semaphore::new(permits)),
            permits_of_address: permits / 2,
            by_address: Mutex::default(),
        }
    }

    /// The whole body of a request from `address`.
    ///
    /// # Errors
    /// The status of the response: the body is too slow or too large, or there is no memory for it.
    pub(crate) async fn take<B>(&self, mut body: B, address: IpAddr) -> Result<WasiBody, StatusCode>
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
        let mut memory: Option<Memory> = None;
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
            self.provide(length, &mut memory, address, deadline).await?;
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
        memory: &mut Option<Memory>,
        address: IpAddr,
        deadline: Instant,
    ) -> Result<(), StatusCode> {
        let held = memory.as_ref().map_or(0, |memory| memory.0[0].num_permits());
        let missing = (length / OWN_BYTES).saturating_sub(held);
        let Some(missing) = u32::try_from(missing).ok().filter(|missing| *missing > 0) else { return Ok(()) };
        let take = async |from: Arc<Semaphore>| {
            let taken = timeout_at(deadline, from.acquire_many_owned(missing)).await;
            taken.ok().and_then(Result::ok).ok_or(StatusCode::SERVICE_UNAVAILABLE)
        };
        // first its own, so that what waits for that holds nothing of the others'
        let of_address = take(self.of_address(address)).await?;
        let of_all = take(self.shared.clone()).await?;
        match memory {
            Some(Memory([own, all])) => {
                own.merge(of_address);
                all.merge(of_all);
            }
            None => *memory = Some(Memory([of_address, of_all])),
        }
        Ok(())
    }

    /// The memory for bodies of an address.
    fn of_address(&self, address: IpAddr) -> Arc<Semaphore> {
        let address = network(address);
        let mut known = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = known.get(&address).and_then(Weak::upgrade) {
            return used;
        }
        if known.len() >= MAX_IDLE_ADDRESSES {
            known.retain(|_, memory| memory.strong_count() > 0);
        }
        let memory = Arc::new(Semaphore::new(self.permits_of_address));
        known.insert(address, Arc::downgrade(&memory));
        memory
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Pieces of a body; without an end, more is waited for.
    struct Pieces {
        pieces: VecDeque<Bytes>,
        ends: bool,
    }

    impl Pieces {
        fn of(kib: usize, ends: bool) -> Self {
            Self { pieces: (0..kib).map(|_| Bytes::from_static(&[b' '; 1024])).collect(), ends }
        }
    }

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            match self.pieces.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None if self.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn one_address_does_not_take_the_memory_of_all() {
        let bodies = Bodies::with_memory(Limits::default(), 1024 * 1024);
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        let held: Vec<_> = (0..4).map(|_| Box::pin(bodies.take(Pieces::of(400, false), one))).collect();
        let held = futures::future::join_all(held);
        let prompt = async {
            tokio::time::timeout(Duration::from_secs(5), bodies.take(Pieces::of(300, true), other)).await
        };
        tokio::select! {
            biased;
            _ = held => panic!("they do not end"),
            taken = prompt => assert!(matches!(taken, Ok(Ok(_))), "another address has to wait"),
        }
        let taken =
            tokio::time::timeout(Duration::from_secs(5), bodies.take(Pieces::of(500, true), one)).await;
        assert!(matches!(taken, Ok(Ok(_))), "the memory is free again");
    }
}
