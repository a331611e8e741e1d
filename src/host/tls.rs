//! Collector of the files that Iggy's TLS sections name.
//!
//! A private key is never read: its owner and permissions are all that is looked at. A file with certificates may hold a
//! key beside them, so its bytes are wiped and never recorded.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::collector::{Collect, Collector, Stage};
use super::observe::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{IGGY_PROCESS, ProcessRoot};
use crate::evidence::tls::{Access, Certificate, KeyKind, SignatureKind, TLS_FILES, TlsFile, TlsRole};
use crate::iggy::config::{ServerConfig, Tls};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(TLS_FILES, Stage::Questions, files)];

/// Certificates of one file that are kept: a bundle of all public authorities has 150.
const CERTIFICATES_MAX: usize = 256;

fn files(scene: &Scene) -> Observed<Vec<TlsFile>> {
    let config = &scene.evidence.read(IGGY_CONFIG)?.server;
    scene.host.call("tls-files", || {
        Ok(named(config).into_iter().map(|(section, role, path)| look(scene, section, role, &path)).collect())
    })
}

/// The files of the sections that are on and do not make their own certificate.
fn named(config: &ServerConfig) -> Vec<(&'static str, TlsRole, String)> {
    let on = |tls: &Tls| tls.enabled == Some(true) && tls.self_signed != Some(true);
    let sections = [
        ("tcp.tls", config.tcp.tls.as_ref().filter(|tls| config.tcp.is_on() && on(tls))),
        ("http.tls", config.http.tls.as_ref().filter(|tls| config.http.is_on() && tls.enabled == Some(true))),
        ("websocket.tls", config.websocket.tls.as_ref().filter(|tls| config.websocket.is_on() && on(tls))),
        (
            "quic.certificate",
            config.quic.tls.as_ref().filter(|tls| config.quic.is_on() && tls.self_signed == Some(false)),
        ),
        ("cluster.tls", config.cluster.tls.as_ref().filter(|tls| config.cluster.enabled == Some(true) && on(tls))),
    ];
    let mut found = Vec::new();
    for (section, tls) in sections {
        let Some(tls) = tls else { continue };
        for (role, path) in
            [(TlsRole::Chain, &tls.cert_file), (TlsRole::Key, &tls.key_file), (TlsRole::Authorities, &tls.ca_file)]
        {
            if let Some(path) = path {
                found.push((section, role, path.to_string_lossy().into_owned()));
            }
        }
    }
    found
}

fn look(scene: &Scene, section: &str, role: TlsRole, path: &str) -> TlsFile {
    let seen = seen(scene, path);
    let certificates = match (role, &seen) {
        (TlsRole::Key, _) => Ok(Vec::new()),
        (_, Ok(seen)) => scene.host.seed(seen).and_then(|bytes| certificates(&bytes, path)),
        (_, Err(gap)) => Err(gap.clone()),
    };
    let access = seen.and_then(|seen| {
        let file = scene.host.metadata(&seen)?;
        let folder = seen.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        Ok(Access { uid: file.uid, gid: file.gid, mode: file.mode, folder_mode: scene.host.metadata(folder)?.mode })
    });
    TlsFile { section: section.to_owned(), role, path: path.to_owned(), certificates, access }
}

/// A path of the server's configuration as we can open it.
fn seen(scene: &Scene, path: &str) -> Observed<String> {
    let process = scene.evidence.read(IGGY_PROCESS);
    let absolute = if path.starts_with('/') {
        path.to_owned()
    } else {
        let process = process.as_ref().map_err(|_| {
            Gap::absent(format!("{path} is relative to the server's working directory, and no server runs"))
        })?;
        format!("{}/{path}", scene.host.link(&format!("/proc/{}/cwd", process.pid))?.trim_end_matches('/'))
    };
    Ok(match process {
        Ok(process) if process.root != ProcessRoot::Ours => process.seen(&absolute),
        _ => absolute,
    })
}

