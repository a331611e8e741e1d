//! Collectors of the files that Iggy's TLS sections name, of the chains in them, and of what listeners serve.
//!
//! A private key's bytes are read for one question, whether they fit the certificate, and wiped. A file with certificates
//! may hold a key beside them, so its bytes are wiped too and never recorded.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::collector::{Collect, Collector, Stage};
use super::file::bounded;
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::chains::{Anchors, SectionChain, TLS_CHAINS, TLS_LISTENERS};
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{IGGY_PROCESS, ProcessRoot};
use crate::evidence::tls::{Access, Certificate, TLS_FILES, TlsFile, TlsRole};
use crate::iggy::config::{Listener, Release, ServerConfig, Tls};
use chain::Authority;

#[cfg(test)]
pub(super) mod authority_tests;
mod certificate;
mod chain;
pub(super) mod client;
mod handshake;

/// Three handshakes, each under its own limit.
const HANDSHAKES_MAX: Duration = Duration::from_secs(7);

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(TLS_FILES, Stage::Questions, files),
    &Collector::new(TLS_CHAINS, Stage::Questions, chains),
    &Collector::new(TLS_LISTENERS, Stage::Questions, handshake::listeners).within(HANDSHAKES_MAX),
];

/// Certificates of one file that are kept: a bundle of all public authorities has 150.
const CERTIFICATES_MAX: usize = 256;
/// Where systems keep the authorities that they trust, the first that is there.
const SYSTEM_AUTHORITIES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Bytes of such a bundle; Debian's has 220 KB.
const AUTHORITIES_BYTES_MAX: usize = 4 << 20;

/// A section of the configuration with TLS that is on.
#[derive(Debug, Clone, Copy)]
struct Section<'a> {
    name: &'static str,
    tls: &'a Tls,
    /// The port, when handshakes over TCP are possible there.
    port: Option<u16>,
    /// Protocols to offer.
    alpn: &'static [&'static [u8]],
    certificate: Origin,
}

/// Where a section's certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The file that it names.
    File,
    /// The file if it is there, else the server makes one (0.8's `self_signed = true` over TCP).
    FileIfThere,
    /// The server makes one and the file does not count.
    Made,
}

impl Section<'_> {
    /// The certificate file, if the server serves from it.
    fn certificate_file(&self, scene: &Scene) -> Option<String> {
        let path = self.tls.cert_file.as_ref()?.to_string_lossy().into_owned();
        let there = || seen(scene, &path).and_then(|seen| scene.host.metadata(&seen)).is_ok();
        match self.certificate {
            Origin::File => Some(path),
            Origin::FileIfThere => there().then_some(path),
            Origin::Made => None,
        }
    }
}

