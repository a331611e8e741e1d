//! Surroundings of a key and its value: lines, blanks, colours, wrappers.

use super::super::bytes::{ByteSet, find};
use super::super::shape;
use super::value;

/// What may stand before a name at the start of a line.
const PREFIXES: &[&[u8]] =
    &[b"export", b"set", b"setenv", b"-", b"declare", b"local", b"SET", b"ENV", b"ARG", b"#", b";"];

/// Bytes of the indicator of a block scalar, with what may follow it on its line.
const INDICATOR_BYTES_MAX: usize = 8;
/// Bytes of the shortest value that a call behind it does not belong to.
const VALUE_BYTES_MIN: usize = 6;
/// White space between a name, its separator and its value.
pub(super) const GAP_MAX: usize = 64;

/// The first byte of a name behind the escapes of JSON, URLs and terminals that may stand before it.
pub(super) fn unescaped_start(bytes: &[u8], start: usize, stem: usize) -> usize {
    let before = |count: usize| start.checked_sub(count).and_then(|at| bytes.get(at)).copied();
    let rest = &bytes[start..stem];
    let skip = match before(1) {
        Some(b'\\') => match rest.first() {
            Some(b'u') if rest.len() >= 5 && rest[1..5].iter().all(u8::is_ascii_hexdigit) => 5,
            Some(b'n' | b't' | b'r' | b'0') => 1,
            _ => 0,
        },
        Some(b'%') if rest.starts_with(b"2525") && rest.len() >= 6 && rest[4..6].iter().all(u8::is_ascii_hexdigit) => 6,
        Some(b'%') if rest.len() >= 4 && rest.starts_with(b"25") && rest[2..4].iter().all(u8::is_ascii_hexdigit) => 4,
        Some(b'%') if rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit) => 2,
        Some(b'[')
            if matches!(before(2), Some(0x1b))
                || start >= 6 && bytes[..start - 1].ends_with(b"u001b")
                || bytes[..start - 1].ends_with(b"x1b")
                || bytes[..start - 1].ends_with(b"033") =>
        {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if rest.get(digits) == Some(&b'm') { digits + 1 } else { 0 }
        }
        Some(b';') => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 && rest.get(digits) == Some(&b'm') { digits + 1 } else { 0 }
        }
        _ => 0,
    };
    start + skip
}

/// The start of up to two words before a name that belong to it in prose: `Secret access key`.
pub(super) fn prose_start(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    for _ in 0..2 {
        if at < 2 || bytes[at - 1] != b' ' {
            break;
        }
        let word = bytes[..at - 1]
            .iter()
            .rev()
            .take(24)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte) || **byte >= 0x80)
            .count();
        if word == 0 || word >= 24 {
            break;
        }
        at -= word + 1;
    }
    at
}

pub(super) fn at_line_start(bytes: &[u8], at: usize) -> bool {
    let mut at = at;
    for _ in 0..3 {
        while at > 0 && matches!(bytes[at - 1], b' ' | b'\t' | b'"' | b'\'') {
            at -= 1;
        }
        if at == 0 || matches!(bytes[at - 1], b'\n' | b'\r') {
            return true;
        }
        // Most bytes end none of them.
        let may_end = matches!(bytes[at - 1], b't' | b'v' | b'-' | b'e' | b'l' | b'T' | b'V' | b'G' | b'#' | b';');
        let prefix = if may_end { PREFIXES.iter().find(|word| bytes[..at].ends_with(word)) } else { None };
        match prefix {
            Some(word) => at -= word.len(),
            None => return false,
        }
    }
    false
}

/// A name as configuration files have it, rather than a word of a sentence.
pub(super) fn is_config_name(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_lowercase() || b"_-.0123456789".contains(byte))
}

/// Whether `login NAME` stands before a `password` without a separator, as in `.netrc`. `username and password for it` is a
/// sentence: what joins the two is nobody's name, and a word follows.
pub(super) fn netrc_before(bytes: &[u8], at: usize) -> bool {
    let window = &bytes[at.saturating_sub(256)..at];
    let mut words = window.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(name), Some(keyword)) = (words.next(), words.next()) else { return false };
    let joined = name == b"and" || name == b"or";
    let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_lowercase);
    if joined && bytes[at..].split(u8::is_ascii_whitespace).nth(1).is_some_and(is_word) {
        return false;
    }
    [b"login".as_slice(), b"machine", b"account", b"user", b"username"].contains(&keyword)
}

