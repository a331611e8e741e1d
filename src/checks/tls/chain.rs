//! Whether the certificates of a file lead to an authority, by their signatures, and whether the key is theirs.

use super::super::{Case, Category, Check, Tier};
use super::reach::{Reach, reach};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::chains::{Anchors, Chain, ChainEnd, KeyFit, SectionChain, Signer, TLS_CHAINS};
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::tls::{TLS_FILES, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.chain",
    title: "Chain and key",
    category: Category::Tls,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[TLS_CHAINS.source(), TLS_FILES.source(), IGGY_CONFIG.source()],
    rule: "Follows signatures from a file's first certificate upwards. Fails when the key is another certificate's, when the first certificate is an authority's or may not serve TLS, when the issuer that follows did not make the signature or may not sign, when a ca_file is configured and the chain leads to none of its authorities, and when clients would refuse the path for a constraint in it. \
           Warns when the chain ends at an authority that neither the ca_file nor this host's list has (an intermediate is missing, or clients must be told of a private authority), on a certificate that is signed by itself, on a chain out of order and on one that carries its root. Authorities in the files of ca_files, a setting of this check, count as the host's own: clients are told of them. The first two are information where the listener is bound to loopback. Passes otherwise. Times, names and key sizes are judged by tls.files, tls.names and tls.crypto.",
    threshold_source: "RFC 5280 and RFC 8446: what clients build a path from.",
    why: "A client that knows only the root cannot bridge a missing intermediate, although the browser on the operator's desk can.",
    remedy: "# The file must hold the server's certificate, then each intermediate, and not the root:\ncat server.pem intermediate.pem > fullchain.pem\nopenssl verify -CAfile CA_FILE -untrusted fullchain.pem server.pem\n# The key must be the certificate's; both lines must be the same:\nopenssl x509 -noout -pubkey -in fullchain.pem | sha256sum\nopenssl pkey -pubout -in KEY_FILE | sha256sum\n# A private authority that clients are told of, in snapvisor's configuration:\n#   [checks.\"tls.chain\"]\n#   ca_files = [\"/etc/ssl/own-root.pem\"]",
    references: &["RFC 5280: certification path validation", "RFC 8446: certificate message"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: chain,
};

fn chain(case: &Case<'_>) -> Result<Judgement, Gap> {
    let chains = case.read(TLS_CHAINS)?;
    let with_ca_file = |section: &str| {
        case.read(TLS_FILES)
            .is_ok_and(|files| files.iter().any(|file| file.section == section && file.role == TlsRole::Authorities))
    };
    let mut judgements = Vec::new();
    let mut gaps = Vec::new();
    for section in chains {
        match &section.chain {
            Ok(chain) => {
                let ca_file = if with_ca_file(&section.section) { CaFile::Configured } else { CaFile::None };
                let reach = case.read(IGGY_CONFIG).map_or(Reach::Network, |config| reach(config, &section.section));
                judgements.push(judged(&section.section, chain, ca_file, reach));
                if let KeyFit::NotCompared(why) = &chain.key {
                    gaps.push(Gap::denied(
                        format!("{}: the key was not compared with its certificate: {why}", section.section),
                        "CAP_DAC_READ_SEARCH",
                    ));
                }
            }
            Err(gap) => gaps.push(gap.clone()),
        }
    }
    let Some(worst) = judgements.into_iter().max_by_key(|judged| judged.verdict) else {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's uses TLS with a certificate from a file")),
        };
    };
    Ok(gaps.into_iter().fold(worst.proof(table(chains)), Judgement::gap))
}

/// Whether a section names the authorities that its clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaFile {
    Configured,
    None,
}

fn judged(section: &str, chain: &Chain, ca_file: CaFile, reach: Reach) -> Judgement {
    broken(section, chain, ca_file).unwrap_or_else(|| doubtful(section, chain, reach))
}

