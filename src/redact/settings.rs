//! `[redaction]` of the configuration: the user's own rules.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Entries of any one list.
const ENTRIES_MAX: usize = 1024;
/// Bytes of the file of extra literals.
const LITERALS_FILE_BYTES_MAX: u64 = 1 << 20;
/// Bytes of the shortest extra literal: a shorter one would blank ordinary text.
const LITERAL_BYTES_MIN: usize = 4;
/// Memory of one compiled pattern, as the regex crate counts it.
const PATTERN_SIZE_MAX: usize = 1 << 20;

/// The user's own rules. All are additions; the built-in rules cannot be switched off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Names of keys whose values are secret, compared without regard to case, `_`, `-` and `.`.
    pub keys: Vec<String>,
    /// A file of further secrets, one a line, masked wherever they stand.
    pub literals_file: Option<PathBuf>,
    /// Patterns whose whole match, or whose group `secret` if they have one, is masked.
    pub patterns: Vec<Pattern>,
    /// Names of keys whose values are shown although they look secret, compared as in `keys`.
    pub allow_keys: Vec<String>,
    /// Values that are never masked, compared whole.
    pub allow_values: Vec<String>,
}

/// One pattern of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// What the summary calls it.
    pub name: String,
    /// A regular expression of the linear-time dialect of the `regex` crate, over bytes.
    pub regex: String,
}

