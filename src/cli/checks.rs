//! `snapvisor checks`: the catalogue, for reading.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::output::{self, Format, FormatArgs};
use super::settings::Overrides;
use super::{CliError, Exit};
use crate::checks::{self, Check, Settings, Tier};

/// List the checks, or explain one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor checks                              all checks
  snapvisor checks explain mem.swap             the rule, its source and the remedy of one
  snapvisor checks -o json                      for scripts")]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Checks {
    #[command(subcommand)]
    command: Option<ChecksCommand>,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, clap::Subcommand)]
enum ChecksCommand {
    Explain(Explain),
}

/// Explain one check: what it asks, its rule, where the thresholds come from, what to do.
#[derive(Debug, clap::Args)]
struct Explain {
    /// The check's id, as `snapvisor checks` lists it.
    id: String,
    #[command(flatten)]
    format: FormatArgs,
}

impl Checks {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let loaded = Overrides::default().load(file)?;
        let settings = &loaded.config.checks;
        match self.command {
            None => list(out, settings, self.format.format)?,
            Some(ChecksCommand::Explain(explain)) => {
                let check = checks::find(&explain.id);
                let check = check.ok_or_else(|| CliError::Refused(checks::unknown(&explain.id)))?;
                match explain.format.format {
                    Format::Table => explanation(out, check, settings)?,
                    Format::Json => output::json(out, &document(check, settings))?,
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn list(out: &mut dyn Write, settings: &Settings, format: Format) -> io::Result<()> {
    if format == Format::Json {
        let documents: Vec<Value> = checks::catalogue().map(|check| document(check, settings)).collect();
        return output::json(out, &documents);
    }
    let rows: Vec<Vec<String>> = checks::catalogue().map(|check| row(check, settings)).collect();
    output::table(out, &["CHECK", "CATEGORY", "SEVERITY", "TIER", "TITLE"], &rows)
}

fn row(check: &Check, settings: &Settings) -> Vec<String> {
    let tier = if settings.enabled(check.id) { tier(check.tier) } else { "off" };
    [check.id, check.category.title(), check.severity.word(), tier, check.title].map(str::to_owned).to_vec()
}

const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Core => "core",
        Tier::Extended => "extended",
    }
}

fn document(check: &Check, settings: &Settings) -> Value {
    let thresholds: Vec<Value> = check
        .settings
        .iter()
        .map(|setting| {
            let value = settings.value(check.id, setting.name).unwrap_or(setting.default);
            json!({
                "name": setting.name, "value": value, "default": setting.default,
                "min": setting.min, "max": setting.max, "help": setting.help,
            })
        })
        .collect();
    let lists: Vec<Value> = checks::file_lists(check)
        .map(|list| json!({ "name": list.name, "value": settings.files(list), "help": list.help }))
        .collect();
    json!({
        "id": check.id, "title": check.title, "category": check.category.word(), "severity": check.severity.word(),
        "tier": tier(check.tier), "enabled": settings.enabled(check.id), "rule": check.rule, "why": check.why,
        "remedy": check.remedy, "threshold_source": check.threshold_source, "references": check.references,
        "privilege": check.privilege, "settings": thresholds, "file_lists": lists,
    })
}

fn explanation(out: &mut dyn Write, check: &Check, settings: &Settings) -> io::Result<()> {
    writeln!(out, "{}  {}", check.id, check.title)?;
    let state = if settings.enabled(check.id) { "" } else { ", switched off by the configuration" };
    writeln!(out, "{}, {} severity, {}{state}", check.category.title(), check.severity.word(), tier(check.tier))?;
    for (heading, text) in [
        ("Rule", check.rule),
        ("Why it matters", check.why),
        ("What to do", check.remedy),
        ("Where the thresholds come from", check.threshold_source),
        ("What it needs to see everything", check.privilege),
    ] {
        if !text.is_empty() {
            section(out, heading, text.lines())?;
        }
    }
    if !check.references.is_empty() {
        section(out, "To read", check.references.iter().copied())?;
    }
    if !check.settings.is_empty() || checks::file_lists(check).next().is_some() {
        writeln!(out, "\nSettings, in the configuration under [checks.\"{}\"]", check.id)?;
        for setting in check.settings {
            let value = settings.value(check.id, setting.name).unwrap_or(setting.default);
            writeln!(out, "  {} = {value}", setting.name)?;
            writeln!(out, "      {} (default {}, {} to {})", setting.help, setting.default, setting.min, setting.max)?;
        }
        for list in checks::file_lists(check) {
            writeln!(out, "  {} = {:?}", list.name, settings.files(list))?;
            writeln!(out, "      {} (default none)", list.help)?;
        }
    }
    Ok(())
}

fn section<'a>(out: &mut dyn Write, heading: &str, lines: impl Iterator<Item = &'a str>) -> io::Result<()> {
    writeln!(out, "\n{heading}")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
