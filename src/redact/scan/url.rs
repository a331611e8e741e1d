//! Credentials in URLs and connection strings: `scheme://user:password@host`, `user:password@host:port`,
//! `user:password@tcp(host)`, and paths that are secrets themselves, as webhooks have them.

use super::super::bytes::ByteSet;
use super::super::pseudonym::{Class, mask_length};
use super::super::shape;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::Verdict;
use super::plausible;
use super::quoted::Around;
use super::tokens::{TOKENS, token_end};

/// Bytes of a URL that are looked at.
const URL_BYTES_MAX: usize = 4096;
/// Bytes of a scheme.
const SCHEME_BYTES_MAX: usize = 32;
/// Bytes of `user:password` without a scheme.
const PAIR_BYTES_MAX: usize = 512;
/// `@` behind the first `/` that are looked at.
const LATER_SIGNS_MAX: usize = 4;
/// Bytes of a password that is not encoded.
const RAW_BYTES_MAX: usize = 256;
/// Schemes whose userinfo may be a token that holds `/`.
const TOKEN_SCHEMES: &[&[u8]] = &[b"iggy", b"laser"];
/// What stands before `:` and `@` elsewhere than in a credential.
const NOT_USERS: &[&[u8]] = &[
    b"sip", b"sips", b"mailto", b"xmpp", b"acct", b"tel", b"git", b"docker", b"image", b"npm", b"urn", b"sha256",
    b"file",
];
/// Path segments after which a secret follows.
const HOOK_SEGMENTS: &[&[u8]] = &[
    b"webhook",
    b"webhooks",
    b"webhookb2",
    b"hooks",
    b"hook",
    b"catch",
    b"incoming",
    b"incoming-webhook",
    b"incomingwebhook",
];
/// Second halves of userinfo that say that the first half is the token.
const FILLERS: &[&[u8]] =
    &[b"x-oauth-basic", b"x-oauth-token", b"x", b"oauth", b"oauth2", b"api_token", b"token", b"unused", b"nopass"];

/// What URLs are made of: neither blanks nor control characters, quotes and the like.
/// Bytes of the driver, the user and the secret of Oracle's.
const ORACLE_BYTES_MAX: usize = 128;
const URL: ByteSet = ByteSet::of(b"\"'`<>|\\^{}").and_up_to(b' ').others();
const SCHEME: ByteSet = ByteSet::alphanumeric_and(b"+.-");
const HOST: ByteSet = ByteSet::alphanumeric_and(b".-_");
const AUTHORITY: ByteSet = ByteSet::of(b"/?#").others();

/// The run of bytes without blanks in which a URL stands, looked at once for all URLs in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// One past its last byte.
    pub(super) end: usize,
    /// Its last `@`, if any.
    pub(super) sign: Option<usize>,
}

/// The secrets of the URL whose `://` stands at `at`; where scanning goes on when something was masked.
pub(super) fn url(bytes: &[u8], at: usize, slashes: usize, known: &mut Run, spans: &mut Vec<Span>) -> Option<usize> {
    let from = at + slashes;
    let first = from >= known.end;
    if first {
        let to = bytes.len().min(from + URL_BYTES_MAX);
        let text = bytes.get(from..to)?;
        let end = from + URL.run(text);
        let end = raw_end(bytes, at, from, end).unwrap_or(end);
        *known = Run { end, sign: memchr::memrchr(b'@', &bytes[from..end]).map(|sign| from + sign) };
    }
    let run = bytes.get(from..known.end)?;
    let signed = known.sign.is_some_and(|sign| sign >= from);
    let scheme = &bytes[at.saturating_sub(SCHEME_BYTES_MAX)..at];
    let scheme = &scheme[scheme.len() - SCHEME.run_before(scheme)..];
    let Some(sign) = signed.then(|| userinfo_end(run, scheme)).flatten() else {
        let path = run.iter().take(300).position(|byte| *byte == b'/').filter(|_| first)?;
        return hook(bytes, from, &run[..path], from + path, from + run.len(), spans);
    };
    let pushed = pair(bytes, from, from + sign, spans);
    let host = &run[sign + 1..];
    let path = host.iter().take(300).position(|byte| *byte == b'/').map(|slash| from + sign + 1 + slash);
    let hooked = path
        .filter(|_| first)
        .and_then(|path| hook(bytes, from + sign + 1, &bytes[from + sign + 1..path], path, from + run.len(), spans));
    hooked.or(pushed)
}

