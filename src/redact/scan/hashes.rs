//! Password verifiers: salt and hash are masked, algorithm and cost stay, for they are worth knowing.

use super::super::pseudonym::{Class, unmasked_end};
use super::super::span::{Form, Rule, Seed, Span};
use super::plausible::is_chosen;
use super::surroundings::line_end;

/// Forms of `crypt(3)` and PHC strings: what they begin with, and how many `$`-fields of parameters may follow before the
/// salt.
pub(super) const CRYPT: &[(&str, usize)] = &[
    ("$1$", 0),
    ("$2a$", 1),
    ("$2b$", 1),
    ("$2x$", 1),
    ("$2y$", 1),
    ("$5$", 0),
    ("$6$", 0),
    ("$7$", 0),
    ("$y$", 1),
    ("$gy$", 1),
    ("$apr1$", 0),
    ("$sha1$", 1),
    ("$md5$", 0),
    ("$argon2id$", 2),
    ("$argon2i$", 2),
    ("$argon2d$", 2),
    ("$scrypt$", 1),
    ("$pbkdf2$", 1),
    ("$pbkdf2-sha256$", 1),
    ("$pbkdf2-sha512$", 1),
    ("$pbkdf2-sha1$", 1),
    ("$s0$", 1),
    ("$s2$", 1),
    ("$8$", 0),
    ("$9$", 0),
    ("$P$", 0),
    ("$H$", 0),
    ("$S$", 0),
];
/// Fields with names: `SCRAM-SHA-256$4096:salt$stored:server`, `pbkdf2_sha256$iterations$salt$hash`, `{SSHA}…`.
pub(super) const NAMED: &[&str] = &[
    "SCRAM-SHA-1$",
    "SCRAM-SHA-256$",
    "SCRAM-SHA-512$",
    "pbkdf2_sha256$",
    "pbkdf2_sha1$",
    "pbkdf2_sha512$",
    "bcrypt_sha256$",
    "bcrypt$",
    "{SSHA}",
    "{SHA}",
    "{SMD5}",
    "{MD5}",
    "{CRYPT}",
    "{SSHA256}",
    "{SSHA512}",
    "{SHA256}",
    "{SHA512}",
    "{PBKDF2}",
    "{BLF-CRYPT}",
    "{ARGON2ID}",
    "{SHA512-CRYPT}",
];
/// Beginnings and ends of schemes of Dovecot's files of users behind which anything stands up to the next colon.
pub(super) const SCHEMES: &[&str] = &["{plain", "leart", "-md5}", ".b64}", ".hex}", "{scram-"];
/// Bytes of a scheme's name.
const SCHEME_BYTES_MAX: usize = 16;
/// Hexadecimal digits of the hashes of a file of Samba's, and bytes of a line of it.
const SAMBA_DIGITS: usize = 32;
const SAMBA_BYTES_MAX: usize = 256;
/// The hash of no password.
const SAMBA_NONE: &[u8] = b"aad3b435b51404eeaad3b435b51404ee";
/// Bytes of salt and hash together below which it is none.
const SALT_AND_HASH_MIN: usize = 20;
/// Bytes of one verifier.
const VERIFIER_BYTES_MAX: usize = 1024;
/// Bytes of a Kerberos ticket, and hexadecimal digits of its parts.
const TICKET_BYTES_MAX: usize = 16 << 10;
const TICKET_DIGITS_MIN: usize = 24;
/// Characters of the Argon2 hash of 32 bytes.
const ARGON2_HASH_CHARS: usize = 43;

fn in_hash(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./+=".contains(&byte)
}

/// The salt and hash of the verifier that begins at `at` with `prefix`.
pub(super) fn crypt(bytes: &[u8], at: usize, prefix: &str, parameters: usize) -> Option<Span> {
    let to = bytes.len().min(at + VERIFIER_BYTES_MAX);
    if !bytes[at..to].starts_with(prefix.as_bytes()) {
        return None;
    }
    let mut start = at + prefix.len();
    for field in 0..=parameters {
        let text = &bytes[start..to];
        let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"=,./-".contains(byte)).count();
        let named = memchr::memchr(b'=', &text[..length]).is_some()
            && text[..length].iter().any(u8::is_ascii_lowercase)
            && length < 40;
        let listed = field < parameters || named && text.get(length) == Some(&b'$');
        if !listed || text.get(length) != Some(&b'$') {
            break;
        }
        start += length + 1;
    }
    let end = start + bytes[start..to].iter().take_while(|byte| in_hash(**byte) || **byte == b'$').count();
    let end = unmasked_end(bytes, start, end);
    let mut end = start + bytes[start..end].iter().rposition(|byte| !b".$".contains(byte)).map_or(0, |last| last + 1);
    if prefix.starts_with("$argon2") {
        end = argon2_end(bytes, at, start, end);
    }
    (end - start >= SALT_AND_HASH_MIN).then(|| span(start, end))
}

