//! JSON as devices write it. What is no JSON costs the value that it stands for, not the message: a bare `nan`, `Inf`,
//! `1e999`, `.5` or `None` is read as the text that it is, bytes after the end are left over, and several documents in a
//! row (one a line) are an array.

use serde_json::Value;

/// A payload read as JSON.
#[derive(Debug, PartialEq)]
pub struct Read {
    /// The content.
    pub value: Value,
    /// Bytes after the end that are no JSON.
    pub leftover: usize,
}

/// The text of a payload, without a byte order mark and without the NULs that end a buffer.
///
/// # Errors
/// It is empty or not UTF-8.
pub fn text(payload: &[u8]) -> Result<&str, String> {
    let end = payload.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let payload = &payload[..end];
    let text = match std::str::from_utf8(payload) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let readable = std::str::from_utf8(&payload[..at]).unwrap_or_default();
            // a JSON document and what an earlier, longer message left behind it in the sender's buffer
            if !ends_a_document(readable) {
                return Err(format!("payload: not UTF-8 after byte {at}"));
            }
            readable
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() { Err("payload: empty".to_owned()) } else { Ok(text) }
}

fn ends_a_document(text: &str) -> bool {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    text.trim_start().starts_with(['{', '[']) && matches!(documents.next(), Some(Ok(_)))
}

/// Reads a text as JSON.
///
/// # Errors
/// What is wrong with it, in the words of the JSON reader.
pub fn read(text: &str) -> Result<Read, String> {
    let strict = match serde_json::from_str(text) {
        Ok(value) => return Ok(Read { value, leftover: 0 }),
        Err(error) => error,
    };
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(strict.to_string());
    }
    let as_it_is = documents(text);
    if as_it_is.as_ref().is_ok_and(|read| read.leftover == 0) {
        return as_it_is.map_err(|()| strict.to_string());
    }
    match (as_it_is, documents(&with_quoted_words(text))) {
        (Ok(first), Ok(second)) => Ok(if second.leftover < first.leftover { second } else { first }),
        (first, second) => first.or(second).map_err(|()| strict.to_string()),
    }
}

/// One document, or several in a row, and what follows.
fn documents(text: &str) -> Result<Read, ()> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let first = stream.next().and_then(Result::ok).ok_or(())?;
    let mut end = stream.byte_offset();
    let mut more = Vec::new();
    while let Some(Ok(value)) = stream.next() {
        // digits after the end are no documents of their own
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            break;
        }
        end = stream.byte_offset();
        more.push(value);
    }
    let leftover = text[end..].trim_matches(|c: char| c.is_whitespace() || c == '\0').len();
    if more.is_empty() {
        return Ok(Read { value: first, leftover });
    }
    let mut all = Vec::with_capacity(more.len() + 1);
    for document in std::iter::once(first).chain(more) {
        match document {
            Value::Array(elements) => all.extend(elements),
            other => all.push(other),
        }
    }
    Ok(Read { value: Value::Array(all), leftover })
}

/// The text with every bare word that is no JSON in quotation marks.
fn with_quoted_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = end_of_string(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if is_of_word(first) {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            if is_json(word) {
                out.push_str(word);
            } else {
                out.push('"');
                out.push_str(word);
                out.push('"');
            }
            rest = &rest[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Characters of a bare word: not those that structure JSON, not those that must be escaped in a string.
fn is_of_word(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '{' | '}' | '[' | ']' | ':' | ',' | '"' | '\\')
}

fn is_json(word: &str) -> bool {
    matches!(word, "true" | "false" | "null")
        || (word.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && serde_json::from_str::<serde_json::Number>(word)
                .is_ok_and(|n| n.as_f64().is_some_and(f64::is_finite)))
}

fn end_of_string(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bare_words_cost_only_their_value() {
        for (text, expected) in [
            (r#"{"a":nan,"b":1}"#, json!({"a": "nan", "b": 1})),
            (
                r#"{"a":-Infinity,"b":[Inf,+inf, NaN]}"#,
                json!({"a": "-Infinity", "b": ["Inf", "+inf", "NaN"]}),
            ),
            (r#"{"a":-nan(ind),"b":1.#QNAN}"#, json!({"a": "-nan(ind)", "b": "1.#QNAN"})),
            (r#"{"a":1e999,"b":.5,"c":007}"#, json!({"a": "1e999", "b": ".5", "c": "007"})),
            (r#"{"a":None,"b":True,"c":undefined}"#, json!({"a": "None", "b": "True", "c": "undefined"})),
            (r#"{"a \" nan":nan}"#, json!({"a \" nan": "nan"})),
        ] {
            assert_eq!(read(text), Ok(Read { value: expected, leftover: 0 }), "{text}");
        }
    }

    #[test]
    fn what_follows_the_end_is_left_over() {
        for (text, leftover) in [
            ("{\"a\":1}\0\0", 0),
            ("{\"a\":1}\n", 0),
            ("{\"a\":1}}", 1),
            ("{\"a\":1} 12:00", 5),
            ("{\"a\":1}\",", 2),
        ] {
            assert_eq!(read(text), Ok(Read { value: json!({"a": 1}), leftover }), "{text}");
        }
        assert_eq!(text(b"{\"a\":1}\0\0"), Ok("{\"a\":1}"));
        assert_eq!(text(b"{\"a\":1}\xff\xfe"), Ok("{\"a\":1}"));
        assert!(text(b"{\"a\":\xff}").is_err());
        assert!(text(b"\0\0").is_err());
    }

    #[test]
    fn documents_in_a_row_are_an_array() {
        let lines = "{\"a\":1}\n{\"a\":2}\r\n[{\"a\":3}]\n";
        assert_eq!(read(lines), Ok(Read { value: json!([{"a": 1}, {"a": 2}, {"a": 3}]), leftover: 0 }));
    }

    #[test]
    fn bare_words_in_later_documents_are_read() {
        let lines = "{\"a\":1}\n{\"a\":nan}\n";
        assert_eq!(read(lines), Ok(Read { value: json!([{"a": 1}, {"a": "nan"}]), leftover: 0 }));
    }

    #[test]
    fn what_is_cut_off_is_no_json() {
        for text in [r#"{"a":1,"b":"#, "not json", r#"{"a":"x"#, "[[", &"[".repeat(100_000)] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