/// Where a URL ends whose password holds what URLs are not made of, as it is written where nobody encoded it; `end` is where
/// the first of it stands.
#[inline(never)]
fn raw_end(bytes: &[u8], at: usize, from: usize, end: usize) -> Option<usize> {
    const RAW: ByteSet = ByteSet::of(b"").and_up_to(b' ').others();
    let head = &bytes[from..end];
    let colon = memchr::memchr(b':', &head[..head.len().min(RAW_BYTES_MAX)])?;
    if bytes.get(end).is_none_or(|byte| *byte <= b' ')
        || memchr::memchr2(b'/', b'@', head).is_some()
        || !head[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
        || colon + 1 < head.len() && head[colon + 1..].iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let rest = &bytes[end..bytes.len().min(end + RAW_BYTES_MAX)];
    let rest = &rest[..RAW.run(rest)];
    let sign = memchr::memchr(b'@', rest)?;
    let scheme = &bytes[at.saturating_sub(SCHEME_BYTES_MAX)..at];
    let begin = at - SCHEME.run_before(scheme);
    let open = begin.checked_sub(1).map(|place| bytes[place]);
    // A quote that closes is followed by what goes on behind it; where none is open, none closes.
    let around = Around::of(bytes, begin);
    let closes = |(place, byte): (usize, &u8)| {
        let next = rest[place + 1];
        match byte {
            b'"' | b'\'' | b'`' => open == Some(*byte) || !around.is_none() && b",:;)]}>/=".contains(&next),
            b'\\' => b"\"'`".contains(&next),
            b'<' => next == b'/',
            b'/' => true,
            _ => false,
        }
    };
    if rest[..sign].iter().enumerate().any(closes) || !is_host(&rest[sign + 1..]) {
        return None;
    }
    Some(end + sign + 1 + URL.run(&rest[sign + 1..]))
}

/// Where the userinfo of a URL ends.
fn userinfo_end(run: &[u8], scheme: &[u8]) -> Option<usize> {
    let authority = AUTHORITY.run(run);
    let sign = run[..authority].iter().rposition(|byte| *byte == b'@');
    let ported = |at: usize| host_with_port(&run[at + 1..]);
    let later = || {
        let mut last = None;
        for at in memchr::memchr_iter(b'@', &run[authority..]).map(|found| authority + found).take(LATER_SIGNS_MAX) {
            if is_host(&run[at + 1..]) {
                last = Some(at);
            }
        }
        last
    };
    if TOKEN_SCHEMES
        .iter()
        .any(|listed| scheme.len() >= listed.len() && scheme[..listed.len()].eq_ignore_ascii_case(listed))
    {
        return later().or(sign);
    }
    match sign {
        Some(sign) => later().filter(|later| ported(*later) && !run[sign..*later].contains(&b'?')).or(Some(sign)),
        None if authority == run.len() => None,
        None => later().filter(|later| {
            let before = &run[..*later];
            let web = scheme.len() >= 4 && scheme[..4].eq_ignore_ascii_case(b"http");
            let plain_host =
                !web && !is_authority(&run[..authority]) && memchr::memchr(b':', &run[..authority]).is_some();
            let token = before.len() >= 40
                && memchr::memchr(b'.', before).is_none()
                && shape::is_random(before, shape::HexIs::Hash);
            plain_host || token
        }),
    }
}

/// `host`, `host:port`, and lists of them.
fn is_authority(text: &[u8]) -> bool {
    text.split(|byte| *byte == b',').all(|host| {
        let name = host.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b".-_[]%".contains(byte)).count();
        name == host.len() || host[0] == b'[' || host[name] == b':' && host[name + 1..].iter().all(u8::is_ascii_digit)
    })
}

fn is_host(text: &[u8]) -> bool {
    if text.first() == Some(&b'[') {
        return true;
    }
    let name = HOST.run(text);
    name > 0 && text.get(name).is_none_or(|byte| b":/?#,(".contains(byte))
}

