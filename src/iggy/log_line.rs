//! A line of a server's log file, as `tracing` writes it: time, level, thread, target, message.

use crate::domain::level::{Level, level_of};
use crate::domain::time::Timestamp;

/// The parts of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When it was written.
    pub time: Option<Timestamp>,
    /// Its level.
    pub level: Level,
    /// What follows the level, or the whole line if there is none.
    pub message: &'a str,
}

impl<'a> LogLine<'a> {
    /// Reads a line that [`without_colours`] has been through. Any text is a line; what is not recognised is its message.
    #[must_use]
    pub fn read(line: &'a str) -> Self {
        let (time, rest) = match line.split_once(' ') {
            Some((first, rest)) => match first.parse() {
                Ok(time) => (Some(time), rest.trim_start()),
                Err(_) => (None, line),
            },
            None => (None, line),
        };
        Self { time, level: level_of(rest), message: message(rest) }
    }
}

/// What follows the level, where `tracing` puts one.
fn message(rest: &str) -> &str {
    let (word, message) = rest.split_once(' ').unwrap_or((rest, ""));
    match word.trim_end_matches(':') {
        "ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE" => message.trim_start(),
        _ => rest,
    }
}

/// The line without the escape sequences that colour a terminal.
#[must_use]
pub fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        // A sequence ends with a byte from `@` to `~`; one that never ends is shown as it is.
        let Some(end) = sequence.find(|c: char| ('@'..='~').contains(&c)) else {
            plain.push_str(&rest[at..]);
            return plain;
        };
        rest = &sequence[end + 1..];
    }
    plain.push_str(rest);
    plain
}

/// The message with what differs between repetitions taken out: numbers, hexadecimal ids and quoted texts become `#`.
#[must_use]
pub fn template(message: &str) -> String {
    let mut template = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if let Some((quoted, after)) = quoted(rest, first) {
            template.push(first);
            template.push_str(if quoted.is_empty() { "" } else { "#" });
            template.push(first);
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        if end == 0 {
            template.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        template.push_str(if varies(word) { "#" } else { word });
        rest = &rest[end..];
    }
    template
}

/// A quoted text of at most this many bytes is taken as one.
const QUOTED_BYTES_MAX: usize = 200;

fn quoted(rest: &str, quote: char) -> Option<(&str, &str)> {
    if !matches!(quote, '"' | '\'') {
        return None;
    }
    let inside = &rest[1..];
    let end = inside.find(quote).filter(|end| *end <= QUOTED_BYTES_MAX)?;
    Some((&inside[..end], &inside[end + 1..]))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether a word is a number, an address, an id, or a name with a number in it.
fn varies(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_real_server_is_taken_apart() {
        let line = "2026-11-24T04:18:52.792805Z  INFO main server::log::logger: It seems that you are a developer.";
        let read = LogLine::read(line);
        assert_eq!(read.time.map(|time| time.to_string()).as_deref(), Some("2026-11-24T04:18:52Z"));
        assert_eq!(read.level, Level::Info);
        assert_eq!(read.message, "main server::log::logger: It seems that you are a developer.");
    }

    #[test]
    fn text_without_a_time_or_a_level_is_a_message() {
        for line in ["", "thread 'shard-1' panicked at src/x.rs:1:2:", "INFORMATION about it", "2026-11-24 is a day"] {
            assert_eq!(LogLine::read(line), LogLine { time: None, level: Level::Other, message: line });
        }
        assert_eq!(LogLine::read("ERROR").level, Level::Error);
    }

    #[test]
    fn colours_are_taken_out() {
        let line = "\u{1b}[2m2026-11-24T10:47:13Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m shard-0: no";
        assert_eq!(without_colours(line), "2026-11-24T10:47:13Z ERROR shard-0: no");
        assert_eq!(without_colours("an \u{1b}[3"), "an \u{1b}[3");
    }

    #[test]
    fn repetitions_share_a_template() {
        for (message, expected) in [
            ("Saved 1024 messages in 3.5ms for stream ID: 7", "Saved # messages in # for stream ID: #"),
            ("client 127.0.0.1:4711 sent 'hello world'", "client #:# sent '#'"),
            ("it's fine", "it's fine"),
            ("id 9f8e7d6c-1111 ok ''", "id # ok ''"),
        ] {
            assert_eq!(template(message), expected);
        }
    }
}
