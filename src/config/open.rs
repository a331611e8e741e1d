//! The tables whose keys are not ours to list: `[checks."ID"]` belongs to the catalogue, `[redaction]` to the engine,
//! `[plans.NAME]` to the operator.
//!
//! Each entry is put before the room that knows it by itself, so that a refusal names the entry's own line.

use std::error::Error as _;

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::Kind;
use crate::checks;
use crate::domain::plan;
use crate::redact;

/// A table with keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenTable {
    /// `[checks."ID"]`.
    Checks,
    /// `[redaction]`.
    Redaction,
    /// `[plans.NAME]`.
    Plans,
}

/// One entry of such a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The names on the way to it, the table's first.
    pub(super) names: Vec<String>,
    /// Its value.
    pub(super) value: Value,
    /// The byte of the file at which it stands.
    pub(super) at: usize,
}

/// Why an entry is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The names on the way to it.
    pub(super) names: Vec<String>,
    /// What is wrong: a fragment to put behind the key.
    pub(super) problem: String,
    /// The byte of the file at which it stands.
    pub(super) at: usize,
}

/// What a plan of the operator's own must say.
const PLAN_KEYS: [(&str, Kind); 2] = [
    ("snapshots_max", Kind::Integer { min: 1, max: 10_000, unit: "snapshots" }),
    ("retention_days", Kind::Integer { min: 1, max: 3650, unit: "days" }),
];
/// Characters of a plan's name at most.
const PLAN_NAME_CHARACTERS_MAX: usize = 64;

impl OpenTable {
    pub(super) const ALL: [Self; 3] = [Self::Checks, Self::Redaction, Self::Plans];

    /// The name of the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::Redaction => "redaction",
            Self::Plans => "plans",
        }
    }

    /// The entries below the table, each looked at by the room that knows it.
    pub(super) fn entries(self, table: &DeTable<'_>) -> Result<Vec<Entry>, Refusal> {
        let mut found = Vec::new();
        for (name, inner) in table {
            if self == Self::Redaction {
                found.push(self.entry(&[self.name().to_owned()], name, inner)?);
                continue;
            }
            let names = vec![self.name().to_owned(), name.get_ref().to_string()];
            let at = name.span().start;
            let refuse = |problem: String| Refusal { names: names.clone(), problem, at };
            let inner = inner.get_ref().as_table().ok_or_else(|| refuse("must be a table".to_owned()))?;
            self.refuse_name(name.get_ref(), inner).map_err(refuse)?;
            for (key, value) in inner {
                found.push(self.entry(&names, key, value)?);
            }
        }
        Ok(found)
    }

    fn refuse_name(self, name: &str, inner: &DeTable<'_>) -> Result<(), String> {
        match self {
            Self::Checks => refuse_check(&json!({ name: {} })).map_err(|problem| match inner.iter().next() {
                Some((rest, value)) if !name.contains('.') && value.get_ref().is_table() => {
                    format!("{problem}; an id stands in quotes: [checks.\"{name}.{}\"]", rest.get_ref())
                }
                _ => problem,
            }),
            Self::Redaction => Ok(()),
            Self::Plans if plan::built_in(name).is_some() => {
                Err("is a built-in plan; choose another name for a plan of your own".to_owned())
            }
            Self::Plans if !is_plan_name(name) => Err("must be named with letters, digits, `-` and `_`".to_owned()),
            Self::Plans => match PLAN_KEYS.iter().find(|(key, _)| !inner.contains_key(*key)) {
                Some((missing, _)) => Err(format!("has no `{missing}`")),
                None => Ok(()),
            },
        }
    }

    fn entry(
        self,
        names: &[String],
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Entry, Refusal> {
        let at = key.span().start;
        let mut names = names.to_vec();
        names.push(key.get_ref().to_string());
        let checked = match self {
            Self::Checks => {
                let value = json(value.get_ref());
                refuse_check(&json!({ &names[1]: { &names[2]: value } })).map(|()| value)
            }
            Self::Redaction => {
                let value = json(value.get_ref());
                refuse_redaction(&json!({ &names[1]: value })).map(|()| value)
            }
            Self::Plans => match PLAN_KEYS.iter().find(|(known, _)| known == key.get_ref()) {
                Some((_, kind)) => kind.of_toml(value.get_ref()).map_err(|expected| format!("must be {expected}")),
                None => Err(format!("is not a setting of a plan; it has {}", PLAN_KEYS.map(|(key, _)| key).join(", "))),
            },
        };
        match checked {
            Ok(value) => Ok(Entry { names, value, at }),
            Err(problem) => Err(Refusal { names, problem, at }),
        }
    }
}

/// What the catalogue says against this table of checks.
fn refuse_check(table: &Value) -> Result<(), String> {
    let settings: checks::Settings = serde_json::from_value(table.clone())
        .map_err(|_| "must be a number, a list of files, or true or false for `enabled`".to_owned())?;
    settings.validate().map_err(|error| format!("is refused: {error}"))
}

/// What the engine says against this table of rules.
fn refuse_redaction(table: &Value) -> Result<(), String> {
    let settings: redact::Settings =
        serde_json::from_value(table.clone()).map_err(|error| format!("is refused: {error}"))?;
    settings.validate().map_err(|error| {
        let text = error.to_string();
        // The place that the error names is named already, with its file and line.
        let text =
            text.strip_prefix("redaction.").and_then(|rest| rest.split_once(": ")).map_or(&*text, |(_, rest)| rest);
        match error.source() {
            Some(source) => format!("is refused: {text}: {}", one_line(&source.to_string())),
            None => format!("is refused: {text}"),
        }
    })
}

/// The last line of what a parser draws over several: `unclosed group`.
fn one_line(text: &str) -> &str {
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last)
}

fn is_plan_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=PLAN_NAME_CHARACTERS_MAX).contains(&name.len()) && name.chars().all(legal)
}

/// The value in JSON; what JSON cannot hold becomes the text that the file has for it.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Boolean(switch) => json!(switch),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| json!(number.as_str()), Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or_else(|_| json!(number.as_str()), Value::from),
        DeValue::Datetime(time) => json!(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect())
        }
    }
}

/// Puts an entry into the document that becomes the configuration.
pub(super) fn insert(root: &mut Map<String, Value>, names: &[String], value: Value) {
    let Some((last, way)) = names.split_last() else { return };
    let mut table = root;
    for name in way {
        let inner = table.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        table = inner.as_object_mut().expect("only tables stand on the way to an entry");
    }
    table.insert(last.clone(), value);
}

/// The path as a file would write it: names in quotes where TOML wants them.
pub(super) fn path(names: &[String]) -> String {
    let bare =
        |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let quoted = |name: &String| if bare(name) { name.clone() } else { format!("{name:?}") };
    names.iter().map(quoted).collect::<Vec<_>>().join(".")
}
