//! Secrets in statements of SQL: `IDENTIFIED BY '…'`, and the values of an `INSERT` by the names of their columns.

use super::super::bytes::{ByteSet, find};
use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::{Verdict, classify};
use super::surroundings::{blanks, line_end};
use super::words::token;
use super::{plausible, value};

/// Bytes before `IDENTIFIED` in which its statement is told.
const STATEMENT_BYTES_MAX: usize = 160;
/// Bytes of a table's name.
const TABLE_BYTES_MAX: usize = 256;
/// Bytes of a table's name and its columns.
const COLUMNS_BYTES_MAX: usize = 4 << 10;
/// Bytes of the rows that are looked at.
const ROWS_BYTES_MAX: usize = 16 << 10;
/// Parameters of a statement, and bytes around them in which it stands.
const PARAMETERS_MAX: usize = 24;
const PARAMETERS_BYTES_MAX: usize = 1024;
/// What the word begins with.
const WORD: &[u8] = b"paramete";
/// How a statement begins that names its columns.
const INSERT: &[u8] = b"insert into";
/// Columns of a statement.
const COLUMNS_MAX: usize = 128;

/// What a password without quotes is made of.
const BARE: ByteSet = ByteSet::alphanumeric_and(b"_$#");

/// What stands after `IDENTIFIED`, `BY` or `WITH … AS`.
pub(super) fn identified(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    let line = to.min(from + 200);
    if !is_statement(bytes, from - b"identified".len()) {
        return None;
    }
    let rest = &bytes[from..line];
    let place =
        rest.windows(4).position(|word| word.eq_ignore_ascii_case(b" by ") || word.eq_ignore_ascii_case(b" as "))?;
    let mut at = from + place + 4;
    if bytes[at..line].len() > 9 && bytes[at..at + 9].eq_ignore_ascii_case(b"password ") {
        at += 9;
    }
    let by = rest[place..].starts_with(b" by ") || rest[place..].starts_with(b" BY ");
    let (inside, end) = match value::quote_at(bytes, at) {
        Some((quote, _)) if quote.mark == b'`' => return None,
        Some((quote, inside)) => (inside, value::quoted_end(bytes, inside, to, quote)),
        // Oracle takes a password without quotes.
        None => (at, at + BARE.run(&bytes[at..line])),
    };
    let chosen = by
        && bytes[inside..end].iter().any(u8::is_ascii_digit)
        && bytes[inside..end].iter().any(u8::is_ascii_alphabetic);
    if inside == at && !chosen {
        return None;
    }
    let secret = plausible::is_secret(&bytes[inside..end], Verdict::Strong(Class::Password), plausible::Ends::Marked);
    secret.then(|| Span { rule: Rule::Builtin("sql"), ..token(inside, end, Class::Password) })
}

/// Whether `IDENTIFIED` at `at` belongs to a statement: in a sentence something *is* identified by another.
fn is_statement(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(STATEMENT_BYTES_MAX)..at];
    let capital = bytes[at].is_ascii_uppercase() && bytes[at + 1].is_ascii_uppercase();
    let is = before.trim_ascii_end().rsplit(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    let told = [b"user".as_slice(), b"grant", b"role", b"alter", b"create", b"default"];
    !matches!(is, b"is" | b"are" | b"was" | b"were" | b"be" | b"been" | b"being")
        && (capital
            || before
                .split(|byte| !byte.is_ascii_alphabetic())
                .any(|word| told.iter().any(|listed| word.eq_ignore_ascii_case(listed))))
}

/// The secrets among the values of the statement whose `INSERT INTO` ends at `from`; returns where it was left.
pub(super) fn insert(bytes: &[u8], from: usize, rules: &Compiled, spans: &mut Vec<Span>) -> usize {
    let to = bytes.len().min(from + COLUMNS_BYTES_MAX);
    let (secret, at) = columns(bytes, from, to, rules);
    let Some(secret) = secret else { return at };
    let to = bytes.len().min(at + ROWS_BYTES_MAX);
    if !secret.iter().any(Option::is_some) {
        return at;
    }
    rows(bytes, at, to, &secret, spans)
}

