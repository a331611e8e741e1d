//! Plausibility: whether what stands where a secret would is one, or only stands for one.

use super::super::bytes::{ByteSet, WordSet, ends_in};
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::{self, HexIs};
use super::name::Verdict;
use super::placeholder::stands_for_one;
use super::vocabulary::Weak;
use super::{hashes, label};

/// Values that say that there is no secret, or what became of it.
#[rustfmt::skip]
const STATUS_WORDS: WordSet<96> = WordSet::of([
    "null", "none", "nil", "true", "false", "on", "off", "yes", "no", "undefined", "(null)", "unset", "required",
    "optional", "enabled", "disabled", "enable", "disable", "ask", "prompt", "never", "always", "missing", "invalid",
    "incorrect", "expired", "wrong", "hidden", "masked", "redacted", "removed", "sanitized", "filtered", "unknown",
    "added", "deprecated", "fixed", "updated", "renamed", "likewise", "ditto", "write", "read", "n/a", "empty",
    "default", "auto", "string", "str", "&str", "bool", "int", "integer", "bytes", "object", "number", "text", "any",
    "char", "boolean", "string,", "ok", "failed", "unchanged", "changed", "provided", "present", "absent", "set",
    "(none)", "(empty)", "(set)", "(unset)", "(hidden)", "(redacted)", "sensitive", "bearer", "basic", "todo",
    "fixme", "securestring", "secretstring", "files", "compat", "file", "systemd", "sss", "keyring", "vault",
    "winbind", "ldap", "nis", "autogenerate", "db", "dns", "mymachines",
]);

/// Bytes of the shortest secret under a weak name: nothing shorter is random.
pub(super) const WEAK_BYTES_MIN: usize = 16;
/// Architectures, as they stand behind the names of packages.
const ARCHITECTURES: &[&[u8]] =
    &[b"amd64", b"arm64", b"armhf", b"armel", b"i386", b"i686", b"riscv64", b"s390x", b"ppc64el"];
/// Bytes of the longest value that may be taken for something else than a secret.
const REJECTED_BYTES_MAX: usize = 1024;
/// Bytes of the shortest value that its owner thought up, in the midst of a line.
pub(super) const CHOSEN_BYTES_MIN: usize = 6;
/// Digits of a code that is used once.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 6..=8;
/// Digits of a number that somebody knows by heart.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;
/// Bytes of what somebody thought up by the rules for passwords.
const THOUGHT_UP_BYTES_MIN: usize = 9;
const THOUGHT_UP_BYTES_MAX: usize = 64;
/// Bytes of the longest value that may say what its name is.
const DESCRIPTION_BYTES_MAX: usize = 256;
/// Bytes of the longest value that may be taken for source code.
const CODE_BYTES_MAX: usize = 200;

/// How it is known where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// By quotes, tags or a place of its own: nothing else is in it.
    Marked,
    /// By what usually follows a value: it may be source code, or a part of a sentence.
    Guessed,
    /// By what ends a word of a shell, or the quotes around a whole assignment: it is no source code.
    Word,
}

