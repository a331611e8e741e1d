//! Data whose layout is known: environments, command lines, TOML, Iggy's configuration, files of credentials.

use toml_edit::{Document, Item, Value};

use super::super::carrier::Carrier;
use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::{self, Verdict, classify};
use super::{command, files, iggy, plausible, surroundings};

/// A text of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    start: usize,
    end: usize,
    /// Bytes of the quotes behind it.
    quotes: usize,
}

/// Takes from what the layers for text found what reaches beyond one of the texts, which are in order.
pub(super) fn within(texts: &[Text], spans: &mut Vec<Span>) {
    spans.retain_mut(|span| {
        let next = texts.partition_point(|text| text.start <= span.start);
        let stop = texts.get(next).map_or(usize::MAX, |text| text.start - text.quotes);
        let Some(text) = next.checked_sub(1).map(|last| texts[last]) else {
            span.end = span.end.min(stop.max(span.start));
            return true;
        };
        span.end = span.end.min(if span.start < text.end { text.end } else { stop.max(span.start) });
        !(text.end..=text.end + text.quotes).contains(&span.start)
    });
}

/// What the layout tells; the layers for text look at the same bytes afterwards. Gives back the texts of the document.
pub(super) fn spans(carrier: Carrier, bytes: &[u8], rules: &Compiled, spans: &mut Vec<Span>) -> Vec<Text> {
    match carrier {
        Carrier::Toml => return toml(bytes, rules, false, spans),
        Carrier::IggyConfig => return toml(bytes, rules, true, spans),
        Carrier::Text => {}
        Carrier::Environ => environ(bytes, rules, spans),
        Carrier::Argv => argv(bytes, rules, spans),
        Carrier::Shadow => {
            lines(bytes, spans, |line| fields(line, 1, 2).filter(|(start, end)| is_hash(&line[*start..*end])));
        }
        Carrier::Pgpass => lines(bytes, spans, pgpass),
        Carrier::UserSecret => lines(bytes, spans, user_secret),
        Carrier::SecondLine => second_line(bytes, spans),
        Carrier::IpsecSecrets => lines(bytes, spans, files::ipsec),
        Carrier::Bundler => lines(bytes, spans, files::bundler),
        Carrier::Digest => lines(bytes, spans, |line| fields(line, 2, 3)),
        Carrier::Docker => files::docker(bytes, spans),
        Carrier::Secret => lines(bytes, spans, |line| (!line.is_empty()).then_some((0, line.len()))),
    }
    Vec::new()
}

fn environ(bytes: &[u8], rules: &Compiled, spans: &mut Vec<Span>) {
    let mut at = 0;
    for entry in bytes.split(|byte| *byte == 0) {
        let start = at;
        at += entry.len() + 1;
        let Some(equals) = memchr::memchr(b'=', entry) else { continue };
        let value = &entry[equals + 1..];
        let verdict = classify(&entry[..equals], rules);
        if plausible::is_secret(value, verdict, plausible::Ends::Marked) && !rules.allows(value) {
            let class = if let Verdict::Strong(class) = verdict { class } else { Class::Key };
            spans.push(Span {
                rule: Rule::Builtin("environ"),
                ..Span::typed(start + equals + 1, start + entry.len(), class)
            });
        }
    }
}

fn argv(bytes: &[u8], rules: &Compiled, spans: &mut Vec<Span>) {
    let (mut at, mut arguments) = (0, Vec::new());
    for argument in bytes.split(|byte| *byte == 0) {
        arguments.push((at, at + argument.len()));
        let assigned = memchr::memchr(b'=', argument).filter(|equals| *equals > 0);
        if let Some(equals) = assigned {
            let name = &argument[argument.iter().take_while(|byte| **byte == b'-').count().min(equals)..equals];
            let value = &argument[equals + 1..];
            let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
            if plain
                && let Verdict::Strong(class) = classify(name, rules)
                && plausible::is_secret(value, Verdict::Strong(class), plausible::Ends::Marked)
                && !rules.allows(value)
            {
                spans.push(Span {
                    rule: Rule::Builtin("flag"),
                    ..Span::typed(at + equals + 1, at + argument.len(), class)
                });
            }
        }
        at += argument.len() + 1;
    }
    command::in_arguments(bytes, &arguments, rules, spans);
}

