//! Redaction: what leaves a node goes through here, or does not leave.
//!
//! [`Redacted`] is the only form in which host text reaches the report and the bundle. It has one constructor, and that
//! one demands a [`Policy`]. Invariant: a `Redacted` value was either masked by an [`Engine`], or its snapshot asked for
//! clear text and this node allows that, or it comes from an archive that was already redacted.

mod engine;
mod policy;

pub use engine::Engine;
pub use policy::{Policy, Redacted, UnredactedConsent, VerifiedArchive};
