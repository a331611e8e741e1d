//! Blocks of key material: PEM and its kin, whole, escaped, indented, prefixed or cut short.

use memchr::memmem;

use super::super::bytes::find;
use super::super::pseudonym::Class;
use super::super::shape;
use super::super::span::{Form, Rule, Seed, Span};

/// Bytes of one block; the rest of its run of lines is masked to here and then looked at anew.
pub(super) const BLOCK_BYTES_MAX: usize = 64 << 10;
/// Bytes of a line of key material below which it is left: an encapsulated header, a separator.
const LINE_BYTES_MIN: usize = 4;
/// How the end of a block begins, and bytes of its label.
const END: &[u8] = b"-----END ";
const LABEL_BYTES_MAX: usize = 48;
/// Bytes of the shortest line of key material that is not the last.
const FULL_LINE_BYTES_MIN: usize = 40;
/// Lines in a row that are no key material after which a block without an end is over.
const STRANGE_LINES_MAX: usize = 3;

/// Whether the label between the dashes is that of a secret.
fn is_secret_label(label: &[u8]) -> bool {
    let holds = |word: &[u8]| find(label, word).is_some();
    holds(b"PRIVATE") || holds(b"SECRET") || holds(b"OpenVPN Static key")
}

/// The spans of the block whose word `BEGIN` stands at `at`; where scanning goes on.
pub(super) fn block(bytes: &[u8], at: usize, spans: &mut Vec<Span>) -> Option<usize> {
    let dashes = bytes[..at].iter().rev().take(5).take_while(|byte| **byte == b'-').count();
    if dashes < 4 {
        return None;
    }
    let to = bytes.len().min(at + BLOCK_BYTES_MAX);
    let label_at = at + b"BEGIN".len();
    let label =
        bytes[label_at..to.min(label_at + 64)].iter().take_while(|byte| !matches!(**byte, b'-' | b'\n')).count();
    if !is_secret_label(&bytes[label_at..label_at + label]) {
        return None;
    }
    let close = bytes[label_at + label..to].iter().take(8).take_while(|byte| **byte == b'-').count();
    let body = label_at + label + close;
    // Only as far as the next block begins: blocks without an end must not be searched again and again.
    let next_begin = memmem::find(&bytes[body..to], b"----BEGIN").map_or(to, |found| body + found);
    let rest = &bytes[body..next_begin];
    let end = memmem::find(rest, b"-END").or_else(|| memmem::find(rest, b"END "));
    let stop = end.map_or(next_begin, |found| body + found);
    let resume = mask_lines(bytes, body, stop, end.is_some(), spans);
    Some(resume.max(body))
}

/// Masks the lines before the end of a block whose beginning is not there, as far as is looked back; the last word of its
/// label stands around `at`.
pub(super) fn ended(bytes: &[u8], at: usize, masked_to: usize, spans: &mut Vec<Span>) {
    let label = &bytes[at.saturating_sub(LABEL_BYTES_MAX).max(masked_to)..at];
    let Some(dashes) = memmem::rfind(label, END) else { return };
    let label = &label[dashes + END.len()..];
    let floor = at.saturating_sub(super::BEHIND - 1).max(masked_to);
    let at = at - label.len() - END.len();
    if !is_secret_label(label) {
        return;
    }
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let known = spans.len();
    let (mut end, mut lines) = (at, 0);
    while end > floor {
        let between = bytes[floor..end].iter().rev().take(16).take_while(|byte| byte.is_ascii_whitespace()).count();
        end -= between;
        // Line ends that are written as escapes.
        let escape = if bytes[floor..end].ends_with(b"\\n") {
            bytes[floor..end - 2].iter().rev().take(8).take_while(|byte| **byte == b'\\').count() + 2
        } else {
            0
        };
        end -= escape;
        if bytes[floor..end].ends_with(b"\\r") {
            end -= 2;
        }
        let mut start = end - bytes[floor..end].iter().rev().take_while(|byte| base64(byte)).count();
        if start > floor && bytes[start - 1] == b'\\' && matches!(bytes.get(start), Some(b'n')) {
            start += 1;
        }
        let whole = start == floor || b" \t\n\rn\"'".contains(&bytes[start - 1]);
        // Only the last line is short.
        if !whole || between + escape == 0 || end - start < if lines == 0 { 1 } else { FULL_LINE_BYTES_MIN } {
            break;
        }
        // One that is cut where the look ends is no secret by itself.
        let seed = if end - start >= 16 && (start > floor || floor == 0) { Seed::Found } else { Seed::Never };
        spans.push(Span { start, end, rule: Rule::Builtin("pem"), class: Class::Pem, form: Form::Raw, seed });
        lines += 1;
        end = start;
    }
    if spans.len() > known && memmem::find(&bytes[floor..at], b"-----BEGIN").is_some() {
        spans.truncate(known);
    }
}

