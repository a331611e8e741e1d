//! Secrets told by a word before them or by their own look: `Bearer …`, `Basic …`, JSON web tokens, tokens of vendors
//! that nobody listed.

use super::super::bytes::find;
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::{self, bounded};
use super::super::span::{Form, Rule, Seed, Span};
use super::name::Verdict;
use super::pem::base64_decoded;
use super::plausible;
use super::tokens::{Body, RUNS};

/// Bytes of a run of letters and digits that are looked at.
const RUN_BYTES_MAX: usize = 4096;
/// Bytes of the body of a token of an unknown vendor.
const UNKNOWN_BODY_MIN: usize = 20;
/// Bytes of the prefix of a token of an unknown vendor.
const UNKNOWN_PREFIX_MAX: usize = 24;
/// Bytes between the kind of a mount and its options' end.
const MOUNT_BYTES_MAX: usize = 512;
/// Words before a dash that announce a hash, not a token.
const HASH_PREFIXES: &[&[u8]] =
    &[b"sha", b"md5", b"blake", b"crc", b"xxh", b"etag", b"rev", b"commit", b"tree", b"nar", b"cid"];

/// A token between two positions.
pub(super) fn token(start: usize, end: usize, class: Class) -> Span {
    Span { start, end, rule: Rule::Builtin("token"), class, form: Form::Raw, seed: Seed::Found }
}

/// The token after `Bearer `.
pub(super) fn bearer(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    let length = bytes[from..to]
        .iter()
        .take_while(|byte| Body::Base64.has(**byte) || matches!(**byte, b'.' | b'~' | b':'))
        .count();
    // A mask, or a name before one.
    if mask_in(&bytes[from..from + length]).is_some() {
        return None;
    }
    let end =
        from + bytes[from..from + length].iter().rposition(|byte| !b".:".contains(byte)).map_or(0, |last| last + 1);
    let text = &bytes[from..end];
    let kinds = shape::Kinds::of(text);
    let fits = text.len() >= 16 && (kinds.digit > 0 || kinds.upper > 0 && kinds.lower > 0) && !shape::is_wordlike(text);
    let secret = fits && plausible::is_secret(text, Verdict::Strong(Class::Token), plausible::Ends::Marked);
    secret.then(|| Span { rule: Rule::Builtin("bearer"), ..token(from, end, Class::Token) })
}

/// The base 64 of `user:password` after `Basic `.
pub(super) fn basic(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    let length = bytes[from..to.min(from + 1024)].iter().take_while(|byte| Body::Base64.has(**byte)).count();
    is_pair(&bytes[from..from + length])
        .then(|| Span { rule: Rule::Builtin("basic"), ..token(from, from + length, Class::Token) })
}

/// Whether a text is base 64 of `user:password`.
pub(super) fn is_pair(text: &[u8]) -> bool {
    if text.len() < 8 || text.len() > 1024 {
        return false;
    }
    let decoded = base64_decoded(text);
    decoded.len() >= text.len() * 3 / 4 - 3
        && std::str::from_utf8(&decoded)
            .is_ok_and(|text| text.contains(':') && !text.starts_with(':') && !text.contains(char::is_control))
}

/// A JSON web token: base 64 of `{"`, and at least one more part.
pub(super) fn jwt(bytes: &[u8], at: usize, to: usize) -> Option<Span> {
    if &bytes[at..at + 3] != b"eyJ" || !bounded(bytes, at) && bytes[at - 1] != b'_' {
        return None;
    }
    let head = bytes[at..to.min(at + 2048)].iter().take_while(|byte| Body::Word.has(**byte)).count();
    if head < 12 || bytes.get(at + head) != Some(&b'.') {
        return None;
    }
    let end = at
        + bytes[at..to]
            .iter()
            .take_while(|byte| Body::Dotted.has(**byte) || matches!(**byte, b'=' | b'+' | b'/'))
            .count();
    let end = mask_in(&bytes[at..end]).map_or(end, |mask| at + mask);
    let end = at + bytes[at..end].iter().rposition(|byte| !b".-".contains(byte)).map_or(0, |last| last + 1);
    let text = &bytes[at..end];
    let dot = memchr::memchr(b'.', text)?;
    let plain = text[..dot].iter().all(|byte| !b"/+".contains(byte));
    (dot >= 12 && plain && text.len() >= 40 && text.len() - dot > 8)
        .then(|| Span { rule: Rule::Builtin("jwt"), ..token(at, end, Class::Jwt) })
}