fn lines(bytes: &[u8], spans: &mut Vec<Span>, mut secret: impl FnMut(&[u8]) -> Option<(usize, usize)>) {
    let mut at = 0;
    for whole in bytes.split(|byte| *byte == b'\n') {
        let line = whole.strip_suffix(b"\r").unwrap_or(whole);
        if !line.starts_with(b"#")
            && let Some((start, end)) = secret(line)
            && plausible::is_secret(&line[start..end], Verdict::Strong(Class::Password), plausible::Ends::Marked)
        {
            spans.push(Span {
                rule: Rule::Builtin("credential-file"),
                ..Span::typed(at + start, at + end, Class::Password)
            });
        }
        at += whole.len() + 1;
    }
}

/// The fields from `first` to before `last` of a line divided by `:`.
fn fields(line: &[u8], first: usize, last: usize) -> Option<(usize, usize)> {
    let mut ends = memchr::memchr_iter(b':', line);
    let start = ends.by_ref().nth(first - 1)? + 1;
    let end = ends.nth(last - first - 1).unwrap_or(line.len());
    (start < end).then_some((start, end))
}

/// Whether a field of `/etc/shadow` is a hash that the layer for verifiers does not know.
fn is_hash(field: &[u8]) -> bool {
    field.len() >= 8 && !field.starts_with(b"$") && !field.starts_with(b"!$") && !field.starts_with(b"{")
}

/// `host:port:database:user:password`, with `\:` inside fields.
fn pgpass(line: &[u8]) -> Option<(usize, usize)> {
    let mut colons = line.iter().enumerate().filter(|(at, byte)| **byte == b':' && (*at == 0 || line[at - 1] != b'\\'));
    let start = colons.nth(3)?.0 + 1;
    (start < line.len()).then_some((start, line.len()))
}

/// The password of a file of two lines; a third may be empty.
fn second_line(bytes: &[u8], spans: &mut Vec<Span>) {
    let all: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(4).collect();
    let words = |line: &[u8]| !line.trim_ascii_end().iter().any(u8::is_ascii_whitespace);
    if all.len() < 2 || !all[..2].iter().all(|line| words(line)) || all[2..].iter().any(|line| !line.is_empty()) {
        return;
    }
    let mut number = 0;
    lines(bytes, spans, |line| {
        number += 1;
        (number == 2 && !line.is_empty()).then_some((0, line.len()))
    });
}

/// `user:password`, `host:user:password`, `host user:password`, or `client server password addresses`.
fn user_secret(line: &[u8]) -> Option<(usize, usize)> {
    let blank = line.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    if blank.is_none() {
        let colon = memchr::memrchr(b':', line)?;
        return (colon + 1 < line.len()).then_some((colon + 1, line.len()));
    }
    let mut at = 0;
    for _ in 0..2 {
        at += surroundings::blanks(line, at);
        at += files::word(line, at);
    }
    at += surroundings::blanks(line, at);
    if at == line.len() {
        let pair = line.trim_ascii_end();
        let from = pair.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |blank| blank + 1);
        return name::pair(&pair[from..]).map(|colon| (from + colon, pair.len()));
    }
    let length = files::word(line, at);
    let quoted = usize::from(line.get(at) == Some(&b'"'));
    (length > 2 * quoted).then_some((at + quoted, at + length - quoted))
}

/// The values of a TOML document that are secret by their names, or that a list does not allow.
fn toml(bytes: &[u8], rules: &Compiled, listed: bool, spans: &mut Vec<Span>) -> Vec<Text> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let Ok(document) = Document::parse(text) else { return Vec::new() };
    let mut path = String::new();
    let mut visit = Visit { bytes, rules, listed, spans, texts: Vec::new() };
    for (key, item) in document.as_table() {
        visit.item(&mut path, key, item);
    }
    let mut texts = visit.texts;
    texts.sort_unstable();
    texts
}

