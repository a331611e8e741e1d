//! Headers of HTTP: `Authorization`, `Cookie` and their kin.

use std::ops::Range;

use super::super::bytes::ends_in;
use super::super::pseudonym::{Class, mask_length};
use super::super::span::{Form, Rule, Seed, Span};
use super::Through;
use super::named::{Keyed, Separator};
use super::plausible::{self, Ends};
use super::quoted::{self, Around};
use super::surroundings::blanks;
use super::tokens::{TOKENS, class_of, token_end};
use super::trigger::{Probe, Trigger};
use super::value::{self, Until};

/// Parameters of `Authorization: Digest` and its like whose values are secret.
const PARAMETERS: &[&[u8]] =
    &[b"response", b"signature", b"token", b"mac", b"oauth_signature", b"oauth_token", b"cnonce", b"nonce"];
/// Bytes of a header; of a longer one the value in which it is cut is swallowed to its end.
const HEADER_BYTES_MAX: usize = 4096;
/// Bytes of a parameter's name.
const PARAMETER_BYTES_MAX: usize = 64;
/// Bytes before a header in which brackets around it may open.
const BRACKETS_BYTES_MAX: usize = 256;
/// Parameters of one header.
const PARAMETERS_MAX: usize = 24;
/// Bytes of a scheme's name: `SharedKeyLite`, `AWS4-HMAC-SHA256`.
const SCHEME_BYTES_MAX: usize = 20;
/// What a server says of a cookie.
const ATTRIBUTES: &[&[u8]] = &[b"samesite", b"path", b"domain", b"max-age", b"expires"];
/// Cookies of one header.
const COOKIES_MAX: usize = 128;

/// Masks the value that begins at `at` of such a header, whose name stands between two positions.
pub(super) fn mask(
    keyed: &mut Keyed<'_>,
    (start, stop): (usize, usize),
    at: usize,
    to: usize,
) -> Option<(usize, Option<Through>)> {
    let bytes = keyed.bytes;
    let name = &bytes[start..stop];
    let mut from = at + blanks(bytes, at);
    // `"Authorization": ["Bearer …"]`, as programs print headers.
    if bytes.get(from) == Some(&b'[') && value::quote_at(bytes, from + 1).is_some() {
        from += 1;
    }
    if value::is_structure(bytes, from, to) || is_scalar(bytes, at, from) {
        return None;
    }
    let near = to.min(from + HEADER_BYTES_MAX);
    let mut line = keyed.line_end(from, near);
    // As Go prints a map of lists: `Authorization:[Bearer …]`.
    if from == at && bytes[..at].ends_with(b":") && bytes.get(from) == Some(&b'[') {
        line = from + memchr::memchr(b']', &bytes[from..line])?;
        from += 1;
    }
    // What is in quotes may end in those around the header before it ends in its own.
    let quote = |range: Range<usize>| memchr::memchr3(b'"', b'\'', b'`', &bytes[range]);
    let marked = keyed.memory.quote.after(from, line, quote).is_some();
    let around =
        if marked && value::quote_at(bytes, stop).is_none() { Around::of(bytes, start) } else { Around::default() };
    let closed = around.end(bytes, from, line);
    let mut end = closed.map_or(line, |(end, _)| end);
    let mut ends = if closed.is_some() { Ends::Marked } else { Ends::Guessed };
    let mut form = closed.map_or(Form::Raw, |(end, quote)| value::form_of(quote, &bytes[from..end]));
    if let Some((quote, inside)) = value::quote_at(bytes, from).filter(|(_, inside)| *inside <= end) {
        let separator = if bytes[..at].ends_with(b":") { Separator::Colon } else { Separator::Equals };
        let own = quoted::extent(bytes, inside, near, quote, separator);
        if around.has(bytes, quote, inside) {
            return None;
        }
        if closed.is_none_or(|(end, _)| own.1 < end) {
            (from, end) = own;
            form = value::form_of(quote, &bytes[from..end]);
            ends = Ends::Marked;
        }
    } else if closed.is_some() {
        // They end where the quotes around the header do.
    } else if let Some(stop) = keyed.memory.stop.after(from, line, |range| stop_of(&bytes[range])) {
        let digest = bytes[from..stop].iter().position(|byte| *byte == b'=');
        if digest.is_none() {
            end = stop;
        }
    }
    while end > from && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    if ends == Ends::Guessed && bytes[from..end].last().is_some_and(|last| b"]}".contains(last)) {
        end = before_brackets(bytes, start, from, end);
    }
    let done = if ends_in(name, b"cookie") {
        let only_first = ends_in(name, b"set-cookie");
        cookies(keyed, (from, end), form, if only_first { 1 } else { COOKIES_MAX })
    } else {
        credentials(keyed, (from, end), form, ends)
    };
    let cut = line == near && near < bytes.len();
    done.map(|resume| (resume, (cut && resume == line).then_some(Through::Bare(Until::Blank))))
}

