//! `allowed_outbound_hosts`: where a component may connect to.

use anyhow::{Context, Result, ensure};
use http::Uri;
use std::net::IpAddr;
use std::ops::Range;

/// The domain under which components reach each other.
const CHAIN_SUFFIX: &str = ".spin.internal";

/// All entries of one component.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedHost>);

#[derive(Debug, Clone)]
struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    ports: Option<Range<u32>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    Itself,
    Under(String),
    Network(IpAddr, u8),
    Named(String),
}

impl AllowedHosts {
    /// Reads entries whose templates are already expanded.
    ///
    /// # Errors
    /// A sentence with the entry that cannot be read.
    pub(crate) fn parse(entries: &[String]) -> Result<Self> {
        let parse = |entry: &String| {
            AllowedHost::parse(entry).with_context(|| format!("allowed_outbound_hosts: {entry:?}"))
        };
        Ok(Self(entries.iter().map(parse).collect::<Result<_>>()?))
    }

    /// Whether a connection to `host` and `port` by `scheme` is allowed.
    #[must_use]
    pub(crate) fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let port = port.or_else(|| well_known_port(scheme));
        self.0.iter().any(|entry| {
            entry.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
                && entry.host.allows(host)
                && entry
                    .ports
                    .as_ref()
                    .is_none_or(|range| port.is_some_and(|port| range.contains(&u32::from(port))))
        })
    }

    /// Whether requests to the application's own public routes are allowed.
    #[must_use]
    pub(crate) fn allows_itself(&self) -> bool {
        self.0.iter().any(|entry| {
            matches!(entry.host, Host::Any | Host::Itself)
                && entry.scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"))
        })
    }
}

impl AllowedHost {
    fn parse(entry: &str) -> Result<Self> {
        ensure!(entry != "insecure:allow-all", "use \"*://*:*\" to allow everything");
        let (scheme, rest) =
            entry.trim().split_once("://").context("a scheme is missing, as in \"https://…\"")?;
        ensure!(scheme == "*" || scheme.chars().all(char::is_alphabetic), "the scheme is not a word");
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.trim_end_matches('/')),
            _ => (rest, ""),
        };
        ensure!(!port.contains('/'), "a path is not allowed");
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: Host::parse(host)?,
            ports: ports(port, scheme)?,
        })
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self> {
        if let Some((address, bits)) = host.split_once('/')
            && let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse())
        {
            ensure!(bits <= if address.is_ipv4() { 32 } else { 128 }, "the network's length is too large");
            return Ok(Self::Network(address, bits));
        }
        let host = host.trim_end_matches('/');
        ensure!(!host.is_empty(), "a host is missing");
        ensure!(!host.contains('/'), "a path is not allowed");
        let parsed = match (host, host.strip_prefix("*.")) {
            ("*", _) => Self::Any,
            ("self" | "self.alt", _) => Self::Itself,
            (_, Some(domain)) => Self::Under(format!(".{domain}")),
            _ => Self::Named(host.to_owned()),
        };
        if let Self::Under(name) | Self::Named(name) = &parsed {
            ensure!(!name.contains('*'), "a * stands alone or as the first label only");
        }
        Ok(parsed)
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Itself => false,
            Self::Under(suffix) => host.ends_with(suffix.as_str()),
            Self::Named(name) => name == host,
            Self::Network(network, bits) => {
                host.parse().is_ok_and(|address| in_network(address, *network, *bits))
            }
        }
    }
}

/// Whether an address lies in a network.
pub(crate) fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |a: u128, b: u128, width: u8| bits == 0 || (a ^ b) >> (width - bits) == 0;
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

fn ports(port: &str, scheme: &str) -> Result<Option<Range<u32>>> {
    let number = |text: &str| {
        text.parse::<u16>().map(u32::from).with_context(|| format!("the port {text:?} is not a number"))
    };
    Ok(match (port, port.split_once("..")) {
        ("*", _) => None,
        ("", _) => {
            let port =
                well_known_port(scheme).context("a port is missing, and the scheme has no usual one")?;
            Some(u32::from(port)..u32::from(port) + 1)
        }
        (_, Some((first, end))) => Some(number(first)?..number(end)?),
        _ => Some(number(port)?..number(port)? + 1),
    })
}

fn well_known_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "postgres" => 5432,
        "mysql" => 3306,
        "redis" => 6379,
        "mqtt" => 1883,
        "http" => 80,
        "https" => 443,
        _ => return None,
    })
}

/// The component that a URI names by service chaining, as in `http://score.spin.internal/…`.
#[must_use]
pub(crate) fn chain_target(uri: &Uri) -> Option<&str> {
    uri.host()?.strip_suffix(CHAIN_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entry: &str) -> AllowedHosts {
        AllowedHosts::parse(&[entry.to_owned()]).unwrap()
    }

    #[test]
    fn entries_allow_what_they_say() {
        for (entry, scheme, host, port, expected) in [
            ("https://example.org", "https", "example.org", None, true),
            ("https://example.org", "http", "example.org", None, false),
            ("https://example.org", "https", "example.org", Some(444), false),
            ("https://*.example.org", "https", "a.example.org", None, true),
            ("https://*.example.org", "https", "example.org", None, false),
            ("*://*:*", "postgres", "anything", Some(1), true),
            ("http://*", "http", "anything", Some(81), false),
            ("postgres://127.0.0.1:5000..6000", "postgres", "127.0.0.1", Some(5999), true),
            ("postgres://127.0.0.1:5000..6000", "postgres", "127.0.0.1", Some(6000), false),
            ("tcp://10.0.0.0/8:25", "tcp", "10.9.9.9", Some(25), true),
            ("tcp://10.0.0.0/8:25", "tcp", "11.9.9.9", Some(25), false),
            ("http://score.spin.internal", "http", "score.spin.internal", None, true),
            ("http://*.spin.internal", "http", "score.spin.internal", None, true),
            ("http://other.spin.internal", "http", "score.spin.internal", None, false),
            ("http://self", "http", "self.alt", None, false),
        ] {
            assert_eq!(
                allowed(entry).allows(scheme, host, port),
                expected,
                "{entry} {scheme} {host} {port:?}"
            );
        }
        assert!(allowed("http://self").allows_itself());
        assert!(!allowed("http://example.org").allows_itself());
        assert!(!AllowedHosts::default().allows("http", "example.org", None));
    }

    #[test]
    fn entries_that_cannot_be_read_are_refused() {
        for entry in [
            "example.org",
            "ftp://example.org",
            "https://a.*.org",
            "https://a/path",
            "http://a:x",
            "insecure:allow-all",
        ] {
            assert!(AllowedHosts::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
