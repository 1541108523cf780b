//! Names of files: as kept, and as sent in a header.

/// Longest name that is kept, bytes of UTF-8.
const MAX_FILE_NAME_CHARS: usize = 200;

/// A sender's name for a file without folders, control characters and characters that reverse the writing direction
/// (which can disguise an extension), at most 200 bytes; `file` if nothing is left. A long name keeps its extension.
#[must_use]
pub fn clean_filename(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !c.is_control() && !turns_direction(*c)).collect();
    let mut kept = trimmed(visible.trim_start()).to_owned();
    if kept.len() > MAX_FILE_NAME_CHARS {
        let extension = match kept.rsplit_once('.') {
            Some((_, extension)) if extension.len() <= 10 => format!(".{extension}"),
            _ => String::new(),
        };
        let mut end = MAX_FILE_NAME_CHARS - extension.len();
        while !kept.is_char_boundary(end) {
            end -= 1;
        }
        kept = format!("{}{extension}", trimmed(&kept[..end]));
    }
    if kept.is_empty() { "file".to_owned() } else { kept }
}

fn trimmed(name: &str) -> &str {
    name.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A `Content-Disposition` value (RFC 6266) that makes a browser save the file under its name: an ASCII form for old
/// clients, the name itself in RFC 8187 (once RFC 5987) form for all others.
#[must_use]
pub fn content_disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        // attr-char of RFC 8187
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_cleaned() {
        for (given, kept) in [
            ("pump.png", "pump.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\Bild 1.jpg", "Bild 1.jpg"),
            ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
            ("quo\"te's.txt", "quo\"te's.txt"),
            ("Störung – März.pdf", "Störung – März.pdf"),
            ("invoice\u{202e}gnp.exe", "invoicegnp.exe"),
            ("trailing.dots...", "trailing.dots"),
            ("", "file"),
            ("///", "file"),
            ("..", "file"),
            (".bashrc", ".bashrc"),
        ] {
            assert_eq!(clean_filename(given), kept, "{given:?}");
        }
        let long = clean_filename(&format!("{}.pdf", "ü".repeat(300)));
        assert!(long.len() <= 200 && long.ends_with("ü.pdf"), "{long}");
    }

    #[test]
    fn headers_carry_every_name() {
        for (name, header) in [
            ("a b.png", "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png"),
            ("ü\".txt", "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%BC%22.txt"),
            ("50%.csv", "attachment; filename=\"50_.csv\"; filename*=UTF-8''50%25.csv"),
        ] {
            assert_eq!(content_disposition(name), header);
        }
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_safe_one(name in any::<String>()) {
            let kept = clean_filename(&name);
            prop_assert!(!kept.is_empty() && kept.len() <= 200);
            prop_assert!(!kept.contains(['/', '\\', '\r', '\n', '\0']));
            prop_assert_eq!(&clean_filename(&kept), &kept);
            let header = content_disposition(&kept);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
