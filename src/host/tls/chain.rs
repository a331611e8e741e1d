//! Follows the certificates of a file upwards by their signatures, and compares a key with its certificate.
//!
//! Names alone prove nothing: an intermediate that was renewed with a new key has the same name as the one before. The
//! key's bytes are wiped, and only whether it fits is kept.

use rustls::crypto::ring;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;
use zeroize::{Zeroize, Zeroizing};

use super::certificate::{key_kind, serves_tls};
use crate::domain::time::Timestamp;
use crate::evidence::Observed;
use crate::evidence::chains::{Anchors, Chain, ChainEnd, KeyFit, Link, Signer};
use crate::evidence::tls::KeyKind;

/// Steps upwards; a real chain has three.
const LINKS_MAX: usize = 16;
/// RSA keys below this are not verified with: nobody does any more.
const RSA_BITS_MIN: u32 = 2048;

/// An authority that is trusted, and by which list.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    pub(super) list: Anchors,
    pub(super) der: CertificateDer<'static>,
}

/// Follows `file` from its first certificate. `None` when one of them cannot be read.
pub(super) fn follow(
    file: &[CertificateDer<'_>],
    trusted: &[Authority],
    key: Observed<Zeroizing<Vec<u8>>>,
    now: Timestamp,
) -> Option<Chain> {
    let certificates: Vec<X509Certificate<'_>> =
        file.iter().map(|der| X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)).collect::<Option<_>>()?;
    let anchors: Vec<(&Authority, X509Certificate<'_>)> = trusted
        .iter()
        .filter_map(|authority| Some((authority, X509Certificate::from_der(&authority.der).ok()?.1)))
        .collect();
    let leaf = certificates.first()?;
    let key = fit(leaf, key);
    let path = Path { certificates: &certificates, anchors: &anchors }.up();
    let aside = (0..certificates.len()).filter(|place| !path.places.contains(place)).map(|place| {
        let certificate = &certificates[place];
        let signer = if is_self_signed(certificate) { Signer::Itself } else { Signer::Another };
        (certificate.subject().to_string(), signer)
    });
    let refused = path
        .anchor
        .filter(|_| path.links.iter().all(|link| link.signer != Signer::Unverified))
        .and_then(|anchor| refused(file, &anchor.der, now));
    Some(Chain { aside: aside.collect(), links: path.links, end: path.end, key, refused })
}

struct Path<'a> {
    certificates: &'a [X509Certificate<'a>],
    anchors: &'a [(&'a Authority, X509Certificate<'a>)],
}

struct Followed<'a> {
    links: Vec<Link>,
    places: Vec<usize>,
    end: ChainEnd,
    anchor: Option<&'a Authority>,
}

impl<'a> Path<'a> {
    fn up(&self) -> Followed<'a> {
        let mut found = Followed { links: Vec::new(), places: Vec::new(), end: ChainEnd::Unknown, anchor: None };
        let mut place = 0;
        loop {
            let current = &self.certificates[place];
            found.places.push(place);
            let issuer = current.issuer().to_string();
            let mut push = |signer| found.links.push(link(current, Some(place), signer));
            let itself = self.anchors.iter().find(|(_, anchor)| anchor.as_raw() == current.as_raw());
            if is_self_signed(current) {
                push(Signer::Itself);
                found.end = itself.map_or(ChainEnd::SelfSigned, |(authority, _)| ChainEnd::Trusted(authority.list));
                found.anchor = itself.map(|(authority, _)| *authority);
                return found;
            }
            let by_anchor = self.anchors.iter().filter(|(_, anchor)| names(current, anchor));
            let by_anchor: Vec<_> = by_anchor.map(|known| (signed(current, &known.1), known)).collect();
            if let Some((by, (authority, anchor))) = by_anchor.iter().find(|(by, _)| *by != Signed::No) {
                push(by.signer());
                found.links.push(link(anchor, None, Signer::Itself));
                (found.end, found.anchor) = (ChainEnd::Trusted(authority.list), Some(*authority));
                return found;
            }
            let in_file = (0..self.certificates.len()).filter(|other| !found.places.contains(other));
            let in_file = in_file.filter(|other| names(current, &self.certificates[*other]));
            let in_file: Vec<_> = in_file.map(|other| (signed(current, &self.certificates[other]), other)).collect();
            let Some((by, next)) = in_file.iter().find(|(by, _)| *by != Signed::No) else {
                push(Signer::Unknown);
                let forged = !(in_file.is_empty() && by_anchor.is_empty());
                found.end = if forged { ChainEnd::Forged { issuer } } else { ChainEnd::Unknown };
                return found;
            };
            push(by.signer());
            if !self.certificates[*next].is_ca() {
                found.places.push(*next);
                found.end = ChainEnd::NoAuthority { issuer };
                return found;
            }
            place = *next;
            if found.links.len() == LINKS_MAX {
                return found;
            }
        }
    }
}

