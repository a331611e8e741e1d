//! Certificates and keys.

use std::fs;

use super::{Fault, fails, warns};
use crate::planting::Planting;
use crate::volume::{ADDRESS, Identity, self_signed, text};
use crate::{Outcome, run};

pub(super) const FAULTS: &[Fault] = &[
    fails("tls.files", "expired certificate", |planting| {
        let identity = planting.lab.authority.identity(&[ADDRESS], -400..-3)?;
        planting.names("chain.pem");
        chain(planting, &identity)
    })
    .and(&["tls.listener"]),
    warns("tls.files", "certificate ends in twenty days", |planting| {
        let identity = planting.lab.authority.identity(&[ADDRESS], -300..20)?;
        planting.names("chain.pem");
        chain(planting, &identity)
    }),
    fails("tls.files", "certificate not yet valid", |planting| {
        let identity = planting.lab.authority.identity(&[ADDRESS], 3..300)?;
        planting.names("chain.pem");
        chain(planting, &identity)
    })
    .and(&["tls.listener"]),
    warns("tls.listener", "certificate renewed, server not restarted", |planting| {
        let identity = planting.lab.authority.identity(&[ADDRESS], -1..200)?;
        let chain = format!("{}{}", identity.certificate, planting.lab.authority.intermediate.pem());
        planting.names(format!("{ADDRESS}:8090"));
        replace(planting, &chain, &identity.key)
    }),
    fails("tls.chain", "key of another certificate", |planting| {
        let identity = planting.lab.authority.identity(&[ADDRESS], -1..200)?;
        let path = planting.lab.tls.join("key.pem");
        planting.names("lab node");
        planting.write(&path, identity.key.as_bytes())
    }),
    warns("tls.chain", "self-signed certificate", |planting| {
        let identity = self_signed(&[ADDRESS])?;
        planting.names("lab node");
        write(planting, &identity.certificate, &identity.key)
    }),
    // The lab's host knows the root alone.
    warns("tls.chain", "intermediate missing", |planting| {
        let path = planting.lab.tls.join("chain.pem");
        let text = fs::read_to_string(&path)?;
        let at = text.rfind("-----BEGIN").ok_or("no second certificate")?;
        planting.names("lab intermediate");
        planting.write(&path, &text.as_bytes()[..at])?;
        planting.restart(|_| ())
    }),
    // What comes first is the intermediate, which has no name of the host's.
    fails("tls.chain", "chain in the wrong order", |planting| {
        let path = planting.lab.tls.join("chain.pem");
        let text = fs::read_to_string(&path)?;
        let at = text.rfind("-----BEGIN").ok_or("no second certificate")?;
        planting.names("lab intermediate");
        planting.write(&path, format!("{}{}", &text[at..], &text[..at]).as_bytes())
    })
    .and(&["tls.names", "tls.listener"]),
    warns("tls.chain", "chain carries its root", |planting| {
        let path = planting.lab.tls.join("chain.pem");
        let text = fs::read_to_string(&path)? + &planting.lab.authority.root.pem();
        planting.names("lab root");
        planting.write(&path, text.as_bytes())?;
        planting.restart(|_| ())
    }),
    warns("tls.names", "certificate for another host", |planting| {
        let identity = planting.lab.authority.identity(&["10.99.0.9", "other.lab"], -1..300)?;
        planting.names(ADDRESS);
        chain(planting, &identity)
    }),
    fails("tls.crypto", "RSA key of 1,024 bits", |planting| {
        planting.names("1024");
        weak(planting)
    })
    .and(&["tls.chain", "tls.listener"]),
    fails("tls.key-perms", "key readable by everybody", |planting| {
        let path = planting.lab.tls.join("key.pem");
        planting.names(path.display());
        planting.mode(&path, 0o644)
    }),
];

/// Gives the server this identity, and the intermediate that signed it.
fn chain(planting: &mut Planting<'_>, identity: &Identity) -> Outcome<()> {
    let chain = format!("{}{}", identity.certificate, planting.lab.authority.intermediate.pem());
    write(planting, &chain, &identity.key)
}

/// As an operator does it: files first, then the server.
fn write(planting: &mut Planting<'_>, chain: &str, key: &str) -> Outcome<()> {
    replace(planting, chain, key)?;
    planting.restart(|_| ())
}

fn replace(planting: &mut Planting<'_>, chain: &str, key: &str) -> Outcome<()> {
    let tls = planting.lab.tls.clone();
    planting.write(&tls.join("chain.pem"), chain.as_bytes())?;
    planting.write(&tls.join("key.pem"), key.as_bytes())
}

/// Ours makes no such keys any more, and takes none: the server runs on with the old one.
fn weak(planting: &mut Planting<'_>) -> Outcome<()> {
    let folder = planting.mount_point("weak")?;
    let (key, certificate) = (folder.join("key.pem"), folder.join("chain.pem"));
    let names = format!("subjectAltName=IP:{ADDRESS}");
    let request =
        ["req", "-x509", "-newkey", "rsa:1024", "-noenc", "-days", "300", "-subj", "/CN=lab node", "-addext", &names];
    let files = ["-keyout", text(&key), "-out", text(&certificate)];
    run("openssl", &[&request[..], &files[..]].concat())?;
    let (chain, private) = (fs::read_to_string(&certificate)?, fs::read_to_string(&key)?);
    fs::remove_file(key)?;
    fs::remove_file(certificate)?;
    replace(planting, &chain, &private)
}
