//! Values: where the value of a secret-named key begins and ends.

use super::super::bytes::{ByteSet, WordSet};
use super::super::shape;
use super::super::span::Form;

/// A quote, and the backslashes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::redact) struct Quote {
    /// `"`, `'` or a backtick.
    pub(in crate::redact) mark: u8,
    /// Backslashes before it: 0, 1, 3, 7, … for JSON in JSON in JSON.
    pub(in crate::redact) depth: usize,
}

/// Words that make prose of what follows a colon.
#[rustfmt::skip]
const PROSE_WORDS: WordSet<59> = WordSet::of([
    "must", "is", "are", "was", "for", "to", "from", "at", "of", "the", "not", "has", "have", "in", "with", "should",
    "cannot", "and", "or", "will", "does", "be", "been", "this", "that", "a", "an", "required", "expected", "missing",
    "on", "by", "line", "if", "when", "unless", "which", "can", "may", "but", "also", "option", "options", "see",
    "via", "instead", "after", "before", "while", "denied", "refused", "successfully", "siehe", "wie", "beim", "und",
    "nicht", "wird", "already",
]);

/// The backslashes that end before `at`.
fn backslashes_before(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rev().take(64).take_while(|byte| **byte == b'\\').count()
}

/// The quote that begins at `at`, with its backslashes.
pub(super) fn quote_at(bytes: &[u8], at: usize) -> Option<(Quote, usize)> {
    let depth = bytes.get(at..)?.iter().take(64).take_while(|byte| **byte == b'\\').count();
    let mark = *bytes.get(at + depth)?;
    let nested = (depth + 1).is_power_of_two();
    (b"\"'`".contains(&mark) && nested).then_some((Quote { mark, depth }, at + depth + 1))
}

/// How what stands in these quotes is written.
pub(super) fn form_of(quote: Quote, text: &[u8]) -> Form {
    let escaped = quote.mark == b'"' && memchr::memchr(b'\\', text).is_some();
    let depth = u8::try_from((quote.depth + 1).trailing_zeros()).unwrap_or(0) + 1;
    if escaped { Form::Escaped(depth) } else { Form::Raw }
}

/// The quote that ends before `at`.
pub(super) fn quote_before(bytes: &[u8], at: usize) -> Option<Quote> {
    let mark = *bytes.get(at.checked_sub(1)?)?;
    if !b"\"'`".contains(&mark) {
        return None;
    }
    let depth = backslashes_before(bytes, at - 1);
    (depth + 1).is_power_of_two().then_some(Quote { mark, depth })
}

/// Where a quoted text that begins at `from` ends: the position of its closing quote's backslashes, or of the end of the
/// line or of what may be looked at.
pub(super) fn quoted_end(bytes: &[u8], from: usize, to: usize, quote: Quote) -> usize {
    let cycle = 2 * (quote.depth + 1);
    let mut at = from;
    while at < to {
        let Some(next) = memchr::memchr3(quote.mark, b'\n', 0, &bytes[at..to]) else { return to };
        let place = at + next;
        if bytes[place] != quote.mark {
            return place - usize::from(bytes[place] == b'\n' && place > from && bytes[place - 1] == b'\r');
        }
        let run = backslashes_before(bytes, place).min(place - from);
        let closes = match quote.mark {
            b'\'' if quote.depth == 0 => {
                let after = bytes.get(place + 1).copied().unwrap_or(b'\n');
                if bytes[place..to.min(place + 4)] == *b"'\\''" {
                    at = place + 4;
                    continue;
                }
                let next = bytes.get(place + 2).copied().unwrap_or_default();
                if after == b'\'' && run == 0 && (place == from || !b"\n\r\0,;)]}".contains(&next)) {
                    at = place + 2;
                    continue;
                }
                run.is_multiple_of(2) || after.is_ascii_whitespace() || b",;)}]".contains(&after)
            }
            b'`' => true,
            _ => run < quote.depth || run % cycle == quote.depth,
        };
        if closes {
            return place - run.min(quote.depth);
        }
        at = place + 1;
    }
    to
}