fn link(certificate: &X509Certificate<'_>, place: Option<usize>, signer: Signer) -> Link {
    Link {
        place: place.and_then(|place| u32::try_from(place).ok()),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        signer,
        is_authority: certificate.is_ca(),
        serves_tls: serves_tls(certificate),
    }
}

/// Whether `certificate` names `issuer` as the one who signed it.
fn names(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
}

fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    names(certificate, certificate) && signed(certificate, certificate) != Signed::No
}

/// What a signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    Yes,
    No,
    NotVerified,
}

impl Signed {
    const fn signer(self) -> Signer {
        match self {
            Self::Yes => Signer::Another,
            Self::NotVerified => Signer::Unverified,
            Self::No => Signer::Unknown,
        }
    }
}

fn signed(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Signed {
    if matches!(key_kind(issuer), KeyKind::Rsa(bits) if bits < RSA_BITS_MIN) {
        return Signed::NotVerified;
    }
    match certificate.verify_signature(Some(issuer.public_key())) {
        Ok(()) => Signed::Yes,
        Err(X509Error::SignatureUnsupportedAlgorithm) => Signed::NotVerified,
        Err(_) => Signed::No,
    }
}

/// What clients would say besides: name constraints, purposes, lengths of paths. Times are judged elsewhere.
fn refused(file: &[CertificateDer<'_>], anchor: &CertificateDer<'_>, now: Timestamp) -> Option<String> {
    let (leaf, above) = file.split_first()?;
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone().into_owned()).ok()?;
    let leaf = ParsedCertificate::try_from(leaf).ok()?;
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(now.unix()).ok()?));
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let error =
        rustls::client::verify_server_cert_signed_by_trust_anchor(&leaf, &roots, above, now, algorithms).err()?;
    let about_time = matches!(
        &error,
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
        )
    );
    (!about_time).then(|| error.to_string())
}

fn fit(leaf: &X509Certificate<'_>, key: Observed<Zeroizing<Vec<u8>>>) -> KeyFit {
    let bytes = match key {
        Ok(bytes) => bytes,
        Err(gap) => return KeyFit::NotCompared(gap.detail),
    };
    let not = |why: &str| KeyFit::NotCompared(why.to_owned());
    let decoded = PrivateKeyDer::from_pem_slice(&bytes).ok().or_else(|| {
        let der = PrivateKeyDer::try_from(&bytes[..]).ok()?;
        Some(der.clone_key())
    });
    let Some(mut key) = decoded else { return not("its file holds no private key that can be read") };
    let signing = ring::sign::any_supported_type(&key);
    key.zeroize();
    let Ok(signing) = signing else { return not("the key is of a kind or size that is not read here") };
    match signing.public_key() {
        Some(public) if public.as_ref() == leaf.public_key().raw => KeyFit::Fits,
        Some(_) => KeyFit::Another,
        None => not("the key does not tell its public half"),
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
