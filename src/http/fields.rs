//! The fields of a request: each is read once by name and type; what is left over, missing or wrong becomes an issue
//! with its path, and all of them are told together.

use serde_json::{Map, Value};

use super::problem::{ISSUES_MAX, Issue, Problem};
use crate::domain::time::Timestamp;

/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 64;
/// Characters of an unknown field's name that an issue repeats.
const ECHO_CHARS_MAX: usize = 64;

/// An object being read.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    path: String,
    issues: Vec<Issue>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Another JSON type; what it must be.
    Type(&'static str),
    /// The right type with a value that cannot be; what it must be.
    Value(String),
    /// Issues of fields within.
    Within(Vec<Issue>),
}

impl Wrong {
    /// The issues of a field at `path`.
    #[must_use]
    pub fn into_issues(self, path: &str) -> Vec<Issue> {
        let (code, what) = match self {
            Self::Within(issues) => return issues,
            Self::Type(what) => ("invalid_type", what.to_owned()),
            Self::Value(what) => ("invalid_value", what),
        };
        vec![Issue::new(code, path, format!("The field {path} must be {what}."))]
    }
}

impl Fields {
    /// The fields of a body.
    #[must_use]
    pub fn of(members: Map<String, Value>) -> Self {
        Self { members, path: String::new(), issues: Vec::new() }
    }

    /// The fields of an object at `path` of a body.
    #[must_use]
    pub fn at(path: impl Into<String>, members: Map<String, Value>) -> Self {
        Self { members, path: path.into(), issues: Vec::new() }
    }

    /// The path of a field.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether a field was sent and not read yet; `null` counts as not sent.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A field that may be missing; `null` counts as missing.
    pub fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        match self.members.get(name) {
            Some(Value::Null) => {
                self.members.shift_remove(name);
                None
            }
            _ => self.default(name, read),
        }
    }

    /// A field that may be missing, and where `null` is a wrong type.
    pub fn default<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        let value = self.members.shift_remove(name)?;
        match read(&value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                let path = self.path(name);
                self.issues.extend(wrong.into_issues(&path));
                None
            }
        }
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.members.shift_remove(name);
            let path = self.path(name);
            self.issues.push(Issue::new("required", path.clone(), format!("The field {path} is required.")));
            return None;
        }
        self.default(name, read)
    }

    /// Every member that was not read yet, in the order of the request.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.members)
    }

    /// One more issue, for what no single field shows.
    pub fn refuse(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// The issues so far; what was not read is one each.
    #[must_use]
    pub fn into_issues(self) -> Vec<Issue> {
        let mut issues = self.issues;
        for name in self.members.keys().take(ISSUES_MAX) {
            let shown: String = name.chars().take(ECHO_CHARS_MAX).collect();
            let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
            issues.push(Issue::new("unknown_field", path.clone(), format!("The field {path} is not known here.")));
        }
        issues
    }

    /// The value made of the fields that were read, when nothing is wrong with any.
    ///
    /// # Errors
    /// All issues, when there is one.
    pub fn finish<T>(self, made: impl FnOnce() -> Option<T>) -> Result<T, Problem> {
        let issues = self.into_issues();
        if issues.is_empty() {
            Ok(made().expect("a field without an issue was read"))
        } else {
            Err(Problem::invalid(issues))
        }
    }
}

/// `true` or `false`.
///
/// # Errors
/// Anything else.
pub fn boolean(value: &Value) -> Result<bool, Wrong> {
    value.as_bool().ok_or(Wrong::Type("true or false"))
}

/// Any text.
///
/// # Errors
/// Anything else.
pub fn text(value: &Value) -> Result<String, Wrong> {
    value.as_str().map(str::to_owned).ok_or(Wrong::Type("a text"))
}

/// A name: text of 1 to [`NAME_CHARS_MAX`] printable characters, no space at its ends.
///
/// # Errors
/// Anything else.
pub fn name(value: &Value) -> Result<String, Wrong> {
    let name = text(value)?;
    let chars = name.chars().count();
    if (1..=NAME_CHARS_MAX).contains(&chars) && name.trim() == name && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(Wrong::Value(format!("1 to {NAME_CHARS_MAX} printable characters, without spaces at its ends")))
    }
}

/// A point in time.
///
/// # Errors
/// Anything but an RFC 3339 text.
pub fn time(value: &Value) -> Result<Timestamp, Wrong> {
    let time = text(value)?.parse();
    time.map_err(|_| Wrong::Value("an RFC 3339 time, like 2026-06-01T10:30:00Z".to_owned()))
}

