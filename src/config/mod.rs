//! Configuration: defaults < file < environment < flags, into one validated value.
//!
//! Refuses what it does not know: an unknown key or a bad value is an error that names its file, line and key.
//! Invariant: a [`Config`] that [`load()`] gave holds values within their ranges.

mod keys;
mod kind;
mod load;
mod open;
mod reference;
mod value;

pub use keys::{KEYS, Key};
pub use kind::Kind;
pub use load::{ConfigError, Flag, Loaded, Origin, SYSTEM_FILE, Setting, Sources, load};
pub use reference::reference;
pub use value::{
    ArchiveConfig, BaseUrl, BaseUrlError, BundleConfig, Config, DEADLINE_S_MAX, IggyConfig, LINK_TTL_S_MAX,
    LimitsConfig, LogFormat, Payloads, PlanConfig, SnapshotConfig,
};