/// Whether a value is one, or stands for one, says that there is none, or is masked already.
pub(super) fn is_secret(value: &[u8], verdict: Verdict, ends: Ends) -> bool {
    let fits = match verdict {
        Verdict::Weak(Weak::Code) => value.len() >= WEAK_BYTES_MIN || is_number_of(value, CODE_DIGITS),
        Verdict::Weak(Weak::Pin) => is_number_of(value, PIN_DIGITS),
        Verdict::Weak(weak) if !weak.is_short() => {
            value.len() >= WEAK_BYTES_MIN || ends == Ends::Marked && is_thought_up(value)
        }
        _ => !value.is_empty(),
    };
    if !fits || value == b"/" || mask_in(value).is_some() {
        return false;
    }
    if value.len() > REJECTED_BYTES_MAX {
        return matches!(verdict, Verdict::Strong(_));
    }
    if value[0] == b'$' && hashes::covers(value) {
        return false;
    }
    if stands_for_one(value) || is_status(value) || shape::is_path(value) || refers(value) {
        return false;
    }
    if ends == Ends::Guessed && value.len() <= CODE_BYTES_MAX && is_code(value) {
        return false;
    }
    // `libpasswdqc0:amd64`, as Debian names packages.
    if value.len() < 8 && ARCHITECTURES.contains(&value) {
        return false;
    }
    if is_size(value) {
        return false;
    }
    let digits = value.iter().all(u8::is_ascii_digit);
    match verdict {
        Verdict::No | Verdict::Weak(Weak::Pair) => false,
        Verdict::Weak(Weak::SecretId) => shape::is_uuid(value) || shape::is_random(value, HexIs::Random),
        Verdict::Weak(Weak::Key) => {
            shape::is_random(value, HexIs::Hash) || ends == Ends::Marked && is_thought_up(value)
        }
        Verdict::Weak(Weak::Code) => {
            is_number_of(value, CODE_DIGITS) || value.len() >= WEAK_BYTES_MIN && shape::is_random(value, HexIs::Random)
        }
        Verdict::Weak(Weak::Pin) => true,
        Verdict::Weak(Weak::Chosen) => is_chosen(value) && !shape::is_label(value) && !shape::is_measure(value),
        Verdict::Weak(Weak::Session) => {
            shape::is_random(value, HexIs::Random) || ends == Ends::Marked && is_thought_up(value)
        }
        Verdict::Strong(Class::Password) => {
            let number = digits && value.len() < 4 && ends != Ends::Marked;
            !(number || is_decimal(value) || value.get(10) == Some(&b'T') && is_date(value))
        }
        Verdict::Strong(_) => {
            !(value.len() < 2
                || is_decimal(value)
                || is_colour(value)
                || is_number(value)
                || is_date(value)
                || digits && value.len() < 10)
        }
    }
}

/// Whether a value describes what its name names, or says the name again, as constants and columns do:
/// `TXT_kPSK "kPSK"`, `SharedSecret => "shared_secret"`.
pub(super) fn describes(name: &[u8], value: &[u8], verdict: Verdict) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    if value.len() > DESCRIPTION_BYTES_MAX || shape::is_scrambled_run(value) {
        return false;
    }
    // Nobody's number is shorter, and a measure of memory is none: `VmPin: 0 kB`.
    let short = value.len() < 4 || value[0].is_ascii_digit() && value.contains(&b' ');
    if short && name.len() > 3 && name[name.len() - 3..].eq_ignore_ascii_case(b"pin") {
        return true;
    }
    // What is called credentials is more often a name, a file or a mode than a secret.
    let ends = |tail: &[u8]| ends_in(name, tail);
    if (ends(b"credentials") || ends(b"credential"))
        && (value.iter().all(|byte| byte.is_ascii_lowercase() || b"-_./:,| ".contains(byte))
            && shape::is_wordlike(value)
            || value.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_') && value.contains(&b'_')
            || [b".json".as_slice(), b".yaml", b".yml", b".conf", b".txt"].iter().any(|suffix| value.ends_with(suffix)))
    {
        return true;
    }
    // What is called secrets lists their names: `erp-db, erp-mail`.
    let named = || value.contains(&b'-') && value.iter().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(byte));
    if ends(b"secrets") && named() {
        return true;
    }
    // The name of the entry of an object that holds passwords, and the fingerprint of a key.
    let entry = ends(b"passwordkey") || ends(b"password_key") || ends(b"password-key");
    let lower = || value.iter().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(byte));
    let parts = || value.split(|byte| b"-_.".contains(byte));
    if entry && lower() && parts().any(|part| matches!(part, b"password" | b"pass" | b"passwd" | b"secret" | b"key")) {
        return true;
    }
    if matches!(value.len(), 16 | 40 | 64) && shape::is_hex(value) && (ends(b"gpg_key") || ends(b"pgp_key")) {
        return true;
    }
    // What a lexer calls a word: `"token": "IDENT"`
    if name.eq_ignore_ascii_case(b"token")
        && value.len() < WEAK_BYTES_MIN
        && value.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
    {
        return true;
    }
    if label::is_label(name, value) {
        return true;
    }
    // A phrase by which something is remembered, and not one that makes a key.
    if ends(b"mnemonic") && memchr::memchr_iter(b' ', value).count() < 5 && !value.iter().any(u8::is_ascii_digit) {
        return true;
    }
    if !value.iter().all(word) {
        return false;
    }
    let tail = name.iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    let tail = &name[name.len() - tail..];
    let camel = value.len() > tail.len() + 2 && value[value.len() - tail.len()..].eq_ignore_ascii_case(tail);
    // `private_key: "EllipticCurvePrivateKey"`
    if tail.len() > 2
        && camel
        && value[value.len() - tail.len()].is_ascii_uppercase()
        && !matches!(verdict, Verdict::Strong(Class::Password))
    {
        return true;
    }
    if value.iter().any(u8::is_ascii_uppercase) {
        return name.len() > value.len() && name.ends_with(value) && name[name.len() - value.len() - 1] == b'_';
    }
    let last = memchr::memrchr(b'_', value).map(|at| &value[at + 1..]);
    !matches!(verdict, Verdict::Strong(Class::Password)) && last.is_some_and(|last| last.len() > 2 && ends(last))
}

