//! Labels: what a table of texts says about a field for a secret, under a name that is that of a secret.

use super::vocabulary::PASSWORD_PARTS;

/// Bytes of the longest text that is looked at.
const LABEL_BYTES_MAX: usize = 120;
/// Words of a label that says its name again.
const WORDS_MAX: usize = 4;
/// What a message about a field begins with.
const PREDICATES: &[&[u8]] =
    &[b"must", b"has", b"is", b"cannot", b"can't", b"should", b"may", b"does", b"doesn't", b"are", b"was", b"will"];
/// What a sentence about a field says of it.
const JUDGEMENTS: &[&[u8]] =
    &[b"required", b"invalid", b"expired", b"incorrect", b"wrong", b"missing", b"short", b"long", b"match", b"weak"];

/// Whether a value is the label of its name's field, or a message about it: `newPassword` = `New password`, `must be at least
/// 8 characters`, `This field is required.`
pub(super) fn is_label(name: &[u8], value: &[u8]) -> bool {
    let length = value.len();
    if !(4..=LABEL_BYTES_MAX).contains(&length) || !value[0].is_ascii_alphabetic() {
        return false;
    }
    let spaced = memchr::memchr(b' ', value).is_some();
    if !spaced {
        let (first, rest) = (value[0], &value[1..]);
        // A word by itself is a label where a table of texts has it, in quotes or below another name.
        return first.is_ascii_uppercase()
            && rest.iter().all(u8::is_ascii_lowercase)
            && (says_again(name, value) || is_secret_word(value))
            && name.iter().any(u8::is_ascii_lowercase);
    }
    let escaped = memchr::memchr(b'\\', value).is_some();
    let letters = |byte: &u8| {
        byte.is_ascii_alphabetic()
            || *byte >= 0x80
            || b" -'".contains(byte)
            || escaped && (byte.is_ascii_digit() || *byte == b'\\')
    };
    let words = || value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let sentence = || value.iter().all(|byte| letters(byte) || byte.is_ascii_digit() || b".,;:?!()".contains(byte));
    let predicate = words().next().is_some_and(|word| PREDICATES.contains(&word));
    if predicate {
        return sentence();
    }
    let (body, stopped) = value.strip_suffix(b".").map_or((value, false), |body| (body, true));
    if !value[0].is_ascii_uppercase() || !body.iter().all(letters) {
        return false;
    }
    words().any(is_secret_word)
        || says_again(name, body)
        || (stopped || words().any(|word| word == b"is"))
            && body.split(|byte| *byte == b' ').any(|word| JUDGEMENTS.contains(&word))
}

/// Whether all words of a value are in its name.
fn says_again(name: &[u8], value: &[u8]) -> bool {
    value
        .split(|byte| *byte == b' ')
        .take(WORDS_MAX)
        .all(|word| word.is_empty() || name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
        && memchr::memchr_iter(b' ', value).count() < WORDS_MAX
}

/// Whether a word is one for a secret, in any case: `Passwort`.
fn is_secret_word(word: &[u8]) -> bool {
    let is = |listed: &[u8]| word.eq_ignore_ascii_case(listed);
    word.len() > 4 && (is(b"token") || PASSWORD_PARTS.iter().any(|part| is(part.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn tables_of_texts_are_shown_and_what_is_chosen_is_not() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                same(r#"{"password":"Password","newPassword":"New password","token":"Token"}"#),
                same(r#"{"password": "Passwort", "confirmPassword": "Passwort best\u00e4tigen"}"#),
                same(r#"{"errors":{"password":"must be at least 8 characters","token":"has expired"}}"#),
                same(r#"{"password":["This field is required."]}"#),
                same("label.password=Password\nerror.password.short=Password is too short\n"),
                same("button.resetPassword=Reset password\n"),
                (r#"{"password":"Kettle"}"#, r#"{"password":"‹pw›"}"#),
                (r#"{"password":"Kettle on river."}"#, r#"{"password":"‹pw›"}"#),
                ("DB_PASSWORD=Password\n", "DB_PASSWORD=‹pw›\n"),
            ],
        );
    }
}