/// `1234567890:AA…`, the token of a Telegram bot; `at` is its colon.
pub(super) fn telegram(bytes: &[u8], at: usize) -> Option<Span> {
    let digits = bytes[..at].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit()).count();
    let body = bytes[at + 1..].iter().take(64).take_while(|byte| Body::Word.has(**byte)).count();
    let free = bounded(bytes, at - digits) || bytes[..at - digits].ends_with(b"bot");
    ((8..=11).contains(&digits) && (30..=45).contains(&body) && free && &bytes[at + 1..at + 3] == b"AA")
        .then(|| token(at - digits, at + 1 + body, Class::Token))
}

/// `<32 hexadecimal digits>-us1`; `at` is the dash.
pub(super) fn mailchimp(bytes: &[u8], at: usize) -> Option<Span> {
    let hex = bytes[..at].iter().rev().take(33).take_while(|byte| Body::Hex.has(**byte)).count();
    let digits = bytes[at + 3..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let free = !bytes.get(at + 3 + digits).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    (hex == 32 && (1..=2).contains(&digits) && free && bounded(bytes, at - 32))
        .then(|| token(at - 32, at + 3 + digits, Class::Token))
}

/// `pat<14>.<64 hexadecimal digits>`
pub(super) fn airtable(bytes: &[u8], at: usize) -> Option<Span> {
    let dot = at + 17;
    if bytes.get(dot) != Some(&b'.') || &bytes[at..at + 3] != b"pat" || !bounded(bytes, at) {
        return None;
    }
    let id = bytes[at + 3..dot].iter().all(u8::is_ascii_alphanumeric);
    let hex = bytes[dot + 1..].iter().take(80).take_while(|byte| Body::Hex.has(**byte)).count();
    (id && hex >= 40).then(|| token(at, dot + 1 + hex, Class::Token))
}

/// `SetCredential=name:value` of systemd.
pub(super) fn set_credential(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    let line = super::surroundings::line_end(bytes, from, to);
    let equals = bytes[from..line].iter().take(12).position(|byte| *byte == b'=')?;
    let colon = memchr::memchr(b':', &bytes[from + equals..line])?;
    let start = from + equals + colon + 1;
    let end =
        start + bytes[start..line].iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let secret = start < end
        && plausible::is_secret(&bytes[start..end], Verdict::Strong(Class::Password), plausible::Ends::Marked);
    secret.then(|| Span { rule: Rule::Builtin("key"), ..token(start, end, Class::Password) })
}

/// `user=name%password` among the options of a mount whose kind ends at `from`.
pub(super) fn mount(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    let line = super::surroundings::line_end(bytes, from, to.min(from + MOUNT_BYTES_MAX));
    let user = from + find(&bytes[from..line], b"user")?;
    let name = bytes[user + 4..line].strip_prefix(b"name").map_or(user + 4, |_| user + 8);
    let value = bytes[name..line].strip_prefix(b"=")?;
    let length = value.iter().position(|byte| b" \t,\"'".contains(byte)).unwrap_or(value.len());
    let sign = memchr::memchr(b'%', &value[..length])?;
    let (start, end) = (name + 1 + sign + 1, name + 1 + length);
    let secret = start < end
        && plausible::is_secret(&bytes[start..end], Verdict::Strong(Class::Password), plausible::Ends::Marked);
    secret.then(|| Span { rule: Rule::Builtin("key"), ..token(start, end, Class::Password) })
}

/// The secret of `user:secret` after `login=`.
pub(super) fn login(bytes: &[u8], from: usize, to: usize) -> Option<Span> {
    if !bytes[..from].ends_with(b"login=") {
        return None;
    }
    let word =
        bytes[from..to.min(from + 512)].iter().take_while(|byte| byte.is_ascii_graphic() && !b"&\"'".contains(byte));
    let end = from + word.count();
    let start = from + super::directive::user_secret(&bytes[from..end])?;
    let secret = plausible::is_secret(&bytes[start..end], Verdict::Strong(Class::Password), plausible::Ends::Marked);
    secret.then(|| Span { rule: Rule::Builtin("key"), ..token(start, end, Class::Password) })
}

/// `user bob on >secret #hash ~* +@all` of Redis: `at` is the `@` of the commands that the user may give.
pub(super) fn acl(bytes: &[u8], at: usize, masked_to: usize, spans: &mut Vec<Span>) {
    let floor = at.saturating_sub(super::BEHIND / 2).max(masked_to);
    let line = memchr::memrchr2(b'\n', b'"', &bytes[floor..at]).map_or(floor, |line| floor + line + 1);
    let mut start = line;
    let mut user = false;
    for word in bytes[line..at].split(|byte| *byte == b' ') {
        user |= word.eq_ignore_ascii_case(b"user") || word.eq_ignore_ascii_case(b"setuser");
        let hash = word.len() == 65 && b"#!".contains(&word[0]) && shape::is_hex(&word[1..]);
        let secret = word.len() > 1 && b"><".contains(&word[0]) && mask_in(word).is_none();
        if user
            && (hash
                || secret
                    && plausible::is_secret(&word[1..], Verdict::Strong(Class::Password), plausible::Ends::Marked))
        {
            let class = if hash { Class::Hash } else { Class::Password };
            spans.push(Span { rule: Rule::Builtin("key"), ..token(start + 1, start + word.len(), class) });
        }
        start += word.len() + 1;
    }
}

/// Whether this position lies in the base 64 of a public key of SSH, which begins with the name of its kind, or begins a
/// fingerprint, which happens to begin like a token.
pub(super) fn in_public_key(bytes: &[u8], at: usize) -> bool {
    const KINDS: [&[u8]; 4] = [b"AAAAB3NzaC1", b"AAAAC3NzaC1", b"AAAAE2Vj", b"AAAAGnNr"];
    const FINGERPRINTS: [&[u8]; 4] = [b"SHA256:", b"sha256-", b"sha384-", b"sha512-"];
    if FINGERPRINTS.iter().any(|kind| bytes[..at].ends_with(kind)) {
        return true;
    }
    // A key goes on behind `+` and `/`; most tokens begin behind something else.
    if at == 0 || !b"+/".contains(&bytes[at - 1]) {
        return false;
    }
    let floor = at.saturating_sub(super::BEHIND);
    let start = at - bytes[floor..at].iter().rev().take_while(|byte| Body::Base64.has(**byte)).count();
    KINDS.iter().any(|kind| bytes[start..at].starts_with(kind))
}

/// A token of an unknown vendor around `at`: a short word, `_` or `-`, and a long scrambled run. Also the run of letters and
/// digits.
pub(super) fn prefixed(bytes: &[u8], at: usize) -> (Option<Span>, (usize, usize)) {
    let floor = at.saturating_sub(super::BEHIND / 2);
    let start = at - bytes[floor..at].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let start = start + escape_before(bytes, start).min(at - start);
    let to = bytes.len().min(at + RUN_BYTES_MAX);
    let end = at + bytes[at..to].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let body = &bytes[start..end];
    if body.len() < UNKNOWN_BODY_MIN {
        return (None, (start, end));
    }
    if let Some(span) = whole_run(bytes, start, end) {
        return (Some(span), (start, span.end));
    }
    if start == 0 {
        return (None, (start, end));
    }
    if let Some(span) = discord(bytes, start, end) {
        return (Some(span), (start, span.end));
    }
    let word =
        bytes[..start].iter().rev().take(UNKNOWN_PREFIX_MAX + 1).take_while(|byte| Body::Word.has(**byte)).count();
    let skipped = escape_before(bytes, start - word).min(word);
    let (from, word, separator) = (start - word + skipped, word - skipped, bytes[start - 1]);
    if !(3..=UNKNOWN_PREFIX_MAX).contains(&word) || !b"_-".contains(&separator) || !bounded(bytes, from) {
        return (None, (start, end));
    }
    let prefix = &bytes[from..start - 1];
    let kinds = shape::Kinds::of(prefix);
    let one_case = kinds.upper == 0 || kinds.lower == 0;
    let hash =
        HASH_PREFIXES.iter().any(|hash| prefix.len() >= hash.len() && prefix[..hash.len()].eq_ignore_ascii_case(hash));
    // `fooKEY-…`: a vendor's name and what the token is.
    let named = [b"key".as_slice(), b"token", b"secret", b"pat"]
        .iter()
        .any(|kind| prefix.len() > kind.len() && prefix[prefix.len() - kind.len()..].eq_ignore_ascii_case(kind));
    if !(one_case || named) || hash || !prefix[0].is_ascii_alphabetic() || kinds.digit > 4 {
        return (None, (start, end));
    }
    let kinds = shape::Kinds::of(body);
    let base36 = separator == b'_'
        && body.len() >= 32
        && kinds.upper == 0
        && kinds.digit * 6 >= body.len()
        && !shape::is_hex(body)
        && !shape::is_wordlike(body)
        && kinds.lower >= 8;
    if !(shape::is_scrambled(body) || base36) {
        return (None, (start, end));
    }
    let whole = end + bytes[end..to].iter().take_while(|byte| Body::Word.has(**byte)).count();
    (Some(Span { rule: Rule::Builtin("token-like"), ..token(from, whole, Class::Token) }), (start, whole))
}

/// A token that is a whole run of letters and digits of one length.
fn whole_run(bytes: &[u8], start: usize, end: usize) -> Option<Span> {
    let run = &bytes[start..end];
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    RUNS.iter().filter(|(_, _, _, length, _)| *length == run.len() && digits > 0).find_map(
        |(before, first, rest, _, _)| {
            let from = start.checked_sub(before.len())?;
            let fits = bytes[from..].starts_with(before.as_bytes())
                && run.starts_with(first.as_bytes())
                && run[first.len()..].iter().all(|byte| rest.has(*byte))
                && bounded(bytes, from);
            fits.then(|| token(from, end, Class::Token))
        },
    )
}

/// Characters at the start of a run that belong to an escape of JSON or of a URL before it.
fn escape_before(bytes: &[u8], start: usize) -> usize {
    match (start.checked_sub(1).map(|at| bytes[at]), bytes.get(start)) {
        (Some(b'\\'), Some(b'n' | b'r' | b't')) => 1,
        (Some(b'\\'), Some(b'u')) => 5,
        (Some(b'%'), Some(byte)) if byte.is_ascii_hexdigit() => 2,
        _ => 0,
    }
}

/// `<24>.<6>.<27 or more>`, the token of a Discord bot.
fn discord(bytes: &[u8], start: usize, end: usize) -> Option<Span> {
    let head = &bytes[start..end];
    if !(22..=28).contains(&head.len())
        || !b"MNO".contains(&head[0])
        || bytes.get(end) != Some(&b'.')
        || bytes.get(end + 7) != Some(&b'.')
        || !bounded(bytes, start)
    {
        return None;
    }
    let middle = bytes[end + 1..end + 7].iter().all(|byte| Body::Word.has(*byte));
    let tail = bytes[end + 8..].iter().take(64).take_while(|byte| Body::Word.has(**byte)).count();
    (middle && tail >= 25).then(|| token(start, end + 8 + tail, Class::Token))
}
