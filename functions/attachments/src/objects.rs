//! The object store that the settings name; where they name none, contents are kept in the database.

use bytes::Bytes;
use http::{Request, StatusCode};
use pm_domain::settings::Key;
use pm_s3::{Bucket, signature::Signer};
use pm_store::{Db, attachment, setting};
use pm_web::{Refusal, log_warning, now, send};

/// Stray objects that are removed after one request.
const SWEEP: i64 = 20;

const SETTINGS: &[Key] = &[
    Key::AttachmentsS3Endpoint,
    Key::AttachmentsS3Bucket,
    Key::AttachmentsS3Region,
    Key::AttachmentsS3AccessKeyId,
    Key::AttachmentsS3SecretAccessKey,
];

/// An S3-compatible store.
pub(crate) struct Objects(Bucket);

impl Objects {
    /// The store that the settings name, whether or not new contents go there.
    ///
    /// # Errors
    /// 503 if they name none.
    pub(crate) async fn named(db: &Db) -> Result<Self, Refusal> {
        let settings = setting::read(db, SETTINGS).await?;
        let signer = Signer::new(
            settings.text(Key::AttachmentsS3AccessKeyId),
            settings.text(Key::AttachmentsS3SecretAccessKey),
            settings.text(Key::AttachmentsS3Region),
        );
        let (endpoint, bucket) =
            (settings.text(Key::AttachmentsS3Endpoint), settings.text(Key::AttachmentsS3Bucket));
        Bucket::new(endpoint, bucket, signer).map(Self).map_err(|e| Refusal::Unavailable(e.to_string()))
    }

    /// Stores an object.
    ///
    /// # Errors
    /// 503 if the store does not take it.
    pub(crate) async fn put(&self, key: &str, content: Bytes) -> Result<(), Refusal> {
        exchange(self.0.put(key, content, now()), "put", key, &[StatusCode::OK, StatusCode::CREATED])
            .await
            .map(|_| ())
    }

    /// Fetches an object.
    ///
    /// # Errors
    /// 503 if the store does not give it.
    pub(crate) async fn get(&self, key: &str) -> Result<Bytes, Refusal> {
        exchange(self.0.get(key, now()), "get", key, &[StatusCode::OK]).await
    }

    async fn delete(&self, key: &str) -> Result<(), Refusal> {
        let fine = [StatusCode::OK, StatusCode::NO_CONTENT, StatusCode::NOT_FOUND];
        exchange(self.0.delete(key, now()), "delete", key, &fine).await.map(|_| ())
    }
}

async fn exchange(
    request: http::Result<Request<Bytes>>,
    verb: &str,
    key: &str,
    fine: &[StatusCode],
) -> Result<Bytes, Refusal> {
    let failed = |what: String| Refusal::Unavailable(format!("object store, {verb} {key}: {what}"));
    let answer =
        send(request.map_err(|e| failed(e.to_string()))?).await.map_err(|e| failed(e.to_string()))?;
    let status = answer.status();
    if fine.contains(&status) {
        return Ok(answer.into_body());
    }
    let said: String = String::from_utf8_lossy(answer.body()).chars().take(300).collect();
    Err(failed(format!("{status} {said}")))
}

/// Removes objects that belong to no attachment. What fails is tried again after a later request.
pub(crate) async fn sweep(db: &Db) {
    if let Err(problem) = try_sweep(db).await {
        log_warning(&format!("stray objects stay for now: {problem:?}"));
    }
}

async fn try_sweep(db: &Db) -> Result<(), Refusal> {
    let strays = attachment::strays(db, SWEEP).await?;
    if strays.is_empty() {
        return Ok(());
    }
    let objects = Objects::named(db).await?;
    for key in strays {
        objects.delete(&key).await?;
        attachment::forget(db, &key).await?;
    }
    Ok(())
}