pub(super) fn blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at.min(bytes.len())..].iter().take(GAP_MAX).take_while(|byte| matches!(**byte, b' ' | b'\t')).count()
}

pub(super) fn line_end(bytes: &[u8], from: usize, to: usize) -> usize {
    memchr::memchr2(b'\n', 0, &bytes[from.min(to)..to]).map_or(to, |found| from + found)
}

pub(super) fn skip_colour(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&0x1b) && bytes.get(at + 1) == Some(&b'[') {
        let codes = bytes[at + 2..].iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        match bytes.get(at + 2 + codes) {
            Some(b'm') => at += codes + 3,
            _ => break,
        }
    }
    at
}

/// The lines of a YAML block scalar whose indicator stands at `from`: where they begin, and their indentation, which is more
/// than that of the name.
pub(super) fn block_scalar(bytes: &[u8], name_start: usize, from: usize, to: usize) -> Option<(usize, usize)> {
    if !matches!(bytes.get(from), Some(b'|' | b'>')) {
        return None;
    }
    let line = line_end(bytes, from, to.min(from + INDICATOR_BYTES_MAX + 1));
    let plain = bytes[from + 1..line].iter().all(|byte| b"+-0123456789 \r".contains(byte));
    let first = line + 1;
    if !plain || line - from > INDICATOR_BYTES_MAX || first >= to {
        return None;
    }
    let blank = bytes[first..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let indent = bytes[first..first + blank].iter().rev().take_while(|byte| **byte == b' ').count();
    let line_begin = bytes[..name_start].iter().rev().take(512).take_while(|byte| **byte != b'\n').count();
    let own = bytes[name_start - line_begin..name_start].iter().take_while(|byte| b" -".contains(byte)).count();
    (indent > own).then_some((first, indent))
}

/// The value on the line after a key that has none on its own: further indented than its key, or in quotes.
pub(super) fn next_line(bytes: &[u8], name_start: usize, from: usize, to: usize, colon: bool) -> Option<usize> {
    let mut at = from;
    let continued = bytes.get(at) == Some(&b'\\');
    at += usize::from(continued);
    at += usize::from(bytes.get(at) == Some(&b'\r'));
    if bytes.get(at) != Some(&b'\n') {
        return None;
    }
    at += 1;
    let indent = blanks(bytes, at);
    let start = at + indent;
    let line_begin = bytes[..name_start].iter().rev().take(512).take_while(|byte| **byte != b'\n').count();
    let own =
        bytes[name_start - line_begin..name_start].iter().take_while(|byte| matches!(**byte, b' ' | b'\t')).count();
    let quoted = value::quote_at(bytes, start).is_some();
    let dash = bytes[start.min(bytes.len())..].starts_with(b"- ");
    if !(quoted || continued || indent > own && !dash) || start >= to {
        return None;
    }
    let line = line_end(bytes, start, to.min(start + 2048));
    let text = &bytes[start..line];
    let nested = text.iter().position(|byte| matches!(byte, b':' | b'=')).is_some_and(|place| {
        text[..place].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"' ".contains(byte))
            && (text[place] == b':' && text.get(place + 1).is_none_or(u8::is_ascii_whitespace)
                || text[place] == b'=' && !quoted && place + 2 < text.len() && text[place + 1] != b'=')
    });
    let words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    (!nested
        && !text.is_empty()
        && !text.starts_with(b"#")
        && !text.starts_with(b"//")
        && !text.starts_with(b"*")
        && (quoted || words == 1)
        && (colon || quoted || continued || indent > 0))
        .then_some(start)
}

