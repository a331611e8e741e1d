//! Settings of checks: which are off, and which thresholds differ from the catalogue's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Check, find};

/// The configuration's `[checks."ID"]` tables: `enabled = false`, and thresholds by their name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    checks: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A value in such a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Switch(bool),
    Number(f64),
    Files(Vec<String>),
}

/// A list of files that a configuration may give a check: `[checks."tls.chain"] ca_files = ["/etc/ssl/own.pem"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileList {
    /// The check's id.
    pub check: &'static str,
    /// The list's name.
    pub name: &'static str,
    /// What it decides.
    pub help: &'static str,
}

/// The files of authorities that `tls.chain` counts as known.
pub const CA_FILES: FileList = FileList {
    check: "tls.chain",
    name: "ca_files",
    help: "PEM files of private authorities that clients are told of, absolute paths",
};

/// All lists of files.
const FILE_LISTS: &[FileList] = &[CA_FILES];
/// Files of one list.
const FILES_MAX: usize = 16;

/// The lists of files that a check takes.
pub fn file_lists(check: &Check) -> impl Iterator<Item = &'static FileList> {
    FILE_LISTS.iter().filter(|list| list.check == check.id)
}

/// The key under which a check is switched off.
const ENABLED: &str = "enabled";

/// Why the settings of checks are refused.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No check has this id.
    #[error("{}", super::unknown(.0))]
    UnknownCheck(String),
    /// The check has no such setting.
    #[error("check `{check}` has no setting `{name}`; it has {known}")]
    UnknownSetting {
        /// The check.
        check: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The value is of the wrong type or out of range.
    #[error("check `{check}`: `{name}` must be {expected}")]
    BadValue {
        /// The check.
        check: String,
        /// The setting.
        name: String,
        /// What would be right.
        expected: String,
    },
}

impl Settings {
    /// Checks every id, name and value against the catalogue.
    ///
    /// # Errors
    /// The first thing that the catalogue does not know, or that is out of range.
    pub fn validate(&self) -> Result<(), SettingsError> {
        for (id, values) in &self.checks {
            let check = find(id).ok_or_else(|| SettingsError::UnknownCheck(id.clone()))?;
            for (name, value) in values {
                validate_one(check, name, value)?;
            }
        }
        Ok(())
    }

    /// Whether the check of this id runs.
    #[must_use]
    pub fn enabled(&self, id: &str) -> bool {
        !matches!(self.checks.get(id).and_then(|values| values.get(ENABLED)), Some(Value::Switch(false)))
    }

    /// The configured value of a threshold, if there is one.
    #[must_use]
    pub fn value(&self, id: &str, name: &str) -> Option<f64> {
        match self.checks.get(id)?.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Switch(_) | Value::Files(_) => None,
        }
    }

    /// The configured files of a list; none by default.
    #[must_use]
    pub fn files(&self, list: &FileList) -> &[String] {
        match self.checks.get(list.check).and_then(|values| values.get(list.name)) {
            Some(Value::Files(files)) => files,
            _ => &[],
        }
    }

    /// The settings of this check that differ from the catalogue's: `warn_percent = 10 (default 15)`.
    #[must_use]
    pub fn changed(&self, check: &Check) -> Vec<String> {
        let lists = file_lists(check).map(|list| (list.name, self.files(list))).filter(|(_, files)| !files.is_empty());
        let lists = lists.map(|(name, files)| format!("{name} = {files:?} (default none)"));
        check
            .settings
            .iter()
            .filter_map(|setting| Some((setting, self.value(check.id, setting.name)?)))
            .filter(|(setting, value)| (value - setting.default).abs() > f64::EPSILON)
            .map(|(setting, value)| format!("{} = {value} (default {})", setting.name, setting.default))
            .chain(lists)
            .collect()
    }
}

fn validate_one(check: &Check, name: &str, value: &Value) -> Result<(), SettingsError> {
    let bad = |expected: String| SettingsError::BadValue { check: check.id.into(), name: name.into(), expected };
    match (name, value) {
        (ENABLED, Value::Switch(_)) => Ok(()),
        (ENABLED, _) => Err(bad("true or false".into())),
        _ if file_lists(check).any(|list| list.name == name) => match value {
            Value::Files(files) if files.len() <= FILES_MAX && files.iter().all(|file| file.starts_with('/')) => Ok(()),
            _ => Err(bad(format!("a list of {FILES_MAX} absolute paths at most"))),
        },
        _ => {
            let setting = check.settings.iter().find(|setting| setting.name == name).ok_or_else(|| {
                let lists = file_lists(check).map(|list| list.name);
                let known = [ENABLED].into_iter().chain(check.settings.iter().map(|s| s.name)).chain(lists);
                let known: Vec<_> = known.collect();
                SettingsError::UnknownSetting { check: check.id.into(), name: name.into(), known: known.join(", ") }
            })?;
            match value {
                Value::Number(number) if (setting.min..=setting.max).contains(number) => Ok(()),
                _ => Err(bad(format!("a number from {} to {}", setting.min, setting.max))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn unknown_checks_names_and_values_are_refused() {
        for (text, message) in [
            ("[\"weather.today\"]", "there is no check `weather.today`; `snapvisor checks` lists them"),
            ("[\"disk.spcae\"]", "there is no check `disk.spcae`: did you mean `disk.space`?"),
            ("[\"data-dir\"]", "there is no check `data-dir`: did you mean `disk.data-dir`?"),
            ("[\"mem.swap\"]\nwarn = 1", "check `mem.swap` has no setting `warn`; it has enabled, swappiness_pass_max"),
            ("[\"mem.swap\"]\nenabled = 1", "check `mem.swap`: `enabled` must be true or false"),
            ("[\"tls.chain\"]\nca_file = []", "check `tls.chain` has no setting `ca_file`; it has enabled, ca_files"),
            (
                "[\"tls.chain\"]\nca_files = [\"own.pem\"]",
                "check `tls.chain`: `ca_files` must be a list of 16 absolute paths at most",
            ),
            (
                "[\"mem.swap\"]\nswappiness_pass_max = [\"/a\"]",
                "check `mem.swap`: `swappiness_pass_max` must be a number from 0 to 200",
            ),
            (
                "[\"mem.swap\"]\nswappiness_pass_max = 500",
                "check `mem.swap`: `swappiness_pass_max` must be a number from 0 to 200",
            ),
        ] {
            assert_eq!(settings(text).validate().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_changed_threshold_is_shown_with_its_default() {
        let settings = settings("[\"mem.swap\"]\nswappiness_pass_max = 60");
        settings.validate().unwrap();
        assert_eq!(settings.changed(find("mem.swap").unwrap()), ["swappiness_pass_max = 60 (default 10)"]);
        assert!(settings.enabled("mem.swap"));
    }

    #[test]
    fn a_list_of_files_is_read_and_shown() {
        let settings = settings("[\"tls.chain\"]\nca_files = [\"/etc/ssl/own.pem\"]");
        settings.validate().unwrap();
        assert_eq!(settings.files(&CA_FILES), ["/etc/ssl/own.pem"]);
        assert_eq!(settings.changed(find("tls.chain").unwrap()), ["ca_files = [\"/etc/ssl/own.pem\"] (default none)"]);
        assert_eq!(Settings::default().files(&CA_FILES), [""; 0]);
    }
}