/// Key material: runs of base 64, one a line whatever stands before it.
fn mask_lines(bytes: &[u8], body: usize, stop: usize, ended: bool, spans: &mut Vec<Span>) -> usize {
    let (mut at, mut resume, mut strange) = (body, body, 0);
    while at < stop {
        let (line, next) = line_of(bytes, at, stop);
        let mut masked = false;
        let mut from = at;
        while let Some((start, end)) = next_run(bytes, from, line) {
            let whole = end - start;
            let first_line_of_prefix = whole < LINE_BYTES_MIN;
            if !first_line_of_prefix && is_material(bytes, start, end, line, ended) {
                let (rule, class) = (Rule::Builtin("pem"), Class::Pem);
                let seed = if whole >= 16 { Seed::Found } else { Seed::Never };
                spans.push(Span { start, end, rule, class, form: Form::Raw, seed });
                masked = true;
                resume = end;
            }
            from = end.max(from + 1);
        }
        strange = if masked { 0 } else { strange + 1 };
        if !ended && strange > STRANGE_LINES_MAX {
            break;
        }
        at = next;
    }
    resume
}

/// The end of the line at `at`, and the start of the next: at a line feed, an escaped one, or a quote.
fn line_of(bytes: &[u8], at: usize, stop: usize) -> (usize, usize) {
    let mut end = at;
    while end < stop {
        match bytes[end] {
            b'\n' | 0 => return (end, end + 1),
            b'\\' => {
                let slashes = bytes[end..stop].iter().take(16).take_while(|byte| **byte == b'\\').count();
                let skip = match bytes.get(end + slashes) {
                    Some(b'n' | b'r' | b'\n') => slashes + 1,
                    _ => slashes,
                };
                return (end, (end + skip).min(stop));
            }
            _ => end += 1,
        }
    }
    (stop, stop)
}

/// The next run of base 64 of a line.
fn next_run(bytes: &[u8], from: usize, line: usize) -> Option<(usize, usize)> {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let start = from + bytes[from..line].iter().position(base64)?;
    Some((start, start + bytes[start..line].iter().take_while(|byte| base64(byte)).count()))
}

/// Whether a run is a line of key material: it ends its line, or is long and no word.
fn is_material(bytes: &[u8], start: usize, end: usize, line: usize, ended: bool) -> bool {
    let rest = &bytes[end..line];
    let tail = rest.starts_with(b"----")
        || rest.iter().all(|byte| byte.is_ascii_whitespace() || b"\"'+,;)]}<>`|".contains(byte));
    let run = &bytes[start..end];
    // `Proc-Type:` and the words of a label; key material may be followed by anything, and by the dashes of its end.
    let header = run.len() < 40
        && (bytes.get(end) == Some(&b':') || bytes.get(end) == Some(&b'-') && !bytes[end..].starts_with(b"----"));
    (tail && (run.len() >= 16 || before_is_clean(bytes, start) && (ended || !shape::is_wordlike(run)))
        || run.len() >= 40)
        && !header
}

/// Whether only white space, quotes or a log's prefix ending in `: ` stand before a short run.
fn before_is_clean(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|at| bytes[at]) else { return true };
    before.is_ascii_whitespace() || b"\"'`|>nr".contains(&before)
}

/// The span of base 64 that begins with the beginning of a PEM block; `at` is where the run starts.
pub(super) fn encoded(bytes: &[u8], at: usize, to: usize) -> Option<Span> {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
    let head = bytes[at..to.min(at + 48)].iter().take_while(|byte| base64(byte)).count();
    let mut head = &bytes[at..at + head / 4 * 4];
    if head.len() > 40 {
        head = &head[..40];
    }
    let decoded = base64_decoded(head);
    let label = decoded.strip_prefix(b"-----BEGIN ")?;
    let public = label.starts_with(b"CERT")
        || label.starts_with(b"PUBLIC")
        || label.starts_with(b"X509")
        || label.starts_with(b"RSA PUB")
        || label.starts_with(b"TRUSTED");
    if public {
        return None;
    }
    let end = at + bytes[at..to].iter().take_while(|byte| base64(byte)).count();
    Some(Span {
        start: at,
        end,
        rule: Rule::Builtin("pem-base64"),
        class: Class::Pem,
        form: Form::Raw,
        seed: Seed::Found,
    })
}

/// Base 64, as far as it is.
pub(super) fn base64_decoded(text: &[u8]) -> Vec<u8> {
    let (mut bits, mut held, mut out) = (0_u32, 0, Vec::with_capacity(text.len() * 3 / 4));
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 255).expect("eight bits"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn a_block_without_its_beginning_is_told_by_its_end() {
        let line = "NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s+CLOyS56YyCFGeJZ";
        for end in ["\n", "\\n", "\n  "] {
            let text = format!("tail{end}{line}{end}{line}{end}qWv7=={end}-----END RSA PRIVATE KEY-----\nnext");
            let masked = format!("tail{end}‹pem›{end}‹pem›{end}‹pem›{end}-----END RSA PRIVATE KEY-----\nnext");
            check(Carrier::Text, &[(&text, &masked)]);
            let public = text.replace("RSA PRIVATE KEY", "CERTIFICATE");
            check(Carrier::Text, &[(&public, &public)]);
        }
    }
}
