//! A certificate as evidence: its fields, its names, its key.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::evidence::tls::{Certificate, KeyKind, SignatureKind};

/// The certificate in these bytes; `None` when they are none.
pub(super) fn certificate(der: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect();
    Some(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        not_before_unix: parsed.validity().not_before.timestamp(),
        not_after_unix: parsed.validity().not_after.timestamp(),
        is_authority: parsed.is_ca(),
        names,
        key: key_kind(&parsed),
        signature: signature(&parsed.signature_algorithm.algorithm.to_id_string()),
        serves_tls: serves_tls(&parsed),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            16 => Some(IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it may serve TLS; one that names no purpose may.
pub(super) fn serves_tls(certificate: &X509Certificate<'_>) -> bool {
    let purposes = certificate.extended_key_usage().ok().flatten();
    purposes.is_none_or(|purposes| purposes.value.server_auth || purposes.value.any)
}

/// The kind of its key.
pub(super) fn key_kind(certificate: &X509Certificate<'_>) -> KeyKind {
    /// RFC 8410: Ed25519 and Ed448.
    const EDWARDS: &[(&str, u32)] = &[("1.3.101.112", 256), ("1.3.101.113", 448)];
    let algorithm = certificate.public_key().algorithm.algorithm.to_id_string();
    if let Some((_, bits)) = EDWARDS.iter().find(|(id, _)| *id == algorithm) {
        return KeyKind::Curve(*bits);
    }
    let bits = |bits: usize| u32::try_from(bits).unwrap_or(u32::MAX);
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa(bits(key.key_size())),
        Ok(PublicKey::EC(point)) => KeyKind::Curve(bits(point.key_size())),
        Ok(PublicKey::DSA(_)) => KeyKind::Dsa,
        _ => KeyKind::Other,
    }
}

fn signature(algorithm: &str) -> SignatureKind {
    match algorithm {
        // md2, md4 and md5 with RSA.
        "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.3" | "1.2.840.113549.1.1.4" => SignatureKind::Md5,
        // SHA-1 with RSA, DSA and ECDSA.
        "1.2.840.113549.1.1.5" | "1.2.840.10040.4.3" | "1.2.840.10045.4.1" | "1.3.14.3.2.29" => SignatureKind::Sha1,
        _ => SignatureKind::Sound,
    }
}
