//! Web addresses and origins: is a text one?

use pm_api::input::is_host_label;

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
    if !(bracketed || host.split('.').all(is_host_label)) || port.is_some_and(|p| p.parse::<u16>().is_err()) {
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
