//! Streamed answers.

use crate::{
    reply::{Answer, NO_STORE},
    trace,
};
use futures::Sink;
use http::{HeaderValue, header};
use spin_sdk::http::{body, box_body};
use std::{future::poll_fn, pin::Pin};

/// Feeds a streamed answer; the answer ends when the feed is dropped.
pub struct Feed(Pin<Box<dyn Sink<String, Error = futures::channel::mpsc::SendError>>>);

impl Feed {
    /// Sends a piece; false once the client has gone.
    pub async fn send(&mut self, piece: String) -> bool {
        poll_fn(|cx| self.0.as_mut().poll_ready(cx)).await.is_ok()
            && self.0.as_mut().start_send(piece).is_ok()
            && poll_fn(|cx| self.0.as_mut().poll_flush(cx)).await.is_ok()
    }
}

/// A streamed answer, and what feeds it.
#[must_use]
pub fn stream(content_type: HeaderValue) -> (Answer, Feed) {
    let (sender, body) = body::stream::<String>();
    let mut answer = Answer::new(box_body(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    (answer, Feed(Box::pin(sender)))
}

/// A streamed CSV answer that a browser saves as a file, and what feeds it; `disposition` names the file.
#[must_use]
pub fn csv(disposition: HeaderValue) -> (Answer, Feed) {
    let (mut answer, feed) = stream(HeaderValue::from_static("text/csv; charset=utf-8"));
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    (answer, feed)
}

/// Runs `work` beside the answer, after it has been returned; what it logs carries the request's id.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    match trace::current() {
        Some(request) => spin_sdk::wasip3::spawn(trace::within(request, work)),
        None => spin_sdk::wasip3::spawn(work),
    }
}