/// The sections whose TLS is on.
fn sections<'a>(config: &'a ServerConfig) -> Vec<Section<'a>> {
    let made = |tls: &Tls| match (tls.self_signed, config.release) {
        (Some(true), Release::V0_8) => Origin::FileIfThere,
        (Some(true), _) => Origin::Made,
        _ => Origin::File,
    };
    let over_tcp = |name, listener: &'a Listener, alpn| {
        let tls = listener.tls.as_ref().filter(|tls| listener.is_on() && tls.enabled == Some(true))?;
        let certificate = if name == "http.tls" { Origin::File } else { made(tls) };
        Some(Section { name, tls, port: listener.port(), alpn, certificate })
    };
    let quic = config.quic.tls.as_ref().filter(|tls| config.quic.is_on() && tls.self_signed == Some(false));
    let cluster =
        config.cluster.tls.as_ref().filter(|tls| config.cluster.enabled == Some(true) && tls.enabled == Some(true));
    let silent = |name, tls, certificate| Section { name, tls, port: None, alpn: &[], certificate };
    [
        over_tcp("tcp.tls", &config.tcp, &[]),
        over_tcp("http.tls", &config.http, &[b"h2", b"http/1.1"]),
        over_tcp("websocket.tls", &config.websocket, &[]),
        quic.map(|tls| silent("quic.certificate", tls, Origin::File)),
        cluster.map(|tls| {
            silent("cluster.tls", tls, if tls.self_signed == Some(true) { Origin::Made } else { Origin::File })
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn files(scene: &Scene) -> Observed<Vec<TlsFile>> {
    let config = &scene.evidence.read(IGGY_CONFIG)?.server;
    scene.host.call("tls-files", || {
        let mut found = Vec::new();
        for section in sections(config) {
            let Some(certificate) = section.certificate_file(scene) else { continue };
            found.push(look(scene, section.name, TlsRole::Chain, &certificate));
            for (role, path) in [(TlsRole::Key, &section.tls.key_file), (TlsRole::Authorities, &section.tls.ca_file)] {
                if let Some(path) = path {
                    found.push(look(scene, section.name, role, &path.to_string_lossy()));
                }
            }
        }
        Ok(found)
    })
}

fn chains(scene: &Scene) -> Observed<Vec<SectionChain>> {
    let config = &scene.evidence.read(IGGY_CONFIG)?.server;
    scene.host.call("tls-chains", || {
        let mut known = None;
        let mut found = Vec::new();
        for section in sections(config) {
            let Some(path) = section.certificate_file(scene) else { continue };
            let known = known.get_or_insert_with(|| known_authorities(scene));
            let chain = known.as_ref().map_err(Gap::clone).and_then(|known| followed(scene, &section, &path, known));
            found.push(SectionChain { section: section.name.to_owned(), path, chain });
        }
        Ok(found)
    })
}

fn followed(
    scene: &Scene,
    section: &Section<'_>,
    path: &str,
    known: &[Authority],
) -> Observed<crate::evidence::chains::Chain> {
    let read = |path: &str| scene.host.seed(&seen(scene, path)?);
    let bytes = read(path)?;
    let file = ders(&bytes, path)?;
    let own = match &section.tls.ca_file {
        Some(ca_file) => {
            let ca_file = ca_file.to_string_lossy();
            ders(&read(&ca_file)?, &ca_file)?
        }
        None => Vec::new(),
    };
    let own = own.into_iter().map(|der| Authority { list: Anchors::CaFile, der });
    let trusted: Vec<Authority> = own.chain(known.iter().cloned()).collect();
    let key = match &section.tls.key_file {
        Some(key) => read(&key.to_string_lossy()),
        None => Err(Gap::absent("the configuration names no key file")),
    };
    chain::follow(&file, &trusted, key, scene.now)
        .ok_or_else(|| Gap::broken(format!("{path} holds a certificate that cannot be read")))
}

/// The authorities that count as known for every section: those of the host, and of the files that were configured. One
/// of those that cannot be read is a gap: without it a chain would be called unknown that is not.
fn known_authorities(scene: &Scene) -> Observed<Vec<Authority>> {
    let with = |list: Anchors| move |der| Authority { list, der };
    let mut known: Vec<Authority> = system_authorities(&scene.host).into_iter().map(with(Anchors::System)).collect();
    for path in &scene.request.ca_files {
        let file = scene.host.open(path).and_then(|file| bounded(file, path, AUTHORITIES_BYTES_MAX))?;
        known.extend(ders(&file.bytes, path)?.into_iter().map(with(Anchors::Configured)));
    }
    Ok(known)
}

/// The authorities that this host trusts; none when it has no list.
pub(super) fn system_authorities(host: &Host) -> Vec<CertificateDer<'static>> {
    let mut there = SYSTEM_AUTHORITIES.iter().filter_map(|path| Some((host.open(path).ok()?, *path)));
    let Some((file, path)) = there.next() else { return Vec::new() };
    let read = bounded(file, path, AUTHORITIES_BYTES_MAX);
    read.and_then(|read| ders(&read.bytes, path)).unwrap_or_default()
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
pub(super) fn seen(scene: &Scene, path: &str) -> Observed<String> {
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
pub(super) fn ders(bytes: &[u8], path: &str) -> Observed<Vec<CertificateDer<'static>>> {
    let broken = |what: &str| Gap::broken(format!("{path} {what}"));
    let from_pem: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(bytes).take(CERTIFICATES_MAX).collect();
    match from_pem {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if bytes.first() == Some(&0x30) => Ok(vec![CertificateDer::from(bytes.to_vec())]),
        Ok(_) => Err(broken("holds no certificate")),
        Err(_) => Err(broken("is not whole PEM")),
    }
}

fn certificates(bytes: &[u8], path: &str) -> Observed<Vec<Certificate>> {
    let broken = || Gap::broken(format!("{path} holds a certificate that cannot be read"));
    ders(bytes, path)?.iter().map(|der| certificate::certificate(der).ok_or_else(broken)).collect()
}

#[cfg(test)]
#[path = "tls/tests.rs"]
mod tests;
