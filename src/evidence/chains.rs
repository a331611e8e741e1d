//! How the certificates of a file lead from the server's own up to an authority, and what its listeners really serve.

use serde::{Deserialize, Serialize};

use super::tls::Certificate;
use super::{Key, Observed};

/// The chain in each file that a TLS section serves.
pub const TLS_CHAINS: Key<Vec<SectionChain>> = Key::new("tls.chains");
/// What came of a handshake with each listener that speaks TLS over TCP.
pub const TLS_LISTENERS: Key<Vec<TlsListener>> = Key::new("tls.listeners");

/// The chain that a section serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionChain {
    /// The section: `tcp.tls`, `quic.certificate`.
    pub section: String,
    /// The file as the server names it.
    pub path: String,
    /// Where it leads.
    pub chain: Observed<Chain>,
}

/// A chain, followed upwards by signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// From the server's certificate upwards.
    pub links: Vec<Link>,
    /// Subjects of certificates in the file that are not on the way up, and whether they are signed by themselves.
    pub aside: Vec<(String, Signer)>,
    /// How it ends.
    pub end: ChainEnd,
    /// Whether the key file holds the key of the first certificate.
    pub key: KeyFit,
    /// What the rules that clients apply besides say against the path, times and names aside.
    pub refused: Option<String>,
}

/// A certificate on the way up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its place in the file, from 0; `None` for an authority that the file does not hold.
    pub place: Option<u32>,
    /// Whose it is.
    pub subject: String,
    /// Who signed it, by name.
    pub issuer: String,
    /// Who signed it.
    pub signer: Signer,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Whether it may serve TLS.
    pub serves_tls: bool,
}

/// Who signed a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// It did itself.
    Itself,
    /// Another, whose signature was verified.
    Another,
    /// Another by its name; the signature is of a kind that is not verified here (a weak key, an old digest).
    Unverified,
    /// Nobody that is known here.
    Unknown,
}

/// How a chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainEnd {
    /// At an authority that is trusted.
    Trusted(Anchors),
    /// At a certificate that signed itself, and that nothing here trusts.
    SelfSigned,
    /// At an issuer that neither the file nor any list of authorities has.
    Unknown,
    /// At a certificate of this name whose key did not make the signature.
    Forged {
        /// The name.
        issuer: String,
    },
    /// At a certificate of this name that may not sign others.
    NoAuthority {
        /// The name.
        issuer: String,
    },
}

/// Where trusted authorities stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchors {
    /// In the `ca_file` of the same section.
    CaFile,
    /// In the host's own bundle of authorities.
    System,
    /// In a file that snapvisor's configuration names.
    Configured,
}

/// Whether a key is the certificate's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFit {
    /// It is.
    Fits,
    /// It is another's.
    Another,
    /// It could not be compared, and why.
    NotCompared(String),
}

/// A listener that speaks TLS, and what came of a handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsListener {
    /// The section: `tcp.tls`.
    pub section: String,
    /// Where it was asked, or why nobody asked.
    pub address: Observed<String>,
    /// What it served, or why there was no handshake.
    pub handshake: Result<Handshake, String>,
}

/// What a listener served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// `TLS 1.3`.
    pub version: String,
    /// Protocol that was agreed on.
    pub alpn: Option<String>,
    /// The certificates that it sent.
    pub certificates: Vec<Certificate>,
    /// Whether the first is the one that its file holds now.
    pub leaf: Served,
}

/// Whether a listener serves what stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// It does.
    AsInFile,
    /// It serves another certificate.
    Another,
    /// There is no file to compare with, and why.
    NotCompared(String),
}
