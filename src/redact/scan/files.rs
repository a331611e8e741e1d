//! Files of credentials with a layout of their own, known by their names.

use super::super::bytes::find;
use super::super::pseudonym::Class;
use super::super::span::{Rule, Span};
use super::name::{self, Verdict};
use super::surroundings::blanks;
use super::{nested, plausible, value};

/// Kinds of secrets in `ipsec.secrets` that a file may stand before.
const WITH_FILES: &[&[u8]] = &[b"RSA", b"ECDSA", b"BLISS", b"PKCS8", b"PKCS12", b"P12", b"PIN"];
/// Bytes of a name in Docker's configuration, and between it and its value.
const AUTH: &[u8] = b"\"auth\"";
const GAP_MAX: usize = 16;

/// `bob : EAP "secret"`, `: RSA key.pem "passphrase"`
pub(super) fn ipsec(line: &[u8]) -> Option<(usize, usize)> {
    let colon = line.iter().enumerate().position(|(at, byte)| {
        *byte == b':'
            && line.get(at + 1).is_some_and(|next| b" \t".contains(next))
            && (at == 0 || b" \t\"".contains(&line[at - 1]))
    })?;
    let mut at = colon + 1 + blanks(line, colon + 1);
    let kind = word(line, at);
    let files = WITH_FILES.iter().any(|listed| line[at..at + kind].eq_ignore_ascii_case(listed));
    at += kind;
    if files {
        at += blanks(line, at);
        at += word(line, at);
    }
    at += blanks(line, at);
    let length = word(line, at);
    let text = line[at..at + length].trim_ascii_end();
    let quoted = usize::from(text.len() > 2 && text.starts_with(b"\"") && text.ends_with(b"\""));
    (kind > 0 && !text.is_empty() && !text.starts_with(b"%")).then_some((at + quoted, at + text.len() - quoted))
}

/// `BUNDLE_GEMS__EXAMPLE__COM: "user:password"`, or a token alone.
pub(super) fn bundler(line: &[u8]) -> Option<(usize, usize)> {
    let colon = find(line, b": ")?;
    let host = line[..colon].strip_prefix(b"BUNDLE_")?;
    find(host, b"__")?;
    let at = colon + 2 + blanks(line, colon + 2);
    let (start, end) = match value::quote_at(line, at) {
        Some((quote, inside)) => (inside, value::quoted_end(line, inside, line.len(), quote)),
        None => (at, line.len()),
    };
    if let Some(password) = name::pair(&line[start..end]) {
        return Some((start + password, end));
    }
    nested::looks_owned(Verdict::Strong(Class::Token), &line[start..end]).then_some((start, end))
}

/// The values of every `"auth"`.
pub(super) fn docker(bytes: &[u8], spans: &mut Vec<Span>) {
    for at in memchr::memmem::find_iter(bytes, AUTH) {
        let from = at + AUTH.len();
        let gap =
            bytes[from..].iter().take(GAP_MAX).take_while(|byte| byte.is_ascii_whitespace() || **byte == b':').count();
        let Some((quote, inside)) = value::quote_at(bytes, from + gap) else { continue };
        let end = value::quoted_end(bytes, inside, bytes.len(), quote);
        if plausible::is_secret(&bytes[inside..end], Verdict::Strong(Class::Token), plausible::Ends::Marked) {
            spans.push(Span { rule: Rule::Builtin("credential-file"), ..Span::typed(inside, end, Class::Token) });
        }
    }
}

/// Bytes of the word at `at`, its quotes included.
pub(super) fn word(line: &[u8], at: usize) -> usize {
    if line.get(at) == Some(&b'"') {
        return memchr::memchr(b'"', &line[at + 1..]).map_or(line.len() - at, |close| close + 2);
    }
    line[at.min(line.len())..].iter().take_while(|byte| !matches!(byte, b' ' | b'\t')).count()
}
