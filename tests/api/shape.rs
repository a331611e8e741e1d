//! The shape that clients decode: each field, its type and its closed list, and nothing else.

use serde_json::Value;

/// What a value must be.
#[derive(Debug, Clone)]
pub enum Shape {
    Id,
    Count,
    Text,
    Bool,
    Time,
    OneOf(&'static [&'static str]),
    List(Box<Shape>),
    /// Required fields, then optional ones.
    Object(Vec<(&'static str, Shape)>, Vec<(&'static str, Shape)>),
    /// An object whose names are ids.
    ById(Box<Shape>),
}

pub use Shape::{Bool, Count, Id, OneOf, Text, Time};

pub fn list(of: Shape) -> Shape {
    Shape::List(Box::new(of))
}

pub fn object(required: &[(&'static str, Shape)]) -> Shape {
    Shape::Object(required.to_vec(), Vec::new())
}

pub fn by_id(of: Shape) -> Shape {
    Shape::ById(Box::new(of))
}

/// A page of such items.
pub fn page(of: Shape) -> Shape {
    object(&[("items", list(of)), ("page", Count), ("total_results", Count), ("total_pages", Count)])
}

impl Shape {
    /// The same object with more fields.
    pub fn and(self, more: &[(&'static str, Shape)]) -> Self {
        let Self::Object(mut required, optional) = self else { panic!("only an object has fields") };
        required.extend_from_slice(more);
        Self::Object(required, optional)
    }

    /// The same object with fields that may be missing or `null`.
    pub fn maybe(self, more: &[(&'static str, Shape)]) -> Self {
        let Self::Object(required, mut optional) = self else { panic!("only an object has fields") };
        optional.extend_from_slice(more);
        Self::Object(required, optional)
    }

    /// Fails with the path of what does not fit.
    pub fn check(&self, value: &Value) {
        self.check_at("$", value);
    }

    fn check_at(&self, path: &str, value: &Value) {
        let fits = match self {
            Self::Id => value.as_i64().is_some_and(|id| id > 0),
            Self::Count => value.as_u64().is_some(),
            Self::Text => value.is_string(),
            Self::Bool => value.is_boolean(),
            Self::Time => value.as_str().is_some_and(is_time),
            Self::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::List(of) => value.as_array().is_some_and(|items| {
                items.iter().enumerate().for_each(|(at, item)| of.check_at(&format!("{path}[{at}]"), item));
                true
            }),
            Self::ById(of) => value.as_object().is_some_and(|members| {
                members.iter().all(|(name, member)| {
                    of.check_at(&format!("{path}.{name}"), member);
                    name.parse::<i64>().is_ok_and(|id| id > 0)
                })
            }),
            Self::Object(required, optional) => value.as_object().is_some_and(|members| {
                for (name, shape) in required {
                    let member = members.get(*name).unwrap_or_else(|| panic!("{path}.{name} is missing in {value}"));
                    shape.check_at(&format!("{path}.{name}"), member);
                }
                for (name, member) in members {
                    if required.iter().any(|(known, _)| known == name) {
                        continue;
                    }
                    let known = optional.iter().find(|(known, _)| known == name);
                    let (_, shape) = known.unwrap_or_else(|| panic!("{path}.{name} is in no contract: {value}"));
                    if !member.is_null() {
                        shape.check_at(&format!("{path}.{name}"), member);
                    }
                }
                true
            }),
        };
        assert!(fits, "{path} is {value}, not {self:?}");
    }
}

/// RFC 3339, UTC, whole seconds, `Z`.
pub fn is_time(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00Z";
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(given, expected)| if expected == b'0' { given.is_ascii_digit() } else { given == expected })
}
