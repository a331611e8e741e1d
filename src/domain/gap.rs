//! A gap: something that could not be observed, why, and what would bring it.

use serde::{Deserialize, Serialize};

/// The classes of reasons for which evidence is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// It does not exist on this host.
    Absent,
    /// The kernel refused it to us.
    Denied,
    /// An external tool is missing or failed.
    Tool,
    /// It did not answer within its limit.
    Timeout,
    /// The question makes no sense here.
    NotApplicable,
    /// It would need the network, and that is not enabled.
    Offline,
    /// It was there and could not be understood, or observing it failed in our own code.
    Broken,
}

impl GapReason {
    /// The reason in a few words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Denied => "permission denied",
            Self::Tool => "tool unavailable",
            Self::Timeout => "timed out",
            Self::NotApplicable => "not applicable",
            Self::Offline => "offline",
            Self::Broken => "unreadable",
        }
    }
}

/// Evidence that is missing: never a pass, always a skip that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The class of the reason.
    pub reason: GapReason,
    /// What was not seen and why, one sentence fragment; may hold host text, so it is redacted like any.
    pub detail: String,
    /// What would unlock it: a capability, a setting, a command.
    pub unlock: Option<String>,
}

impl Gap {
    /// A gap of this class.
    #[must_use]
    pub fn new(reason: GapReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), unlock: None }
    }

    /// It is not there.
    #[must_use]
    pub fn absent(detail: impl Into<String>) -> Self {
        Self::new(GapReason::Absent, detail)
    }

    /// It was refused; `unlock` is the capability that would bring it.
    #[must_use]
    pub fn denied(detail: impl Into<String>, unlock: impl Into<String>) -> Self {
        Self { reason: GapReason::Denied, detail: detail.into(), unlock: Some(unlock.into()) }
    }

    /// It did not answer in time.
    #[must_use]
    pub fn timeout(detail: impl Into<String>) -> Self {
        Self::new(GapReason::Timeout, detail)
    }

    /// It makes no sense here.
    #[must_use]
    pub fn not_applicable(detail: impl Into<String>) -> Self {
        Self::new(GapReason::NotApplicable, detail)
    }

    /// It was there and could not be understood.
    #[must_use]
    pub fn broken(detail: impl Into<String>) -> Self {
        Self::new(GapReason::Broken, detail)
    }

    /// The same gap with what would unlock it.
    #[must_use]
    pub fn unlocked_by(mut self, unlock: impl Into<String>) -> Self {
        self.unlock = Some(unlock.into());
        self
    }
}