/// Whether a list or a table of JSON, TOML or YAML begins at `at`, and no text in brackets.
pub(super) fn is_structure(bytes: &[u8], at: usize, to: usize) -> bool {
    let Some(open @ (b'[' | b'{')) = bytes.get(at).copied() else { return false };
    let rest = &bytes[at + 1..to.max(at + 1)];
    let gap = rest.iter().take(256).take_while(|byte| byte.is_ascii_whitespace()).count();
    let inner = &rest[gap..];
    let word = inner.iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.+:".contains(byte)).count();
    let after = inner[word..].trim_ascii_start().first();
    match inner.first() {
        Some(b'[' | b'{' | b']' | b'}' | b'"' | b'\'') => true,
        Some(b'\\') => quote_at(inner, 0).is_some(),
        Some(_) if open == b'{' => word > 0 && (matches!(after, Some(b'=' | b':')) || inner[word - 1] == b':'),
        _ => {
            let hex = inner[..word].strip_prefix(b"0x").is_some_and(shape::is_hex);
            let number = hex || inner[..word].iter().all(|byte| byte.is_ascii_digit() || b"-+._eE:TZ".contains(byte));
            let scalar = number || is_constant(&inner[..word]);
            word > 0 && scalar && matches!(after, Some(b',' | b']'))
        }
    }
}

/// Whether a table as code is written begins at `at`: a number under the first name, and another name or the end behind it.
pub(super) fn is_table(bytes: &[u8], at: usize, to: usize) -> bool {
    let name =
        |text: &[u8]| text.iter().take(64).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    let Some(inner) = bytes[at.min(to)..to].strip_prefix(b"{") else { return false };
    let Some(value) = inner[name(inner)..].strip_prefix(b":").filter(|_| name(inner) > 0) else { return false };
    let number = value.iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    match value[number..] {
        [b',', ref rest @ ..] if number > 0 => name(rest) > 0 && matches!(rest.get(name(rest)), Some(b':' | b'=')),
        [b'}', ref rest @ ..] if number > 0 => {
            rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || b",;)]".contains(byte))
        }
        _ => false,
    }
}

/// Whether a word of JSON or TOML stands for a value by itself, and is no text.
pub(super) fn is_constant(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null" | b"inf" | b"nan")
}

/// Without the quotes of another kind that a quoted text may begin and end with: `'"secret"'`.
pub(super) fn within_quotes(bytes: &[u8], inside: usize, end: usize, quote: Quote) -> (usize, usize) {
    match bytes[inside..end] {
        [first @ (b'"' | b'\''), _, .., last] if first == last && first != quote.mark => (inside + 1, end - 1),
        _ => (inside, end),
    }
}

/// Quotes written as entities, percent-encoded or as an escape of JSON.
const ENTITY_QUOTES: &[&[u8]] = &[
    b"&quot;", b"&#34;", b"&#39;", b"&apos;", b"&#x27;", b"&#x22;", b"%22", b"%27", b"%2522", b"%2527", b"%252522",
    b"%252527", b"\\u0022", b"\\u0027",
];

/// Where what follows this sign, percent-encoded once or twice, begins.
pub(super) fn percent(bytes: &[u8], at: usize, hex: &[u8]) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"%")?;
    let again = rest.chunks(2).take(2).take_while(|pair| *pair == b"25").count() * 2;
    let rest = &rest[again..];
    let from = at + 3 + again;
    let behind = bytes.get(from..)?;
    // A blank of JSON, encoded as often, or as a form has it.
    let blank = match behind {
        [b'+', b'%', ..] => 1,
        [b'%', encoded @ ..] if encoded[again.min(encoded.len())..].starts_with(b"20") => 3 + again,
        _ => 0,
    };
    rest.get(..2)?.eq_ignore_ascii_case(hex).then_some(from + blank)
}

/// The entity that stands for a quote at `at`.
pub(super) fn entity_quote(bytes: &[u8], at: usize) -> Option<&'static [u8]> {
    let rest = bytes.get(at..).filter(|rest| matches!(rest.first(), Some(b'&' | b'%' | b'\\')))?;
    ENTITY_QUOTES.iter().find(|entity| rest.starts_with(entity)).copied()
}

