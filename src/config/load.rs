//! Reads the four layers, last one wins, and remembers where each value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS, VARIABLE_PREFIX};
use super::open::{self, OpenTable};
use super::value::Config;

/// The file that is read when none is named, if it exists.
pub const SYSTEM_FILE: &str = "/etc/snapvisor/snapvisor.toml";
/// Bytes of a configuration file at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{}:{line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A key is unknown or its value is refused.
    #[error("{origin}: `{key}` {problem}")]
    Key {
        /// Where it stands.
        origin: Origin,
        /// The key's path.
        key: String,
        /// What is wrong: a fragment to put behind the key.
        problem: String,
    },
    /// Links would lead nowhere.
    #[error(
        "`listen` is {listen}, which stands for every address, and `public_url` is not set: download links would lead \
         nowhere. Set `public_url` to what clients reach this host by"
    )]
    NoPublicUrl {
        /// The address.
        listen: std::net::SocketAddr,
    },
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A flag that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it is typed: `--listen`.
    pub name: &'static str,
    /// The key that it sets.
    pub key: &'static str,
    /// What was typed behind it.
    pub value: String,
}

/// The layers.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was named; it must exist.
    pub file: Option<PathBuf>,
    /// The file to read when none was named, if it exists.
    pub system_file: Option<PathBuf>,
    /// Environment variables, names with our prefix or not.
    pub variables: Vec<(String, String)>,
    /// Flags.
    pub flags: Vec<Flag>,
}

impl Sources {
    /// The layers of this process: its environment and [`SYSTEM_FILE`]. A variable that is not UTF-8 is read with
    /// replacement characters, which its key then refuses or keeps as they are.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, system_file: Some(PathBuf::from(SYSTEM_FILE)), variables, flags }
    }
}

/// One effective value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its path: `snapshot.deadline_s`, `checks."disk.space".warn_percent`.
    pub path: String,
    /// The value; `Null`: not set.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// The outcome of [`load`].
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The validated value.
    pub config: Config,
    /// Every value with its origin, in the order of [`KEYS`], then the open tables.
    pub settings: Vec<Setting>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

impl Loaded {
    /// The configuration, if a server may start with it.
    ///
    /// # Errors
    /// It would listen on every address, and links would lead nowhere.
    pub fn for_serving(&self) -> Result<&Config, ConfigError> {
        let config = &self.config;
        if config.listen.ip().is_unspecified() && config.public_url.is_none() {
            return Err(ConfigError::NoPublicUrl { listen: config.listen });
        }
        Ok(config)
    }
}

/// Reads the layers, the later one wins: defaults, file, environment, flags.
///
/// # Errors
/// The first key that is unknown or whose value is refused, with its place; a file that cannot be read.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::defaults();
    let file = match (&sources.file, &sources.system_file) {
        (Some(path), _) => Some((path, read(path)?)),
        (None, Some(path)) => match read(path) {
            Ok(text) => Some((path, text)),
            Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        },
        (None, None) => None,
    };
    if let Some((path, text)) = &file {
        layers.add_file(path, text)?;
    }
    layers.add_variables(&sources.variables)?;
    layers.add_flags(&sources.flags)?;
    layers.finish(file.map(|(path, _)| path.clone()))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let length = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    if length.map_err(failed)? as u64 > FILE_BYTES_MAX {
        return Err(failed(io::Error::other(format!("it is longer than {FILE_BYTES_MAX} bytes"))));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let line = line(&valid, valid.len());
        ConfigError::Syntax { path: path.to_owned(), line, message: "this is not UTF-8".to_owned() }
    })
}

/// What was gathered so far.
struct Layers {
    values: BTreeMap<&'static str, (Value, Origin)>,
    open: Vec<(open::Entry, Origin)>,
}

impl Layers {
    fn defaults() -> Self {
        let of_default = |key: &keys::Key| key.kind.of_text(key.default).expect("a test reads every default");
        let values = KEYS.iter().map(|key| (key.path, (of_default(key), Origin::Default))).collect();
        Self { values, open: Vec::new() }
    }

    fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let key = key_at(text, at).map_or_else(String::new, |key| format!("`{key}`: "));
            let message = format!("{key}{}", error.message());
            ConfigError::Syntax { path: path.to_owned(), line: line(text, at), message }
        })?;
        FileLayer { path, text, layers: self }.add_table("", document.get_ref())
    }

    fn add_variables(&mut self, variables: &[(String, String)]) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            // What Kubernetes and Docker put into the environment for a service that is called `snapvisor`.
            if rest.starts_with("SERVICE_") || rest.starts_with("PORT") {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            let Some(key) = KEYS.iter().find(|key| key.variable() == *name) else {
                let origin = Origin::Variable("environment".into());
                return Err(ConfigError::Key { origin, key: name.clone(), problem: no_variable(rest) });
            };
            self.set(key, key.kind.of_text(value), origin)?;
        }
        Ok(())
    }

    fn add_flags(&mut self, flags: &[Flag]) -> Result<(), ConfigError> {
        for flag in flags {
            let key = keys::find(flag.key).expect("a test checks the key of every flag");
            self.set(key, key.kind.of_text(&flag.value), Origin::Flag(flag.name))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &keys::Key, value: Result<Value, String>, origin: Origin) -> Result<(), ConfigError> {
        match value {
            Ok(value) => {
                self.values.insert(key.path, (value, origin));
                Ok(())
            }
            Err(expected) => {
                let problem = format!("must be {expected}");
                Err(ConfigError::Key { origin, key: key.path.to_owned(), problem })
            }
        }
    }

    fn finish(self, file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
        let mut root = Map::new();
        let mut settings = Vec::new();
        for key in KEYS {
            let (value, origin) = self.values.get(key.path).expect("the defaults hold every key").clone();
            let table = match key.section() {
                "" => &mut root,
                section => object(&mut root, section),
            };
            table.insert(key.name().to_owned(), value.clone());
            settings.push(Setting { path: key.path.to_owned(), value, origin });
        }
        for table in OpenTable::ALL {
            let _ = object(&mut root, table.name());
        }
        for (entry, origin) in self.open {
            open::insert(&mut root, &entry.names, entry.value.clone());
            settings.push(Setting { path: open::path(&entry.names), value: entry.value, origin });
        }
        let config: Config = serde_json::from_value(root.into()).expect("every value was checked on its way in");
        if config.snapshot.sampling_ms >= config.snapshot.deadline_s * 1000 {
            let key = "snapshot.sampling_ms".to_owned();
            let (_, origin) = self.values.get(key.as_str()).expect("the defaults hold every key").clone();
            return Err(ConfigError::Key {
                origin,
                key,
                problem: "must be shorter than `snapshot.deadline_s`".to_owned(),
            });
        }
        Ok(Loaded { config, settings, file })
    }
}

fn object<'a>(root: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let table = root.entry(name).or_insert_with(|| Value::Object(Map::new()));
    table.as_object_mut().expect("only tables are put under the name of a section")
}

/// What is wrong with a variable that sets nothing; `rest` is its name behind our prefix.
fn no_variable(rest: &str) -> String {
    let table = |table: &OpenTable| rest.split('_').next().is_some_and(|word| word.eq_ignore_ascii_case(table.name()));
    match OpenTable::ALL.into_iter().find(table) {
        Some(table) => format!("is not a setting: [{}] stands in the configuration file alone", table.name()),
        None => "is not a setting; `snapvisor config show` lists them".to_owned(),
    }
}

/// The key on the line of a byte of `text`: what stands before its `=`. Never a value, which may be a secret.
fn key_at(text: &str, at: usize) -> Option<&str> {
    let line = text.lines().nth(line(text, at) - 1)?;
    let (key, _) = line.split_once('=')?;
    Some(key.trim()).filter(|key| !key.is_empty())
}

/// The line of a byte of `text`, from 1.
fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

struct FileLayer<'a> {
    path: &'a Path,
    text: &'a str,
    layers: &'a mut Layers,
}

impl FileLayer<'_> {
    fn add_table(&mut self, section: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (name, value) in table {
            let path =
                if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
            let origin = Origin::File { path: self.path.to_owned(), line: line(self.text, name.span().start) };
            let problem = |problem: &str| ConfigError::Key {
                origin: origin.clone(),
                key: path.clone(),
                problem: problem.to_owned(),
            };
            if let Some(key) = keys::find(&path) {
                self.layers.set(key, key.kind.of_toml(value.get_ref()), origin)?;
                continue;
            }
            let open = OpenTable::ALL.into_iter().find(|open| section.is_empty() && open.name() == path);
            let known = open.is_some() || (section.is_empty() && KEYS.iter().any(|key| key.section() == path));
            match value.get_ref() {
                _ if !known => return Err(problem("is not a setting; `snapvisor config show` lists them")),
                DeValue::Table(inner) => match open {
                    Some(open) => self.add_open(open, inner)?,
                    None => self.add_table(&path, inner)?,
                },
                _ => return Err(problem("must be a table")),
            }
        }
        Ok(())
    }

    fn add_open(&mut self, open: OpenTable, table: &DeTable<'_>) -> Result<(), ConfigError> {
        let origin = |at: usize| Origin::File { path: self.path.to_owned(), line: line(self.text, at) };
        let entries = open.entries(table).map_err(|refusal| ConfigError::Key {
            origin: origin(refusal.at),
            key: open::path(&refusal.names),
            problem: refusal.problem,
        })?;
        for entry in entries {
            let origin = origin(entry.at);
            self.layers.open.push((entry, origin));
        }
        Ok(())
    }
}