/// Whether a value is a number of so many digits.
fn is_number_of(value: &[u8], digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// `24 bytes`, as tools show a secret that they do not show.
fn is_size(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(&value[digits..], b" byte" | b" bytes" | b" characters" | b" chars" | b" kB")
}

/// `1.302190`, `10.0.0.1`
fn is_decimal(value: &[u8]) -> bool {
    value[0].is_ascii_digit()
        && value.contains(&b'.')
        && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// `#dcdccc`
fn is_colour(value: &[u8]) -> bool {
    value[0] == b'#' && matches!(value.len(), 4 | 7 | 9) && shape::is_hex(&value[1..])
}

pub(super) fn is_number(value: &[u8]) -> bool {
    let hex = value.strip_prefix(b"0x").map(|hex| hex.strip_suffix(b"L").unwrap_or(hex));
    value.len() < 12 && value.iter().all(|byte| byte.is_ascii_digit() || b".-+".contains(byte))
        || hex.is_some_and(|hex| hex.len() <= 9 && shape::is_hex(hex.strip_suffix(b"U").unwrap_or(hex)))
}

fn is_date(value: &[u8]) -> bool {
    value.len() >= 10
        && value[..4].iter().all(u8::is_ascii_digit)
        && value[4] == b'-'
        && value[7] == b'-'
        && !shape::is_uuid(value)
        && value[5..7].iter().chain(&value[8..10]).all(u8::is_ascii_digit)
}

fn is_status(value: &[u8]) -> bool {
    let listed = |value: &[u8]| {
        (2..=18).contains(&value.len())
            && !value.iter().any(u8::is_ascii_digit)
            && (STATUS_WORDS.has(value) || value.eq_ignore_ascii_case(b"(sensitive value)"))
    };
    listed(value)
        || value.len() <= 80
            && memchr::memchr(b' ', value).is_some()
            && value.split(|byte| *byte == b' ').all(|word| word.is_empty() || listed(word))
}

const SCHEME: ByteSet = ByteSet::alphanumeric_and(b"+-.");

/// A reference to something that is no secret or is looked at by a rule of its own.
fn refers(value: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"arn:",
        b"ssh-rsa ",
        b"ssh-ed25519 ",
        b"ecdsa-sha2-",
        b"ssh-dss ",
        b"sk-ssh-",
        b"-----BEGIN",
        b"env:",
        b"env(",
        b"vault:",
        b"secret://",
        b"op://",
        b"ref+",
        b"projects/",
        b"LS0tLS1CRUdJTi",
        b"awssm:",
        b"ssm:",
        b"required|",
        b"nullable|",
        b"sometimes|",
    ];
    if b"ase-voprLn".contains(&value[0]) && STARTS.iter().any(|start| value.starts_with(start)) {
        return true;
    }
    let scheme = SCHEME.run(&value[..value.len().min(24)]);
    // A map of a mail server, a socket: `hash:/etc/postfix/sasl_passwd`, `unix:/run/php.sock`.
    if scheme > 1
        && value[scheme..].starts_with(b":/")
        && value[..scheme].iter().all(u8::is_ascii_lowercase)
        && shape::is_path(&value[scheme + 1..])
    {
        return true;
    }
    scheme > 1 && value[scheme..].starts_with(b"://") && &value[..scheme] != b"base64"
}

/// Whether a value is a path, a URL, a variable or another's mask.
pub(super) fn is_reference(value: &[u8]) -> bool {
    stands_for_one(value) || shape::is_path(value) || refers(value) || is_number(value) || is_date(value)
}

/// Source code: a call, a path of names, a type.
fn is_code(value: &[u8]) -> bool {
    const NAME: ByteSet = ByteSet::alphanumeric_and(b"_.:&*");
    let name = NAME.run(value);
    if name >= 2
        && name < value.len()
        && b"(<[".contains(&value[name])
        && value[..name].iter().any(u8::is_ascii_alphabetic)
        && !value[..name].iter().any(u8::is_ascii_digit)
        && (value[name] != b'[' || value.ends_with(b"]"))
        && (value[name] != b'<'
            || value.get(name + 1).is_none_or(|byte| byte.is_ascii_alphabetic() || b"'&([_".contains(byte)))
        && (value[name] != b'(' || value.contains(&b')') || matches!(&value[name + 1..], b"" | b"{" | b"["))
    {
        return true;
    }
    let body = value.strip_prefix(b"&").or(value.strip_prefix(b"*")).unwrap_or(value);
    if memchr::memchr(b'.', body).is_some()
        && body.split(|byte| *byte == b'.').all(|part| {
            part.len() >= 2
                && part.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
                && (shape::is_wordlike(part) || part.len() < 8)
        })
    {
        return true;
    }
    (value.starts_with(b"&") || value.starts_with(b"*"))
        && body.len() > 1
        && body.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
}

/// Whether a word looks like nothing but what somebody thought up, or had made, as a secret: letters and digits mixed.
pub(super) fn is_chosen(value: &[u8]) -> bool {
    if value.len() < CHOSEN_BYTES_MIN || !value.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let kinds = shape::Kinds::of(value);
    let letters = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let version = value[letters..].iter().all(|byte| byte.is_ascii_digit() || b".-_".contains(byte));
    kinds.letters() > 1
        && !version
        && !is_version(value)
        && value.iter().all(|byte| byte.is_ascii_graphic() && !b"()[]{}<>=,;\"'`/\\|".contains(byte))
        && !is_reference(value)
}

/// Whether a text has all that rules for passwords ask for, and nothing that texts and expressions have.
fn is_thought_up(value: &[u8]) -> bool {
    const SIGNS: ByteSet = ByteSet::of(b"!#$%^&*?~@");
    let kinds = shape::Kinds::of(value);
    (THOUGHT_UP_BYTES_MIN..=THOUGHT_UP_BYTES_MAX).contains(&value.len())
        && kinds.classes() == 4
        && value.iter().any(|byte| SIGNS.has(*byte))
        && is_chosen(value)
        && !(value.contains(&b'@') && value.contains(&b'.'))
}

/// `1:4.13+dfsg1-1`, as in lists of packages.
pub(super) fn is_version(value: &[u8]) -> bool {
    let number = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
    number > 0 && value.get(number) == Some(&b'.') && value.get(number + 1).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_secret_is_none() {
        let strong = Verdict::Strong(Class::Password);
        for value in [
            "${IGGY_ROOT_PASSWORD}",
            "$IGGY_PW",
            "$(cat x)",
            "{{ .Values.password }}",
            "%s",
            "<password>",
            "null",
            "********",
            "[REDACTED]",
            "REDACTED-pw-abcdefghij",
            "/run/secrets/pw",
            "config.password",
            "get_password()",
            "arn:aws:iam::1:role/x",
            "xxxx",
            "required",
            "{}",
            "https://example.org/x",
            "%DB_PASSWORD%",
        ] {
            assert!(!is_secret(value.as_bytes(), strong, Ends::Guessed), "{value}");
        }
        for value in
            ["changeme", "iggy", "$ecret1X", "12345678", "P@ss(word", "a.b1c.d", "$tr0ng{x}", "x", "test-example"]
        {
            assert!(is_secret(value.as_bytes(), strong, Ends::Guessed), "{value}");
        }
    }
}
