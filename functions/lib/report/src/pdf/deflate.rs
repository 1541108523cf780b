//! Compression of a document's streams.

/// The bytes compressed for the filter `FlateDecode` (zlib).
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6)
}
