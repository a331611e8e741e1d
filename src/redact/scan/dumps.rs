//! What debuggers and programs write around a value: its type and its length, what it is taken from when it is set.

use super::super::bytes::{ByteSet, find};
use super::super::shape::Kinds;
use super::surroundings::{GAP_MAX, blanks, line_end};
use super::value;

/// Bytes of an expression before what is taken when it has no value.
const EXPRESSION_BYTES_MAX: usize = 96;

/// Where the quote stands of a text whose type and length are told before it: `string(10) "…"` of PHP, on a line of its own
/// or not, `(string) (len=10) "…"` of Go.
#[inline(never)]
pub(super) fn typed_text(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let gap = bytes[from.min(to)..to].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &bytes[from + gap..to.min(from + gap + GAP_MAX).max(from + gap)];
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = if rest.starts_with(b"string(") {
        let count = digits(&rest[7..]);
        (count > 0 && rest[7 + count..].starts_with(b") \"")).then_some(7 + count + 2)?
    } else {
        let inside = rest.strip_prefix(b"(")?;
        let name = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b".*_[]".contains(byte)).count();
        let sized = inside[name..].strip_prefix(b") (len=")?;
        let count = digits(sized);
        (count > 0 && sized[count..].starts_with(b") \"")).then_some(1 + name + 7 + count + 2)?
    };
    Some(from + gap + length)
}

/// What the names and calls of an expression are written with.
const PATH: ByteSet = ByteSet::alphanumeric_and(b"_.$:?!");

/// Whether what begins at `from` may be an expression with more behind it: most values go on as none does.
#[inline]
fn may_choose(bytes: &[u8], from: usize, to: usize) -> bool {
    let near = &bytes[from.min(to)..to.min(from + EXPRESSION_BYTES_MAX)];
    near.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"$_!<".contains(byte))
        && matches!(near.get(PATH.run(near)), Some(b' ' | b'(' | b'[' | b'<'))
}

/// Where a value begins at `from`, or in what an expression there falls back to.
#[inline]
pub(super) fn chosen(bytes: &[u8], from: usize, to: usize) -> usize {
    if may_choose(bytes, from, to) { fallback(bytes, from, to).unwrap_or(from) } else { from }
}

/// Where the quote stands of what an expression falls back to or chooses: `env.X || "…"`, `x ?? "…"`, `get("A") or "…"`,
/// `cond ? "…" : null`.
#[inline(never)]
fn fallback(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    const OPERATORS: [&[u8]; 5] = [b"|| ", b"or ", b"?? ", b"?: ", b"? "];
    let to = to.min(from + EXPRESSION_BYTES_MAX);
    let begins =
        |at: usize| bytes[..to].get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || b"$_!".contains(byte));
    // As templates of Ruby begin.
    let mut at = from + if bytes[from..to].starts_with(b"<%= ") { 4 } else { 0 };
    if !begins(at) {
        return None;
    }
    at += PATH.run(&bytes[at..to]);
    let operator = |at: usize| {
        let text = bytes[at..to].strip_prefix(b" ")?;
        OPERATORS.iter().find(|sign| text.starts_with(sign))
    };
    if bytes[..to].get(at) == Some(&b' ') {
        operator(at)?;
    }
    let to = line_end(bytes, at, to);
    memchr::memchr3(b'"', b'\'', b'`', &bytes[at..to])?;
    if let Some(open @ (b'(' | b'[')) = bytes[..to].get(at) {
        let close = if *open == b'(' { b')' } else { b']' };
        at += memchr::memchr(close, &bytes[at..to])? + 1;
    }
    let sign = operator(at)?;
    let place = at + 1 + sign.len();
    let place = place + blanks(bytes, place);
    is_mixed(bytes, place, to).then_some(place).or_else(|| {
        let other = find(&bytes[place.min(to)..to], b" : ").filter(|_| **sign == *b"? ")?;
        is_mixed(bytes, place + other + 3, to).then_some(place + other + 3)
    })
}

/// Whether a text in quotes begins at `at` that has letters and digits, and no blanks.
fn is_mixed(bytes: &[u8], at: usize, to: usize) -> bool {
    value::quote_at(&bytes[..to], at).is_some_and(|(quote, inside)| {
        let text = &bytes[inside..value::quoted_end(bytes, inside, to.max(inside), quote)];
        let kinds = Kinds::of(text);
        kinds.digit > 0 && kinds.letters() > 1 && text.len() >= 6 && !text.contains(&b' ')
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn what_is_dumped_or_fallen_back_to_is_masked() {
        check(
            Carrier::Text,
            &[
                ("password: Some(\n        \"hunter\",\n    ),", "password: Some(\n        \"‹pw›\",\n    ),"),
                ("[\"password\"]=>\n  string(6) \"hunter\"", "[\"password\"]=>\n  string(6) \"‹pw›\""),
                ("\"password\": (string) (len=6) \"hunter\",", "\"password\": (string) (len=6) \"‹pw›\","),
                ("secret: process.env.JWT || \"hunter2\",", "secret: process.env.JWT || \"‹key›\","),
                ("token = os.environ.get(\"A\") or \"hunter2\"", "token = os.environ.get(\"A\") or \"‹tok›\""),
                ("password: ENV['A'] || 'hunter2'", "password: ENV['A'] || '‹pw›'"),
                ("const token = prod ? \"hunter2\" : null;", "const token = prod ? \"‹tok›\" : null;"),
            ],
        );
    }
}
