//! Requests to an S3-compatible object store: put, get and delete an object of one bucket, signed with AWS Signature
//! Version 4 in the `Authorization` header.
//!
//! Invariants: the payload's SHA-256 is signed, so that neither path nor content can be changed on the way; a request is
//! addressed by path (`https://host/bucket/key`), which every S3-compatible store understands. Deliberately absent:
//! sending (the caller has the HTTP client), listing, multipart uploads, presigned URLs.

pub mod signature;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use pm_api::Timestamp;
use signature::{Signer, amz_date, encode_path, sha256_hex};

/// A bucket of a store and the key to it.
#[derive(Clone)]
pub struct Bucket {
    endpoint: String,
    authority: String,
    name: String,
    signer: Signer,
}

/// Why a bucket's address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object store's address is not http(s)://host[:port]: {0}")]
pub struct BadEndpoint(String);

impl Bucket {
    /// A bucket at `endpoint`, for instance `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`.
    ///
    /// # Errors
    /// The endpoint is not the address of a server.
    pub fn new(endpoint: &str, name: &str, signer: Signer) -> Result<Self, BadEndpoint> {
        let bad = || BadEndpoint(endpoint.to_owned());
        let uri: Uri = endpoint.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?.to_string();
        let scheme = uri.scheme_str().filter(|s| matches!(*s, "http" | "https")).ok_or_else(bad)?;
        if uri.path() != "/" || uri.query().is_some() || authority.contains('@') {
            return Err(bad());
        }
        Ok(Self { endpoint: format!("{scheme}://{authority}"), authority, name: name.to_owned(), signer })
    }

    /// Stores an object; the store answers 200.
    ///
    /// # Errors
    /// The key does not fit into a request.
    pub fn put(&self, key: &str, content: Bytes, now: Timestamp) -> http::Result<Request<Bytes>> {
        self.request(Method::PUT, key, content, now)
    }

    /// Fetches an object; the store answers 200 with it, or 404.
    ///
    /// # Errors
    /// The key does not fit into a request.
    pub fn get(&self, key: &str, now: Timestamp) -> http::Result<Request<Bytes>> {
        self.request(Method::GET, key, Bytes::new(), now)
    }

    /// Deletes an object; the store answers 204, also when there is none.
    ///
    /// # Errors
    /// The key does not fit into a request.
    pub fn delete(&self, key: &str, now: Timestamp) -> http::Result<Request<Bytes>> {
        self.request(Method::DELETE, key, Bytes::new(), now)
    }

    fn request(
        &self,
        method: Method,
        key: &str,
        content: Bytes,
        now: Timestamp,
    ) -> http::Result<Request<Bytes>> {
        let path = encode_path(&format!("/{}/{key}", self.name));
        let (date, hash) = (amz_date(now), sha256_hex(&content));
        let signed = [
            ("host", self.authority.as_str()),
            ("x-amz-content-sha256", hash.as_str()),
            ("x-amz-date", date.as_str()),
        ];
        let authorization = self.signer.authorization(method.as_str(), &path, "", &signed, &hash, &date);
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header(header::CONTENT_LENGTH, HeaderValue::from(content.len()))
            .header("x-amz-content-sha256", hash.as_str())
            .header("x-amz-date", date.as_str())
            .header(header::AUTHORIZATION, authorization)
            .body(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("key", "secret", "us-east-1")
    }

    #[test]
    fn requests_name_bucket_and_key() -> Result<(), Box<dyn std::error::Error>> {
        let bucket = Bucket::new("http://127.0.0.1:9000", "files", signer())?;
        let now: Timestamp = "2026-11-23T10:23:11Z".parse()?;
        let put = bucket.put("attachments/a b", Bytes::from_static(b"hello"), now)?;
        assert_eq!(put.uri(), "http://127.0.0.1:9000/files/attachments/a%20b");
        assert_eq!(put.headers()["content-length"], "5");
        assert_eq!(put.headers()["x-amz-date"], "20261123T102311Z");
        let authorization = put.headers()["authorization"].to_str()?;
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=key/20261123/us-east-1/s3/aws4_request,")
        );
        Ok(())
    }

    #[test]
    fn only_servers_are_endpoints() {
        for bad in
            ["", "127.0.0.1:9000", "ftp://host", "https://host/path", "https://u:p@host", "https://host?x"]
        {
            assert!(Bucket::new(bad, "files", signer()).is_err(), "{bad}");
        }
        assert!(Bucket::new("https://host/", "files", signer()).is_ok());
    }
}
