//! Files around Iggy that hold secrets, by the names of the secrets, and who may read them.

use serde::{Deserialize, Serialize};

use super::Key;

/// The configurations and files of variables in which secrets stand.
pub const SECRET_FILES: Key<Vec<SecretFile>> = Key::new("iggy.secret-files");

/// A file that holds secrets. Their values are nowhere in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFile {
    /// Its path as we can open it.
    pub path: String,
    /// Names of what is secret in it: variables, or keys of a configuration.
    pub names: Vec<String>,
    /// Its permissions.
    pub mode: u32,
    /// Who can open it.
    pub readers: Readers,
}

/// Who can open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Whoever has an account on the host: neither the file nor a folder above it is closed.
    Everybody,
    /// Its owner, and perhaps a group.
    Some,
}
