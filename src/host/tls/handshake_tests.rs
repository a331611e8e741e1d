//! Handshakes with small servers on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use rustls::crypto::ring;
use rustls::{ALL_VERSIONS, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::authority_tests::{intermediate, root, self_signed, server};
use super::*;

/// Serves these certificates, and tells how each client left.
fn serve(
    certificates: Vec<CertificateDer<'static>>,
    key: &rcgen::KeyPair,
) -> (SocketAddr, mpsc::Receiver<std::io::Result<usize>>) {
    let (left, leaving) = mpsc::channel();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(ALL_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // Nothing, when the client took leave; an error, when the line went dead.
            let gone = connection
                .complete_io(&mut socket)
                .and_then(|_| rustls::Stream::new(&mut connection, &mut socket).read(&mut [0; 16]));
            connection.send_close_notify();
            let answered = connection.complete_io(&mut socket).map(|_| ());
            let _ = left.send(gone.and_then(|read| answered.map(|()| read)));
        }
    });
    (address, leaving)
}

#[test]
fn what_is_served_is_seen_whoever_signed_it() {
    let middle = intermediate("middle", &root("root"));
    let (leaf, key) = server(&middle);
    let sent = vec![leaf, middle.der().clone()];
    let (address, leaving) = serve(sent.clone(), &key);
    let seen = shake(address, &[b"h2", b"http/1.1"]).unwrap();
    assert_eq!(leaving.recv().unwrap().unwrap(), 0, "the handshake was finished and the connection closed");
    assert_eq!((seen.version.as_str(), seen.alpn.as_deref()), ("TLS 1.3", Some("http/1.1")));
    assert_eq!(seen.certificates, sent);
    let (own, key) = self_signed();
    assert_eq!(shake(serve(vec![own.clone()], &key).0, &[]).unwrap().certificates, [own]);
}

#[test]
fn what_speaks_no_tls_or_nothing_at_all_is_told_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    assert!(shake(plain, &[]).is_err());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    assert!(shake(silent.local_addr().unwrap(), &[]).is_err());
    assert!(started.elapsed() < HANDSHAKE_MAX * 2);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(shake(closed, &[]).is_err());
}