/// Behind wrappers and prefixes of a quoted value: `Some("`, `SecretString::new("`, `b"`, `!!str "`, `getenv("X", "`.
pub(super) fn unwrapped(bytes: &[u8], from: usize, to: usize) -> usize {
    const WRAPPER: ByteSet = ByteSet::alphanumeric_and(b"_:. ");
    let mut at = from;
    for _ in 0..4 {
        let rest = &bytes[at.min(to)..to.min(at + 64)];
        // A binary of Erlang.
        if rest.starts_with(b"<<\"") {
            return at + 2;
        }
        if let Some(tag) = rest.strip_prefix(b"!!") {
            let word = tag.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let apart = blanks(bytes, at + 2 + word);
            if word > 0 && apart > 0 {
                at += 2 + word + apart;
                continue;
            }
        }
        // A tag of YAML before a text in quotes: `!text '…'`.
        if let Some(tag) = rest.strip_prefix(b"!") {
            let word = tag.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
            let apart = blanks(bytes, at + 1 + word);
            if word > 0 && apart > 0 && value::quote_at(bytes, at + 1 + word + apart).is_some() {
                return at + 1 + word + apart;
            }
        }
        let name = memchr::memchr(b'(', rest).unwrap_or(rest.len());
        if name < rest.len()
            && WRAPPER.run(&rest[..name]) == name
            && rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'(')
            && is_called(&rest[..name])
        {
            let inside = at + name + 1;
            // As programs print what they hold, a line for each.
            let gap =
                bytes[inside.min(to)..to].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
            let printed = rest[0].is_ascii_uppercase() && !rest[..name].contains(&b'.');
            let inside = if printed { inside + gap } else { inside };
            let wrapper = rest[..name].to_ascii_lowercase();
            if let Some((quote, text)) = value::quote_at(bytes, inside) {
                if wrapper.ends_with(b"getenv")
                    || wrapper.ends_with(b"environ.get")
                    || wrapper.ends_with(b"env")
                    || wrapper.ends_with(b"env_or")
                {
                    let end = value::quoted_end(bytes, text, to, quote) + quote.depth + 1;
                    let gap = bytes[end.min(to)..to]
                        .iter()
                        .take(8)
                        .take_while(|byte| **byte == b' ' || **byte == b',')
                        .count();
                    return if gap > 0 && value::quote_at(bytes, end + gap).is_some() { end + gap } else { from };
                }
                if asks(&wrapper) {
                    return from;
                }
                return if wrapper.ends_with(b"credential") || wrapper.ends_with(b"credentials") {
                    last_argument(bytes, quote, text, to).unwrap_or(from)
                } else {
                    inside
                };
            }
            let nested = bytes[inside.min(to)..to]
                .iter()
                .take(48)
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(byte))
                .count();
            let known = [
                b"some".as_slice(),
                b"ok",
                b"secret",
                b"secretstring",
                b"secretbox",
                b"string",
                b"new string",
                b"just",
            ]
            .contains(&wrapper.as_slice());
            if known && (nested > 0 && bytes.get(inside + nested) == Some(&b'(')) {
                at = inside;
                continue;
            }
            return if known { inside } else { from };
        }
        if rest.len() > 2
            && matches!(rest[0], b'b' | b'r' | b'u' | b'f' | b'L' | b'@' | b'N' | b'E')
            && matches!(rest[1], b'"' | b'\'')
        {
            return at + 1;
        }
        return at;
    }
    at
}

/// Whether the words before a bracket belong to its call: `new Secret(`, `env or getenv(`. A first word that looks like a
/// secret is the value, and the call behind it another's.
fn is_called(text: &[u8]) -> bool {
    let Some(blank) = memchr::memchr(b' ', text) else { return true };
    let (first, kinds) = (&text[..blank], shape::Kinds::of(&text[..blank]));
    let secret = first.len() >= VALUE_BYTES_MIN && kinds.digit > 0 && kinds.letters() > 0;
    !secret || shape::is_code_of_a_standard(first)
}

/// Where the second of two texts in quotes stands, or the only one; `inside` the quotes of the first.
fn last_argument(bytes: &[u8], quote: value::Quote, inside: usize, to: usize) -> Option<usize> {
    let after = value::quoted_end(bytes, inside, to, quote) + quote.depth + 1;
    if bytes[after.min(to)..to].first() == Some(&b')') {
        return Some(inside - quote.depth - 1);
    }
    let second = after + 1 + blanks(bytes, after + 1);
    (bytes.get(after) == Some(&b',') && value::quote_at(bytes, second).is_some()).then_some(second)
}

/// Whether what a function of this name is given is the name of a value or a question, and not the value.
fn asks(function: &[u8]) -> bool {
    const VERBS: &[&[u8]] = &[
        b"get", b"input", b"prompt", b"ask", b"read", b"find", b"lookup", b"fetch", b"load", b"split", b"strip",
        b"replace",
    ];
    let last = function.iter().rposition(|byte| b".: ".contains(byte)).map_or(function, |at| &function[at + 1..]);
    VERBS.iter().any(|verb| last.starts_with(verb))
        || [b"get".as_slice(), b"input", b"prompt"].iter().any(|verb| {
            last.len() > verb.len() && last[..last.len() - verb.len()].ends_with(b"_") && last.ends_with(verb)
        })
}