/// Where a header ends behind which brackets close that were opened before its name: `{Cookie: a=b}`.
fn before_brackets(bytes: &[u8], start: usize, from: usize, end: usize) -> usize {
    let before = &bytes[start.saturating_sub(BRACKETS_BYTES_MAX)..start];
    let before = memchr::memrchr(b'\n', before).map_or(before, |line| &before[line + 1..]);
    let mut end = end;
    while let Some(close @ (b']' | b'}')) = bytes[from..end].last() {
        let open = if *close == b']' { b'[' } else { b'{' };
        if bytes[from..end].contains(&open) || !before.contains(&open) {
            break;
        }
        end = from + bytes[from..end - 1].trim_ascii_end().len();
    }
    end
}

/// The first quote, backslash or colour.
fn stop_of(text: &[u8]) -> Option<usize> {
    let marked = memchr::memchr3(b'"', b'\'', b'\\', text);
    memchr::memchr(0x1b, &text[..marked.unwrap_or(text.len())]).or(marked)
}

/// Whether what begins at `from`, behind a name in quotes and a colon or behind `=`, is a number, a word of JSON or nothing.
fn is_scalar(bytes: &[u8], at: usize, from: usize) -> bool {
    let before = bytes[..at].strip_suffix(b":").unwrap_or_default();
    let json = before.trim_ascii_end().last().is_some_and(|quote| b"\"'".contains(quote));
    let word = bytes[from.min(bytes.len())..]
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(byte))
        .count();
    let word = &bytes[from.min(bytes.len())..][..word];
    let number = word.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE_".contains(byte));
    let number = number && !word.is_empty() || word.len() > 2 && plausible::is_number(word);
    (json || bytes[..at].ends_with(b"=")) && (number || value::is_constant(word))
}

/// `scheme credentials`, or bare credentials.
fn credentials(keyed: &mut Keyed<'_>, (from, end): (usize, usize), form: Form, ends: Ends) -> Option<usize> {
    let bytes = keyed.bytes;
    let word = bytes[from..end].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    let scheme_ends = bytes.get(from + word).is_some_and(|byte| *byte == b' ' || *byte == b'+')
        || bytes[from + word..end].starts_with(b"%20");
    let start = if scheme_ends && is_scheme(&bytes[from..from + word]) && from + word + 1 < end {
        from + word + if bytes[from + word] == b'%' { 3 } else { 1 }
    } else {
        from
    };
    let start = start + blanks(bytes, start);
    if start >= end {
        return None;
    }
    let text = &bytes[start..end];
    let parameters = memchr::memchr(b'=', &text[..text.len().min(PARAMETER_BYTES_MAX)]).is_some_and(|place| {
        place > 0
            && text[..place].iter().all(|byte| byte.is_ascii_alphabetic() || b"_- ".contains(byte))
            && place + 1 < text.len()
            && text[place + 1] != b'='
    });
    if parameters && start > from {
        return parameter_values(keyed, start, end, form);
    }
    let mut stop = value::bare_end(bytes, start, end, Until::Blank);
    // Quotes of other kinds, and what is escaped, end nothing in quotes.
    let goes_on = matches!(bytes[stop..end], [b'"' | b'\'' | b'`', ..])
        || matches!(bytes[stop..end], [b'\\', escaped, ..] if !b"nrt".contains(&escaped));
    if ends == Ends::Marked && goes_on {
        stop += bytes[stop..end].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    }
    push(keyed, (start, stop), form, Class::Token, "authorization")
}