/// Whether a whole value is a verifier of `crypt(3)` or a PHC string, whose salt and hash are masked by this layer.
pub(super) fn covers(value: &[u8]) -> bool {
    value.len() > SALT_AND_HASH_MIN
        && CRYPT.iter().any(|(prefix, parameters)| {
            crypt(value, 0, prefix, *parameters).is_some_and(|span| span.end + 1 >= value.len())
        })
}

/// Whether a verifier begins at `at`.
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    // Not the bracket of a shell's variable.
    bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
        && CRYPT.iter().any(|(prefix, parameters)| crypt(bytes, at, prefix, *parameters).is_some())
}

/// An Argon2 string may be followed by a byte of a binary record that looks like one of it; the record's length, or the
/// usual length of the hash, tells where it ends.
fn argon2_end(bytes: &[u8], at: usize, start: usize, end: usize) -> usize {
    let Some(dollar) = memchr::memchr(b'$', &bytes[start..end]) else { return end };
    let length = |width: usize| {
        let mut value = [0; 8];
        let from = at.checked_sub(width)?;
        value[..width].copy_from_slice(&bytes[from..at]);
        usize::try_from(u64::from_le_bytes(value))
            .ok()
            .filter(|length| *length > start - at + dollar && at + length <= end)
    };
    if let Some(length) = length(4) {
        return at + length;
    }
    let usual = start + dollar + 1 + ARGON2_HASH_CHARS;
    if end > usual && end < usual + ARGON2_HASH_CHARS / 2 { usual } else { end }
}

/// The salt and hash of a verifier with a named scheme.
pub(super) fn named(bytes: &[u8], at: usize, prefix: &str) -> Option<Span> {
    let to = bytes.len().min(at + VERIFIER_BYTES_MAX);
    let head = bytes.get(at..at + prefix.len())?;
    if !head.eq_ignore_ascii_case(prefix.as_bytes()) {
        return None;
    }
    let mut start = at + prefix.len();
    let digits = bytes[start..to].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && matches!(bytes.get(start + digits), Some(b'$' | b':')) {
        start += digits + 1;
    }
    let end = start + bytes[start..to].iter().take_while(|byte| in_hash(**byte) || b"$:".contains(byte)).count();
    let end = unmasked_end(bytes, start, end);
    let end = start + bytes[start..end].iter().rposition(|byte| !b".$:".contains(byte)).map_or(0, |last| last + 1);
    (end - start >= SALT_AND_HASH_MIN).then(|| span(start, end))
}

/// What stands behind the scheme of which a part stands at `at`: `bob:{PLAIN}…:1000`. What is clear is told from a template
/// by the user before it.
pub(super) fn scheme(bytes: &[u8], at: usize) -> Option<Span> {
    let to = bytes.len().min(at + VERIFIER_BYTES_MAX);
    let open = bytes[..=at].iter().rev().take(SCHEME_BYTES_MAX).position(|byte| *byte == b'{')?;
    let at = at - open;
    let name = bytes[at..to].iter().take(SCHEME_BYTES_MAX).position(|byte| *byte == b'}')?;
    let start = at + name + 1;
    let text = &bytes[start..to];
    let end = start + text.iter().take_while(|byte| byte.is_ascii_graphic() && !b":\"'`<>{".contains(byte)).count();
    let before = bytes[..at].iter().rev().take(2).copied().collect::<Vec<_>>();
    let owned = matches!(before[..], [b':', user] if user.is_ascii_alphanumeric());
    let apart = before.first().is_none_or(|byte| byte.is_ascii_whitespace() || b":=\"'".contains(byte));
    let scheme = bytes[at + 1..start - 1].to_ascii_lowercase();
    let clear = scheme == b"plain" || scheme.starts_with(b"clear") || scheme.starts_with(b"plain.");
    let secret = if clear {
        owned || apart && is_chosen(&bytes[start..end])
    } else {
        owned || apart && end - start >= SALT_AND_HASH_MIN
    };
    let end = unmasked_end(bytes, start, end);
    let class = if clear { Class::Password } else { Class::Hash };
    (secret && start < end).then(|| Span { class, ..span(start, end) })
}