/// Masks the values of a statement that stand apart from it, as `PostgreSQL` logs them: `parameters: $1 = 'bob', $2 = '…'`.
/// `at` is in the midst of the word, `from` behind the first `$`; returns where it was left.
pub(super) fn parameters(bytes: &[u8], at: usize, from: usize, rules: &Compiled, spans: &mut Vec<Span>) -> usize {
    if at < WORD.len() || !bytes[at - WORD.len()..at].eq_ignore_ascii_case(WORD) {
        return at;
    }
    let to = bytes.len().min(from + ROWS_BYTES_MAX);
    let line = line_end(bytes, from, to);
    let secret = secret_parameters(statement(bytes, at, line), rules);
    let mut place = from;
    for _ in 0..PARAMETERS_MAX {
        let digits = bytes[place..line].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let number = number_of(&bytes[place..place + digits]);
        let Some(value) = bytes[place + digits..line].strip_prefix(b" = ") else { return line };
        let start = place + digits + 3;
        let mut end = start + value.iter().position(|byte| *byte == b',').unwrap_or(value.len());
        if value.first() == Some(&b'\'') {
            let Some(close) = text_end(bytes, start + 1, line) else { return line };
            let class =
                number.and_then(|number| secret.iter().find(|(listed, _)| *listed == number)).map(|(_, class)| *class);
            if let Some(class) = class
                && plausible::is_secret(&bytes[start + 1..close], Verdict::Strong(class), plausible::Ends::Marked)
            {
                spans.push(Span { rule: Rule::Builtin("sql"), ..token(start + 1, close, class) });
            }
            end = close + 1;
        }
        let Some(next) = bytes[end.min(line)..line].strip_prefix(b", $") else { return line };
        place = line - next.len();
    }
    line
}