fn host_with_port(text: &[u8]) -> bool {
    let name = if text.first() == Some(&b'[') {
        text.iter().take(64).position(|byte| *byte == b']').map_or(0, |close| close + 1)
    } else {
        HOST.run(&text[..text.len().min(255)])
    };
    let port =
        text.get(name + 1..).map_or(0, |rest| rest.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count());
    name > 0
        && text.get(name) == Some(&b':')
        && (1..=5).contains(&port)
        && !text.get(name + 1 + port).is_some_and(u8::is_ascii_alphanumeric)
}

/// Masks the secret part of `user:password`, or of a token that stands alone.
fn pair(bytes: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) -> Option<usize> {
    let info = &bytes[start..end];
    let colon = info.iter().position(|byte| *byte == b':');
    let (user, password) = colon.map_or((info, &[][..]), |colon| (&info[..colon], &info[colon + 1..]));
    let filler = password.is_empty() || FILLERS.iter().any(|filler| password.eq_ignore_ascii_case(filler));
    let mut last = None;
    let alone = user.len() >= 40 || (filler && colon.is_some() && user.len() >= 12);
    if is_token(user) || filler && alone && user.iter().any(u8::is_ascii_digit) {
        last = push(spans, bytes, start, start + user.len(), Class::Token);
    }
    if !(password.is_empty() || filler && last.is_some()) {
        last = push(spans, bytes, end - password.len(), end, Class::Url).or(last);
    }
    last.map(|_| end)
}

fn is_token(user: &[u8]) -> bool {
    let listed = || TOKENS.iter().any(|token| token_end(token, user, 0, user.len()).is_some());
    user.len() >= 12 && listed()
        || user.len() >= 20 && (shape::is_random(user, shape::HexIs::Random) || shape::is_scrambled(user))
}

fn push(spans: &mut Vec<Span>, bytes: &[u8], start: usize, end: usize, class: Class) -> Option<usize> {
    let text = &bytes[start..end];
    if mask_length(text) == Some(text.len()) {
        return Some(end);
    }
    if !plausible::is_secret(text, Verdict::Strong(Class::Password), plausible::Ends::Marked) {
        return None;
    }
    let form = if memchr::memchr(b'%', text).is_some() { Form::Percent } else { Form::Raw };
    spans.push(Span { start, end, rule: Rule::Builtin("url"), class, form, seed: Seed::Found });
    Some(end)
}

/// The tail of a path that is a secret.
fn hook(bytes: &[u8], host_at: usize, host: &[u8], path: usize, end: usize, spans: &mut Vec<Span>) -> Option<usize> {
    let stop = bytes[path..end].iter().position(|byte| b"?#".contains(byte)).map_or(end, |found| path + found);
    let stop = path + bytes[path..stop].iter().rposition(|byte| !b".,;:)]/".contains(byte)).map_or(0, |last| last + 1);
    if stop <= path || host_at > path {
        return None;
    }
    let host_is = |name: &[u8]| host.len() >= name.len() && host[host.len() - name.len()..].eq_ignore_ascii_case(name);
    let slack = host_is(b"hooks.slack.com") || host.starts_with(b"hooks.");
    let mut at = path + 1;
    while at < stop {
        let segment = bytes[at..stop].iter().position(|byte| *byte == b'/').map_or(stop, |slash| at + slash);
        let word = &bytes[at..segment];
        let marks = HOOK_SEGMENTS.iter().any(|mark| word.eq_ignore_ascii_case(mark))
            || slack && (word == b"services" || word == b"workflows" || word == b"triggers")
            || host_is(b"ifttt.com") && word == b"key";
        if marks && segment + 1 < stop && (slack && stop - segment > 20 || is_opaque(&bytes[segment + 1..stop])) {
            spans.push(Span {
                start: segment + 1,
                end: stop,
                rule: Rule::Builtin("webhook"),
                class: Class::Url,
                form: Form::Raw,
                seed: Seed::Found,
            });
            return Some(stop);
        }
        at = segment + 1;
    }
    None
}

fn is_opaque(tail: &[u8]) -> bool {
    tail.split(|byte| b"/@".contains(byte)).any(|segment| {
        let kinds = shape::Kinds::of(segment);
        shape::is_uuid(segment)
            || segment.len() >= 16
                && (kinds.digit > 0 || kinds.upper > 2)
                && kinds.letters() > 0
                && !shape::is_wordlike(segment)
    })
}

