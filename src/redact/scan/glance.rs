//! Glances at what is assigned: a few bytes tell what most values are, which spares the parsers. A glance says what they
//! would say, or nothing.

use super::super::bytes::ByteSet;
use super::super::shape;
use super::clause;
use super::name::{Verdict, is_header};
use super::named::Name;
use super::plausible::WEAK_BYTES_MIN;
use super::surroundings::at_equals;

/// Letters and digits, mixed, that are taken for a secret at a glance: fewer may be a program's name.
const MIXED_BYTES: std::ops::RangeInclusive<usize> = 12..=64;

/// Whether a plain word that no secret under a weak name is as short as begins a text, and ends there.
pub(super) fn is_too_short(text: &[u8]) -> bool {
    const WORD: ByteSet = ByteSet::alphanumeric_and(b"+/_-.~!@%");
    const AFTER: ByteSet = ByteSet::of(b"=&,;)]}\n\r|");
    let word = WORD.run(&text[..text.len().min(WEAK_BYTES_MIN)]);
    (1..WEAK_BYTES_MIN - "==".len()).contains(&word) && text.get(word).is_some_and(|byte| AFTER.has(*byte))
}

/// Where the value at `from` ends, if it is nothing but letters of both cases and digits behind `name=`, and the end of the
/// line or, amid one, another word follows.
pub(super) fn mixed_end(bytes: &[u8], name: Name, from: usize) -> Option<usize> {
    const PLAIN: ByteSet = ByteSet::alphanumeric_and(b"");
    // What stands before a name may say where its value ends.
    let alone = match bytes[..name.start] {
        [.., b';', b' '] => false,
        [] | [.., b'\n' | b' ' | b'\t'] => name.quote.is_none() && !name.flag,
        _ => false,
    };
    if !alone || !at_equals(bytes, name.end, from) || !matches!(name.verdict, Verdict::Strong(_)) {
        return None;
    }
    let near = &bytes[from..bytes.len().min(from + MIXED_BYTES.end() + 1)];
    let length = PLAIN.run(near);
    let value = &near[..length];
    if !MIXED_BYTES.contains(&length)
        || !shape::is_scrambled_run(value)
        || value.starts_with(b"0x")
        || value.starts_with(b"LS0tLS1CRUdJTi")
        || is_header(&bytes[name.start..name.end])
    {
        return None;
    }
    let end = from + length;
    let ends = match bytes[end..] {
        [] | [b'\n', ..] => true,
        [b' ', next, ..] => {
            let told = bytes[end + 1..].starts_with(b"or ") || clause::is_phrase(&bytes[name.start..name.end]);
            next.is_ascii_alphanumeric() && !name.line_start && !told
        }
        _ => false,
    };
    ends.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn a_glance_says_what_the_parsers_would() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("up status=200 password=Kq93wZorb77x\nnext", "up status=200 password=‹pw›\nnext"),
                ("DB_PASSWORD=Kq93wZorb77x", "DB_PASSWORD=‹pw›"),
                ("run token=Kq93wZorb77x user=bob\n", "run token=‹tok› user=bob\n"),
                ("run token=Kq93wZorb77x retry(\"aB3dE6gH\")\n", "run token=‹tok› retry(\"aB3dE6gH\")\n"),
                ("run token=wZorb77 retry(\"aB3dE6gH\")\n", "run token=‹tok› retry(\"aB3dE6gH\")\n"),
                // What follows belongs to the value where its line begins with the name.
                ("password=Kq93wZorb77x Kq\n", "password=‹pw›\n"),
                ("a;password=Kq93wZorb77x;b=1", "a;password=‹pw›;b=1"),
                ("\"password=Kq93wZorb77x\"", "\"password=‹pw›\""),
                same("a token=getToken(Kq93wZorb77x)\n"),
                same("a key_type=Kq93wZorb77x\n"),
            ],
        );
    }
}
