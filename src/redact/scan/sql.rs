//! Secrets in statements of SQL: `IDENTIFIED BY '…'`, and the values of an `INSERT` by the names of their columns.

use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::{Verdict, classify};
use super::surroundings::blanks;
use super::words::token;
use super::{plausible, value};

/// Bytes before `IDENTIFIED` in which its statement is told.
const STATEMENT_BYTES_MAX: usize = 160;
/// Bytes of a table's name and its columns.
const COLUMNS_BYTES_MAX: usize = 4 << 10;
/// Bytes of the rows that are looked at.
const ROWS_BYTES_MAX: usize = 16 << 10;
/// Columns of a statement.
const COLUMNS_MAX: usize = 128;

/// What stands in quotes after `IDENTIFIED`, `BY` or `WITH … AS`.
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
    let (quote, inside) = value::quote_at(bytes, at).filter(|(quote, _)| quote.mark != b'`')?;
    let end = value::quoted_end(bytes, inside, to, quote);
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
    let Some((secret, at)) = columns(bytes, from, to, rules) else { return from };
    let to = bytes.len().min(at + ROWS_BYTES_MAX);
    if !secret.iter().any(Option::is_some) {
        return at;
    }
    rows(bytes, at, to, &secret, spans)
}

/// What each column's name says, and where the rows begin.
fn columns(bytes: &[u8], from: usize, to: usize, rules: &Compiled) -> Option<(Vec<Option<Class>>, usize)> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.`\"\\[] ".contains(byte) || *byte >= 0x80;
    let open = from + bytes[from..to].iter().take_while(|byte| plain(byte)).count();
    if bytes.get(open) != Some(&b'(') {
        return None;
    }
    let list =
        bytes[open + 1..to].iter().take_while(|byte| plain(byte) || byte.is_ascii_whitespace() || **byte == b',');
    let close = open + 1 + list.count();
    let names = &bytes[open + 1..close];
    let mut at = close + 1;
    if bytes.get(close) != Some(&b')') {
        return None;
    }
    at += bytes.get(at..)?.iter().take(64).take_while(|byte| byte.is_ascii_whitespace()).count();
    if !bytes.get(at..at + 6)?.eq_ignore_ascii_case(b"values") {
        return None;
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
    Some((names.split(|byte| *byte == b',').take(COLUMNS_MAX).map(class).collect(), at + 6))
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
