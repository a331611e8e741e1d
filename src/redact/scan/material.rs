//! Keys told by the layout around them: members of a JSON web key, blocks of `PuTTY`.

use super::super::pseudonym::Class;
use super::super::span::{Form, Rule, Seed, Span};
use super::surroundings::line_end;
use super::tokens::Body;
use super::trigger::Trigger;
use super::{BEHIND, Progress, value};

/// Bytes of a web key around its type, and members of it.
const KEY_BYTES_MAX: usize = 8 << 10;
const MEMBERS_MAX: usize = 24;
/// Characters of the shortest number of a key.
const NUMBER_CHARS_MIN: usize = 20;
/// Lines of a block of `PuTTY`.
const LINES_MAX: usize = 128;

/// Members of a web key that are secret.
const PRIVATE: &[&[u8]] = &[b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k"];

fn span(start: usize, end: usize, rule: &'static str, class: Class) -> Span {
    Span { start, end, rule: Rule::Builtin(rule), class, form: Form::Raw, seed: Seed::Found }
}

/// Masks the keys that a trigger announces which stands beside them.
#[inline(never)]
pub(super) fn around(
    bytes: &[u8],
    at: usize,
    trigger: Trigger,
    length: usize,
    progress: &mut Progress,
    spans: &mut Vec<Span>,
) {
    let known = spans.len();
    let resume = if trigger == Trigger::Putty {
        putty(bytes, at + length, spans).unwrap_or(at)
    } else if at >= progress.block_to {
        progress.block_to = web_key(bytes, at, progress.masked_to, spans);
        progress.block_to
    } else {
        at
    };
    if spans.len() > known {
        progress.go_on_between(&spans[known..], resume);
    }
}

/// The secret numbers of the JSON web key of which `"kty"` stands at `at`; where what was looked at ends.
pub(super) fn web_key(bytes: &[u8], at: usize, masked_to: usize, spans: &mut Vec<Span>) -> usize {
    let floor = masked_to.max(at.saturating_sub(BEHIND - 1));
    let open = memchr::memrchr2(b'{', b'}', &bytes[floor..at]).map_or(floor, |found| floor + found + 1);
    let to = bytes.len().min(at + KEY_BYTES_MAX);
    let close = memchr::memchr2(b'{', b'}', &bytes[at..to]).map_or(to, |found| at + found);
    let mut place = open;
    for _ in 0..MEMBERS_MAX {
        let Some(found) = memchr::memchr(b'"', &bytes[place..close]) else { break };
        let Some((quote, inside)) =
            value::quote_before(bytes, place + found + 1).map(|quote| (quote, place + found + 1))
        else {
            place += found + 1;
            continue;
        };
        let end = value::quoted_end(bytes, inside, close, quote);
        let after = (end + quote.depth + 1).min(close);
        let gap = bytes[after..close].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b':').count();
        let Some((second, from)) = value::quote_at(&bytes[..close], after + gap).filter(|_| gap > 0) else {
            place = after;
            continue;
        };
        let stop = value::quoted_end(bytes, from, close, second);
        let number = bytes[from..stop].iter().all(|byte| Body::Base64.has(*byte));
        if PRIVATE.contains(&&bytes[inside..end]) && number && stop - from >= NUMBER_CHARS_MIN {
            spans.push(span(from, stop, "web-key", Class::Key));
        }
        place = (stop + second.depth + 1).min(close);
    }
    close
}

/// The lines that `Private-Lines: 14`, whose number begins at `from`, announces; where they end.
pub(super) fn putty(bytes: &[u8], from: usize, spans: &mut Vec<Span>) -> Option<usize> {
    let to = bytes.len().min(from + KEY_BYTES_MAX);
    let first = line_end(bytes, from, to);
    let count: usize = std::str::from_utf8(bytes[from..first].trim_ascii()).ok()?.parse().ok()?;
    let mut at = first + 1;
    for _ in 0..count.min(LINES_MAX) {
        let end = line_end(bytes, at.min(to), to);
        let line = bytes.get(at..end)?.trim_ascii();
        if line.len() < 4 || !line.iter().all(|byte| Body::Base64.has(*byte)) {
            break;
        }
        spans.push(span(at, at + line.len(), "pem", Class::Pem));
        at = end + 1;
    }
    (at > first + 1).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn keys_are_told_by_what_stands_around_them() {
        check(
            Carrier::Text,
            &[
                (
                    "{\"kty\":\"RSA\",\"n\":\"AQABAQABAQABAQABAQABAQ\",\"d\":\"q93aaaaaaaaaaaaaaaaaaaaaaaa\"}",
                    "{\"kty\":\"RSA\",\"n\":\"AQABAQABAQABAQABAQABAQ\",\"d\":\"‹key›\"}",
                ),
                ("{\"k\":\"q93aaaaaaaaaaaaaaaaaaaaaaaa\",\"kty\":\"oct\"}", "{\"k\":\"‹key›\",\"kty\":\"oct\"}"),
                (
                    "Private-Lines: 2\nq93TqQfUt5OeJtNbwyKLWNFGjKfR9q71uV0QxpBVpxer\nzFTmpJ0nI1wsxi1mx8eow7yA==\nPrivate-MAC: ae\n",
                    "Private-Lines: 2\n‹pem›\n‹pem›\nPrivate-MAC: ae\n",
                ),
                ("userPassword:: cTkzZm9vYmFy\n", "userPassword:: ‹pw›\n"),
            ],
        );
    }
}