/// The certificates of a PEM file, or the one of a DER file.
fn certificates(bytes: &[u8], path: &str) -> Observed<Vec<Certificate>> {
    let broken = |what: &str| Gap::broken(format!("{path} {what}"));
    let from_pem: Result<Vec<CertificateDer<'_>>, _> =
        CertificateDer::pem_slice_iter(bytes).take(CERTIFICATES_MAX).collect();
    let ders = match from_pem {
        Ok(found) if !found.is_empty() => found,
        Ok(_) if bytes.first() == Some(&0x30) => vec![CertificateDer::from(bytes)],
        Ok(_) => return Err(broken("holds no certificate")),
        Err(_) => return Err(broken("is not whole PEM")),
    };
    ders.iter().map(|der| certificate(der).ok_or_else(|| broken("holds a certificate that cannot be read"))).collect()
}

fn certificate(der: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect();
    let purposes = parsed.extended_key_usage().ok().flatten();
    Some(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        not_before_unix: parsed.validity().not_before.timestamp(),
        not_after_unix: parsed.validity().not_after.timestamp(),
        is_authority: parsed.is_ca(),
        names,
        key: key(&parsed),
        signature: signature(&parsed.signature_algorithm.algorithm.to_id_string()),
        serves_tls: purposes.is_none_or(|purposes| purposes.value.server_auth || purposes.value.any),
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

fn key(certificate: &X509Certificate<'_>) -> KeyKind {
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

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};

    use super::*;

    fn chain() -> String {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let names = vec!["node.example".to_owned(), "10.0.0.5".to_owned(), "fd00::5".to_owned()];
        let mut leaf = CertificateParams::new(names).unwrap();
        leaf.distinguished_name = rcgen::DistinguishedName::new();
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "node");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2027, 1, 1));
        let key = KeyPair::generate().unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        format!("{}{}{}", leaf.pem(), key.serialize_pem(), authority.pem())
    }

    #[test]
    fn a_chain_is_read_past_the_key_that_stands_in_it() {
        let found = certificates(chain().as_bytes(), "x.pem").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].subject, "CN=node");
        assert_eq!(found[0].issuer, found[1].subject);
        assert_eq!(found[0].names, ["node.example", "10.0.0.5", "fd00::5"]);
        assert_eq!((found[0].not_before_unix, found[0].not_after_unix), (1_767_225_600, 1_798_761_600));
        assert_eq!((found[0].key, found[0].signature), (KeyKind::Curve(256), SignatureKind::Sound));
        assert!(found[0].serves_tls && !found[0].is_authority && found[1].is_authority && found[1].is_self_signed());
    }

    #[test]
    fn what_is_no_certificate_is_a_gap_without_its_text() {
        for (bytes, end) in [
            (&b"hunter2"[..], "holds no certificate"),
            (b"", "holds no certificate"),
            (b"\x30\x03\x02\x01\x01", "holds a certificate that cannot be read"),
            (b"-----BEGIN CERTIFICATE-----\nhunter2", "is not whole PEM"),
        ] {
            let gap = certificates(bytes, "x.pem").unwrap_err();
            assert_eq!(gap.detail, format!("x.pem {end}"));
        }
    }

    #[test]
    fn only_sections_that_are_on_are_looked_at() {
        let config = "[tcp]\nenabled = true\n[tcp.tls]\nenabled = true\nself_signed = false\ncert_file = \"a\"\nkey_file = \"b\"\n\
            [http]\nenabled = true\n[http.tls]\nenabled = false\ncert_file = \"c\"\n[quic]\nenabled = true\n[quic.certificate]\nself_signed = true\ncert_file = \"d\"\n";
        let found = named(&ServerConfig::parse(config).unwrap());
        assert_eq!(found, [("tcp.tls", TlsRole::Chain, "a".to_owned()), ("tcp.tls", TlsRole::Key, "b".to_owned())]);
    }
}
