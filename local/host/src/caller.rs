//! Who waits for a response. When nobody does any more, what the request still waits for is given up.

use std::future::pending;
use tokio::sync::watch;

/// Held by whoever waits for a response; dropped before [`Waiting::answered`], it tells that nobody waits any more.
#[derive(Debug)]
pub(crate) struct Waiting(watch::Sender<bool>);

/// The other end, for the request's work.
#[derive(Debug, Clone)]
pub(crate) struct Caller(watch::Receiver<bool>);

/// Both ends for one request.
pub(crate) fn caller() -> (Waiting, Caller) {
    let (sender, receiver) = watch::channel(false);
    (Waiting(sender), Caller(receiver))
}

impl Waiting {
    /// The response is here; what the request does from now on is not given up.
    pub(crate) fn answered(self) {
        self.0.send_replace(true);
    }
}

impl Caller {
    /// Returns once the caller has gone without a response.
    pub(crate) async fn gone(mut self) {
        if self.0.wait_for(|answered| *answered).await.is_ok() {
            pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_caller_is_gone_only_if_it_left_before_the_response() {
        let (waiting, present) = caller();
        assert!(present.clone().gone().now_or_never().is_none());
        waiting.answered();
        assert!(present.gone().now_or_never().is_none());
        let (waiting, left) = caller();
        drop(waiting);
        left.gone().await;
    }
}
