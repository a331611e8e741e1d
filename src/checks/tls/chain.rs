//! Whether the certificates of a file stand in the right order and lead somewhere.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::tls::{Certificate, TLS_FILES, TlsFile, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.chain",
    title: "Chain of certificates",
    category: Category::Tls,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[TLS_FILES.source()],
    rule: "Fails when a chain's first certificate is an authority's or may not serve TLS, when a certificate is not followed by its issuer's, or when a ca_file is configured and the chain leads to none of its authorities. \
           Warns on a self-signed certificate and on a chain that carries its root. Passes otherwise. Names are compared; signatures and the private key are not.",
    threshold_source: "RFC 5280 and RFC 8446: what clients build a path from.",
    why: "A client that knows only the root cannot bridge a missing intermediate, although the browser on the operator's desk can.",
    remedy: "# The file must hold the server's certificate, then each intermediate, and not the root:\ncat server.pem intermediate.pem > fullchain.pem\nopenssl verify -CAfile CA_FILE -untrusted fullchain.pem server.pem",
    references: &["RFC 5280: certification path validation", "RFC 8446: certificate message"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: chain,
};

fn chain(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(TLS_FILES)?;
    let mut judgements = Vec::new();
    let mut gaps = Vec::new();
    for file in files.iter().filter(|file| file.role == TlsRole::Chain) {
        let authorities = files
            .iter()
            .find(|other| other.section == file.section && other.role == TlsRole::Authorities)
            .and_then(|other| other.certificates.as_deref().ok());
        match &file.certificates {
            Ok(certificates) => judgements.push(judged(file, certificates, authorities)),
            Err(gap) => gaps.push(gap.clone()),
        }
    }
    let Some(worst) = judgements.into_iter().max_by_key(|judged| judged.verdict) else {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's uses TLS with a certificate from a file")),
        };
    };
    let facts = files.iter().filter(|file| file.role == TlsRole::Chain).flat_map(|file| {
        let certificates = file.certificates.iter().flatten();
        certificates.map(|certificate| (certificate.subject.clone(), format!("signed by {}", certificate.issuer)))
    });
    Ok(gaps.into_iter().fold(worst.proof(Proof::facts("The chains, in their order", facts)), Judgement::gap))
}

fn judged(file: &TlsFile, certificates: &[Certificate], authorities: Option<&[Certificate]>) -> Judgement {
    let section = &file.section;
    let [leaf, above @ ..] = certificates else {
        return Judgement::fail(format!("{section}: {} holds no certificate.", file.path));
    };
    if leaf.is_authority {
        return Judgement::fail(format!("{section}: the first certificate, {}, is an authority's.", leaf.subject));
    }
    if !leaf.serves_tls {
        return Judgement::fail(format!(
            "{section}: {} may not be used to serve TLS (extended key usage).",
            leaf.subject
        ));
    }
    for pair in certificates.windows(2) {
        if pair[0].issuer != pair[1].subject {
            return Judgement::fail(format!(
                "{section}: {} was signed by {}, and {} follows it.",
                pair[0].subject, pair[0].issuer, pair[1].subject
            ));
        }
    }
    let last = certificates.last().unwrap_or(leaf);
    let known = |authority: &Certificate| authority.subject == last.issuer || authority.subject == last.subject;
    if authorities.is_some_and(|authorities| !authorities.iter().any(known)) {
        return Judgement::fail(format!(
            "{section}: the chain ends at {}, whom the ca_file does not know.",
            last.issuer
        ));
    }
    if leaf.is_self_signed() {
        return Judgement::warn(format!(
            "{section}: {} is signed by itself; each client must be told to trust it.",
            leaf.subject
        ));
    }
    if above.iter().any(Certificate::is_self_signed) {
        return Judgement::warn(format!(
            "{section}: the chain carries its root, {}, which clients ignore.",
            last.subject
        ));
    }
    Judgement::pass(format!("{section}: {} certificates in order, up to {}.", certificates.len(), last.issuer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::tls::testing::certificate;

    fn named(subject: &str, issuer: &str) -> Certificate {
        Certificate { subject: subject.into(), issuer: issuer.into(), ..certificate() }
    }

    #[test]
    fn order_ends_and_purposes_are_judged() {
        let file = TlsFile {
            section: "tcp.tls".into(),
            role: TlsRole::Chain,
            path: "/x.pem".into(),
            certificates: Ok(Vec::new()),
            access: Err(Gap::absent("x")),
        };
        let (leaf, middle, root) = (named("leaf", "middle"), named("middle", "root"), named("root", "root"));
        let authority = Certificate { is_authority: true, ..leaf.clone() };
        let client = Certificate { serves_tls: false, ..leaf.clone() };
        for (certificates, authorities, expected) in [
            (vec![leaf.clone(), middle.clone()], None, Verdict::Pass),
            (vec![leaf.clone(), middle.clone()], Some(vec![root.clone()]), Verdict::Pass),
            (vec![leaf.clone()], Some(vec![root.clone()]), Verdict::Fail),
            (vec![leaf.clone()], None, Verdict::Pass),
            (vec![leaf.clone(), middle.clone(), root.clone()], None, Verdict::Warn),
            (vec![leaf.clone(), root.clone()], None, Verdict::Fail),
            (vec![middle.clone(), leaf.clone()], None, Verdict::Fail),
            (vec![root.clone()], None, Verdict::Warn),
            (vec![authority], None, Verdict::Fail),
            (vec![client], None, Verdict::Fail),
            (vec![], None, Verdict::Fail),
        ] {
            let judged = judged(&file, &certificates, authorities.as_deref());
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