/// The hashes of `bob:1000:LM:NT:[U          ]:LCT-5F3A1B2C:`, of `smbpasswd`, and of `bob:1000:LM:NT:::`, as programs that
/// read such files print them; `at` is somewhere in the line, and nothing before `masked_to` is looked at.
pub(super) fn samba(bytes: &[u8], at: usize, masked_to: usize, spans: &mut Vec<Span>) {
    let floor = at.saturating_sub(SAMBA_BYTES_MAX).max(masked_to);
    let begin = memchr::memrchr(b'\n', &bytes[floor..at]).map_or(floor, |line| floor + line + 1);
    let line = &bytes[begin..line_end(bytes, at, bytes.len().min(at + SAMBA_BYTES_MAX))];
    let fields: Vec<&[u8]> = line.splitn(6, |byte| *byte == b':').collect();
    let [user, id, lm, nt, _, ..] = fields[..] else { return };
    let hash = |field: &[u8]| field.len() == SAMBA_DIGITS && field.iter().all(u8::is_ascii_hexdigit);
    if user.is_empty() || id.is_empty() || !id.iter().all(u8::is_ascii_digit) || !hash(nt) || lm.len() != SAMBA_DIGITS {
        return;
    }
    let start = begin + user.len() + 1 + id.len() + 1;
    if hash(lm) && !lm.eq_ignore_ascii_case(SAMBA_NONE) {
        spans.push(span(start, start + SAMBA_DIGITS));
    }
    spans.push(span(start + SAMBA_DIGITS + 1, start + 2 * SAMBA_DIGITS + 1));
}

/// The encrypted part of a Kerberos ticket as crackers write it: `$krb5asrep$23$user@REALM:hex$hex`.
pub(super) fn kerberos(bytes: &[u8], at: usize) -> Option<Span> {
    let to = bytes.len().min(at + TICKET_BYTES_MAX);
    let text = &bytes[at..to];
    let run = text.iter().take_while(|byte| byte.is_ascii_graphic() && !b"\"'<>\\".contains(byte)).count();
    let digits = |from: usize| text[from..run].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let mut place = 5;
    while place < run {
        let length = digits(place + 1);
        if b"$:".contains(&text[place]) && length >= TICKET_DIGITS_MIN {
            let end = place
                + 1
                + text[place + 1..run].iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'$').count();
            return Some(span(at + place + 1, at + end));
        }
        place += 1 + length;
    }
    None
}

fn span(start: usize, end: usize) -> Span {
    Span { start, end, rule: Rule::Builtin("password-hash"), class: Class::Hash, form: Form::Raw, seed: Seed::Found }
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn files_of_users_keep_all_but_what_proves_them() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("bob:{PLAIN}hunter2:1000:1000::/home/bob::\n", "bob:{PLAIN}‹pw›:1000:1000::/home/bob::\n"),
                ("a@example.org:{CRAM-MD5}0123456789abcdef:\n", "a@example.org:{CRAM-MD5}‹hash›:\n"),
                ("bob:{SSHA512.b64}Zm9vYmFyYmF6cXV4MTIz\n", "bob:{SSHA512.b64}‹hash›\n"),
                same("path: /api/{plain}/x1\n"),
                same("say \"{plain}text\"\n"),
                (
                    "bob:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:8846F7EAEE8FB117AD06BDD830B7586C:[U ]:LCT-5F3A1B2C:\n",
                    "bob:1000:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:‹hash›:[U ]:LCT-5F3A1B2C:\n",
                ),
                (
                    "bob:500:aad3b435b51404eeaad3b435b51404ee:8846f7eaee8fb117ad06bdd830b7586c:::\n",
                    "bob:500:aad3b435b51404eeaad3b435b51404ee:‹hash›:::\n",
                ),
                same("a:1:0123456789abcdef0123456789abcdef:b:::\n"),
            ],
        );
    }
}
