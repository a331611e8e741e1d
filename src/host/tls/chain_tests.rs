//! Chains in every state that an operator can leave them in.

use std::process::Command;

use rcgen::KeyPair;

use super::super::authority_tests::{intermediate, params, root, self_signed, server};
use super::*;
use crate::domain::gap::Gap;

/// In the year for which the tests' certificates are valid.
const NOW: Timestamp = Timestamp::from_unix(1_780_000_000);

fn trusted(list: Anchors, der: &CertificateDer<'static>) -> Vec<Authority> {
    vec![Authority { list, der: der.clone() }]
}

fn no_key() -> Observed<Zeroizing<Vec<u8>>> {
    Err(Gap::denied("the key may not be read", "root"))
}

fn follow_one(file: &[CertificateDer<'static>], trusted: &[Authority]) -> Chain {
    follow(file, trusted, no_key(), NOW).unwrap()
}

/// Places in the file on the way up, `None` for an authority outside it.
fn places(chain: &Chain) -> Vec<Option<u32>> {
    chain.links.iter().map(|link| link.place).collect()
}

#[test]
fn signatures_lead_from_the_server_to_an_authority_whatever_the_order() {
    let root = root("root");
    let middle = intermediate("middle", &root);
    let (leaf, _) = server(&middle);
    let (middle_der, root_der) = (middle.der().clone(), root.der().clone());
    let anchors = trusted(Anchors::CaFile, &root_der);
    for (file, expected_places, end) in [
        (vec![&leaf, &middle_der], vec![Some(0), Some(1), None], ChainEnd::Trusted(Anchors::CaFile)),
        (vec![&leaf, &root_der, &middle_der], vec![Some(0), Some(2), None], ChainEnd::Trusted(Anchors::CaFile)),
        (vec![&leaf], vec![Some(0)], ChainEnd::Unknown),
        (vec![&root_der], vec![Some(0)], ChainEnd::Trusted(Anchors::CaFile)),
    ] {
        let file: Vec<_> = file.into_iter().cloned().collect();
        let chain = follow_one(&file, &anchors);
        assert_eq!((places(&chain), &chain.end), (expected_places, &end));
    }
    let without = follow_one(&[leaf.clone(), middle_der.clone()], &[]);
    assert_eq!((places(&without), without.end), (vec![Some(0), Some(1)], ChainEnd::Unknown));
    let with_root = follow_one(&[leaf, middle_der, root_der], &[]);
    assert_eq!((with_root.links.len(), with_root.end), (3, ChainEnd::SelfSigned));
}

#[test]
fn the_same_name_with_another_key_is_a_forgery() {
    let root = root("root");
    let (old, new) = (intermediate("middle", &root), intermediate("middle", &root));
    let (leaf, _) = server(&old);
    let chain = follow_one(&[leaf, new.der().clone()], &trusted(Anchors::System, root.der()));
    assert_eq!(chain.end, ChainEnd::Forged { issuer: "CN=middle".into() });
    assert_eq!(chain.links.last().map(|link| link.signer), Some(Signer::Unknown));
}

#[test]
fn a_server_cannot_sign_another() {
    let root = root("root");
    let middle_key = KeyPair::generate().unwrap();
    let middle = rcgen::CertifiedIssuer::signed_by(params("middle", rcgen::IsCa::NoCa), middle_key, &root).unwrap();
    let (leaf, _) = server(&middle);
    let chain = follow_one(&[leaf, middle.der().clone()], &trusted(Anchors::CaFile, root.der()));
    assert_eq!(chain.end, ChainEnd::NoAuthority { issuer: "CN=middle".into() });
}

#[test]
fn what_is_signed_by_itself_is_trusted_only_when_it_is_listed() {
    let (leaf, _) = self_signed();
    assert_eq!(follow_one(std::slice::from_ref(&leaf), &[]).end, ChainEnd::SelfSigned);
    let listed = trusted(Anchors::CaFile, &leaf);
    let chain = follow_one(&[leaf], &listed);
    assert_eq!((chain.end, chain.refused), (ChainEnd::Trusted(Anchors::CaFile), None));
}

#[test]
fn times_are_left_to_others_and_other_refusals_are_told() {
    let root = root("root");
    let (leaf, _) = server(&root);
    let anchors = trusted(Anchors::CaFile, root.der());
    let at = |now| follow(std::slice::from_ref(&leaf), &anchors, no_key(), Timestamp::from_unix(now)).unwrap().refused;
    assert_eq!([at(0), at(NOW.unix()), at(4_000_000_000)], [None, None, None]);

    let mut narrow = super::super::authority_tests::authority_params("narrow");
    narrow.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("other.example".into())],
        excluded_subtrees: Vec::new(),
    });
    let narrow = rcgen::CertifiedIssuer::self_signed(narrow, KeyPair::generate().unwrap()).unwrap();
    let (leaf, _) = server(&narrow);
    let chain = follow_one(&[leaf], &trusted(Anchors::CaFile, narrow.der()));
    assert!(chain.refused.is_some(), "a constraint on names is broken");
}

#[test]
fn a_key_is_compared_with_its_certificate() {
    let root = root("root");
    let ((leaf, key), (_, other)) = (server(&root), server(&root));
    let fit = |bytes: Vec<u8>| follow(std::slice::from_ref(&leaf), &[], Ok(Zeroizing::new(bytes)), NOW).unwrap().key;
    assert_eq!(fit(key.serialize_pem().into_bytes()), KeyFit::Fits);
    assert_eq!(fit(key.serialize_der()), KeyFit::Fits);
    assert_eq!(fit(other.serialize_pem().into_bytes()), KeyFit::Another);
    for text in ["hunter2", "", "-----BEGIN PRIVATE KEY-----\nhunter2"] {
        let KeyFit::NotCompared(why) = fit(text.into()) else { panic!("{text} was compared") };
        assert!(!why.contains("hunter2"));
    }
    let denied = follow(std::slice::from_ref(&leaf), &[], no_key(), NOW).unwrap().key;
    assert_eq!(denied, KeyFit::NotCompared("the key may not be read".into()));
}

/// `openssl` makes what ring will not: keys of 1,024 bits.
#[test]
fn a_weak_authority_is_followed_by_name_and_its_weakness_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder.path()).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !run("version") {
        return;
    }
    assert!(run("req -x509 -newkey rsa:1024 -nodes -keyout ca.key -out ca.pem -subj /CN=weak -days 30"));
    assert!(run("req -newkey rsa:1024 -nodes -keyout leaf.key -out leaf.csr -subj /CN=node"));
    assert!(run("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 7 -out leaf.pem -days 30"));
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let der = |name: &str| CertificateDer::from_pem_slice(&read(name)).unwrap();
    let key = Ok(Zeroizing::new(read("leaf.key")));
    let chain = follow(&[der("leaf.pem")], &trusted(Anchors::CaFile, &der("ca.pem")), key, NOW).unwrap();
    assert_eq!((&chain.end, chain.links[0].signer), (&ChainEnd::Trusted(Anchors::CaFile), Signer::Unverified));
    assert_eq!(chain.refused, None);
    assert!(matches!(chain.key, KeyFit::NotCompared(_)));
}
