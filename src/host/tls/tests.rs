//! Reading certificate files, and which of them count.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};

use super::*;
use crate::evidence::tls::{KeyKind, SignatureKind};

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

/// A private authority is known to nobody but whoever was told of it; a file of it that is not there is no answer.
#[test]
fn a_configured_file_of_authorities_counts_as_known() {
    use super::super::scene::testing::scene;
    use super::authority_tests::{root, server};
    use crate::evidence::chains::ChainEnd;
    use crate::evidence::config::IggyConfig;
    let folder = tempfile::tempdir().unwrap();
    let (authority, at) = (root("private"), |name: &str| folder.path().join(name).to_str().unwrap().to_owned());
    let (leaf, key) = server(&authority);
    std::fs::write(at("leaf.der"), &leaf).unwrap();
    std::fs::write(at("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(at("own.pem"), authority.pem()).unwrap();
    let text = format!(
        "[tcp]\nenabled = true\naddress = \"127.0.0.1:8090\"\n[tcp.tls]\nenabled = true\ncert_file = \"{}\"\nkey_file = \"{}\"\n",
        at("leaf.der"),
        at("key.pem")
    );
    let end = |ca_files: Vec<String>| {
        let mut scene = scene(Host::live());
        scene.request.ca_files = ca_files;
        let server = ServerConfig::parse(&text).unwrap();
        scene.evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        let mut found = chains(&scene).unwrap();
        found.remove(0).chain.map(|chain| chain.end)
    };
    assert_eq!(end(Vec::new()), Ok(ChainEnd::Unknown));
    assert_eq!(end(vec![at("own.pem")]), Ok(ChainEnd::Trusted(Anchors::Configured)));
    assert!(end(vec![at("none.pem")]).unwrap_err().detail.ends_with("none.pem does not exist"));
}

#[test]
fn only_sections_that_are_on_are_looked_at() {
    let config = |release_section: &str, made: bool| {
        format!(
            "[{release_section}]\nx = 1\n[tcp]\nenabled = true\naddress = \"127.0.0.1:8090\"\n[tcp.tls]\nenabled = true\nself_signed = {made}\ncert_file = \"a\"\n\
             [http]\nenabled = true\n[http.tls]\nenabled = false\ncert_file = \"c\"\n[quic]\nenabled = true\n[quic.certificate]\nself_signed = true\ncert_file = \"d\"\n"
        )
    };
    for (release_section, made, expected) in [
        ("message_saver", false, Origin::File),
        ("message_saver", true, Origin::FileIfThere),
        ("message_bus", false, Origin::File),
        ("message_bus", true, Origin::Made),
    ] {
        let config = ServerConfig::parse(&config(release_section, made)).unwrap();
        let found: Vec<_> =
            sections(&config).iter().map(|section| (section.name, section.port, section.certificate)).collect();
        assert_eq!(found, [("tcp.tls", Some(8090), expected)], "{release_section} {made}");
    }
}
