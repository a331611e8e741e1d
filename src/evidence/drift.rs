//! The files that decided how the server was started, and when they were changed.

use serde::{Deserialize, Serialize};

use super::{Key, Observed};

/// The files that decide how the server starts.
pub const START_FILES: Key<Vec<StartFile>> = Key::new("iggy.start-files");

/// A file that decides how the server starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFile {
    /// Its path as we can open it.
    pub path: String,
    /// What it is.
    pub kind: StartFileKind,
    /// When it was changed last, seconds since the epoch.
    pub modified_unix: Observed<i64>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFileKind {
    /// Iggy's configuration.
    Configuration,
    /// A unit or a drop-in of it.
    Unit,
    /// Variables for a unit.
    Environment,
}

impl StartFileKind {
    /// For a person.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unit => "unit",
            Self::Environment => "variables",
        }
    }
}
