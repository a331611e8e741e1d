//! Why a node's snapshot has no archive.

use std::io;

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// The host cannot be looked at.
    #[error("the host cannot be looked at")]
    Host(#[source] crate::host::HostError),
    /// The operator's own rules of redaction cannot be used.
    #[error("the rules of redaction cannot be used")]
    Rules(#[source] crate::redact::SettingsError),
    /// The redactor failed, so nothing may leave.
    #[error("the redactor failed")]
    Redaction(#[source] crate::redact::RedactError),
    /// The finished archive holds something secret, so it was thrown away.
    #[error("the finished archive was thrown away: the rule {rule} found a secret in {artifact}")]
    Leak {
        /// The rule.
        rule: String,
        /// Where; redacted text.
        artifact: String,
    },
    /// The finished archive could not be searched for secrets.
    #[error("the finished archive was thrown away: it could not be searched for secrets")]
    Unverified(#[source] zip::result::ZipError),
    /// A file of ours could not be made.
    #[error("cannot write {what}")]
    Write {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The bundle or the archive could not be written, or was not whole when read back.
    #[error("the archive could not be made")]
    Bundle(#[source] crate::bundle::BundleError),
}
