//! What the state in Iggy's data directory says of itself.

use super::Key;

/// The version that wrote the state, from `state/info`.
pub const DATA_VERSION: Key<DataVersion> = Key::new("iggy.data-version");

/// A version of the server, `0.8.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataVersion(pub String);
