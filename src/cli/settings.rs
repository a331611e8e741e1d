//! From flags to the configuration: the last and strongest of its layers.

use std::path::{Path, PathBuf};

use super::CliError;
use crate::config::{Flag, Loaded, Sources, load};

/// The flags of a command that set keys of the configuration.
#[derive(Debug, Default)]
pub(super) struct Overrides(Vec<Flag>);

impl Overrides {
    /// With a flag, if it was given.
    pub(super) fn with(mut self, name: &'static str, key: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| Flag { name, key, value: value.to_string() }));
        self
    }

    /// With a flag that names a path, if it was given; a relative one is below the working directory.
    pub(super) fn with_path(
        mut self,
        name: &'static str,
        key: &'static str,
        path: Option<&Path>,
    ) -> Result<Self, CliError> {
        let Some(path) = path else { return Ok(self) };
        let absolute = std::path::absolute(path).map_err(|_| CliError::Usage(format!("{name} names no path")))?;
        let value = absolute.into_os_string().into_string();
        let value = value.map_err(|_| CliError::Usage(format!("{name} must be UTF-8")))?;
        self.0.push(Flag { name, key, value });
        Ok(self)
    }

    /// The configuration with these flags on top.
    pub(super) fn load(self, file: Option<PathBuf>) -> Result<Loaded, CliError> {
        Ok(load(&Sources::of_process(file, self.0))?)
    }
}
