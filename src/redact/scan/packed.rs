//! Base 64 of JSON: what is packed is unpacked and looked at, and masked as a whole when it holds a secret.

use super::super::carrier::Carrier;
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::bounded;
use super::super::span::{Form, Rule, Seed, Span};
use super::pem::base64_decoded;
use super::tokens::Body;
use super::{Layers, Progress, Scanner};

/// The rule of a run that is masked for what is packed in it.
pub(in crate::redact) const PACKED: Rule = Rule::Builtin("packed");
/// Bytes of one run that are unpacked.
const PACKED_BYTES_MAX: usize = 16 << 10;
/// Characters of the shortest run.
const PACKED_CHARS_MIN: usize = 24;

impl Scanner<'_> {
    /// Hands out the secrets that are packed in a run which [`PACKED`] masks.
    pub(in crate::redact) fn unpacked(&self, run: &[u8], each: &mut dyn FnMut(&Span, &[u8])) {
        let text = zeroize::Zeroizing::new(base64_decoded(run));
        for span in self.spans(Carrier::Text, &text) {
            each(&span, &text[span.start..span.end]);
        }
    }

    /// The run of base 64 that begins at `at` as an object of JSON does, if a secret is packed in it.
    #[inline(never)]
    pub(super) fn packed(&self, bytes: &[u8], at: usize, progress: &mut Progress) -> Option<Span> {
        if self.layers != Layers::All
            || at < progress.packed_to
            || !bytes[at..].starts_with(b"eyJ")
            || !bounded(bytes, at)
        {
            return None;
        }
        let in_run = |byte: &&u8| Body::Base64.has(**byte) && **byte != b'=';
        let to = bytes.len().min(at + PACKED_BYTES_MAX);
        let mut end = at + bytes[at..to].iter().take_while(in_run).count();
        end += bytes[end..to].iter().take(2).take_while(|byte| **byte == b'=').count();
        progress.packed_to = end;
        let run = &bytes[at..end];
        if end == to && to < bytes.len() || run.len() < PACKED_CHARS_MIN || mask_in(run).is_some() {
            return None;
        }
        let text = base64_decoded(run);
        let readable = std::str::from_utf8(&text)
            .is_ok_and(|text| !text.contains(|sign: char| sign.is_control() && !sign.is_whitespace()));
        if !readable || text.len() + 3 < run.len() * 3 / 4 {
            return None;
        }
        let mut inner = Progress { names: std::mem::take(&mut progress.names), ..Progress::default() };
        let header_to = std::mem::take(&mut inner.names.header_to);
        let mut spans = Vec::new();
        self.scan(&text, text.len(), &mut inner, &mut spans);
        progress.names = inner.names;
        progress.names.header_to = header_to;
        (!spans.is_empty()).then_some(Span {
            start: at,
            end,
            rule: PACKED,
            class: Class::Token,
            form: Form::Raw,
            seed: Seed::Found,
        })
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
