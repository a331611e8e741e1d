//! What a value may be, and how it is read from a TOML value or from text (an environment variable, a flag).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use ipnet::IpNet;
use serde_json::{Value, json};
use toml::de::DeValue;

use super::value::BaseUrl;
use crate::domain::size::{GIB, KIB, MIB};

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An IP address and a port.
    Address,
    /// A path.
    Path,
    /// A path, or nothing.
    OptionalPath,
    /// A path from the root, or nothing.
    AbsolutePath,
    /// A [`BaseUrl`], or nothing.
    Url,
    /// A list of addresses and CIDR blocks.
    Networks,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number of `unit`.
    Integer {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A number of bytes.
    Bytes {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A number of bytes, or nothing.
    OptionalBytes {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// True or false.
    Switch,
}

/// The most that a number of bytes may be: 8 EiB, what SQLite and JSON can hold.
pub(super) const BYTES_MAX: u64 = i64::MAX as u64;

impl Kind {
    /// What would be right, to put behind "must be".
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Address => "an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787".to_owned(),
            Self::Path | Self::OptionalPath => "a path".to_owned(),
            Self::AbsolutePath => "an absolute path".to_owned(),
            Self::Url => "an http:// or https:// URL of a host, without user, query or fragment".to_owned(),
            Self::Networks => "a list of IP addresses or CIDR blocks, such as [\"10.0.0.0/8\"]".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Integer { min, max, unit } => format!("a whole number of {unit} from {min} to {max}"),
            Self::Bytes { min, max } | Self::OptionalBytes { min, max } => {
                let range = match (min, max) {
                    (0, BYTES_MAX) => String::new(),
                    (min, BYTES_MAX) => format!(" from {}", size(min)),
                    (min, max) => format!(" from {} to {}", size(min), size(max)),
                };
                format!("a size{range}: a number of bytes, or a text such as \"64 MiB\"")
            }
            Self::Switch => "true or false".to_owned(),
        }
    }

    /// The value as text says it; an empty text is "not set" where that is allowed.
    ///
    /// # Errors
    /// What would have been right: [`Kind::expected`].
    pub fn of_text(self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self {
            Self::Address => text.parse::<SocketAddr>().ok().map(|address| json!(address)),
            Self::Path => (!text.is_empty()).then(|| json!(text)),
            Self::OptionalPath | Self::AbsolutePath | Self::Url | Self::OptionalBytes { .. } if text.is_empty() => {
                Some(Value::Null)
            }
            Self::OptionalPath => Some(json!(text)),
            Self::AbsolutePath => Path::new(text).is_absolute().then(|| json!(text)),
            Self::Url => text.parse::<BaseUrl>().ok().map(|url| json!(url)),
            Self::Networks => networks(text.split(',').map(str::trim).filter(|part| !part.is_empty())),
            Self::Word(words) => words.contains(&text).then(|| json!(text)),
            Self::Integer { min, max, .. } => within(text.parse().ok(), min, max),
            Self::Bytes { min, max } | Self::OptionalBytes { min, max } => within(bytes(text), min, max),
            Self::Switch => text.parse::<bool>().ok().map(|switch| json!(switch)),
        };
        value.ok_or_else(|| self.expected())
    }

    /// The value as a TOML file says it.
    ///
    /// # Errors
    /// What would have been right: [`Kind::expected`].
    pub fn of_toml(self, value: &DeValue<'_>) -> Result<Value, String> {
        let text: Option<Cow<'_, str>> = match (self, value) {
            (Self::Networks, DeValue::Array(items)) => {
                let texts: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
                return texts.and_then(|texts| networks(texts.into_iter())).ok_or_else(|| self.expected());
            }
            (Self::Switch, DeValue::Boolean(switch)) => return Ok(json!(switch)),
            (Self::Integer { .. } | Self::Bytes { .. } | Self::OptionalBytes { .. }, DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string().into())
            }
            (Self::Switch | Self::Networks | Self::Integer { .. }, _) => None,
            (_, DeValue::String(text)) => Some(text.as_ref().into()),
            _ => None,
        };
        self.of_text(&text.ok_or_else(|| self.expected())?)
    }
}

