//! Whether certificates are good for the names and addresses under which clients reach the server.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::config::{IGGY_CONFIG, IggyConfig, address};
use crate::evidence::tls::{Certificate, TLS_FILES, TlsFile, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.names",
    title: "Names that certificates cover",
    category: Category::Tls,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[TLS_FILES.source(), IGGY_CONFIG.source()],
    rule: "Fails when TLS between the cluster's members is on and a roster address is in no certificate of it. Warns when the address that a listener is bound to (loopback and unspecified ones aside) is not covered by its certificate; passes otherwise.",
    threshold_source: "Apache Iggy's comment on [cluster.tls]: members are checked by their address. Release 0.8 advertises no name, so the bound addresses stand for it.",
    why: "A client that checks names refuses a certificate that is valid in every other way.",
    remedy: "openssl x509 -noout -ext subjectAltName -in CERTIFICATE_FILE\n# Have it issued again with the names and addresses that are missing as subjectAltName.",
    references: &["RFC 9525: service identity in TLS"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: names,
};

fn names(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(TLS_FILES)?;
    let config = case.read(IGGY_CONFIG)?;
    let mut gaps = Vec::new();
    let mut leaves: Vec<(&str, &Certificate)> = Vec::new();
    for file in files.iter().filter(|file| file.role == TlsRole::Chain) {
        match &file.certificates {
            Ok(certificates) => leaves.extend(certificates.first().map(|leaf| (file.section.as_str(), leaf))),
            Err(gap) => gaps.push(gap.clone()),
        }
    }
    if leaves.is_empty() {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's uses TLS with a certificate from a file")),
        };
    }
    let facts = leaves.iter().map(|(section, leaf)| ((*section).to_owned(), leaf.names.join(" ")));
    let mut judged = judged(config, &leaves).proof(Proof::facts("Names in the certificates", facts));
    if judged.verdict >= Verdict::Warn {
        let (command, others) = CHECK.remedy.split_once('\n').unwrap_or((CHECK.remedy, ""));
        let chains = files.iter().filter(|file| file.role == TlsRole::Chain);
        let of_file = |file: &TlsFile| command.replace("CERTIFICATE_FILE", &quoted(&file.path));
        let commands = chains.map(of_file).collect::<Vec<_>>().join("\n");
        judged = judged.remedy(format!("{commands}\n{others}"));
    }
    Ok(gaps.into_iter().fold(judged, Judgement::gap))
}

fn judged(config: &IggyConfig, leaves: &[(&str, &Certificate)]) -> Judgement {
    let of = |section: &str| leaves.iter().find(|(known, _)| *known == section).map(|(_, leaf)| *leaf);
    if let Some(leaf) = of("cluster.tls") {
        let ips = config.server.cluster.nodes.iter().filter_map(|node| node.ip.as_deref());
        let missing: Vec<&str> = ips.filter(|ip| !leaf.covers(ip)).collect();
        // Each member has a certificate of its own; only one that covers no member at all is known to be wrong.
        if !missing.is_empty() && missing.len() == config.server.cluster.nodes.len() {
            return Judgement::fail(format!(
                "The cluster's certificate covers none of the roster's addresses: {}.",
                missing.join(", ")
            ));
        }
    }
    for ((name, _, listener), section) in
        config.all_listeners().into_iter().zip(["tcp.tls", "http.tls", "quic.certificate", "websocket.tls"])
    {
        let bound = address(listener).map(|bound| bound.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
        if let (Some(leaf), Some(ip)) = (of(section), bound)
            && !leaf.covers(&ip.to_string())
        {
            return Judgement::warn(format!(
                "The {name} listener stands on {ip}, which its certificate does not cover."
            ));
        }
    }
    Judgement::pass("The certificates cover the addresses that the listeners are bound to.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tls::testing::certificate;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn bound_addresses_and_the_roster_must_be_covered() {
        for (tcp, roster, section, expected) in [
            ("10.0.0.5:8090", "10.0.0.5", "tcp.tls", Verdict::Pass),
            ("10.0.0.6:8090", "10.0.0.5", "tcp.tls", Verdict::Warn),
            ("0.0.0.0:8090", "10.0.0.5", "tcp.tls", Verdict::Pass),
            ("127.0.0.1:8090", "10.0.0.5", "tcp.tls", Verdict::Pass),
            ("127.0.0.1:8090", "10.0.0.5", "cluster.tls", Verdict::Pass),
            ("127.0.0.1:8090", "10.0.0.9", "cluster.tls", Verdict::Fail),
        ] {
            let text = format!(
                "[tcp]\nenabled = true\naddress = \"{tcp}\"\n[cluster]\nenabled = true\n[[cluster.nodes]]\nip = \"{roster}\"\n"
            );
            let config = IggyConfig { path: String::new(), server: ServerConfig::parse(&text).unwrap() };
            let leaf = certificate();
            assert_eq!(judged(&config, &[(section, &leaf)]).verdict, expected, "{tcp} {roster} {section}");
        }
    }
}