/// Whether a word may be the name of a scheme. Names with digits are those of digests; any other such word may be a secret.
fn is_scheme(word: &[u8]) -> bool {
    let digest = word.starts_with(b"AWS") || word.windows(3).any(|part| part.eq_ignore_ascii_case(b"SHA"));
    (1..=SCHEME_BYTES_MAX).contains(&word.len()) && (digest || !word.iter().any(u8::is_ascii_digit))
}

fn parameter_values(keyed: &mut Keyed<'_>, from: usize, end: usize, form: Form) -> Option<usize> {
    let bytes = keyed.bytes;
    let (mut at, mut last) = (from, None);
    for _ in 0..PARAMETERS_MAX {
        let skip = bytes[at..end].iter().take_while(|byte| b", ;".contains(byte)).count();
        let name_at = at + skip;
        let name =
            bytes[name_at..end].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
        let equals = name_at + name;
        if name == 0 || bytes.get(equals) != Some(&b'=') {
            break;
        }
        let (start, stop, next) = if let Some((quote, inside)) = value::quote_at(bytes, equals + 1) {
            let stop = value::quoted_end(bytes, inside, end, quote);
            (inside, stop, (stop + quote.depth + 1).min(end))
        } else {
            let text = &bytes[equals + 1..end];
            let stop = equals + 1 + text.iter().take_while(|byte| !b", ;".contains(byte)).count();
            (equals + 1, stop, stop)
        };
        if PARAMETERS.iter().any(|listed| bytes[name_at..equals].eq_ignore_ascii_case(listed)) {
            last = push(keyed, (start, stop), form, Class::Token, "authorization").or(last);
        }
        at = next.max(equals + 1);
    }
    last
}

fn cookies(keyed: &mut Keyed<'_>, (from, end): (usize, usize), form: Form, most: usize) -> Option<usize> {
    let bytes = keyed.bytes;
    let (mut at, mut last) = (from, None);
    for _ in 0..most {
        let semicolon = |range: Range<usize>| memchr::memchr(b';', &bytes[range]);
        let stop = keyed.memory.semicolon.after(at.min(end), end, semicolon).unwrap_or(end);
        let equals = |range: Range<usize>| memchr::memchr(b'=', &bytes[range]);
        let Some(equals) = keyed.memory.equals.after(at.min(stop), stop, equals) else { break };
        // Whoever sends a token as the name of a cookie has no less of a secret there.
        let mut tokens = Probe::get().triggers(bytes, at).filter_map(|(trigger, _)| match trigger {
            Trigger::Token(place) => Some(&TOKENS[place]),
            _ => None,
        });
        let token = tokens.find_map(|token| Some((token, token_end(token, bytes, at, equals)?)));
        if let Some((token, end)) = token {
            last = push(keyed, (at, end), form, class_of(token), "token").or(last);
        }
        let name = bytes[at..equals].trim_ascii();
        if !ATTRIBUTES.iter().any(|attribute| name.eq_ignore_ascii_case(attribute)) {
            last = push(keyed, (equals + 1, stop), form, Class::Cookie, "cookie").or(last);
        }
        at = stop + 1;
        at += blanks(bytes, at);
        if at >= end {
            break;
        }
    }
    last.map(|last| last.max(at.min(end)))
}

fn push(
    keyed: &mut Keyed<'_>,
    (start, end): (usize, usize),
    form: Form,
    class: Class,
    rule: &'static str,
) -> Option<usize> {
    let value = keyed.bytes.get(start..end)?;
    if mask_length(value) == Some(value.len()) && start < end {
        return Some(end);
    }
    let verdict = super::name::Verdict::Strong(Class::Password);
    if !plausible::is_secret(value, verdict, Ends::Marked) || keyed.rules.allows(value) {
        return None;
    }
    keyed.spans.push(Span { start, end, rule: Rule::Builtin(rule), class, form, seed: Seed::Found });
    Some(end)
}
