//! Where a webhook may point: addresses of the public internet, unless configuration allows others.
//!
//! Server-side request forgery is prevented by refusing what is not plainly public (OWASP «Server-Side Request Forgery
//! Prevention»): every spelling of an IP address but the usual one is refused as such (`127.1`, `0x7f000001`,
//! `2130706433`, `0177.0.0.1`), and the rest is checked against the IANA special-purpose registries. Names are checked
//! as far as a name can tell; a public name that resolves to a private address is the host's to block.
//!
//! Addresses are parsed by [`http::Uri`], as by the client that sends the request: two parsers that disagree about the
//! host would be a way around this check. (The crate `url` reads `127.1` as 127.0.0.1, which the client does not.)

use http::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest address, characters.
const MAX_URL_CHARS: usize = 2000;

/// Why an address may not be a webhook's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no `http://` or `https://` address with a host.
    #[error("Input should be a valid URL beginning with http:// or https://")]
    NotAnAddress,
    /// It contains a user name.
    #[error("The URL should not hold a user name or password")]
    WithUser,
    /// It leads to this system itself.
    #[error("The URL leads to this system itself")]
    Internal,
    /// It leads to a private network.
    #[error("The URL leads to a private network, which is not allowed here")]
    Private,
}

/// Checks the address of a webhook.
///
/// # Errors
/// Why it may not be one.
pub fn check(url: &str, allow_private: bool) -> Result<(), Refused> {
    let plain =
        url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`'));
    if !plain || url.len() > MAX_URL_CHARS {
        return Err(Refused::NotAnAddress);
    }
    let uri: Uri = url.parse().map_err(|_| Refused::NotAnAddress)?;
    let authority = uri.authority().ok_or(Refused::NotAnAddress)?;
    // the parser drops a fragment
    if !matches!(uri.scheme_str(), Some("http" | "https")) || url.contains('#') {
        return Err(Refused::NotAnAddress);
    }
    if authority.as_str().contains('@') {
        return Err(Refused::WithUser);
    }
    let name = authority.host();
    let port_is_valid = match authority.as_str().strip_prefix(name) {
        Some("") => true,
        Some(_) => authority.port().is_some_and(|port| {
            port.as_u16() > 0 && port.as_str().bytes().all(|digit| digit.is_ascii_digit())
        }),
        None => false,
    };
    if !port_is_valid {
        return Err(Refused::NotAnAddress);
    }
    let host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => Host::Address(IpAddr::V6(address.parse().map_err(|_| Refused::NotAnAddress)?)),
        None => named(name)?,
    };
    match host {
        Host::Itself => Err(Refused::Internal),
        Host::LocalName if !allow_private => Err(Refused::Private),
        Host::Address(address) if !allow_private && !is_public(address) => Err(Refused::Private),
        _ => Ok(()),
    }
}

enum Host {
    Address(IpAddr),
    /// A name that the public internet does not know.
    LocalName,
    /// A name by which the application's parts reach each other.
    Itself,
    PublicName,
}

fn named(name: &str) -> Result<Host, Refused> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(Refused::NotAnAddress);
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    // what ends in a number is an address (URL Standard, «ends in a number»), and then only in the usual spelling
    let hexadecimal = last.strip_prefix("0x").is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|b| b.is_ascii_digit()) {
        return name.parse::<Ipv4Addr>().map(|a| Host::Address(a.into())).map_err(|_| Refused::NotAnAddress);
    }
    let under =
        |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if under("spin.internal") || name == "self" || name == "self.alt" {
        return Ok(Host::Itself);
    }
    // RFC 6761, 6762, 8375, 9476, ICANN's .internal; a name of one label is one of the own network
    let local = [
        "localhost",
        "local",
        "internal",
        "home.arpa",
        "localdomain",
        "intranet",
        "lan",
        "home",
        "corp",
        "alt",
    ];
    Ok(if !name.contains('.') || local.into_iter().any(under) { Host::LocalName } else { Host::PublicName })
}

/// Whether an address is one of the public internet's.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // IANA IPv4 special-purpose address registry: address, prefix length
    const SPECIAL: &[([u8; 4], u32)] = &[
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 3),
    ];
    let bits = address.to_bits();
    !SPECIAL.iter().any(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64: the address inside counts
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4
        [0x2002, high, low, ..] => embedded(high, low),
        // IETF protocol assignments (Teredo, ORCHID, …) and documentation
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        // what is not global unicast (2000::/3) is loopback, mapped, link-local, unique local, multicast, …
        [first, ..] => first >> 13 == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn public_addresses_are_accepted() {
        for url in [
            "https://example.org/hook?a=b",
            "HTTPS://Example.ORG",
            "http://example.org:8080/x",
            "https://hooks.slack.com/services/T/B/x",
            "http://93.184.216.34/",
            "http://[2606:2800:220:1:248:1893:25c8:1946]:81/x",
            "http://[64:ff9b::5db8:d822]/",
            "https://localhost.example.org",
            "https://xn--bcher-kva.example.org./",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
    }

    #[test]
    fn private_addresses_are_refused_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "metadata.google.internal",
            "printer.local",
            "database",
            "nas.home.arpa",
            "host.docker.internal",
        ] {
            let url = format!("http://{host}:8080/x");
            assert_eq!(check(&url, false), Err(Refused::Private), "{url}");
            assert_eq!(check(&url, true), Ok(()), "{url} when allowed");
        }
        // spellings that only some programs read as an address are refused whatever is allowed
        for host in [
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.01",
            "017700000001",
            "1.2.3.4.5",
            "256.0.0.1",
            "[::1%25lo]",
            "[::1",
            "[127.0.0.1]",
            "127.0.0.1..",
            "%6c%6f%63alhost",
            "１２７.0.0.1",
            "local host",
            "localhost%00",
            "",
            ".",
            "-\u{7f}",
        ] {
            for allow in [false, true] {
                assert_eq!(check(&format!("http://{host}/"), allow), Err(Refused::NotAnAddress), "{host}");
            }
        }
    }

    #[test]
    fn the_system_itself_is_never_a_target() {
        for url in
            ["http://ingest.spin.internal/x", "http://SPIN.internal.", "http://self/x", "http://self.alt:80"]
        {
            assert_eq!(check(url, true), Err(Refused::Internal), "{url}");
        }
    }

    #[test]
    fn texts_that_are_no_web_address_are_refused() {
        for url in [
            "",
            "example.org",
            "ftp://example.org",
            "javascript:alert(1)",
            "http:/example.org",
            "http://",
            "http:///x",
            "http://example.org:0",
            "http://example.org:65536",
            "http://example.org:",
            "http://example.org:+80",
            "http://exa mple.org",
            "http://example.org/\r\nX: y",
            "http://example.org\\@127.0.0.1",
            "http://example.org#x",
            "http://exämple.org",
        ] {
            assert_eq!(check(url, true), Err(Refused::NotAnAddress), "{url}");
        }
        for url in ["http://user@example.org", "http://example.org@127.0.0.1/", "http://a:b@example.org"] {
            assert_eq!(check(url, true), Err(Refused::WithUser), "{url}");
        }
        assert_eq!(
            check(&format!("http://example.org/{}", "x".repeat(2000)), true),
            Err(Refused::NotAnAddress)
        );
    }

    proptest! {
        #[test]
        fn mapped_addresses_are_never_public(bits in any::<u32>()) {
            prop_assert!(!is_public(Ipv4Addr::from_bits(bits).to_ipv6_mapped().into()));
        }

        #[test]
        fn no_text_panics(url in "(http://)?\\PC{0,40}") {
            let _ = check(&url, false);
        }
    }
}
