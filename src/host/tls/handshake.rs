//! Handshakes with Iggy's own listeners, to see what they really serve.
//!
//! Only an address of this host's whose socket the server's own process holds is asked. Whatever is served is recorded
//! and trusted with nothing: nothing but a farewell is sent after the handshake.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, ProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};

use super::super::iggy::endpoint;
use super::super::scene::Scene;
use super::super::turn::patiently;
use super::certificate::certificate;
use super::client::{self, Judge, Shown};
use super::{Section, ders, sections};
use crate::evidence::Observed;
use crate::evidence::chains::{Handshake, Served, TlsListener};
use crate::evidence::config::IGGY_CONFIG;

/// How long one listener is waited for.
const HANDSHAKE_MAX: Duration = Duration::from_secs(2);
/// How long its farewell is waited for, and pieces that are read of what comes before it.
const FAREWELL_MAX: Duration = Duration::from_millis(250);
const FAREWELL_READS_MAX: usize = 16;
/// Certificates that a listener may send.
const CERTIFICATES_MAX: usize = 16;

/// Asks each listener that speaks TLS over TCP. QUIC is not asked.
pub(super) fn listeners(scene: &Scene) -> Observed<Vec<TlsListener>> {
    let config = &scene.evidence.read(IGGY_CONFIG)?.server;
    scene.host.call("tls-listeners", || {
        let asked = sections(config).into_iter().filter_map(|section| {
            let port = section.port?;
            Some(ask(scene, &section, endpoint::own_socket(scene, port)))
        });
        Ok(asked.collect())
    })
}

fn ask(scene: &Scene, section: &Section<'_>, address: Observed<SocketAddr>) -> TlsListener {
    let handshake = match &address {
        Ok(address) => patiently(|| shake(*address, section.alpn)).map(|served| {
            let leaf = compared(scene, section, served.certificates.first());
            let certificates = served.certificates.iter().filter_map(|der| certificate(der)).collect();
            Handshake { version: served.version, alpn: served.alpn, certificates, leaf }
        }),
        Err(gap) => Err(gap.detail.clone()),
    };
    TlsListener { section: section.name.to_owned(), address: address.map(|address| address.to_string()), handshake }
}

fn compared(scene: &Scene, section: &Section<'_>, served: Option<&CertificateDer<'static>>) -> Served {
    let Some(path) = section.certificate_file(scene) else {
        return Served::NotCompared("the server makes its certificate itself".to_owned());
    };
    let held = super::seen(scene, &path).and_then(|seen| {
        let bytes = scene.host.seed(&seen)?;
        ders(&bytes, &path)
    });
    match held {
        Ok(held) if held.first() == served => Served::AsInFile,
        Ok(_) => Served::Another,
        Err(gap) => Served::NotCompared(gap.detail),
    }
}

struct Seen {
    version: String,
    alpn: Option<String>,
    certificates: Vec<CertificateDer<'static>>,
}

/// Shakes hands and hangs up.
fn shake(address: SocketAddr, alpn: &[&[u8]]) -> Result<Seen, String> {
    let until = Instant::now() + HANDSHAKE_MAX;
    let recorder = Recorder::default();
    let mut config = client::config(recorder.clone());
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::IpAddress(address.ip().into());
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut socket = TcpStream::connect_timeout(&address, HANDSHAKE_MAX).map_err(|error| error.kind().to_string())?;
    while connection.is_handshaking() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("it did not finish in two seconds".to_owned());
        }
        let waits = |error: std::io::Error| error.kind().to_string();
        socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left))).map_err(waits)?;
        while connection.wants_write() {
            connection.write_tls(&mut socket).map_err(waits)?;
        }
        if connection.wants_read() {
            if connection.read_tls(&mut socket).map_err(waits)? == 0 {
                return Err("the connection was closed".to_owned());
            }
            connection.process_new_packets().map_err(|error| error.to_string())?;
        }
    }
    // The last word of the handshake is ours, and so is the farewell: without them the server logs a failure.
    connection.send_close_notify();
    while connection.wants_write() && connection.write_tls(&mut socket).is_ok_and(|written| written > 0) {}
    // It answers with its own, which must still find us here.
    let _ = socket.shutdown(Shutdown::Write).and_then(|()| socket.set_read_timeout(Some(FAREWELL_MAX)));
    let mut answer = [0; 256];
    for _ in 0..FAREWELL_READS_MAX {
        if !socket.read(&mut answer).is_ok_and(|read| read > 0) {
            break;
        }
    }
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "another version",
    };
    let alpn = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let certificates = std::mem::take(&mut *recorder.0.lock().expect("no holder of this lock panics"));
    Ok(Seen { version: version.to_owned(), alpn, certificates })
}

/// Takes any certificate and keeps it.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Judge for Recorder {
    fn judge(&self, shown: &Shown<'_>) -> Result<(), rustls::Error> {
        let sent = std::iter::once(shown.leaf).chain(shown.above).take(CERTIFICATES_MAX);
        *self.0.lock().expect("no holder of this lock panics") = sent.map(|der| der.clone().into_owned()).collect();
        Ok(())
    }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
