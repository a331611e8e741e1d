//! The scanner: finds secrets in bytes.
//!
//! It goes over the bytes once. A *trigger* at a position says that something may stand here; a parser written by hand
//! then looks at most [`AHEAD`] bytes ahead and [`BEHIND`] bytes back and says what is secret. Scanning resumes after
//! what was found, so that the work is linear in the data whatever it holds.

use super::carrier::Carrier;
use super::pseudonym::{Class, mask_length};
use super::settings::Compiled;
use super::span::{Form, Rule, Seed, Span, settle};

/// Bytes that a parser may look back from its trigger.
pub(super) const BEHIND: usize = 1024;
/// Bytes that a parser may look ahead from its trigger.
pub(super) const AHEAD: usize = 96 << 10;

/// How far a scan has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// All triggers before this position are done.
    pub(super) scanned: usize,
    /// Nothing before this position is looked at again.
    pub(super) masked_to: usize,
}

impl Progress {
    /// Follows a buffer that lost its first `bytes`.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.scanned -= bytes;
        self.masked_to = self.masked_to.saturating_sub(bytes);
    }
}

/// Finds secrets.
pub(super) struct Scanner<'a> {
    pub(super) rules: &'a Compiled,
}

const STEMS: &[&[u8]] = &[b"password", b"passwd", b"secret", b"token", b"api_key", b"apikey", b"_key"];

impl Scanner<'_> {
    /// Finds the secrets whose triggers stand before `limit` and have not been looked at.
    pub(super) fn scan(&self, bytes: &[u8], limit: usize, progress: &mut Progress, spans: &mut Vec<Span>) {
        let mut at = progress.scanned.max(progress.masked_to);
        while at < limit {
            let stem = STEMS
                .iter()
                .find(|stem| bytes.get(at..at + stem.len()).is_some_and(|window| window.eq_ignore_ascii_case(stem)));
            let allowed = |value: &[u8]| self.rules.allow_values.iter().any(|allowed| allowed == value);
            if let Some(stem) = stem
                && let Some((start, end)) = value(bytes, at + stem.len())
                && !allowed(&bytes[start..end])
            {
                let (rule, class) = (Rule::Builtin("key"), Class::Password);
                spans.push(Span { start, end, rule, class, form: Form::Raw, seed: Seed::Found });
                at = end;
                progress.masked_to = end;
            } else {
                at += 1;
            }
        }
        progress.scanned = limit;
    }

    /// All secrets of data that is there as a whole.
    pub(super) fn spans(&self, _carrier: Carrier, bytes: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        self.scan(bytes, bytes.len(), &mut Progress::default(), &mut spans);
        settle(&mut spans);
        spans
    }
}

fn value(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    while bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-\"'".contains(byte)) {
        at += 1;
    }
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    if !matches!(bytes.get(at), Some(b'=' | b':')) {
        return None;
    }
    at += 1;
    while matches!(bytes.get(at), Some(b' ' | b'"' | b'\'')) {
        at += 1;
    }
    let end =
        at + bytes[at..].iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'<\0,;&".contains(byte)).count();
    (end > at && mask_length(&bytes[at..]).is_none()).then_some((at, end))
}
