//! What is a secret as a whole: private keys, key stores, tickets, core dumps. Such a file is never copied.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of a file's head that are looked at.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// Endings of file names, in lower case.
const ENDINGS: &[&str] = &[
    ".key",
    ".ppk",
    ".p8",
    ".pk8",
    ".p12",
    ".pfx",
    ".jks",
    ".jceks",
    ".bcfks",
    ".keystore",
    ".truststore",
    ".keytab",
    ".kdb",
    ".kdbx",
    ".wallet",
    ".ovpn",
    ".gpg",
    ".pgp",
    ".age",
];

/// Names and beginnings of names, in lower case: a beginning counts when nothing or a `.` follows.
const NAMES: &[&str] = &[
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_ecdsa_sk",
    "id_ed25519_sk",
    "ssh_host_rsa_key",
    "ssh_host_dsa_key",
    "ssh_host_ecdsa_key",
    "ssh_host_ed25519_key",
    "krb5cc",
    "keytab",
    "core",
    "vmcore",
    "shadow",
    "gshadow",
    "master.key",
    "cwallet.sso",
    "ewallet.p12",
];

/// How the content of such files starts.
const MAGICS: &[(&[u8], &str)] = &[
    (b"\xfe\xed\xfe\xed", "a Java key store"),
    (b"\xce\xce\xce\xce", "a Java key store"),
    (b"\x05\x02\x00\x00", "a Kerberos key table"),
    (b"\x05\x04\x00\x0c", "a Kerberos ticket cache"),
    (b"PuTTY-User-Key-File", "a private key"),
    (b"openssh-key-v1", "a private key"),
    (b"AGE-SECRET-KEY-", "a private key"),
    (b"age-encryption.org/", "an encrypted file"),
    (b"untrusted comment: minisign encrypted secret key", "a private key"),
    (b"\x03\xd9\xa2\x9a", "a password store"),
    (b"SQLite format 3\0", "a database"),
];

/// Why this file is never copied, by its name.
pub(super) fn secret_by_name(path: &Path) -> Option<&'static str> {
    let name = String::from_utf8_lossy(path.file_name()?.as_bytes()).to_lowercase();
    // A rotated or saved key is one too: `server.key.bak`, `server.key.1`, `id_rsa~`.
    let stem = [".bak", ".old", ".orig", ".save", ".tmp", "~"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or_else(|| name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.'));
    let named =
        |candidate: &str| ENDINGS.iter().any(|ending| candidate.ends_with(ending)) || NAMES.contains(&candidate);
    (named(&name) || named(stem)).then_some("a key or secret store by its name")
}

/// Why this file is never copied, by the first [`HEAD_BYTES`] of its content.
pub(super) fn secret_by_content(head: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(what);
    }
    if head.starts_with(b"\x7fELF") && head.get(16..18) == Some(b"\x04\x00") {
        return Some("a core dump");
    }
    if is_private_der(head) {
        return Some("a private key");
    }
    // A PEM file that opens with a private key or holds one below a certificate. Text that merely quotes a key goes
    // through the redactor like any text.
    let text = head.trim_ascii_start();
    (text.starts_with(b"-----BEGIN ") && memchr::memmem::find(text, b"PRIVATE KEY-----").is_some())
        .then_some("a private key")
}

/// DER: PKCS#12, PKCS#8, PKCS#1 and SEC 1 private keys. Each is a SEQUENCE that starts with a small version number.
fn is_private_der(head: &[u8]) -> bool {
    let body = match head {
        [0x30, length, ..] if *length < 0x80 => &head[2..],
        [0x30, 0x81, _, ..] => &head[3..],
        [0x30, 0x82, _, _, ..] => &head[4..],
        [0x30, 0x83, _, _, _, ..] => &head[5..],
        _ => return false,
    };
    // PKCS#12: version 3, then content info.
    let pkcs12 = matches!(body, [0x02, 0x01, 0x03, 0x30, ..]);
    // PKCS#8: version 0 or 1, then the algorithm's SEQUENCE with an OBJECT IDENTIFIER.
    let pkcs8 = matches!(body, [0x02, 0x01, 0x00 | 0x01, 0x30, _, 0x06, ..]);
    // PKCS#1: version 0, then the modulus, an INTEGER of 128 bytes or more.
    let pkcs1 = matches!(body, [0x02, 0x01, 0x00, 0x02, 0x81 | 0x82, ..]);
    // SEC 1: version 1, then the key, an OCTET STRING of a curve's size.
    let sec1 = matches!(body, [0x02, 0x01, 0x01, 0x04, 0x18..=0x42, ..]);
    pkcs12 || pkcs8 || pkcs1 || sec1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_name() {
        for (name, secret) in [
            ("server.key", true),
            ("SERVER.KEY", true),
            ("server.key.bak", true),
            ("server.key.1", true),
            ("certs/id_ed25519", true),
            ("id_ed25519.pub", false),
            ("store.p12", true),
            ("core", true),
            ("core.4711", true),
            ("iggy.keytab", true),
            ("monkey", false),
            ("iggy_cert.pem", false),
            ("00000000000000000000.log", false),
            ("state/log", false),
            ("keys.txt", false),
        ] {
            assert_eq!(secret_by_name(Path::new(name)).is_some(), secret, "{name}");
        }
    }

    #[test]
    fn keys_are_known_by_content() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let both = format!("{}{}", certificate.cert.pem(), key.serialize_pem());
        for (content, secret) in [
            (key.serialize_pem().as_bytes(), true),
            (key.serialized_der(), true),
            (both.as_bytes(), true),
            (certificate.cert.pem().as_bytes(), false),
            (certificate.cert.der(), false),
            (b"\xfe\xed\xfe\xed\x00\x00\x00\x02", true),
            (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00>\x00", true),
            (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00>\x00", false),
            (b"a log line about -----BEGIN RSA PRIVATE KEY-----", false),
            (b"\x30\x82\x01\x0a\x02\x82\x01\x01\x00", false),
            (b"", false),
        ] {
            assert_eq!(secret_by_content(content).is_some(), secret, "{:?}", &content[..content.len().min(24)]);
        }
    }
}
