//! Base 64 of text: what is packed is unpacked and looked at, and masked as a whole when it holds a secret.

use super::super::carrier::Carrier;
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::bounded;
use super::super::span::{Form, Rule, Seed, Span};
use super::pem::base64_decoded;
use super::surroundings::blanks;
use super::tokens::Body;
use super::{Layers, Progress, Scanner, accept};

/// The rule of a run that is masked for what is packed in it.
pub(in crate::redact) const PACKED: Rule = Rule::Builtin("packed");
/// Bytes of one run that are unpacked: as much as clouds take for the data of a machine.
const PACKED_BYTES_MAX: usize = 24 << 10;
/// Characters of the shortest run, and those by which a text is told.
pub(super) const PACKED_CHARS_MIN: usize = 24;
const TOLD_CHARS: usize = 16;
/// Lines over which base 64 is wrapped, and characters of the shortest of them but the last.
const LINES_MAX: usize = 512;
const LINE_CHARS_MIN: usize = 40;

impl Scanner<'_> {
    /// Hands out the secrets that are packed in a run which [`PACKED`] masks.
    pub(in crate::redact) fn unpacked(&self, run: &[u8], each: &mut dyn FnMut(&Span, &[u8])) {
        let run: Vec<u8> = run.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let text = zeroize::Zeroizing::new(base64_decoded(&run));
        for span in self.spans(Carrier::Text, &text) {
            each(&span, &text[span.start..span.end]);
        }
    }

    /// Masks the run of base 64 that begins at `at`, and the lines over which it goes on, if a secret is packed in it.
    #[inline(never)]
    pub(super) fn packed(&self, bytes: &[u8], at: usize, progress: &mut Progress, spans: &mut Vec<Span>) {
        if self.layers != Layers::All || at < progress.packed_to || !packs_text(&bytes[at..]) || !bounded(bytes, at) {
            return;
        }
        let to = bytes.len().min(at + PACKED_BYTES_MAX);
        let (lines, end) = lines(bytes, at, to);
        progress.packed_to = end;
        let run: Vec<u8> = lines.iter().flat_map(|(start, end)| &bytes[*start..*end]).copied().collect();
        if end == to && to < bytes.len() || run.len() < PACKED_CHARS_MIN || mask_in(&run).is_some() {
            return;
        }
        let text = base64_decoded(&run);
        let readable = std::str::from_utf8(&text)
            .is_ok_and(|text| !text.contains(|sign: char| sign.is_control() && !sign.is_whitespace()));
        if !readable || text.len() + 3 < run.len() * 3 / 4 {
            return;
        }
        let mut inner = Progress { names: progress.names.take_names(), ..Progress::default() };
        let mut found = Vec::new();
        self.scan(&text, text.len(), &mut inner, &mut found);
        progress.names.verdicts = inner.names.verdicts;
        if found.is_empty() {
            return;
        }
        // All lines are one secret: a part of one that is learned by itself would leave the last, short one to itself.
        let span = Span { start: at, end, rule: PACKED, class: Class::Token, form: Form::Raw, seed: Seed::Found };
        accept(span, progress, spans);
    }
}

/// Whether base 64 of a text begins here. A glance: of three bytes none is beyond ASCII if the first of four characters
/// stands for less than 32, and so on.
fn packs_text(run: &[u8]) -> bool {
    let in_run = |byte: &u8| Body::Base64.has(*byte) && *byte != b'=';
    let whole = run.first_chunk::<{ PACKED_CHARS_MIN - "==".len() }>().filter(|run| run.iter().all(in_run));
    let Some(head) = whole.and_then(|run| run.first_chunk::<TOLD_CHARS>()) else { return false };
    let first = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'f');
    head.iter().step_by(4).all(first)
        && base64_decoded(head).iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// The run of base 64 that begins at `at`: the parts of it on its lines, and where the last ends.
fn lines(bytes: &[u8], at: usize, to: usize) -> (Vec<(usize, usize)>, usize) {
    let in_run = |byte: &&u8| Body::Base64.has(**byte) && **byte != b'=';
    let (mut lines, mut start) = (Vec::new(), at);
    loop {
        let end = start + bytes[start..to].iter().take_while(in_run).count();
        let padded = end + bytes[end..to].iter().take(2).take_while(|byte| **byte == b'=').count();
        lines.push((start, padded));
        let (first, length) = (lines[0].1 - lines[0].0, end - start);
        let rest = &bytes[padded..to];
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        if padded > end
            || length < LINE_CHARS_MIN
            || length != first
            || lines.len() == LINES_MAX
            || !rest.starts_with(b"\n")
        {
            return (lines, padded);
        }
        let next = to - rest.len() + 1 + blanks(&bytes[..to], to - rest.len() + 1);
        let more = bytes[next..to].iter().take(first + 1).take_while(in_run).count();
        let after = bytes[..to].get(next + more);
        if more == 0 || more > first || after.is_some_and(|byte| !byte.is_ascii_whitespace() && !b"=\"'".contains(byte))
        {
            return (lines, padded);
        }
        start = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::check;
    use super::super::super::{Carrier, Learner, PseudonymKey, Settings};

    #[test]
    fn packed_objects_are_masked_when_they_hold_a_secret() {
        check(
            Carrier::Text,
            &[
                // {"user":"bob","password":"hunter2-x"}
                ("payload=eyJ1c2VyIjoiYm9iIiwicGFzc3dvcmQiOiJodW50ZXIyLXgifQ==", "payload=‹tok›"),
                // {"user":"bob","colour":"green and blue"}
                (
                    "payload=eyJ1c2VyIjoiYm9iIiwiY29sb3VyIjoiZ3JlZW4gYW5kIGJsdWUifQ==",
                    "payload=eyJ1c2VyIjoiYm9iIiwiY29sb3VyIjoiZ3JlZW4gYW5kIGJsdWUifQ==",
                ),
                // DB_USER=app, DB_PASSWORD=hunter2-x
                ("content: REJfVVNFUj1hcHAKREJfUEFTU1dPUkQ9aHVudGVyMi14Cg==\n", "content: ‹tok›\n"),
                // The same over two lines.
                ("  REJfVVNFUj1hcHAKREJfSE9TVD1kYgpEQl9QQVNT\n  V09SRD1odW50ZXIyLXgK\nx: y\n", "  ‹tok›\nx: y\n"),
                // PASSWORD_MIN_LENGTH=8, TOKEN_TTL=3600
                (
                    "data=UEFTU1dPUkRfTUlOX0xFTkdUSD04ClRPS0VOX1RUTD0zNjAwCg==",
                    "data=UEFTU1dPUkRfTUlOX0xFTkdUSD04ClRPS0VOX1RUTD0zNjAwCg==",
                ),
            ],
        );
    }

    #[test]
    fn what_is_packed_is_masked_where_it_stands_in_clear_too() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
        // {"user":"bob","password":"Kq93!wZorb-77"}
        let packed = b"payload=eyJ1c2VyIjoiYm9iIiwicGFzc3dvcmQiOiJLcTkzIXdab3JiLTc3In0=";
        learner.learn(Carrier::Text, "a", packed).expect("it is learned");
        let masked = learner.finish().text("seen Kq93!wZorb-77 there");
        assert!(masked.starts_with("seen REDACTED-pw-") && masked.ends_with(" there"), "{masked}");
    }
}
