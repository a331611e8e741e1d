//! `snapvisor config`: what is set, and by whom.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::output::{self, Format, FormatArgs};
use super::settings::Overrides;
use super::{CliError, Exit};
use crate::config::{Loaded, Origin, SYSTEM_FILE, Setting};

/// Show the effective configuration and where each value comes from.
#[derive(Debug, clap::Args)]
pub(super) struct Config {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ConfigCommand {
    Show(Show),
}

/// Print every setting, its value and the layer that set it.
///
/// Layers, the later one wins: defaults, the file (`--config`, else /etc/snapvisor/snapvisor.toml if it exists), the
/// environment (`SNAPVISOR_` and the key's path: `iggy.data_dir` is `SNAPVISOR_IGGY_DATA_DIR`), flags. The output is a
/// configuration file itself. Values that look like a secret are masked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor config show                         what `serve` would start with
  snapvisor config show > snapvisor.toml        a file to begin with
  snapvisor config show -o json                 for scripts")]
struct Show {
    #[command(flatten)]
    format: FormatArgs,
}

impl Config {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let ConfigCommand::Show(show) = self.command;
        let loaded = Overrides::default().load(file)?;
        let masked = Mask::new(&loaded)?;
        match show.format.format {
            Format::Table => toml(out, &loaded, &masked)?,
            Format::Json => json(out, &loaded, &masked)?,
        }
        Ok(Exit::Done)
    }
}

/// Masks what looks like a secret. No key holds one by design; an operator may have put one where it does not belong.
struct Mask(crate::redact::Engine);

impl Mask {
    fn new(loaded: &Loaded) -> Result<Self, CliError> {
        let key =
            crate::redact::PseudonymKey::generate().map_err(|_| CliError::Usage("no random numbers".to_owned()))?;
        let engine = crate::redact::Engine::unlearned(&loaded.config.redaction, key);
        engine.map(Self).map_err(|error| CliError::Usage(error.to_string()))
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.0.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.value(value))).collect(),
            other => other.clone(),
        }
    }
}

fn toml(out: &mut dyn Write, loaded: &Loaded, mask: &Mask) -> io::Result<()> {
    match &loaded.file {
        Some(file) => writeln!(out, "# file: {}", file.display())?,
        None => writeln!(out, "# file: none ({SYSTEM_FILE} does not exist)")?,
    }
    let mut section = String::new();
    for setting in &loaded.settings {
        let (table, name) = split(&setting.path);
        if table != section {
            writeln!(out, "\n[{table}]")?;
            table.clone_into(&mut section);
        }
        let line = match assignment(&mask.value(&setting.value)) {
            Some(value) => format!("{name} = {value}"),
            None => format!("# {name} is not set"),
        };
        writeln!(out, "{line:<44}  # {}", setting.origin)?;
    }
    Ok(())
}

/// The table and the name of a path; quoted names may hold dots.
fn split(path: &str) -> (&str, &str) {
    let after_quotes = path.rfind('"').map_or(0, |at| at + 1);
    match path[after_quotes..].rfind('.') {
        Some(at) => (&path[..after_quotes + at], &path[after_quotes + at + 1..]),
        None => ("", path),
    }
}

/// The value as TOML writes it; `None` for what is not set.
fn assignment(value: &Value) -> Option<String> {
    toml::Value::try_from(value).ok().map(|value| value.to_string())
}

/// One row of the JSON form.
#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    value: Value,
    layer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

fn json(out: &mut dyn Write, loaded: &Loaded, mask: &Mask) -> io::Result<()> {
    let rows: Vec<Row<'_>> = loaded.settings.iter().map(|setting| row(setting, mask)).collect();
    output::json(out, &rows)
}

fn row<'a>(setting: &'a Setting, mask: &Mask) -> Row<'a> {
    let layer = match setting.origin {
        Origin::Default => "default",
        Origin::File { .. } => "file",
        Origin::Variable(_) => "environment",
        Origin::Flag(_) => "flag",
    };
    let place = (setting.origin != Origin::Default).then(|| setting.origin.to_string());
    Row { key: &setting.path, value: mask.value(&setting.value), layer, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_at_its_last_dot_outside_quotes() {
        for (path, expected) in [
            ("listen", ("", "listen")),
            ("iggy.data_dir", ("iggy", "data_dir")),
            ("checks.\"mem.swap\".enabled", ("checks.\"mem.swap\"", "enabled")),
        ] {
            assert_eq!(split(path), expected);
        }
    }
}
