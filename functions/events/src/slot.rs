//! The place of a stream among those of its account. A slot that is not renewed is free after a minute, so a stream whose
//! instance was ended takes none for longer.

use pm_api::UserId;
use pm_domain::settings::Key;
use pm_store::{event_stream, setting};
use pm_web::{Refusal, database, log_warning};
use std::time::Duration;
use uuid::Uuid;

/// Time between two renewals.
const RENEW_AFTER: Duration = Duration::from_secs(20);
/// When an account that has all its streams may try again.
const RETRY_AFTER_S: i64 = 30;

pub(crate) struct Slot {
    user: UserId,
    stream: Uuid,
    renewed: std::time::Instant,
}

impl Slot {
    /// Takes a slot.
    ///
    /// # Errors
    /// 429 if the account has as many streams as the setting allows.
    pub(crate) async fn take(user: UserId) -> Result<Self, Refusal> {
        let db = database().await?;
        let max =
            setting::read(&db, &[Key::EventsStreamsPerAccount]).await?.integer(Key::EventsStreamsPerAccount);
        let stream = Uuid::now_v7();
        if !event_stream::take(&db, user, stream, max).await? {
            return Err(Refusal::TooFast(RETRY_AFTER_S));
        }
        Ok(Self { user, stream, renewed: std::time::Instant::now() })
    }

    /// Renews the slot if it is time; false if another stream has it.
    pub(crate) async fn renew(&mut self) -> bool {
        if self.renewed.elapsed() < RENEW_AFTER {
            return true;
        }
        self.renewed = std::time::Instant::now();
        let renewed = async { Ok(event_stream::renew(&database().await?, self.user, self.stream).await?) };
        // a database that does not answer ends no stream: the listener gives up by itself
        renewed.await.unwrap_or_else(|error: Refusal| {
            log_warning(&format!("the slot of a stream was not renewed: {error:?}"));
            true
        })
    }

    /// Gives the slot back.
    pub(crate) async fn release(self) {
        let release = async { Ok(event_stream::release(&database().await?, self.user, self.stream).await?) };
        let released: Result<(), Refusal> = release.await;
        if let Err(error) = released {
            log_warning(&format!("the slot of a stream was not given back: {error:?}"));
        }
    }
}
