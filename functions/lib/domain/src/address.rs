//! Mail addresses, web addresses, origins: is a text one?

/// Longest mail address, characters (RFC 5321: 64 before the @, 255 after it).
pub const MAX_ADDRESS_CHARS: usize = 320;

/// Is it a mail address? Deliverability is not looked at.
///
/// # Errors
/// The reason, in the words of the documented API.
pub fn mail(text: &str) -> Result<(), &'static str> {
    let Some((name, host)) = text.rsplit_once('@') else {
        return Err("An email address must have an @-sign.");
    };
    if name.is_empty() {
        return Err("There must be something before the @-sign.");
    }
    if host.is_empty() {
        return Err("There must be something after the @-sign.");
    }
    if text.chars().count() > MAX_ADDRESS_CHARS || name.chars().count() > 64 {
        return Err("The email address is too long.");
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]@".contains(c);
    if name.contains(odd) || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err("The part before the @-sign contains invalid characters.");
    }
    if !host.contains('.') {
        return Err("The part after the @-sign is not valid. It should have a period.");
    }
    if !host.split('.').all(label) {
        return Err("The part after the @-sign contains invalid characters.");
    }
    Ok(())
}

/// A label of a host name; letters beyond ASCII are allowed (RFC 5890).
fn label(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Is it an `http` or `https` address without user, query and fragment?
///
/// # Errors
/// The reason, for people.
pub fn url(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or("the address should begin with http:// or https://")?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@?#\"<>\\".contains(c);
    if text.len() > 2000 || text.contains(odd) {
        return Err("the address contains invalid characters".to_owned());
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.starts_with('[') || host.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 4;
    if !(bracketed || host.split('.').all(label)) || port.is_some_and(|p| p.parse::<u16>().is_err()) {
        return Err("the address should name a host, and perhaps a port".to_owned());
    }
    Ok(())
}

/// Is it a web origin (RFC 6454): scheme, host, perhaps a port, nothing more?
///
/// # Errors
/// The reason, for people.
pub fn origin(text: &str) -> Result<(), String> {
    url(text)?;
    let path = text.splitn(4, '/').nth(3);
    if path.is_some() { Err("an origin has no path".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_checked_with_the_documented_reasons() {
        for good in ["a@b.example", "first.last+tag@sub.example.com", "jürgen@müller.example", "o'neil@x.y"]
        {
            assert_eq!(mail(good), Ok(()), "{good}");
        }
        assert_eq!(mail("nope"), Err("An email address must have an @-sign."));
        let (long_name, long_label) =
            (format!("{}@b.example", "a".repeat(65)), format!("a@{}.example", "b".repeat(64)));
        for bad in [
            "",
            "@",
            "a@",
            "@b.example",
            "a@b",
            "a@b.",
            "a@.example",
            "a b@c.example",
            "a@b c.example",
            ".a@b.example",
            "a..b@c.example",
            "a@-b.example",
            "a,b@c.example",
            "a@b@c.example",
            "a\n@b.example",
            &long_name,
            &long_label,
        ] {
            assert!(mail(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_origin_has_no_path_query_or_user() {
        for good in ["https://a.example", "http://localhost:3000", "http://[::1]:8000", "http://127.0.0.1"] {
            assert_eq!(origin(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "https://",
            "null",
            "https://a.example/",
            "https://a:b",
            "https://u@a",
            "https://a.example?x",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
