//! The caller's IP address.

use crate::{log_error, variable};
use http::HeaderMap;
use pm_domain::proxy::TrustedProxies;
use std::{net::IpAddr, sync::OnceLock};

/// The other end of the connection, or the client that the trusted proxies (variable `trusted_proxies`) name.
pub(crate) async fn of_client(headers: &HeaderMap) -> Option<IpAddr> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let peer = text("spin-client-addr")?;
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host).trim_matches(['[', ']']);
    // several headers of this name are one list
    let forwarded: Vec<_> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    Some(trusted().await.client(host.parse().ok()?, Some(&forwarded.join(","))))
}

/// The proxies that are trusted, read once per instance; none where the component does not get the variable.
async fn trusted() -> &'static TrustedProxies {
    static TRUSTED: OnceLock<TrustedProxies> = OnceLock::new();
    if let Some(trusted) = TRUSTED.get() {
        return trusted;
    }
    let text = variable("trusted_proxies").await.unwrap_or_default();
    let trusted = TrustedProxies::parse(&text).unwrap_or_else(|part| {
        log_error(&format!(
            "variable trusted_proxies: {part:?} is no address and no network; no proxy is trusted"
        ));
        TrustedProxies::default()
    });
    TRUSTED.get_or_init(|| trusted)
}
