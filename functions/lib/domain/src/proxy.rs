//! From which address a request comes, where proxies stand in front of the functions.

use std::net::IpAddr;

/// Networks whose proxies are believed: what they write into `x-forwarded-for` counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<(IpAddr, u32)>);

impl TrustedProxies {
    /// Reads addresses and networks (`10.0.0.0/8`), separated by commas.
    ///
    /// # Errors
    /// The first part that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| network(part).ok_or_else(|| part.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, bits)| same_network(*network, address, *bits))
    }

    /// The address of the client: `peer`, the other end of the connection, or the one that the nearest trusted proxies
    /// name. `forwarded_for` is the header `x-forwarded-for`: each proxy appends the address that it was called from.
    #[must_use]
    pub fn client(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in forwarded_for.unwrap_or_default().rsplit(',') {
            if !self.contains(client) {
                break;
            }
            let Some(address) = address(hop) else { break };
            client = address;
        }
        client
    }
}

fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, bits.parse().ok()?),
        None => {
            let address = text.parse::<IpAddr>().ok()?;
            (address, if address.is_ipv4() { 32 } else { 128 })
        }
    };
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?.parse().ok(),
        None => text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok()),
    };
    address.map(|address: IpAddr| address.to_canonical())
}

fn same_network(network: IpAddr, address: IpAddr, bits: u32) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn client(trusted: &str, peer: &str, forwarded_for: &str) -> String {
        let trusted = TrustedProxies::parse(trusted).expect("good");
        trusted.client(peer.parse().expect("good"), Some(forwarded_for)).to_string()
    }

    #[test]
    fn trusted_proxies_name_the_client() {
        for (trusted, peer, forwarded_for, expected) in [
            ("", "10.0.0.1", "203.0.113.7", "10.0.0.1"),
            ("10.0.0.0/8", "192.0.2.1", "203.0.113.7", "192.0.2.1"),
            ("10.0.0.0/8", "10.0.0.1", "203.0.113.7", "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", "unknown", "10.0.0.1"),
            // the client wrote the first address itself
            ("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
            ("10.0.0.1,fd00::/8", "fd00::1", "[2001:db8::9]:4711", "2001:db8::9"),
            ("127.0.0.1", "::ffff:127.0.0.1", "203.0.113.7:1234", "203.0.113.7"),
            ("0.0.0.0/0", "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(client(trusted, peer, forwarded_for), expected, "{trusted} {peer} {forwarded_for}");
        }
        for bad in ["proxy", "10.0.0.0/33", "10.0.0.0/x", "fd00::/129", "10.0.0.1 10.0.0.2"] {
            assert_eq!(TrustedProxies::parse(bad), Err(bad.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn a_client_cannot_choose_its_address(claimed in "[ -~]{0,60}", peer in any::<u32>(), real in any::<u32>()) {
            let (peer, real) = (IpAddr::V4(Ipv4Addr::from(peer)), IpAddr::V4(Ipv4Addr::from(real)));
            prop_assert_eq!(TrustedProxies::default().client(peer, Some(&claimed)), peer);
            let proxy: IpAddr = "10.0.0.1".parse().expect("good");
            prop_assume!(real != proxy);
            let header = format!("{claimed}, {real}");
            let trusted = TrustedProxies::parse("10.0.0.1").expect("good");
            prop_assert_eq!(trusted.client(proxy, Some(&header)), real);
        }

        #[test]
        fn a_network_is_its_first_bits(network in any::<u32>(), address in any::<u32>(), bits in 0_u32..=32) {
            let text = format!("{}/{bits}", Ipv4Addr::from(network));
            let trusted = TrustedProxies::parse(&text).expect("good");
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            prop_assert_eq!(trusted.contains(IpAddr::V4(Ipv4Addr::from(address))), network & mask == address & mask);
        }
    }
}
