//! What the unit files of Iggy's services say, on a closed list of keys.

use serde::{Deserialize, Serialize};

use super::Key;
use super::iggy::StartFlag;

/// The unit files of Iggy's services.
pub const IGGY_UNITS: Key<Vec<UnitFile>> = Key::new("systemd.unit-files");

/// A unit file with its drop-ins, later ones over earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFile {
    /// `iggy-server.service`.
    pub name: String,
    /// The file and its drop-ins, in the order in which they count.
    pub paths: Vec<String>,
    /// The program that it starts, its path alone.
    pub program: Option<String>,
    /// Flags behind it that matter.
    pub flags: Vec<StartFlag>,
    /// Settings of the closed list: key → value, the last one.
    pub settings: Vec<(String, String)>,
    /// Names of the variables that it sets itself.
    pub variables: Vec<String>,
    /// Those of them whose name says that the value is a secret.
    pub secrets: Vec<String>,
    /// `IGGY_SYSTEM_PATH` among them.
    pub system_path: Option<String>,
    /// `IGGY_CONFIG_PATH` among them.
    pub config_path: Option<String>,
    /// Files with more variables, without the leading `-`.
    pub environment_files: Vec<String>,
    /// Whether it is started at boot.
    pub wanted: Wanted,
}

/// Whether a unit is started at boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// A target wants it.
    AtBoot,
    /// None does, as far as the folders of systemd say.
    #[default]
    ByHand,
}

impl UnitFile {
    /// The value of a setting.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}
