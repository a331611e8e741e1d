//! Certificates: what their files say, and who may read their keys.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};

/// The files that Iggy's TLS sections name.
pub const TLS_FILES: Key<Vec<TlsFile>> = Key::new("tls.files");

/// A file that a TLS section names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFile {
    /// The section: `tcp.tls`, `quic.certificate`.
    pub section: String,
    /// What it is for.
    pub role: TlsRole,
    /// Its path as the server names it.
    pub path: String,
    /// Its certificates in their order; none for a key.
    pub certificates: Observed<Vec<Certificate>>,
    /// Who may read it, and the folder that it is in.
    pub access: Observed<Access>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsRole {
    /// The server's own certificate and those above it.
    Chain,
    /// The key of its certificate.
    Key,
    /// Authorities that are trusted.
    Authorities,
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its permissions.
    pub mode: u32,
    /// Those of its folder.
    pub folder_mode: u32,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Valid from, seconds since the epoch.
    pub not_before_unix: i64,
    /// Valid until, seconds since the epoch.
    pub not_after_unix: i64,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// DNS names and addresses that it is good for.
    pub names: Vec<String>,
    /// Its key.
    pub key: KeyKind,
    /// The digest that its signature is made with.
    pub signature: SignatureKind,
    /// Whether it may serve TLS; a certificate that names no purpose may.
    pub serves_tls: bool,
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA of this many bits.
    Rsa(u32),
    /// An elliptic curve of this many bits, Ed25519 included.
    Curve(u32),
    /// DSA.
    Dsa,
    /// Something else.
    Other,
}

/// The digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// MD5 or older.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-2, or a scheme with a digest of its own.
    Sound,
}

impl Certificate {
    /// Whether it is signed by itself.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether this name or address is covered: whole, or by a `*` for its first label.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|known| {
            known.eq_ignore_ascii_case(name)
                || known.strip_prefix("*.").is_some_and(|domain| {
                    name.split_once('.')
                        .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
                })
        })
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A certificate in which nothing is wrong, valid for 365 days from second 0.
    pub(crate) fn certificate() -> Certificate {
        Certificate {
            subject: "CN=node".into(),
            issuer: "CN=authority".into(),
            not_before_unix: 0,
            not_after_unix: 365 * 86_400,
            is_authority: false,
            names: vec!["node.example".into(), "*.iggy.example".into(), "10.0.0.5".into()],
            key: KeyKind::Curve(256),
            signature: SignatureKind::Sound,
            serves_tls: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::certificate;

    #[test]
    fn a_star_stands_for_one_label() {
        for (name, covered) in [
            ("node.example", true),
            ("NODE.example", true),
            ("a.iggy.example", true),
            ("iggy.example", false),
            ("a.b.iggy.example", false),
            (".iggy.example", false),
            ("10.0.0.5", true),
            ("10.0.0.6", false),
        ] {
            assert_eq!(certificate().covers(name), covered, "{name}");
        }
    }
}