/// What ends a value that is not in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::redact) enum Until {
    /// White space.
    Blank,
    /// The end of its line, blanks included.
    Line,
    /// The next parameter of a URL.
    Query,
    /// What ends a parameter and is percent-encoded, as the sign before the value is.
    Encoded,
}

/// Whether a name followed by `=` or `:` begins at `at`.
fn name_follows(bytes: &[u8], at: usize, to: usize) -> bool {
    let name = bytes[at.min(to)..to]
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte))
        .count();
    name > 0 && bytes[at].is_ascii_alphabetic() && matches!(bytes.get(at + name), Some(b'=' | b':')) && at + name < to
}

/// What neither ends a value nor opens a bracket.
pub(super) const PLAIN: ByteSet = ByteSet::of(b"\n\r\0\x1b \t\x0b\x0c\"'`\\<&#%,;([{)]}>").others();

/// Where a value without quotes that begins at `from` ends.
pub(super) fn bare_end(bytes: &[u8], from: usize, to: usize, until: Until) -> usize {
    let (end, _) = bare_stop(bytes, (from, from), to, until);
    trimmed(bytes, from, end, until)
}

/// Where a value stops that begins at `from` and goes on at least to `start` without a bracket, and behind which byte no
/// bracket stands in it.
pub(super) fn bare_stop(bytes: &[u8], (from, start): (usize, usize), to: usize, until: Until) -> (usize, usize) {
    let (mut at, mut open, mut clear) = (start, 0_i32, from);
    loop {
        at += PLAIN.run(&bytes[at..to]);
        if at >= to {
            break;
        }
        let byte = bytes[at];
        let next = if at + 1 < to { bytes[at + 1] } else { b'\n' };
        let ends = match byte {
            b'\n' | b'\r' | 0 | 0x1b => true,
            b' ' | b'\t' | 0x0b | 0x0c => until != Until::Line,
            b'"' | b'\'' | b'`' => {
                let run = bytes[at..to].iter().take(MARKS_MAX).take_while(|mark| **mark == byte).count();
                let next = bytes[..to].get(at + run).copied().unwrap_or(b'\n');
                let within = at > from && bytes[at - 1].is_ascii_alphanumeric() && next.is_ascii_alphanumeric();
                at += if within { run - 1 } else { 0 };
                !within
            }
            b'\\' => {
                let run = bytes[at..to].iter().take(MARKS_MAX).take_while(|byte| **byte == b'\\').count();
                // Those before a quote escape each other; the last escapes it when it is left over.
                if bytes[..to].get(at + run).is_some_and(|mark| b"\"'`".contains(mark)) {
                    at += if (run + 1).is_power_of_two() { 0 } else { run - run % 2 };
                    break;
                }
                matches!(next, b'n' | b'r' | b't') && !bytes.get(at + 2).is_some_and(u8::is_ascii_lowercase)
                    || bytes[at..to].starts_with(b"\\u00")
            }
            b'<' => {
                next == b'/'
                    || next.is_ascii_alphabetic() && tag_follows(bytes, at, to) && !is_alone(bytes, at, from, to)
            }
            b'&' => {
                matches!(until, Until::Query | Until::Encoded)
                    || entity_quote(bytes, at).is_some()
                    || name_follows(bytes, at + 1, to)
                    || bytes[at..to].starts_with(b"&amp;")
                        && (at == from || at + 5 == to || name_follows(bytes, at + 5, to))
                    || bytes[at..to].starts_with(b"&lt;")
                        && bytes[..to]
                            .get(at + 4)
                            .is_none_or(|byte| byte.is_ascii_alphabetic() || b"/ \n".contains(byte))
            }
            b'#' => matches!(until, Until::Query | Until::Encoded),
            b'%' => {
                until == Until::Encoded
                    && (entity_quote(bytes, at).is_some() || percent(&bytes[..to], at, b"26").is_some())
                    || bytes[at..to].len() > 2 && bytes[at + 1..at + 3].eq_ignore_ascii_case(b"0a")
            }
            b',' | b';' => {
                // A line that assigns one value may hold commas; further settings of a line go by semicolons.
                next.is_ascii_whitespace()
                    || b"\"'}])\0".contains(&next)
                    || quote_at(&bytes[..to], at + 1).is_some()
                    || (until != Until::Line || byte == b';') && name_follows(bytes, at + 1, to)
            }
            b'(' | b'[' | b'{' => {
                open += 1;
                false
            }
            b')' | b']' | b'}' => {
                open -= 1;
                let next = after_brackets(&bytes[..to], at + 1);
                open < 0 && (next.is_ascii_whitespace() || b",;.\"'<\\\0)]}".contains(&next))
            }
            b'>' => next.is_ascii_whitespace() && at == from,
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
        if b"([{)]}".contains(&byte) {
            clear = at;
        }
    }
    (at, clear)
}

/// The end of a value without the blanks and the full stop behind it.
pub(super) fn trimmed(bytes: &[u8], from: usize, end: usize, until: Until) -> usize {
    let mut at = end;
    while at > from && matches!(bytes[at - 1], b' ' | b'\t') {
        at -= 1;
    }
    if at > from + 1 && matches!(bytes[at - 1], b'.' | b',' | b';') && until != Until::Line {
        at -= 1;
    }
    at
}

/// Marks in a row within a value, and brackets that close in a row.
const MARKS_MAX: usize = 8;

/// What follows the closing brackets at `at`; a bracket, if they are too many.
fn after_brackets(bytes: &[u8], at: usize) -> u8 {
    let run = bytes[at..].iter().take(MARKS_MAX).take_while(|byte| b")]}".contains(byte)).count();
    bytes.get(at + run).copied().unwrap_or(b'\n')
}

/// Whether a value is one word in angle brackets, and no element begins there.
fn is_alone(bytes: &[u8], at: usize, from: usize, to: usize) -> bool {
    at == from
        && memchr::memchr2(b'>', b'\n', &bytes[at..to.min(at + 40)]).is_some_and(|close| {
            let digits = bytes[at..at + close].iter().any(u8::is_ascii_digit);
            bytes[at + close] == b'>' && digits && bytes[..to].get(at + close + 1).is_none_or(u8::is_ascii_whitespace)
        })
}

fn tag_follows(bytes: &[u8], at: usize, to: usize) -> bool {
    let name =
        bytes[at + 1..to].iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    matches!(bytes.get(at + 1 + name), Some(b'>' | b'/' | b' '))
}

/// Cuts a value that runs to the end of its line at a comment, or to its first word when more settings follow on the line
/// or the rest is prose.
pub(super) fn line_value(bytes: &[u8], from: usize, to: usize) -> usize {
    let value = &bytes[from..to];
    let first = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
    // `password=… failed after 3 retries`
    let rest = value[first..].trim_ascii_start();
    let kinds = shape::Kinds::of(&value[..first]);
    if kinds.digit > 0 && kinds.letters() > 0 && rest.first().is_some_and(u8::is_ascii_lowercase) && is_prose(rest) {
        return from + first;
    }
    let (mut at, mut words) = (first, 1);
    while at < value.len() {
        let start = at + value[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = start + value[start..].iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
        let word = &value[start..end];
        if word.starts_with(b"#") || word.starts_with(b";") || word.starts_with(b"//") {
            return from + at;
        }
        let assigns = word.iter().position(|byte| matches!(byte, b'=')).is_some_and(|place| {
            place > 0 && word[..place].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        });
        words += 1;
        if assigns
            || words > 8
            || word.starts_with(b"(")
            || (word.ends_with(b":") && word.len() > 1)
            || word.starts_with(b"--")
            || word == b"|"
        {
            return from + first;
        }
        at = end;
    }
    from + value.len()
}

/// Bytes of the longest word of a sentence.
const WORD_BYTES_MAX: usize = 40;
/// Words of a sentence in which a name of a secret may stand.
const SENTENCE_WORDS_MAX: usize = 24;
/// Bytes of a line by which a sentence is told.
pub(super) const SENTENCE_BYTES_MAX: usize = 256;

/// Whether only sentences have this word.
pub(super) fn is_prose_word(word: &[u8]) -> bool {
    PROSE_WORDS.has(word)
}

/// Whether a word is what secrets are called in sentences.
pub(super) fn is_name_word(word: &[u8]) -> bool {
    matches!(word, b"password" | b"passwords" | b"passphrase" | b"secret" | b"secrets" | b"token" | b"tokens" | b"key")
}

/// Whether what follows a colon tells of a function or a file, as lists of changes do: words and nothing else.
pub(super) fn is_told(line: &[u8]) -> bool {
    let line = line[..line.len().min(SENTENCE_BYTES_MAX)].trim_ascii();
    if !line.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut words = 0;
    for word in line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()) {
        if words == 0 && word.len() > 12 {
            return false;
        }
        let body = word.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        let plain = word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.,;()'".contains(byte))
            && (body == 0 || word.contains(&b'_') || !word.iter().any(u8::is_ascii_digit));
        if !plain || words == 0 && body < word.len() {
            return false;
        }
        words += 1;
    }
    words >= 3 || words == 2 && line.ends_with(b".")
}

/// Whether what follows a colon is prose: lower-case words with one among them that only sentences have.
pub(super) fn is_prose(line: &[u8]) -> bool {
    let line = line[..line.len().min(SENTENCE_BYTES_MAX)].trim_ascii_start();
    if !line.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"'-".contains(byte)) {
        return false;
    }
    // A word that no sentence begins with, or nothing behind it.
    if memchr::memchr2(b' ', b'\t', &line[..line.len().min(WORD_BYTES_MAX + 2)]).is_none() {
        return false;
    }
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let first = first.strip_suffix(b";").or(first.strip_suffix(b",")).unwrap_or(first);
    if first.len() > WORD_BYTES_MAX
        || !first.iter().all(|byte| byte.is_ascii_alphabetic() || b"'-".contains(byte))
        || shape::Kinds::of(first).upper > 1
    {
        return false;
    }
    let named = || {
        let mut words = line.split(|byte| *byte == b' ').take(SENTENCE_WORDS_MAX);
        words.any(is_name_word)
    };
    let mut rest = words.take(4).peekable();
    rest.peek().is_some() && (is_prose_word(first) || rest.any(is_prose_word) || named())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_ends_at_the_quote_of_its_own_depth() {
        for (text, start, value) in [
            (r#""ab"c"#, 0, "ab"),
            (r#""a\"b" "#, 0, r#"a\"b"#),
            (r#""a\\" "#, 0, r"a\\"),
            (r#"\"ab\" "#, 0, "ab"),
            (r#"\"a\\\"b\" "#, 0, r#"a\\\"b"#),
            (r#"\\\"ab\\\" "#, 0, "ab"),
            (r#"\"ab" "#, 0, "ab"),
            (r"'it'\''s' ", 0, r"it'\''s"),
            ("'o''neil' ", 0, "o''neil"),
            ("\"open\n", 0, "open"),
        ] {
            let (quote, from) = quote_at(text.as_bytes(), start).expect("a quote");
            let end = quoted_end(text.as_bytes(), from, text.len(), quote);
            assert_eq!(&text[from..end], value, "{text}");
        }
    }

    #[test]
    fn a_bare_value_ends_where_the_next_thing_begins() {
        for (text, until, value) in [
            ("abc def", Until::Blank, "abc"),
            ("abc, def", Until::Blank, "abc"),
            ("a,b;c!", Until::Blank, "a,b;c!"),
            ("abc,user=x", Until::Blank, "abc"),
            ("abc;Database=x", Until::Blank, "abc"),
            ("abc&user=x", Until::Blank, "abc"),
            ("a&b!", Until::Blank, "a&b!"),
            ("a&b!", Until::Query, "a"),
            ("abc }", Until::Blank, "abc"),
            ("abc})", Until::Blank, "abc"),
            ("a(b)c)", Until::Blank, "a(b)c"),
            ("abc</password>", Until::Blank, "abc"),
            ("abc.", Until::Blank, "abc"),
            ("abc\\\",", Until::Blank, "abc"),
            ("a b c\nd", Until::Line, "a b c"),
            ("a,b=c", Until::Line, "a,b=c"),
            ("abc;Database=x", Until::Line, "abc"),
        ] {
            assert_eq!(&text[..bare_end(text.as_bytes(), 0, text.len(), until)], value, "{text}");
        }
    }
}