/// What no client can bridge.
fn broken(section: &str, chain: &Chain, ca_file: CaFile) -> Option<Judgement> {
    let fail = |what: String| Some(Judgement::fail(format!("{section}: {what}")));
    let (leaf, last) = (chain.links.first()?, chain.links.last()?);
    if chain.key == KeyFit::Another {
        return fail(format!("the key file does not hold the key of {}.", leaf.subject));
    }
    if leaf.is_authority {
        return fail(format!("the first certificate, {}, is an authority's.", leaf.subject));
    }
    if !leaf.serves_tls {
        return fail(format!("{} may not be used to serve TLS (extended key usage).", leaf.subject));
    }
    match &chain.end {
        ChainEnd::Forged { issuer } => fail(format!(
            "{} names {issuer} as its issuer, but the key of that certificate did not make the signature.",
            last.subject
        )),
        ChainEnd::NoAuthority { issuer } => {
            fail(format!("{} was signed by {issuer}, whose certificate may not sign others.", last.subject))
        }
        ChainEnd::Trusted(Anchors::CaFile) => None,
        _ if ca_file == CaFile::Configured => {
            fail(format!("the chain ends at {}, whom the ca_file does not know.", last.issuer))
        }
        _ => None,
    }
    .or_else(|| {
        let refused = chain.refused.as_ref()?;
        fail(format!("clients refuse the chain of {}: {refused}.", leaf.subject))
    })
}

/// What some clients cannot bridge, and what is untidy.
fn doubtful(section: &str, chain: &Chain, reach: Reach) -> Judgement {
    let Some(last) = chain.links.last() else {
        return Judgement::fail(format!("{section}: the file holds no certificate."));
    };
    let for_reach = |what: String| match reach {
        Reach::Network => Judgement::warn(format!("{section}: {what}")),
        Reach::Loopback => Judgement::info(format!("{section}: {what} The listener is bound to loopback.")),
    };
    match &chain.end {
        ChainEnd::SelfSigned if chain.links.len() == 1 => {
            return for_reach(format!("{} is signed by itself; each client must be told to trust it.", last.subject));
        }
        ChainEnd::SelfSigned => {
            return for_reach(format!(
                "the chain ends at {}, which it carries itself and which nothing on this host trusts.",
                last.subject
            ));
        }
        ChainEnd::Unknown => {
            return for_reach(format!(
                "{} was signed by {}, which neither the file nor this host has: an intermediate is missing, or clients must be told of this authority.",
                last.subject, last.issuer
            ));
        }
        _ => {}
    }
    let places: Vec<u32> = chain.links.iter().filter_map(|link| link.place).collect();
    if places.iter().zip(0..).any(|(place, expected)| *place != expected) {
        return Judgement::warn(format!("{section}: the certificates do not stand in the order of their signatures."));
    }
    let carried = chain.aside.iter().find(|(_, signer)| *signer == Signer::Itself).map(|(subject, _)| subject);
    let in_path = chain.links.iter().skip(1).find(|link| link.place.is_some() && link.signer == Signer::Itself);
    if let Some(root) = carried.or(in_path.map(|link| &link.subject)) {
        return Judgement::warn(format!("{section}: the chain carries its root, {root}, which clients ignore."));
    }
    Judgement::pass(format!("{section}: {} certificates in order, up to {}.", places.len(), last.subject))
}

fn table(chains: &[SectionChain]) -> Proof {
    let mut rows = Vec::new();
    for section in chains {
        let Ok(chain) = &section.chain else { continue };
        for link in &chain.links {
            let signer = match link.signer {
                Signer::Itself => "itself".to_owned(),
                Signer::Another => format!("{}, verified", link.issuer),
                Signer::Unverified => format!("{}, not verified (a weak key or an old digest)", link.issuer),
                Signer::Unknown => format!("{}, not found", link.issuer),
            };
            let place = link.place.map_or(Cell::Empty, |place| Cell::count(u64::from(place) + 1));
            rows.push(vec![section.section.as_str().into(), place, link.subject.as_str().into(), signer.into()]);
        }
        for (subject, _) in &chain.aside {
            rows.push(vec![section.section.as_str().into(), Cell::Empty, subject.as_str().into(), "not needed".into()]);
        }
    }
    let columns = vec![
        Column::text("Section"),
        Column::number("Place in the file", Unit::Count),
        Column::text("Certificate"),
        Column::text("Signed by"),
    ];
    Proof::table("The chains, upwards", columns, rows)
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
