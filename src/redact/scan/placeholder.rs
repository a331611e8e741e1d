//! Placeholders: what stands where a secret would stand, and says that one belongs there.

use super::super::bytes::{begins_with, ends_in, find};
use super::super::shape;

/// Letters of a secret that a tool shows behind its mask.
const SHOWN_MAX: usize = 4;
/// Words of which names of secrets are made.
const SECRET_WORDS: &[&[u8]] = &[b"pass", b"secret", b"token", b"key", b"pwd", b"your"];

/// Placeholders of templates and shells, and masks of other tools.
pub(super) fn stands_for_one(value: &[u8]) -> bool {
    let (first, last) = (value[0], value[value.len() - 1]);
    let inner = value.get(1..value.len() - 1).unwrap_or_default();
    let inner_plain = || {
        value.len() > 2
            && value[1..value.len() - 1].iter().all(|byte| byte.is_ascii_alphanumeric() || b" _-.:".contains(byte))
    };
    if value.len() >= 3 && b"*xX.-#?".contains(&first) && value.iter().all(|byte| *byte == first)
        || value.starts_with(b"***") && is_masked(value)
        || value.ends_with(b"****")
    {
        return true;
    }
    if value.starts_with("\u{2022}\u{2022}".as_bytes()) || value.starts_with(b"<|") && value.ends_with(b"|>") {
        return true;
    }
    if says_what_belongs_there(value) {
        return true;
    }
    match first {
        b'$' => match value.get(1) {
            None | Some(b'{' | b'(') => true,
            // An argument of a shell, a parameter of a statement.
            Some(digit) if digit.is_ascii_digit() => value.len() <= 3 && value[1..].iter().all(u8::is_ascii_digit),
            Some(_) => {
                let word = value[1..].iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
                let after = &value[1 + word..];
                let path = word > 1
                    && (after.starts_with(b"::")
                        || after.starts_with(b"/")
                            && shape::is_path(after.split(|byte| *byte == b'#').next().unwrap_or(after)));
                if path {
                    return true;
                }
                let kinds = shape::Kinds::of(&value[1..]);
                let plain = value[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
                plain && (kinds.lower == 0 && kinds.upper > 0 || kinds.upper == 0 && kinds.digit == 0)
            }
        },
        b'{' => value.starts_with(b"{{") || last == b'}' && (value.len() == 2 || inner_plain() && is_label(inner)),
        b'<' => last == b'>' && inner_plain() && is_label(inner),
        b'[' => {
            last == b']'
                && inner_plain()
                && value[1..value.len() - 1].iter().all(|byte| byte.is_ascii_alphabetic() || b" _-".contains(byte))
        }
        b'%' => {
            value.len() == 2 && value[1].is_ascii_alphabetic()
                || value.starts_with(b"%(")
                || value.starts_with(b"%{")
                || last == b'%'
                    && value.len() > 2
                    && value[1..value.len() - 1].iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        }
        // `@token@` of templates, `@p1` and `@password` of statements.
        b'@' => last == b'@' && inner_plain() && is_label(inner) || is_parameter(&value[1..]),
        b':' => is_parameter(&value[1..]),
        b'!' => {
            value.starts_with(b"!Ref")
                || value.starts_with(b"!Sub")
                || value.starts_with(b"!secret")
                || value.starts_with(b"!env")
        }
        _ => false,
    }
}

/// `YOUR_API_KEY_HERE`, `changeme_placeholder`: words, with one of those that manuals have in place of a secret.
fn says_what_belongs_there(value: &[u8]) -> bool {
    let wordy = || value.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(byte));
    let ends = [b"here".as_slice(), b"placeholder"].iter().any(|word| {
        let before = value.len().checked_sub(word.len() + 1).map(|at| value[at]);
        ends_in(value, word) && before.is_some_and(|sign| b"_-".contains(&sign))
    });
    let begins = begins_with(value, b"your") && value.get(4).is_some_and(|sign| b"_-".contains(sign));
    (ends || begins) && wordy()
}

/// Whether a name is that of a parameter of a statement: `p1`, or what secrets are called.
fn is_parameter(name: &[u8]) -> bool {
    let numbered = name.strip_prefix(b"p").is_some_and(|digits| (1..=2).contains(&digits.len()));
    let plain = name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    numbered && name[1..].iter().all(u8::is_ascii_digit)
        || plain
            && (matches!(name, b"pw" | b"hash" | b"pin") || SECRET_WORDS.iter().any(|word| find(name, word).is_some()))
}

/// Whether nothing but the end of a secret follows the asterisks of a mask.
fn is_masked(value: &[u8]) -> bool {
    value.iter().skip_while(|byte| **byte == b'*').count() <= SHOWN_MAX
}

/// Whether what stands between the marks of a placeholder says what belongs there: letters, a number, or words with one for
/// secrets among them.
fn is_label(inner: &[u8]) -> bool {
    let digits = inner.iter().filter(|byte| byte.is_ascii_digit()).count();
    let lower = inner.to_ascii_lowercase();
    digits == 0
        || digits == inner.len()
        || inner.contains(&b' ')
        || SECRET_WORDS.iter().any(|word| find(&lower, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::stands_for_one;

    #[test]
    fn what_is_made_of_words_stands_for_a_secret_and_what_mixes_in_digits_does_not() {
        for value in [
            "<password>",
            "<your-password-1>",
            "{0}",
            "{password2}",
            "$1",
            "$12",
            "********",
            "***9f3a",
            "YOUR_API_KEY_HERE",
            "your-token",
            "put_password_here",
            "<|endoftext|>",
        ] {
            assert!(stands_for_one(value.as_bytes()), "{value}");
        }
        for value in [
            "<ginger43>",
            "{honey36}",
            "@maple51@",
            "***teR2xNiA",
            "$1aB",
            "$123456",
            "your_dog7here",
            "yourself",
            "there",
        ] {
            assert!(!stands_for_one(value.as_bytes()), "{value}");
        }
    }
}
