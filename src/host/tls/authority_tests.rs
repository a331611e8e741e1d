//! Authorities and certificates for tests: every kind of brokenness on purpose.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustls_pki_types::CertificateDer;

pub(in crate::host) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(in crate::host) fn params(name: &str, authority: IsCa) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["node.example".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = authority;
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2027, 1, 1));
    params
}

pub(in crate::host) fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name, IsCa::Ca(BasicConstraints::Unconstrained));
    params.subject_alt_names.clear();
    params
}

pub(in crate::host) fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap()
}

pub(in crate::host) fn intermediate(name: &str, above: &Issuer) -> Issuer {
    CertifiedIssuer::signed_by(authority_params(name), KeyPair::generate().unwrap(), above).unwrap()
}

/// A server's certificate and its key.
pub(in crate::host) fn server(above: &Issuer) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let leaf = params("node", IsCa::NoCa).signed_by(&key, above).unwrap();
    (leaf.der().clone(), key)
}

pub(in crate::host) fn self_signed() -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let leaf = params("node", IsCa::NoCa).self_signed(&key).unwrap();
    (leaf.der().clone(), key)
}
