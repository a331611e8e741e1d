//! Redaction: what leaves a node goes through here, or does not leave.
//!
//! [`Redacted`] is the only form in which host text reaches the report and the bundle. It has one constructor, and that
//! one demands a [`Policy`]. Invariant: a `Redacted` value was either masked by an [`Engine`], or its snapshot asked for
//! clear text and this node allows that, or it stands in a finished archive, as that snapshot was asked to keep it.
//!
//! There are two passes over the same bytes. A [`Learner`] finds the secrets of this host by their places (an environment,
//! a configuration, `name = value` in any text) and by their own form; the [`Engine`] that it becomes masks those and
//! every other occurrence of a secret learned, in any artifact and in the usual encodings. What either fails on is left
//! out: an error here never means clear text.

mod arena;
mod bytes;
mod carrier;
mod decode;
#[cfg(test)]
mod edge_tests;
mod engine;
mod error;
mod explain;
mod gunzip;
mod learner;
mod literals;
mod mixing;
#[cfg(test)]
mod parser_tests;
mod policy;
#[cfg(test)]
mod prose_tests;
mod pseudonym;
pub mod run;
mod scan;
mod secret;
mod settings;
mod shape;
mod span;
mod stream;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod structure_tests;
mod summary;
#[cfg(test)]
mod tests;
mod unknown;
mod verify;
pub mod wide;
mod wrapping;

pub use carrier::Carrier;
pub use engine::{Engine, Scan, StreamSummary};
pub use error::RedactError;
pub use explain::Place;
pub use gunzip::Gunzip;
pub use learner::Learner;
pub use policy::{Policy, Redacted, UnredactedConsent, VerifiedArchive};
pub use pseudonym::{Class, Encoding, KeyError, PseudonymKey};
pub use settings::{Pattern, Settings, SettingsError};
pub use summary::{Masks, Summary};
pub use verify::{Leak, Markup, Verifier};
pub use wrapping::Wrapping;
