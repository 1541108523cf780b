//! Networks that no component may connect to: `block_networks` of Spin's runtime configuration.
//!
//! A name is resolved here, every address that it gives is compared with these networks, and the connection goes to an
//! address that passed. So a public name that resolves to a private address is of no use to whoever chose it, even if it
//! resolves to something else a moment later.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::Path;

/// Blocked networks.
#[derive(Debug, Clone, Default)]
pub struct BlockedNetworks {
    /// Whatever is not an address of the public internet.
    private: bool,
    networks: Vec<(IpAddr, u8)>,
}

/// The part of a runtime configuration that is read here; Spin reads more of it.
#[derive(Deserialize)]
struct RuntimeConfig {
    #[serde(default)]
    outbound_networking: OutboundNetworking,
}

#[derive(Deserialize, Default)]
struct OutboundNetworking {
    #[serde(default)]
    block_networks: Vec<String>,
}

impl BlockedNetworks {
    /// Reads a runtime configuration of Spin.
    ///
    /// # Errors
    /// The file cannot be read, or names something that is no network.
    pub fn load(runtime_config: &Path) -> Result<Self> {
        let read = || {
            let config: RuntimeConfig = toml::from_str(&std::fs::read_to_string(runtime_config)?)?;
            Self::new(&config.outbound_networking.block_networks)
        };
        read().with_context(|| format!("the runtime configuration {}", runtime_config.display()))
    }

    /// Blocks networks such as `10.0.0.0/8`, addresses, and with `private` whatever is not of the public internet.
    ///
    /// # Errors
    /// A word is none of these.
    pub fn new<S: AsRef<str>>(words: &[S]) -> Result<Self> {
        let mut blocked = Self::default();
        for word in words.iter().map(AsRef::as_ref) {
            if word == "private" {
                blocked.private = true;
                continue;
            }
            let (address, bits) = word.split_once('/').map_or((word, None), |(a, bits)| (a, Some(bits)));
            let network = || -> Result<(IpAddr, u8)> {
                let address: IpAddr = address.parse()?;
                let longest = if address.is_ipv4() { 32 } else { 128 };
                let bits = bits.map_or(Ok(longest), str::parse)?;
                anyhow::ensure!(bits <= longest, "the length is too large");
                Ok((address, bits))
            };
            blocked.networks.push(network().with_context(|| format!("block_networks: {word:?}"))?);
        }
        Ok(blocked)
    }

    /// Whether no component may connect to this address.
    #[must_use]
    pub fn blocks(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.private && !pm_domain::target::is_public(address))
            || self.networks.iter().any(|(network, bits)| super::allow::in_network(address, *network, *bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_block_their_addresses_in_every_spelling() {
        let blocked =
            BlockedNetworks::new(&["private", "93.184.216.0/24", "2606:2800::/32", "8.8.8.8"]).unwrap();
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "::ffff:127.0.0.1",
            "fd00::1",
            "93.184.216.34",
            "::ffff:93.184.216.34",
            "2606:2800::1",
            "8.8.8.8",
        ] {
            assert!(blocked.blocks(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "8.8.4.4", "2606:4700::1111"] {
            assert!(!blocked.blocks(address.parse().unwrap()), "{address}");
        }
        assert!(!BlockedNetworks::default().blocks("127.0.0.1".parse().unwrap()));
        for word in ["", "privat", "10.0.0.0/33", "10.0.0.0/x", "example.org"] {
            assert!(BlockedNetworks::new(&[word]).is_err(), "{word}");
        }
    }

    #[test]
    fn a_runtime_configuration_may_hold_more() {
        let text = "[outbound_networking]\nblock_networks = [\"private\"]\n[key_value_store.default]\ntype = \"spin\"\n";
        let file = tempfile(text);
        assert!(BlockedNetworks::load(&file).unwrap().blocks("127.0.0.1".parse().unwrap()));
        assert!(BlockedNetworks::load(Path::new("/nowhere")).is_err());
        std::fs::remove_file(file).unwrap();
    }

    fn tempfile(text: &str) -> std::path::PathBuf {
        let file = std::env::temp_dir().join(format!("runtime-config-{}.toml", uuid::Uuid::now_v7()));
        std::fs::write(&file, text).unwrap();
        file
    }
}
