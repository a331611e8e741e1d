//! Listeners that do not encrypt.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::{IGGY_CONFIG, IggyConfig, address};
use crate::evidence::sockets::Transport;
use crate::iggy::config::Listener;

pub(super) const CHECK: Check = Check {
    id: "sec.plaintext",
    title: "Unencrypted listeners",
    category: Category::Security,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[IGGY_CONFIG.source()],
    rule: "Warns when the TCP, HTTP or WebSocket listener is on, stands on another address than loopback and has no TLS; information when such listeners stand on loopback alone; passes otherwise. QUIC always encrypts.",
    threshold_source: "Iggy's default is no TLS on loopback: information.",
    why: "Passwords, tokens and messages cross the network for everybody on it to read.",
    remedy: "# In Iggy's configuration, for each listener that is named:\n# [tcp.tls]\n# enabled = true\n# self_signed = false\n# cert_file = \"/etc/iggy/fullchain.pem\"\n# key_file = \"/etc/iggy/key.pem\"\nsystemctl restart iggy-server",
    references: &["Apache Iggy: server configuration, tls"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: plaintext,
};

fn plaintext(case: &Case<'_>) -> Result<Judgement, Gap> {
    let config = case.read(IGGY_CONFIG)?;
    let rows = config.all_listeners().into_iter().filter(|(_, _, listener)| listener.is_on()).map(
        |(name, transport, listener)| {
            let tls = if transport == Transport::Udp || is_encrypted(listener) { "yes" } else { "no" };
            vec![name.into(), listener.address.clone().unwrap_or_default().into(), tls.into()]
        },
    );
    let columns = ["Listener", "Address", "Encrypted"].map(Column::text).to_vec();
    Ok(judged(config).proof(Proof::table("Listeners", columns, rows.collect())))
}

fn is_encrypted(listener: &Listener) -> bool {
    listener.tls.as_ref().is_some_and(|tls| tls.enabled == Some(true))
}

fn judged(config: &IggyConfig) -> Judgement {
    let plain = config
        .all_listeners()
        .into_iter()
        .filter(|(_, transport, listener)| *transport == Transport::Tcp && listener.is_on() && !is_encrypted(listener));
    // A name that is not an address may stand for any.
    let (local, open): (Vec<_>, Vec<_>) =
        plain.partition(|(_, _, listener)| address(listener).is_some_and(|address| address.ip().is_loopback()));
    let names = |listeners: &[(&str, Transport, &Listener)]| {
        let named = listeners.iter().map(|(name, _, listener)| {
            format!("{name} on {}", listener.address.as_deref().unwrap_or("an address that is not stated"))
        });
        named.collect::<Vec<_>>().join(", ")
    };
    if !open.is_empty() {
        Judgement::warn(format!("Without encryption and not on loopback: {}.", names(&open)))
    } else if local.is_empty() {
        Judgement::pass("Every listener that is on encrypts.")
    } else {
        Judgement::info(format!("Without encryption, on loopback alone: {}.", names(&local)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn only_listeners_that_others_reach_warn() {
        for (address, tls, expected) in [
            ("127.0.0.1:8090", false, Verdict::Info),
            ("[::1]:8090", false, Verdict::Info),
            ("localhost:8090", false, Verdict::Info),
            ("0.0.0.0:8090", false, Verdict::Warn),
            ("node1:8090", false, Verdict::Warn),
            ("0.0.0.0:8090", true, Verdict::Pass),
        ] {
            let text = format!(
                "[tcp]\nenabled = true\naddress = \"{address}\"\n[tcp.tls]\nenabled = {tls}\n[quic]\nenabled = true\naddress = \"0.0.0.0:8080\"\n"
            );
            let config = IggyConfig { path: String::new(), server: ServerConfig::parse(&text).unwrap() };
            assert_eq!(judged(&config).verdict, expected, "{address} {tls}");
        }
    }
}