/// An id: a positive whole number, not in quotes.
///
/// # Errors
/// Anything else.
pub fn id<T: TryFrom<i64>>(value: &Value) -> Result<T, Wrong> {
    const WHAT: &str = "an id, a positive whole number";
    let number = value.as_i64().ok_or(Wrong::Type(WHAT))?;
    T::try_from(number).map_err(|_| Wrong::Value(WHAT.to_owned()))
}

/// An object.
///
/// # Errors
/// Anything else.
pub fn object(value: &Value) -> Result<Map<String, Value>, Wrong> {
    value.as_object().cloned().ok_or(Wrong::Type("an object"))
}

/// A list of at most `items_max`, each read by `read`; `path` is the list's own.
///
/// # Errors
/// Anything else, with the place of each bad item.
pub fn list<T>(
    path: &str,
    items_max: usize,
    read: impl Fn(&Value) -> Result<T, Wrong>,
) -> impl FnOnce(&Value) -> Result<Vec<T>, Wrong> {
    move |value| {
        let Value::Array(items) = value else { return Err(Wrong::Type("a list")) };
        if items.len() > items_max {
            return Err(Wrong::Value(format!("a list of at most {items_max}")));
        }
        let (mut good, mut issues) = (Vec::with_capacity(items.len()), Vec::new());
        for (at, item) in items.iter().enumerate() {
            match read(item) {
                Ok(item) => good.push(item),
                Err(wrong) => issues.extend(wrong.into_issues(&format!("{path}[{at}]"))),
            }
        }
        if issues.is_empty() { Ok(good) } else { Err(Wrong::Within(issues)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::DivisionId;

    fn fields(value: &Value) -> Fields {
        Fields::of(object(value).unwrap())
    }

    fn told(fields: Fields) -> Vec<(&'static str, String)> {
        fields.into_issues().into_iter().map(|issue| (issue.code, issue.path)).collect()
    }

    #[test]
    fn every_issue_of_a_body_is_told_at_once_with_its_path() {
        let mut body =
            fields(&json!({"flag": "true", "when": "today", "names": ["a", 1, ""], "typo": 1, "none": null}));
        assert_eq!(body.default("flag", boolean), None);
        assert_eq!(body.optional("when", time), None);
        assert_eq!(body.required("names", list("names", 9, name)), None);
        assert_eq!(body.required("missing", text), None);
        assert_eq!(body.default("none", boolean), None);
        assert_eq!(
            told(body),
            [
                ("invalid_type", "flag".to_owned()),
                ("invalid_value", "when".to_owned()),
                ("invalid_type", "names[1]".to_owned()),
                ("invalid_value", "names[2]".to_owned()),
                ("required", "missing".to_owned()),
                ("invalid_type", "none".to_owned()),
                ("unknown_field", "typo".to_owned()),
            ]
        );
    }

    #[test]
    fn null_is_missing_where_a_field_is_optional_and_wrong_where_it_has_a_default() {
        let mut body = fields(&json!({"optional": null, "default": null, "required": null}));
        assert_eq!(body.optional("optional", boolean), None);
        assert_eq!(body.default("default", boolean), None);
        assert_eq!(body.required("required", boolean), None);
        assert_eq!(told(body), [("invalid_type", "default".to_owned()), ("required", "required".to_owned())]);
    }

    #[test]
    fn a_body_without_issues_gives_its_value() {
        let mut body = fields(&json!({"id": 611_298_765_432_109_057_i64, "name": "n"}));
        let (id, name) = (body.required("id", id::<DivisionId>), body.required("name", name));
        let made = body.finish(|| Some((id?.get(), name?))).unwrap();
        assert_eq!(made, (611_298_765_432_109_057, "n".to_owned()));
    }

    #[test]
    fn an_id_is_a_positive_whole_number() {
        for value in [json!("5"), json!(5.0), json!(0), json!(-1), json!(null), json!(9_223_372_036_854_775_808_u64)] {
            assert!(id::<DivisionId>(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_name_is_short_printable_text() {
        for (text, good) in [
            ("a", true),
            ("ä ö", true),
            ("", false),
            (" a", false),
            ("a\n", false),
            ("a\u{7}b", false),
            (&"x".repeat(64), true),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(name(&json!(text)).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn the_name_of_an_unknown_field_is_repeated_in_part() {
        let body = fields(&json!({ "y".repeat(200): 1 }));
        assert_eq!(told(body), [("unknown_field", "y".repeat(64))]);
    }
}
