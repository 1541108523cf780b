//! Files that people attach: what is accepted, and under which name it is handed back.
//!
//! The content alone decides what a file is; its name and the sender's word must agree with it. Whatever a browser
//! could run (HTML, SVG, scripts) is in no list.

mod name;
mod table;

pub use name::{clean_filename, content_disposition};
pub use table::{FileType, TYPES};

/// Largest file that the settings may allow, bytes: 25 MiB. It passes through the memory of a function.
pub const MAX_BYTES: usize = 25 * 1024 * 1024;

/// Why a file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
    /// The file is empty.
    #[error("The file is empty")]
    Empty,
    /// The content is of no accepted type; these are accepted.
    #[error("The content is of no accepted type; accepted are {}", .0.join(", "))]
    Unsupported(Vec<&'static str>),
    /// The content is of an accepted type, but the name or the declared media type is of another.
    #[error("The content is {content}, not {declared}")]
    Mismatch {
        /// Media type of the content.
        content: &'static str,
        /// The declared extension or media type.
        declared: String,
    },
}

/// What a file is, by its content; its cleaned name decides between kinds of text only. `declared` is the sender's
/// media type, `allowed` the media types that the settings allow.
///
/// # Errors
/// See [`FileRefusal`].
pub fn judge(
    filename: &str,
    declared: Option<&str>,
    content: &[u8],
    allowed: &[String],
) -> Result<&'static FileType, FileRefusal> {
    if content.is_empty() {
        return Err(FileRefusal::Empty);
    }
    let extension = extension(filename);
    let is_allowed = |found: &&FileType| allowed.iter().any(|name| name == found.media_type);
    let found = table::detect(content, extension.as_deref()).filter(is_allowed).ok_or_else(|| {
        let accepted = TYPES.iter().filter(is_allowed).flat_map(|t| t.extensions);
        FileRefusal::Unsupported(accepted.copied().collect())
    })?;
    let mismatch = |declared: String| FileRefusal::Mismatch { content: found.media_type, declared };
    if let Some(extension) = extension
        && !found.extensions.contains(&extension.as_str())
    {
        return Err(mismatch(format!(".{extension}")));
    }
    let declared = declared.map(|d| d.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match declared {
        Some(said)
            if !matches!(said.as_str(), "" | "application/octet-stream" | "binary/octet-stream")
                && said != found.media_type
                && !found.also_called.contains(&said.as_str()) =>
        {
            Err(mismatch(said))
        }
        _ => Ok(found),
    }
}

/// What follows the last dot, in lower case; none for a name that begins or ends with its only dot.
fn extension(filename: &str) -> Option<String> {
    let (stem, extension) = filename.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Key, Values};

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0readings.csv";

    fn allowed() -> Vec<String> {
        Values::default().list(Key::AttachmentsAllowedTypes)
    }

    fn found(name: &str, declared: Option<&str>, content: &[u8]) -> Result<&'static str, String> {
        judge(name, declared, content, &allowed()).map(|t| t.media_type).map_err(|e| match e {
            FileRefusal::Mismatch { declared, .. } => declared,
            FileRefusal::Unsupported(_) => "Unsupported".to_owned(),
            FileRefusal::Empty => "Empty".to_owned(),
        })
    }

    #[test]
    fn the_content_decides_the_type() {
        let docx: Vec<u8> = [ZIP, b"[Content_Types].xml word/document.xml"].concat();
        let macros: Vec<u8> = [&docx[..], b"word/vbaProject.bin"].concat();
        for (name, declared, content, expected) in [
            ("a.png", Some("image/png"), PNG, Ok("image/png")),
            ("photo", None, PNG, Ok("image/png")),
            ("A.PNG", Some("application/octet-stream"), PNG, Ok("image/png")),
            ("a.jpg", Some("image/jpeg"), b"\xff\xd8\xff\xe0JFIF", Ok("image/jpeg")),
            ("a.jpg", None, PNG, Err(".jpg")),
            ("a.png", Some("text/html"), PNG, Err("text/html")),
            ("a.pdf", Some("application/pdf"), b"%PDF-1.7\n", Ok("application/pdf")),
            ("a.webp", None, b"RIFF\x10\0\0\0WEBPVP8 ", Ok("image/webp")),
            ("a.mp4", None, b"\0\0\0\x18ftypisom\0\0\0\0", Ok("video/mp4")),
            ("a.zip", Some("application/x-zip-compressed"), ZIP, Ok("application/zip")),
            (
                "a.docx",
                None,
                &docx,
                Ok("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ),
            ("a.zip", None, &docx, Err(".zip")),
            ("a.docx", None, ZIP, Err(".docx")),
            ("a.docx", None, &macros, Err("Unsupported")),
            ("a.txt", Some("text/plain; charset=utf-8"), "Grüße\r\n".as_bytes(), Ok("text/plain")),
            ("a.csv", Some("application/vnd.ms-excel"), b"t;v\n1;2\n", Ok("text/csv")),
            ("a.json", Some("application/json"), b"{\"a\": 1}", Ok("application/json")),
            ("syslog.log", None, b"<34>Oct 11 22:14:15 pump", Ok("text/plain")),
            ("a.txt", None, b"binary\0text", Err("Unsupported")),
            ("a.txt", None, b"\xffnot utf-8", Err("Unsupported")),
            ("a.png", Some("image/png"), b"<html><script>alert(1)</script>", Err("Unsupported")),
            ("a.txt", None, b"\xef\xbb\xbf \n<!DOCTYPE html>", Err("Unsupported")),
            ("a.svg", Some("image/svg+xml"), b"<?xml version='1.0'?><svg/>", Err("Unsupported")),
            ("a.html", None, b"plain words", Err(".html")),
            ("run.sh", None, b"#!/bin/sh\nrm -r /\n", Err(".sh")),
            ("a.exe", None, b"MZ\x90\0\x03", Err("Unsupported")),
            ("a.txt", None, b"", Err("Empty")),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(found(name, declared, content), expected, "{name} {declared:?}");
        }
    }

    #[test]
    fn the_default_setting_names_known_types_only() {
        let allowed = allowed();
        assert!(allowed.iter().all(|name| TYPES.iter().any(|t| t.media_type == name)), "{allowed:?}");
        let only_pdf = ["application/pdf".to_owned()];
        let refused = judge("a.png", None, PNG, &only_pdf);
        assert_eq!(refused, Err(FileRefusal::Unsupported(vec!["pdf"])));
        assert_eq!(Key::AttachmentsMaxBytes.definition().kind.check(&MAX_BYTES.to_string()), Ok(()));
        assert!(Key::AttachmentsMaxBytes.definition().kind.check(&(MAX_BYTES + 1).to_string()).is_err());
    }

    #[test]
    fn no_extension_is_ambiguous_or_runs_in_a_browser() {
        for (i, a) in TYPES.iter().enumerate() {
            for b in &TYPES[..i] {
                assert!(
                    a.extensions.iter().all(|e| !b.extensions.contains(e)),
                    "{} {}",
                    a.media_type,
                    b.media_type
                );
            }
            let runs = ["html", "htm", "svg", "xml", "js", "xhtml"];
            assert!(a.extensions.iter().all(|e| !runs.contains(e)), "{}", a.media_type);
        }
    }
}