/// `${NAME:-default}`: the default.
pub(super) fn shell_default(bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    if !bytes[from.min(to)..to].starts_with(b"${") {
        return None;
    }
    let line = line_end(bytes, from, to.min(from + 512));
    let text = &bytes[from..line];
    let close = text.iter().position(|byte| *byte == b'}')?;
    let dash = find(&text[..close], b":-")
        .map(|at| at + 2)
        .or_else(|| text[..close].iter().position(|byte| *byte == b'-').map(|at| at + 1))?;
    let name = text[2..dash].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(byte));
    // The quotes around the whole may close before the brace that closes something else.
    let quotes = memchr::memchr_iter(b'"', &text[dash.min(close)..close]).count();
    (name && close > dash && quotes.is_multiple_of(2)).then_some((from + dash, from + close))
}

/// Whether a name and the quoted value at `from` are a statement in braces: `{ a b; shared-secret "…"; }`
pub(super) fn in_statement(bytes: &[u8], start: usize, from: usize, to: usize) -> bool {
    let before = bytes[..start].iter().rev().take(GAP_MAX).find(|byte| !byte.is_ascii_whitespace());
    let Some((quote, inside)) = value::quote_at(bytes, from) else { return false };
    let end = value::quoted_end(bytes, inside, to, quote);
    let after = bytes[end.min(to)..to].iter().skip(1 + quote.depth).find(|byte| !matches!(byte, b' ' | b'\t'));
    matches!(before, Some(b';' | b'{')) && matches!(after, Some(b';'))
}

/// Bytes before and behind a line in which others tell that the text is TOML.
const TOML_BYTES_MAX: usize = 256;

/// Whether a number that ends at `end` is a value of TOML, which needs quotes once it is none: its line is `name = 123`, and
/// another has what only TOML writes like that.
pub(super) fn is_toml_line(bytes: &[u8], start: usize, name_end: usize, end: usize) -> bool {
    let number = bytes[name_end..end].strip_prefix(b" = ");
    if !number.is_some_and(|number| number.iter().all(u8::is_ascii_digit))
        || !bytes[start..name_end].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        || bytes[..start].iter().rev().take(GAP_MAX).find(|byte| **byte != b' ').is_some_and(|byte| *byte != b'\n')
    {
        return false;
    }
    let rest = &bytes[end..line_end(bytes, end, bytes.len().min(end + TOML_BYTES_MAX))];
    if !rest.trim_ascii().is_empty() && !rest.trim_ascii().starts_with(b"#") {
        return false;
    }
    let near = &bytes[start.saturating_sub(TOML_BYTES_MAX)..bytes.len().min(end + TOML_BYTES_MAX)];
    let typed = |value: &[u8]| {
        value.starts_with(b"\"") || value.starts_with(b"[") || value.starts_with(b"true") || value.starts_with(b"false")
    };
    let is_sign = |sign: &usize| near[..*sign].ends_with(b" ") && near[*sign..].starts_with(b"= ");
    memchr::memchr_iter(b'=', near).take(LINES_MAX).filter(is_sign).any(|sign| typed(&near[sign + 2..]))
}

/// Lines that are asked whether they are TOML.
const LINES_MAX: usize = 16;

/// The end of a value under a weak name, of which the characters of tokens end at `run`.
pub(super) fn weak_end(bytes: &[u8], from: usize, run: usize, to: usize) -> usize {
    let mut end = run;
    let pads = bytes[end..to].iter().take(2).take_while(|byte| **byte == b'=').count();
    if bytes.get(end + pads).is_none_or(|byte| !byte.is_ascii_alphanumeric()) {
        end += pads;
    }
    while end > from && b".,;".contains(&bytes[end - 1]) {
        end -= 1;
    }
    end
}

/// Whether `=` stands between a name and its value without blanks, as shells want it.
pub(super) fn at_equals(bytes: &[u8], name_end: usize, from: usize) -> bool {
    bytes.get(name_end) == Some(&b'=') && from == name_end + 1
}

pub(super) fn is_json_word(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
}
