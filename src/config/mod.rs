//! Configuration: defaults < file < environment < flags, into one validated value.
//!
//! Refuses what it does not know: an unknown key or a bad value is an error that names its file, line and key.
//! Invariant: a [`Config`] that [`load`](self) gave holds values within their ranges.

mod value;

pub use value::{
    ArchiveConfig, BaseUrl, BaseUrlError, BundleConfig, Config, DEADLINE_S_MAX, IggyConfig, LINK_TTL_S_MAX,
    LimitsConfig, LogFormat, Payloads, PlanConfig, SnapshotConfig,
};