/// Where a text of SQL ends that begins at `from`; two quotes stand for one.
fn text_end(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr::memchr(b'\'', &bytes[at.min(to)..to])?;
        if bytes[..to].get(quote + 1) != Some(&b'\'') {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// The statement to which parameters belong that stand from `at` to the end of their line at `line`: below them, where it is
/// called so, or before them.
fn statement(bytes: &[u8], at: usize, line: usize) -> &[u8] {
    let below = bytes.get(line + 1..).unwrap_or_default();
    let below = &below[..below.len().min(PARAMETERS_BYTES_MAX)];
    let first = &below[..line_end(below, 0, below.len())];
    if find(first, b"STATEMENT:").is_some() {
        return below;
    }
    let before = &bytes[at.saturating_sub(PARAMETERS_BYTES_MAX)..at];
    memchr::memmem::rfind(before, b"arameters: $").map_or(before, |other| &before[other..])
}

fn number_of(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The numbers of the parameters of a statement that are secret: `password = $2`, `PASSWORD $1`, `(name, token) VALUES ($1, $2)`.
fn secret_parameters(text: &[u8], rules: &Compiled) -> Vec<(usize, Class)> {
    let mut found = Vec::new();
    for sign in memchr::memchr_iter(b'$', text).take(PARAMETERS_MAX) {
        let digits = text[sign + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let before = text[..sign].trim_ascii_end();
        let assigned = before.strip_suffix(b"=").or(before.strip_suffix(b"(")).unwrap_or(before).trim_ascii_end();
        let assigned = assigned.strip_suffix(b"\"").unwrap_or(assigned);
        let word =
            assigned.iter().rev().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if let Some(number) = number_of(&text[sign + 1..sign + 1 + digits])
            && let Verdict::Strong(class) = classify(&assigned[assigned.len() - word..], rules)
        {
            found.push((number, class));
        }
    }
    for into in memchr::memchr2_iter(b'i', b'I', text) {
        if !text[into..].get(..INSERT.len()).is_some_and(|word| word.eq_ignore_ascii_case(INSERT)) {
            continue;
        }
        let (Some(classes), at) = columns(text, into + INSERT.len(), text.len(), rules) else { break };
        let Some(open) = memchr::memchr(b'(', &text[at..text.len().min(at + 8)]) else { break };
        let rows = &text[at + open + 1..];
        let rows = &rows[..memchr::memchr(b')', rows).unwrap_or(rows.len())];
        for (item, class) in rows.split(|byte| *byte == b',').zip(classes) {
            let digits = item.trim_ascii().strip_prefix(b"$").unwrap_or_default();
            let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
            found.extend(number_of(digits).zip(class));
        }
        break;
    }
    found
}

/// What each column's name says if rows follow, and where they begin or what is no statement ends.
fn columns(bytes: &[u8], from: usize, to: usize, rules: &Compiled) -> (Option<Vec<Option<Class>>>, usize) {
    const TABLE: ByteSet = ByteSet::alphanumeric_and(b"_.`\"\\[] ").and_beyond_ascii();
    const LIST: ByteSet = ByteSet::alphanumeric_and(b"_.`\"\\[] ,\n\r\t\x0c").and_beyond_ascii();
    let table = TABLE.run(&bytes[from..to.min(from + TABLE_BYTES_MAX)]);
    let open = from + table;
    if bytes.get(open) != Some(&b'(') {
        return (None, if table < TABLE_BYTES_MAX { open } else { from });
    }
    let close = open + 1 + LIST.run(&bytes[open + 1..to.max(open + 1)]);
    let names = &bytes[open + 1..close];
    let mut at = close + 1;
    if bytes.get(close) != Some(&b')') {
        return (None, open);
    }
    at += bytes[at..].iter().take(64).take_while(|byte| byte.is_ascii_whitespace()).count();
    if !bytes.get(at..at + 6).is_some_and(|word| word.eq_ignore_ascii_case(b"values")) {
        return (None, open);
    }
    let class = |name: &[u8]| {
        let name = name.trim_ascii();
        let bare = name.iter().position(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)?;
        let length = name[bare..].iter().take_while(|byte| !b"`\"\\[] ".contains(byte)).count();
        match classify(&name[bare..bare + length], rules) {
            Verdict::Strong(class) => Some(class),
            _ => None,
        }
    };
    (Some(names.split(|byte| *byte == b',').take(COLUMNS_MAX).map(class).collect()), at + 6)
}

/// Goes through rows in parentheses.
fn rows(bytes: &[u8], from: usize, to: usize, secret: &[Option<Class>], spans: &mut Vec<Span>) -> usize {
    let mut at = from;
    loop {
        at += bytes[at..to].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        if bytes[at..to].first() != Some(&b'(') {
            return at;
        }
        at += 1;
        for class in secret {
            at += blanks(bytes, at);
            // `N'…'`, `E'…'`
            at += usize::from(bytes.get(at + 1) == Some(&b'\'') && bytes[at].is_ascii_alphabetic());
            if let Some((quote, inside)) = value::quote_at(bytes, at).filter(|(_, inside)| *inside <= to) {
                let end = value::quoted_end(bytes, inside, to, quote);
                if let Some(class) = class
                    && plausible::is_secret(&bytes[inside..end], Verdict::Strong(*class), plausible::Ends::Marked)
                {
                    let span = Span { rule: Rule::Builtin("sql"), ..token(inside, end, *class) };
                    spans.push(Span { form: Form::Raw, seed: Seed::Found, ..span });
                }
                at = (end + quote.depth + 1).min(to);
            }
            let rest = &bytes[at.min(to)..to];
            let Some(next) = memchr::memchr3(b',', b')', b'\n', rest) else { return to };
            at += next + 1;
            if rest[next] != b',' {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn parameters_are_secret_when_their_statement_says_so() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                (
                    "LOG:  execute x: ALTER ROLE bob PASSWORD $1\nDETAIL:  parameters: $1 = 'hunter2'\n",
                    "LOG:  execute x: ALTER ROLE bob PASSWORD $1\nDETAIL:  parameters: $1 = '‹pw›'\n",
                ),
                (
                    "insert into u (name, password) values ($1, $2)\nDETAIL:  parameters: $1 = 'bob', $2 = 'a''b'\n",
                    "insert into u (name, password) values ($1, $2)\nDETAIL:  parameters: $1 = 'bob', $2 = '‹pw›'\n",
                ),
                (
                    "parameters: $1 = NULL, $2 = 'hunter2'\nSTATEMENT:  UPDATE u SET password = $2 WHERE n = $1\n",
                    "parameters: $1 = NULL, $2 = '‹pw›'\nSTATEMENT:  UPDATE u SET password = $2 WHERE n = $1\n",
                ),
                same("SELECT a FROM u WHERE n = $1\nDETAIL:  parameters: $1 = 'hunter2'\n"),
                same("UPDATE u SET password = $2 WHERE n = $1\nDETAIL:  parameters: $1 = 'bob42'\n"),
            ],
        );
    }
}
