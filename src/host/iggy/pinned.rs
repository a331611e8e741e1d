//! TLS to a server whose certificate this node's own configuration names.
//!
//! Iggy's certificate is often signed by itself or by an authority of the house, and is issued for a name while we ask
//! an address. So the very certificate that the configuration names is trusted as it is, whatever it says; any other must
//! lead to an authority that this host trusts. Nothing else is ever accepted: there is no way to switch this off.

use std::fmt;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName};
use ureq::http::Uri;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::super::scene::Scene;
use super::super::tls;
use super::super::tls::client::{self, Judge, Shown};
use crate::evidence::config::{IGGY_CONFIG, address};
use crate::iggy::config::Listener;

/// Whom a client trusts.
#[derive(Default)]
pub(super) struct Trust {
    /// The server's certificates, byte for byte.
    pub(super) pinned: Vec<CertificateDer<'static>>,
    /// Authorities.
    pub(super) authorities: Vec<CertificateDer<'static>>,
}

/// Whom to trust at this URL: nobody where TLS is not spoken.
pub(super) fn trust(scene: &Scene, url: &str) -> Trust {
    if !url.starts_with("https://") {
        return Trust::default();
    }
    let config = scene.evidence.read(IGGY_CONFIG).ok().map(|config| &config.server.http);
    let tls = config.filter(|http| is_own(url, http)).and_then(|http| http.tls.as_ref());
    let tls = tls.filter(|tls| tls.enabled == Some(true));
    let pinned = tls.and_then(|tls| tls.cert_file.as_ref()).and_then(|path| {
        let path = path.to_string_lossy();
        let bytes = scene.host.seed(&tls::seen(scene, &path).ok()?).ok()?;
        // The first is the server's own; those above it would let others in.
        Some(tls::ders(&bytes, &path).ok()?.into_iter().take(1).collect())
    });
    Trust { pinned: pinned.unwrap_or_default(), authorities: tls::system_authorities(&scene.host) }
}

/// Whether this URL leads to the listener of this host's own server.
fn is_own(url: &str, http: &Listener) -> bool {
    let Some(host) = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)) else { return false };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || address(http).is_some_and(|bound| bound.ip() == ip),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Puts TLS on connections to `https` addresses.
pub(super) struct PinnedTls(Arc<ClientConfig>);

impl fmt::Debug for PinnedTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinnedTls")
    }
}

impl PinnedTls {
    pub(super) fn new(trust: Trust) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trust.authorities);
        // Without any authority there is no verifier: the pinned certificate alone counts.
        let provider = Arc::new(ring::default_provider());
        let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok();
        Self(Arc::new(client::config(Pinned { certificates: trust.pinned, by_authority })))
    }
}

impl<In: Transport> Connector<In> for PinnedTls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| ureq::Error::Tls("the address is no name for TLS"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

/// A connection with TLS on it.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Accepts the pinned certificate, else what an authority vouches for.
#[derive(Debug)]
struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    by_authority: Option<Arc<WebPkiServerVerifier>>,
}

impl Judge for Pinned {
    fn judge(&self, shown: &Shown<'_>) -> Result<(), rustls::Error> {
        if self.certificates.iter().any(|pinned| pinned == shown.leaf) {
            return Ok(());
        }
        match &self.by_authority {
            Some(verifier) => {
                verifier.verify_server_cert(shown.leaf, shown.above, shown.name, shown.ocsp, shown.now).map(drop)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }
}

#[cfg(test)]
#[path = "pinned_tests.rs"]
mod tests;