/// `user:password` before the `@` at `at`, without a scheme.
pub(super) fn dsn(bytes: &[u8], at: usize) -> Option<Span> {
    let after = &bytes[at + 1..bytes.len().min(at + 300)];
    let wrapped = [b"tcp(".as_slice(), b"unix(", b"udp(", b"(", b"tcp6("].iter().any(|word| after.starts_with(word));
    if !wrapped && !host_with_port(after) {
        return oracle(bytes, at);
    }
    let floor = at.saturating_sub(PAIR_BYTES_MAX);
    let (mut start, mut signs) = (at, 0);
    while start > floor {
        let byte = bytes[start - 1];
        signs += usize::from(byte == b'@');
        let padding = byte == b'=' && bytes[start..at].iter().all(|byte| *byte == b'=');
        if byte <= b' ' || b"\"'`<>(),;[]{}|\\".contains(&byte) || byte == b'=' && !padding || signs > 2 {
            break;
        }
        start -= 1;
    }
    let text = &bytes[start..at];
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (user, password) = (&text[..colon], &text[colon + 1..]);
    let named = !user.is_empty()
        && user.len() <= 64
        && user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
    if user == b"jdbc" {
        return oracle(bytes, at);
    }
    let other = NOT_USERS.iter().any(|word| user.eq_ignore_ascii_case(word))
        || password.starts_with(b"//")
        || user.iter().all(u8::is_ascii_digit);
    let times = password.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    if !named
        || other
        || times
        || start == floor && floor > 0
        || !plausible::is_secret(password, Verdict::Strong(Class::Password), plausible::Ends::Marked)
    {
        return None;
    }
    let form = if memchr::memchr(b'%', password).is_some() { Form::Percent } else { Form::Raw };
    Some(Span {
        start: start + colon + 1,
        end: at,
        rule: Rule::Builtin("dsn"),
        class: Class::Url,
        form,
        seed: Seed::Found,
    })
}

/// `jdbc:oracle:thin:scott/secret` before the `@` at `at`.
fn oracle(bytes: &[u8], at: usize) -> Option<Span> {
    const PLAIN: ByteSet = ByteSet::of(b"\"'`<>|\\^{}@").and_up_to(b' ').others();
    let floor = at.saturating_sub(ORACLE_BYTES_MAX);
    let start = at - PLAIN.run_before(&bytes[floor..at]);
    let text = &bytes[start..at];
    let slash = memchr::memchr(b'/', text)?;
    let driver = [b":thin:".as_slice(), b":oci:", b":oci8:"]
        .iter()
        .find_map(|driver| memchr::memmem::rfind(&text[..slash], driver).map(|place| place + driver.len()))?;
    let user = &text[driver..slash];
    let plain = !user.is_empty() && user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_$#.".contains(byte));
    let secret = &text[slash + 1..];
    let class = Class::Url;
    (plain && plausible::is_secret(secret, Verdict::Strong(Class::Password), plausible::Ends::Marked)).then_some(Span {
        start: start + slash + 1,
        end: at,
        rule: Rule::Builtin("dsn"),
        class,
        form: Form::Raw,
        seed: Seed::Found,
    })
}

/// A URL inside a URL: `…%3A%2F%2Fuser%3Apassword%40host`; `at` is where `%3A%2F%2F` stands.
pub(super) fn nested(bytes: &[u8], at: usize) -> Option<Span> {
    let from = at + 9;
    let to = bytes.len().min(from + PAIR_BYTES_MAX);
    let run = bytes.get(from..to)?;
    let run = &run[..URL.run(run)];
    let run = &run[..memchr::memchr(b'&', run).unwrap_or(run.len())];
    let host = find_folded(run, *b"%2f").unwrap_or(run.len());
    let sign = find_folded(&run[..host], *b"%40")?;
    let colon = find_folded(&run[..sign], *b"%3a")?;
    let (start, end) = (from + colon + 3, from + sign);
    let class = Class::Url;
    (start < end).then_some(Span {
        start,
        end,
        rule: Rule::Builtin("url"),
        class,
        form: Form::Percent,
        seed: Seed::Found,
    })
}

/// Where an escape of a URL stands, whatever the case of its digits.
fn find_folded(text: &[u8], word: [u8; 3]) -> Option<usize> {
    memchr::memchr_iter(b'%', text).find(|at| text[*at..].len() >= 3 && text[*at..at + 3].eq_ignore_ascii_case(&word))
}
