//! Request bodies that are packed.

use crate::Refusal;
use flate2::read::MultiGzDecoder;
use pm_api::error::FieldError;
use serde_json::Value;
use std::io::Read;

/// Longest body once it is unpacked, bytes: line protocol packs to a tenth.
const MAX_UNPACKED_BYTES: usize = 8 * 1024 * 1024;

/// Is the body packed with gzip? `coding` is the header `content-encoding`.
///
/// # Errors
/// 415 if it is packed in another way.
pub(crate) fn is_gzip(coding: Option<&str>) -> Result<bool, Refusal> {
    match coding.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        other => {
            let message = "Input should be gzip or identity";
            let place = ["header", "content-encoding"];
            Err(Refusal::UnsupportedType(vec![FieldError::new("value_error", &place, message, other.into())]))
        }
    }
}

/// A body as its sender had it before it was packed, if it was.
///
/// # Errors
/// 413 if it is too long, 422 if it cannot be unpacked.
pub fn unpack(packed: bool, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    if !packed {
        return Ok(body.to_vec());
    }
    let mut unpacked = Vec::new();
    let mut limited = MultiGzDecoder::new(body).take(MAX_UNPACKED_BYTES as u64 + 1);
    limited.read_to_end(&mut unpacked).map_err(|error| {
        Refusal::field("value_error", &["body"], format!("Input should be gzip: {error}"), Value::Null)
    })?;
    if unpacked.len() > MAX_UNPACKED_BYTES { Err(Refusal::TooLarge) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(length: usize) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b' '; length]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_is_unpacked_up_to_its_limit() {
        assert_eq!(unpack(false, b"m v=1").unwrap(), b"m v=1");
        assert_eq!(unpack(true, &gzip(3)).unwrap(), b"   ");
        assert_eq!(unpack(true, &gzip(MAX_UNPACKED_BYTES)).unwrap().len(), MAX_UNPACKED_BYTES);
        assert!(matches!(unpack(true, &gzip(MAX_UNPACKED_BYTES + 1)), Err(Refusal::TooLarge)));
        assert!(matches!(unpack(true, b"m v=1"), Err(Refusal::Invalid(_))));
        assert_eq!(
            [None, Some("identity"), Some("GZIP")].map(|coding| is_gzip(coding).unwrap()),
            [false, false, true]
        );
        assert!(matches!(is_gzip(Some("br")), Err(Refusal::UnsupportedType(_))));
    }
}
