//! Decoding: the secret as it was before it was written where it was found, so that one secret has one pseudonym.

use zeroize::Zeroizing;

use super::span::{Form, Span};

/// The secret of a span.
pub(super) fn secret(span: &Span, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match span.form {
        Form::Raw | Form::Bare { .. } | Form::Known { .. } | Form::Rest => bytes.to_vec(),
        Form::Escaped(depth) => {
            let mut text = bytes.to_vec();
            for _ in 0..depth {
                text = unescaped(&text);
            }
            text
        }
        Form::Percent => unpercented(bytes),
        Form::Hex => {
            bytes.chunks_exact(2).map(|pair| hex(pair[0]).unwrap_or(0) << 4 | hex(pair[1]).unwrap_or(0)).collect()
        }
    })
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Without one level of JSON's escapes; what is none stays.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        if text[at] != b'\\' || at + 1 == text.len() {
            out.push(text[at]);
            at += 1;
            continue;
        }
        at += 2;
        match text[at - 1] {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => at += unicode(&text[at..], &mut out),
            byte @ (b'"' | b'\\' | b'/' | b'\'') => out.push(byte),
            byte => out.extend([b'\\', byte]),
        }
    }
    out
}

/// The character of `\u` and the digits behind it, and of a second half if there is one; how many bytes that took.
pub(super) fn unicode(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        out.extend_from_slice(b"\\u");
        return 0;
    };
    let second = text.get(4..6).filter(|mark| *mark == b"\\u").and_then(|_| unit(6));
    let paired = second
        .and_then(|second| char::decode_utf16([first, second]).next()?.ok())
        .filter(|character| character.len_utf16() == 2);
    let character = paired.or_else(|| char::from_u32(u32::from(first))).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    if paired.is_some() { 10 } else { 4 }
}

fn unpercented(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        let pair = text
            .get(at + 1..at + 3)
            .filter(|_| text[at] == b'%')
            .and_then(|pair| Some(hex(pair[0])? << 4 | hex(pair[1])?));
        out.push(pair.unwrap_or(text[at]));
        at += if pair.is_some() { 3 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::pseudonym::Class;
    use crate::redact::span::{Rule, Seed};

    #[test]
    fn every_form_leads_back_to_the_secret() {
        for (form, text, secret) in [
            (Form::Raw, "a\\nb", "a\\nb"),
            (Form::Escaped(1), r#"a\"b\\c\u00e9\ud83d\ude00\q"#, "a\"b\\c\u{e9}\u{1f600}\\q"),
            (Form::Escaped(2), r#"a\\\"b"#, "a\"b"),
            (Form::Percent, "p%40ss%zz%2", "p@ss%zz%2"),
            (Form::Hex, "70617373", "pass"),
        ] {
            let span = Span {
                start: 0,
                end: text.len(),
                rule: Rule::Builtin("t"),
                class: Class::Key,
                form,
                seed: Seed::Found,
            };
            assert_eq!(super::secret(&span, text.as_bytes()).as_slice(), secret.as_bytes(), "{text}");
        }
    }
}
