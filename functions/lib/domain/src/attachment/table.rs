//! The accepted types of files and how their content is recognised (magic numbers as in the WHATWG MIME Sniffing Standard
//! and the formats' own specifications).

/// An accepted type.
#[derive(Debug, PartialEq, Eq)]
pub struct FileType {
    /// Its media type, under which it is stored.
    pub media_type: &'static str,
    /// Extensions that its files have.
    pub extensions: &'static [&'static str],
    /// Other media types that senders use for it.
    pub also_called: &'static [&'static str],
}

const fn known(
    media_type: &'static str,
    extensions: &'static [&'static str],
    also_called: &'static [&'static str],
) -> FileType {
    FileType { media_type, extensions, also_called }
}

/// Every accepted type.
pub const TYPES: &[FileType] =
    &[PNG, JPEG, GIF, WEBP, TIFF, PDF, MP4, GZIP, ZIP, DOCX, XLSX, PPTX, ODT, ODS, TEXT, CSV, JSON];

const PNG: FileType = known("image/png", &["png"], &[]);
const JPEG: FileType = known("image/jpeg", &["jpg", "jpeg"], &["image/jpg", "image/pjpeg"]);
const GIF: FileType = known("image/gif", &["gif"], &[]);
const WEBP: FileType = known("image/webp", &["webp"], &[]);
const TIFF: FileType = known("image/tiff", &["tif", "tiff"], &[]);
const PDF: FileType = known("application/pdf", &["pdf"], &["application/x-pdf"]);
const MP4: FileType = known("video/mp4", &["mp4", "m4v", "mov"], &["video/quicktime", "video/x-m4v"]);
const GZIP: FileType = known("application/gzip", &["gz", "tgz"], &["application/x-gzip"]);
const ZIP: FileType =
    known("application/zip", &["zip"], &["application/x-zip-compressed", "application/x-zip"]);
const DOCX: FileType = known(
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    &["docx"],
    &["application/zip"],
);
const XLSX: FileType = known(
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    &["xlsx"],
    &["application/zip"],
);
const PPTX: FileType = known(
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    &["pptx"],
    &["application/zip"],
);
const ODT: FileType = known("application/vnd.oasis.opendocument.text", &["odt"], &["application/zip"]);
const ODS: FileType = known("application/vnd.oasis.opendocument.spreadsheet", &["ods"], &["application/zip"]);
const TEXT: FileType =
    known("text/plain", &["txt", "log", "md"], &["text/markdown", "text/x-markdown", "text/x-log"]);
const CSV: FileType =
    known("text/csv", &["csv"], &["application/csv", "application/vnd.ms-excel", "text/plain"]);
const JSON: FileType = known("application/json", &["json"], &["text/json", "text/plain"]);

/// The accepted type of some content; `extension` decides between kinds of text only.
pub(super) fn detect(content: &[u8], extension: Option<&str>) -> Option<&'static FileType> {
    let begins = |magic: &[u8]| content.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| content.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    Some(if begins(b"\x89PNG\r\n\x1a\n") {
        &PNG
    } else if begins(b"\xff\xd8\xff") {
        &JPEG
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        &GIF
    } else if begins(b"RIFF") && at(8, b"WEBP") {
        &WEBP
    } else if begins(b"II*\0") || begins(b"MM\0*") {
        &TIFF
    } else if begins(b"%PDF-") {
        &PDF
    } else if at(4, b"ftyp") {
        &MP4
    } else if begins(b"\x1f\x8b\x08") {
        &GZIP
    } else if begins(b"PK\x03\x04") {
        return archive(content);
    } else {
        return text(content, extension);
    })
}

/// A ZIP archive, or an office document in one. The names in an archive are never compressed. Documents with macros are
/// not accepted.
fn archive(content: &[u8]) -> Option<&'static FileType> {
    let holds = |name: &[u8]| content.windows(name.len()).any(|window| window == name);
    if holds(b"vbaProject.bin") {
        return None;
    }
    if content.get(30..).is_some_and(|rest| rest.starts_with(b"mimetypeapplication/vnd.oasis.opendocument."))
    {
        let kind = &content[30 + b"mimetypeapplication/vnd.oasis.opendocument.".len()..];
        return [(&b"text"[..], &ODT), (b"spreadsheet", &ODS)]
            .into_iter()
            .find(|(name, _)| kind.starts_with(name))
            .map(|(_, found)| found);
    }
    if !holds(b"[Content_Types].xml") {
        return Some(&ZIP);
    }
    [(&b"word/document.xml"[..], &DOCX), (b"xl/workbook.xml", &XLSX), (b"ppt/presentation.xml", &PPTX)]
        .into_iter()
        .find(|(part, _)| holds(part))
        .map_or(Some(&ZIP), |(_, found)| Some(found))
}

/// UTF-8 without control characters that does not begin like markup.
fn text(content: &[u8], extension: Option<&str>) -> Option<&'static FileType> {
    let text = std::str::from_utf8(content).ok()?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b')) {
        return None;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let mut first = start.chars();
    let markup = first.next() == Some('<')
        && first.next().is_some_and(|c| c.is_ascii_alphabetic() || "!?/".contains(c));
    if markup {
        return None;
    }
    Some(match extension {
        Some("csv") => &CSV,
        Some("json") if start.starts_with(['{', '[']) => &JSON,
        _ => &TEXT,
    })
}