/// A whole number of the largest unit that divides it: `64 KiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = UNITS.into_iter().find(|(_, bits)| bytes >= 1 << bits && bytes.trailing_zeros() >= *bits);
    whole.map_or_else(|| format!("{bytes} B"), |(unit, bits)| format!("{} {unit}", bytes >> bits))
}

fn within(number: Option<u64>, min: u64, max: u64) -> Option<Value> {
    number.filter(|number| (min..=max).contains(number)).map(|number| json!(number))
}

/// `65536`, `64 KiB`, `64KiB`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "KiB" => KIB,
        "MiB" => MIB,
        "GiB" => GIB,
        "TiB" => 1024 * GIB,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn networks<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Value> {
    let one = |text: &str| text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    texts.map(|text| one(text).map(|network| json!(network))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Kind = Kind::Integer { min: 1, max: 570, unit: "seconds" };
    const BYTES: Kind = Kind::Bytes { min: 1024, max: 1 << 40 };

    #[test]
    fn text_is_read_at_its_boundaries() {
        for (kind, text, expected) in [
            (NUMBER, "1", Some(json!(1))),
            (NUMBER, " 570 ", Some(json!(570))),
            (NUMBER, "0", None),
            (NUMBER, "571", None),
            (NUMBER, "-1", None),
            (NUMBER, "1.5", None),
            (NUMBER, "", None),
            (BYTES, "1023", None),
            (BYTES, "1024", Some(json!(1024))),
            (BYTES, "2KiB", Some(json!(2048))),
            (BYTES, "1 TiB", Some(json!(1_u64 << 40))),
            (BYTES, "2 TiB", None),
            (BYTES, "99999999999 TiB", None),
            (BYTES, "1 KB", None),
            (Kind::OptionalBytes { min: 0, max: 9 }, "", Some(Value::Null)),
            (Kind::Switch, "true", Some(json!(true))),
            (Kind::Switch, "yes", None),
            (Kind::Address, "[::1]:0", Some(json!("[::1]:0"))),
            (Kind::Address, "localhost:80", None),
            (Kind::Address, "127.0.0.1", None),
            (Kind::AbsolutePath, "", Some(Value::Null)),
            (Kind::AbsolutePath, "/srv/iggy", Some(json!("/srv/iggy"))),
            (Kind::AbsolutePath, "srv/iggy", None),
            (Kind::Path, "", None),
            (Kind::Networks, "", Some(json!([]))),
            (Kind::Networks, "10.0.0.1, fd00::/8", Some(json!(["10.0.0.1/32", "fd00::/8"]))),
            (Kind::Networks, "10.0.0.0/33", None),
            (Kind::Word(&["all", "none"]), "none", Some(json!("none"))),
            (Kind::Word(&["all", "none"]), "None", None),
        ] {
            assert_eq!(kind.of_text(text).ok(), expected, "{kind:?} of {text:?}");
        }
    }

    #[test]
    fn a_file_says_numbers_as_numbers_and_switches_as_switches() {
        for (kind, text, expected) in [
            (NUMBER, "0x10", Some(json!(16))),
            (NUMBER, "1_0", Some(json!(10))),
            (NUMBER, "\"10\"", None),
            (NUMBER, "10.0", None),
            (BYTES, "\"4 KiB\"", Some(json!(4096))),
            (BYTES, "4096", Some(json!(4096))),
            (Kind::Switch, "true", Some(json!(true))),
            (Kind::Switch, "\"true\"", None),
            (Kind::Networks, "[\"10.0.0.0/8\"]", Some(json!(["10.0.0.0/8"]))),
            (Kind::Networks, "[10]", None),
            (Kind::Networks, "\"10.0.0.0/8\"", None),
            (Kind::Path, "7", None),
            (Kind::Path, "\"data\"", Some(json!("data"))),
        ] {
            let value = DeValue::parse(text).unwrap();
            assert_eq!(kind.of_toml(value.get_ref()).ok(), expected, "{kind:?} of {text}");
        }
    }
}