/// Why the user's rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A pattern does not compile, or is too large.
    #[error("redaction.patterns: the pattern `{name}` is not valid")]
    Pattern {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// A pattern matches the empty text, so it would match everywhere.
    #[error("redaction.patterns: the pattern `{name}` matches the empty text")]
    EmptyMatch {
        /// Its name.
        name: String,
    },
    /// A pattern's name has characters that a summary does not show, or none.
    #[error("redaction.patterns: the name `{name}` is not made of 1 to 64 letters, digits, `-`, `_` and `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// A key is empty once its separators are gone.
    #[error("redaction.{list}: an entry holds no letter or digit")]
    EmptyKey {
        /// `keys` or `allow_keys`.
        list: &'static str,
    },
    /// A list is too long.
    #[error("redaction.{list}: more than {ENTRIES_MAX} entries")]
    TooMany {
        /// The list.
        list: &'static str,
    },
    /// The file of literals cannot be read.
    #[error("redaction.literals_file: {} cannot be read", path.display())]
    Literals {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of literals is too large.
    #[error("redaction.literals_file: {} is larger than {LITERALS_FILE_BYTES_MAX} bytes", path.display())]
    LiteralsTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A literal is so short that it would blank ordinary text.
    #[error("redaction.literals_file: line {line} is shorter than {LITERAL_BYTES_MIN} bytes")]
    ShortLiteral {
        /// Its line, from 1.
        line: usize,
    },
}

/// A pattern ready to run.
#[derive(Clone)]
pub(super) struct CompiledPattern {
    pub(super) name: String,
    pub(super) regex: Regex,
    /// The group to mask: 0, or the group called `secret`.
    pub(super) group: usize,
}

/// The user's rules, ready to run.
#[derive(Clone, Default)]
pub(super) struct Compiled {
    pub(super) keys: Vec<String>,
    pub(super) allow_keys: Vec<String>,
    pub(super) allow_values: Vec<Vec<u8>>,
    pub(super) patterns: Vec<CompiledPattern>,
    pub(super) literals: Vec<Zeroizing<Vec<u8>>>,
    /// How many literals there are, also once the learner has taken them.
    pub(super) literals_count: usize,
    /// Parts of the user's key names, to find them by.
    pub(super) stems: Option<AhoCorasick>,
}

impl Compiled {
    /// Whether the user lets this value through.
    pub(super) fn allows(&self, value: &[u8]) -> bool {
        self.allow_values.iter().any(|allowed| allowed == value)
    }
}

impl Settings {
    /// Whether the rules can be used; a start with bad rules must fail.
    ///
    /// # Errors
    /// What is wrong, naming the list, pattern or line, and never a literal.
    pub fn validate(&self) -> Result<(), SettingsError> {
        self.compile().map(drop)
    }

    /// The rules, ready to run.
    pub(super) fn compile(&self) -> Result<Compiled, SettingsError> {
        for (list, entries) in [
            ("keys", self.keys.len()),
            ("patterns", self.patterns.len()),
            ("allow_keys", self.allow_keys.len()),
            ("allow_values", self.allow_values.len()),
        ] {
            if entries > ENTRIES_MAX {
                return Err(SettingsError::TooMany { list });
            }
        }
        let literals = self.literals()?;
        Ok(Compiled {
            keys: folded_keys("keys", &self.keys)?,
            allow_keys: folded_keys("allow_keys", &self.allow_keys)?,
            allow_values: self.allow_values.iter().map(|value| value.clone().into_bytes()).collect(),
            patterns: self.patterns.iter().map(Pattern::compile).collect::<Result<_, _>>()?,
            literals_count: literals.len(),
            literals,
            stems: stems(&self.keys),
        })
    }

    fn literals(&self) -> Result<Vec<Zeroizing<Vec<u8>>>, SettingsError> {
        let Some(path) = &self.literals_file else { return Ok(Vec::new()) };
        let unreadable = |source| SettingsError::Literals { path: path.clone(), source };
        let mut bytes = Zeroizing::new(Vec::new());
        let file = File::open(path).map_err(unreadable)?;
        file.take(LITERALS_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LITERALS_FILE_BYTES_MAX {
            return Err(SettingsError::LiteralsTooLarge { path: path.clone() });
        }
        let mut literals = Vec::new();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            if line.len() < LITERAL_BYTES_MIN {
                return Err(SettingsError::ShortLiteral { line: index + 1 });
            }
            literals.push(Zeroizing::new(line.to_vec()));
        }
        Ok(literals)
    }
}

impl Pattern {
    fn compile(&self) -> Result<CompiledPattern, SettingsError> {
        let shown = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(shown) {
            return Err(SettingsError::Name { name: self.name.clone() });
        }
        let regex = RegexBuilder::new(&self.regex)
            .size_limit(PATTERN_SIZE_MAX)
            .dfa_size_limit(PATTERN_SIZE_MAX)
            .build()
            .map_err(|source| SettingsError::Pattern { name: self.name.clone(), source })?;
        if regex.is_match(b"") {
            return Err(SettingsError::EmptyMatch { name: self.name.clone() });
        }
        let group = regex.capture_names().position(|name| name == Some("secret")).unwrap_or(0);
        Ok(CompiledPattern { name: self.name.clone(), regex, group })
    }
}

/// The longest run of letters and digits of each key.
fn stems(keys: &[String]) -> Option<AhoCorasick> {
    let longest = |key: &String| {
        key.split(|c: char| !c.is_alphanumeric()).max_by_key(|part| part.len()).unwrap_or_default().to_owned()
    };
    let parts: Vec<String> = keys.iter().map(longest).collect();
    if parts.is_empty() {
        return None;
    }
    let built = AhoCorasick::builder().ascii_case_insensitive(true).build(parts);
    Some(built.expect("a configuration file is far too small to exhaust an automaton's 2³¹ states"))
}

fn folded_keys(list: &'static str, keys: &[String]) -> Result<Vec<String>, SettingsError> {
    let folded = |key: &String| {
        let folded: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if folded.is_empty() { Err(SettingsError::EmptyKey { list }) } else { Ok(folded) }
    };
    keys.iter().map(folded).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn with_pattern(name: &str, regex: &str) -> Settings {
        let pattern = Pattern { name: name.to_owned(), regex: regex.to_owned() };
        Settings { patterns: vec![pattern], ..Settings::default() }
    }

    #[test]
    fn a_bad_rule_is_named() {
        for (settings, message) in [
            (with_pattern("ticket", "("), "redaction.patterns: the pattern `ticket` is not valid"),
            (with_pattern("star", "a*"), "redaction.patterns: the pattern `star` matches the empty text"),
            (with_pattern("huge", "[a-z]{1000}{1000}"), "redaction.patterns: the pattern `huge` is not valid"),
            (
                with_pattern("a b", "x"),
                "redaction.patterns: the name `a b` is not made of 1 to 64 letters, digits, `-`, `_` and `.`",
            ),
            (
                Settings { keys: vec!["--".to_owned()], ..Settings::default() },
                "redaction.keys: an entry holds no letter or digit",
            ),
        ] {
            assert_eq!(settings.validate().expect_err("it is bad").to_string(), message);
        }
        assert!(with_pattern("ticket", "T-(?P<secret>[0-9]{8})").validate().is_ok());
        assert!(Settings::default().validate().is_ok());
    }

    #[test]
    fn literals_come_one_a_line_and_a_short_one_is_refused_by_its_line() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(b"first-secret\r\n\nsecond secret\n").expect("it is writable");
        let mut settings = Settings { literals_file: Some(file.path().to_owned()), ..Settings::default() };
        let literals = settings.compile().expect("it is well formed").literals;
        assert_eq!(literals, [b"first-secret".to_vec().into(), Zeroizing::new(b"second secret".to_vec())]);
        file.write_all(b"abc\n").expect("it is writable");
        let short = settings.validate().expect_err("three bytes are too short");
        assert_eq!(short.to_string(), "redaction.literals_file: line 4 is shorter than 4 bytes");
        settings.literals_file = Some("/nonexistent/literals".into());
        assert!(matches!(settings.validate(), Err(SettingsError::Literals { .. })));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let unknown = toml::from_str::<Settings>("keyz = []").expect_err("it is unknown");
        assert!(unknown.to_string().contains("keyz"), "{unknown}");
    }
}
