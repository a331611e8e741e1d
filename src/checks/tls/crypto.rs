//! Keys and signatures of certificates.

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::tls::{Certificate, KeyKind, SignatureKind, TLS_FILES, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.crypto",
    title: "Key sizes and signatures",
    category: Category::Tls,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[TLS_FILES.source()],
    rule: "Fails on RSA below 2,048 bits (rsa_bits_min), a curve below 256 bits, DSA, and on a signature with MD5 or SHA-1 (a root's own does not count). Information on RSA below 3,072 bits; passes otherwise.",
    threshold_source: "testssl.sh and Lynis: 2,048 bits; NIST SP 800-57: 3,072 bits past 2030.",
    why: "Clients of today refuse weaker ones: they fail one library upgrade after the other.",
    remedy: "openssl ecparam -name prime256v1 -genkey -noout -out key.pem && chmod 0600 key.pem\n# Have a certificate issued for it, and restart the listener.",
    references: &["NIST SP 800-57", "testssl.sh"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[Setting {
        name: "rsa_bits_min",
        default: 2048.0,
        min: 1024.0,
        max: 16_384.0,
        help: "the least RSA key that does not fail, bits",
    }],
    evaluate: crypto,
};

fn crypto(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(TLS_FILES)?;
    let chains = files.iter().filter(|file| file.role == TlsRole::Chain);
    let found: Vec<&Certificate> = chains.clone().flat_map(|file| file.certificates.iter().flatten()).collect();
    let gaps: Vec<Gap> = chains.filter_map(|file| file.certificates.as_ref().err().cloned()).collect();
    let bits_min = case.setting("rsa_bits_min");
    let Some(worst) = found.iter().map(|certificate| judged(certificate, bits_min)).max_by_key(|judged| judged.verdict)
    else {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's uses TLS with a certificate from a file")),
        };
    };
    let facts = found.iter().map(|certificate| (certificate.subject.clone(), word(certificate.key)));
    Ok(gaps.into_iter().fold(worst.proof(Proof::facts("Keys", facts)), Judgement::gap))
}

fn word(key: KeyKind) -> String {
    match key {
        KeyKind::Rsa(bits) => format!("RSA, {bits} bits"),
        KeyKind::Curve(bits) => format!("elliptic curve, {bits} bits"),
        KeyKind::Dsa => "DSA".to_owned(),
        KeyKind::Other => "not known".to_owned(),
    }
}

fn judged(certificate: &Certificate, bits_min: f64) -> Judgement {
    let (whose, key) = (&certificate.subject, word(certificate.key));
    let weak = match certificate.key {
        KeyKind::Rsa(bits) => f64::from(bits) < bits_min,
        KeyKind::Curve(bits) => bits < 256,
        KeyKind::Dsa => true,
        KeyKind::Other => false,
    };
    if weak {
        return Judgement::fail(format!("The key of {whose} is too weak: {key}."))
            .expected(format!("RSA ≥ {bits_min} bits, a curve ≥ 256 bits"));
    }
    if !certificate.is_self_signed() && certificate.signature != SignatureKind::Sound {
        let digest = if certificate.signature == SignatureKind::Md5 { "MD5" } else { "SHA-1" };
        return Judgement::fail(format!("The certificate of {whose} is signed with {digest}."))
            .expected("SHA-256 or better");
    }
    match certificate.key {
        KeyKind::Rsa(bits) if bits < 3072 => {
            Judgement::info(format!("The key of {whose} is {key}: enough today, not past 2030."))
        }
        KeyKind::Other => Judgement::info(format!("The key of {whose} is of a kind that is not known here.")),
        _ => Judgement::pass(format!("The key of {whose} is {key}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::tls::testing::certificate;

    #[test]
    fn weak_keys_and_digests_fail() {
        for (key, signature, expected) in [
            (KeyKind::Rsa(2047), SignatureKind::Sound, Verdict::Fail),
            (KeyKind::Rsa(2048), SignatureKind::Sound, Verdict::Info),
            (KeyKind::Rsa(3072), SignatureKind::Sound, Verdict::Pass),
            (KeyKind::Curve(255), SignatureKind::Sound, Verdict::Fail),
            (KeyKind::Curve(256), SignatureKind::Sound, Verdict::Pass),
            (KeyKind::Dsa, SignatureKind::Sound, Verdict::Fail),
            (KeyKind::Other, SignatureKind::Sound, Verdict::Info),
            (KeyKind::Curve(256), SignatureKind::Sha1, Verdict::Fail),
            (KeyKind::Curve(256), SignatureKind::Md5, Verdict::Fail),
        ] {
            assert_eq!(judged(&Certificate { key, signature, ..certificate() }, 2048.0).verdict, expected, "{key:?}");
        }
        let root = Certificate { issuer: "CN=node".into(), signature: SignatureKind::Sha1, ..certificate() };
        assert_eq!(judged(&root, 2048.0).verdict, Verdict::Pass);
    }
}
