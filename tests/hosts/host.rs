//! A host as one text file.
//!
//! It begins with directives, a line each: `like NAME` takes all that another host has, `without PATH` takes away a path
//! and what is below it. Entries follow: `-- PATH --` and the file's content to the next entry; `-- PATH -> TARGET --`, a
//! link; `-- PATH hex --`, bytes that are no text, two digits each; `-- PATH += --`, an RFC 7386 merge patch of a JSON file of the host that it is like. `#` begins a comment before
//! the first entry.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Hosts that a host is like, one like the other.
const LIKE_MAX: usize = 8;
/// Where a recording keeps what is not a file.
const NOTES: &str = ".snapvisor/notes.json";
/// The newest lines of the kernel's log that a recording keeps.
const KERNEL_LINES_MAX: usize = 100;

#[derive(Debug, Clone)]
enum Entry {
    File(String),
    Bytes(Vec<u8>),
    Link(String),
}

/// All that is known of a host, by path.
#[derive(Debug, Default)]
pub(crate) struct Host(BTreeMap<String, Entry>);

impl Host {
    /// The host of this name.
    pub(crate) fn read(name: &str) -> Self {
        Self::like(name, LIKE_MAX)
    }

    fn like(name: &str, more: usize) -> Self {
        assert!(more > 0, "{name} is like itself");
        let path = super::folder().join(format!("{name}.host"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut host = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next_if(|line| heading(line).is_none()) {
            match line.split_once(' ') {
                Some(("like", other)) => host = Self::like(other, more - 1),
                Some(("without", path)) => host.without(path),
                _ => assert!(line.is_empty() || line.starts_with('#'), "{name}: {line}"),
            }
        }
        while let Some(heading) = lines.next().and_then(heading) {
            let mut content = String::new();
            while let Some(line) = lines.next_if(|line| self::heading(line).is_none()) {
                content.push_str(line);
                content.push('\n');
            }
            host.take(heading, content);
        }
        host
    }

    fn without(&mut self, path: &str) {
        let below = format!("{path}/");
        let before = self.0.len();
        self.0.retain(|known, _| known != path && !known.starts_with(&below));
        assert!(self.0.len() < before, "nothing to take away at {path}");
    }

    fn take(&mut self, heading: &str, content: String) {
        if let Some((path, target)) = heading.split_once(" -> ") {
            self.0.insert(path.to_owned(), Entry::Link(target.to_owned()));
        } else if let Some(path) = heading.strip_suffix(" hex") {
            let digits: Vec<char> = content.chars().filter(char::is_ascii_hexdigit).collect();
            let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
            self.0.insert(path.to_owned(), Entry::Bytes(digits.chunks(2).map(byte).collect()));
        } else if let Some(path) = heading.strip_suffix(" +=") {
            let Some(Entry::File(text)) = self.0.get(path) else { panic!("nothing to patch at {path}") };
            let mut value: Value = serde_json::from_str(text).unwrap();
            merge(&mut value, serde_json::from_str(&content).unwrap());
            self.0.insert(path.to_owned(), Entry::File(value.to_string()));
        } else {
            self.0.insert(heading.to_owned(), Entry::File(content));
        }
    }

    /// Writes it as a tree for `collect --root`.
    pub(crate) fn write(&self, tree: &Path) {
        for (path, entry) in &self.0 {
            let at = tree.join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            match entry {
                Entry::File(content) => fs::write(&at, content).unwrap(),
                Entry::Bytes(content) => fs::write(&at, content).unwrap(),
                Entry::Link(target) => std::os::unix::fs::symlink(target, &at).unwrap(),
            }
        }
    }

    /// What a recorded tree holds, trimmed: lists of names that the tree itself gives, and old lines of the kernel's log,
    /// go.
    pub(crate) fn recorded(tree: &Path) -> Self {
        let mut host = Self::default();
        host.walk(tree, tree);
        host.edit(NOTES, |notes| {
            let lists = notes["lists"].as_object_mut().unwrap();
            lists.retain(|path, names| {
                let there = fs::read_dir(tree.join(path.trim_matches('/')));
                let there: Vec<String> = there
                    .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
                    .unwrap_or_default();
                let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(Value::as_str).collect();
                // Of /proc only processes count, and they are there.
                path != "/proc" && !names.iter().all(|name| there.iter().any(|other| other == name))
            });
        });
        host.edit(".snapvisor/calls/kernel-log.json", |log| {
            let lines = log["ok"]["lines"].as_array_mut().unwrap();
            lines.drain(..lines.len().saturating_sub(KERNEL_LINES_MAX));
        });
        host
    }

    fn walk(&mut self, tree: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(tree).unwrap().to_str().unwrap().to_owned();
            if path.is_symlink() {
                let target = fs::read_link(&path).unwrap().to_str().unwrap().to_owned();
                self.0.insert(name, Entry::Link(target));
            } else if path.is_dir() {
                self.walk(tree, &path);
            } else {
                let content = String::from_utf8(fs::read(&path).unwrap());
                let entry = content.map_or_else(|error| Entry::Bytes(error.into_bytes()), Entry::File);
                self.0.insert(name, entry);
            }
        }
    }

    fn edit(&mut self, path: &str, change: impl FnOnce(&mut Value)) {
        let Some(Entry::File(text)) = self.0.get_mut(path) else { return };
        let mut value: Value = serde_json::from_str(text).unwrap();
        change(&mut value);
        *text = serde_json::to_string_pretty(&value).unwrap();
    }

    /// As a `.host` file.
    pub(crate) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |text, (path, entry)| match entry {
            Entry::Link(target) => text + &format!("-- {path} -> {target} --\n"),
            Entry::Bytes(content) => {
                let digits = content.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
                text + &format!("-- {path} hex --\n{digits}\n")
            }
            Entry::File(content) => {
                assert!(content.lines().all(|line| heading(line).is_none()), "{path} holds what looks like a heading");
                let end = if content.is_empty() || content.ends_with('\n') { "" } else { "\n" };
                text + &format!("-- {path} --\n{content}{end}")
            }
        })
    }
}

/// What stands in a heading.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("-- ")?.strip_suffix(" --")
}

/// RFC 7386.
fn merge(value: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let object = value.as_object_mut().unwrap();
    for (name, patch) in fields {
        if patch.is_null() {
            object.remove(&name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), patch);
        }
    }
}
