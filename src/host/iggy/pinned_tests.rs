//! Whom a client of Iggy's talks to over TLS, and whom it does not.

use std::io::BufRead;
use std::net::{SocketAddr, TcpListener};

use rustls::{ALL_VERSIONS, ServerConfig};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::super::tls::authority_tests::{intermediate, root, self_signed, server};
use super::super::client::{Client, ClientError};
use super::*;

/// Says pong over TLS.
fn serve(certificates: Vec<CertificateDer<'static>>, key: &rcgen::KeyPair) -> SocketAddr {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(ALL_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config));
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = std::io::BufReader::new(StreamOwned::new(connection, socket.unwrap()));
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let _ =
                stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\npong");
            let _ = stream.get_mut().flush();
        }
    });
    address
}

#[test]
fn the_named_certificate_or_an_authority_is_trusted_and_nothing_else() {
    let root = root("root");
    let middle = intermediate("middle", &root);
    let ((leaf, leaf_key), (own, own_key), (other, _)) = (server(&middle), self_signed(), self_signed());
    let chain = vec![leaf.clone(), middle.der().clone()];
    let ask = |address: SocketAddr, pinned: &[&CertificateDer<'static>], authorities: &[&CertificateDer<'static>]| {
        let own = |ders: &[&CertificateDer<'static>]| ders.iter().map(|der| (*der).clone()).collect();
        let trust = Trust { pinned: own(pinned), authorities: own(authorities) };
        Client::new(&format!("https://{address}"), trust).ping()
    };
    let (by_authority, alone) = (serve(chain, &leaf_key), serve(vec![own.clone()], &own_key));
    assert!(ask(alone, &[&own], &[]).is_ok(), "its own file names it");
    assert!(ask(by_authority, &[], &[root.der()]).is_ok());
    assert!(ask(by_authority, &[&leaf], &[]).is_ok());
    for (address, pinned, authorities) in [
        (alone, vec![], vec![]),
        (alone, vec![&other], vec![root.der()]),
        (by_authority, vec![], vec![]),
        (by_authority, vec![&own], vec![]),
    ] {
        let error = ask(address, &pinned, &authorities).unwrap_err();
        assert!(matches!(&error, ClientError::Silent(why) if why == "its certificate was not accepted"), "{error}");
    }
}

#[test]
fn a_pin_counts_at_the_servers_own_addresses_alone() {
    let http = Listener { address: Some("10.0.0.5:3000".into()), ..Listener::default() };
    for (url, own) in [
        ("https://127.0.0.1:3000", true),
        ("https://[::1]:3000", true),
        ("https://localhost:3000", true),
        ("https://10.0.0.5:3000", true),
        ("https://10.0.0.6:3000", false),
        ("https://iggy.example", false),
        ("not a url", false),
    ] {
        assert_eq!(is_own(url, &http), own, "{url}");
    }
}