struct Visit<'a> {
    bytes: &'a [u8],
    rules: &'a Compiled,
    listed: bool,
    spans: &'a mut Vec<Span>,
    texts: Vec<Text>,
}

impl Visit<'_> {
    fn item(&mut self, path: &mut String, key: &str, item: &Item) {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        match item {
            Item::None => {}
            Item::Value(value) => self.value(path, value),
            Item::Table(table) => {
                for (key, item) in table {
                    self.item(path, key, item);
                }
            }
            Item::ArrayOfTables(tables) => {
                for table in tables {
                    for (key, item) in table {
                        self.item(path, key, item);
                    }
                }
            }
        }
        path.truncate(length);
    }

    fn value(&mut self, path: &mut String, value: &Value) {
        match value {
            Value::Array(array) => {
                for element in array {
                    self.value(path, element);
                }
            }
            Value::InlineTable(table) => {
                let length = path.len();
                for (key, value) in table {
                    path.push('.');
                    path.push_str(key);
                    self.value(path, value);
                    path.truncate(length);
                }
            }
            Value::Boolean(_) => {}
            Value::String(text) => self.text(path, value, text.value()),
            Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => self.number(path, value),
        }
    }

    fn verdict(&self, path: &str) -> (Verdict, Seed) {
        match classify(path.as_bytes(), self.rules) {
            Verdict::Strong(class) => (Verdict::Strong(class), Seed::Typed),
            weak if !self.listed => (weak, Seed::Never),
            _ if iggy::may_be_shown(path) => (Verdict::No, Seed::Never),
            _ => (Verdict::Strong(Class::Password), Seed::Never),
        }
    }

    fn text(&mut self, path: &str, value: &Value, text: &str) {
        let (verdict, seed) = self.verdict(path);
        let Some(range) = value.span() else { return };
        let raw = &self.bytes[range.clone()];
        let quotes = if raw.starts_with(b"\"\"\"") || raw.starts_with(b"'''") { 3 } else { 1 };
        let mut start = range.start + quotes;
        if quotes == 3 {
            start += self.bytes[start..].iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        }
        self.texts.push(Text { start: range.start + quotes, end: range.end - quotes, quotes });
        let told = matches!(verdict, Verdict::Strong(_)) && self.listed;
        let secret = if told {
            !text.is_empty() && !is_masked(text)
        } else {
            plausible::is_secret(text.as_bytes(), verdict, plausible::Ends::Marked)
        };
        if !secret || self.rules.allows(text.as_bytes()) {
            return;
        }
        let form =
            if raw.starts_with(b"\"") && memchr::memchr(b'\\', raw).is_some() { Form::Escaped(1) } else { Form::Raw };
        let class = if let Verdict::Strong(class) = verdict { class } else { Class::Key };
        if range.end - quotes > start {
            self.spans.push(Span {
                start,
                end: range.end - quotes,
                rule: Rule::Builtin("configuration"),
                class,
                form,
                seed,
            });
        }
    }

    fn number(&mut self, path: &str, value: &Value) {
        let (Verdict::Strong(class), Some(range)) = (self.verdict(path).0, value.span()) else { return };
        let text = &self.bytes[range.clone()];
        // What the layer for text would mask has to get its quotes here.
        let secret = class == Class::Password
            || self.listed
            || plausible::is_secret(text, Verdict::Strong(class), plausible::Ends::Guessed);
        if !secret || self.rules.allows(text) {
            return;
        }
        let form = Form::Bare { quote: b'"', depth: 0 };
        self.spans.push(Span {
            start: range.start,
            end: range.end,
            rule: Rule::Builtin("configuration"),
            class,
            form,
            seed: Seed::Never,
        });
    }
}

fn is_masked(text: &str) -> bool {
    super::super::pseudonym::mask_length(text.as_bytes()) == Some(text.len())
}
