//! Secrets of Kubernetes: the values below `data:` and `stringData:` of a document whose `kind` is `Secret`.

use super::super::bytes::find;
use super::super::pseudonym::Class;
use super::super::span::{Form, Rule, Seed, Span};
use super::surroundings::line_end;
use super::{plausible, value};

/// Bytes after `data:` in which the rest of the document may stand.
const DOCUMENT_BYTES_MAX: usize = 16 << 10;

/// The document in which `data` was met last.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Where it ends, as far as was looked.
    pub(super) to: usize,
    is_secret: bool,
}

/// Masks the values below the `data` at `at`.
pub(super) fn data(bytes: &[u8], at: usize, length: usize, document: &mut Document, spans: &mut Vec<Span>) {
    let json = at > 0 && bytes[at - 1] == b'"';
    let line_start = at == 0 || bytes[at - 1] == b'\n';
    let colon = at + length + usize::from(json);
    if !(json || line_start) || bytes.get(colon) != Some(&b':') {
        return;
    }
    let to = bytes.len().min(at + DOCUMENT_BYTES_MAX);
    if at >= document.to {
        *document = document_at(bytes, at, to);
    }
    if !document.is_secret {
        return;
    }
    if json {
        json_values(bytes, colon + 1, to, spans);
    } else {
        yaml_values(bytes, colon + 1, to, spans);
    }
}

fn document_at(bytes: &[u8], at: usize, to: usize) -> Document {
    let after = &bytes[at..find(&bytes[at..to], b"\n---").map_or(to, |end| at + end)];
    let before = &bytes[at.saturating_sub(super::BEHIND)..at];
    let before = memchr::memmem::rfind(before, b"\n---").map_or(before, |start| &before[start..]);
    let is_secret = |text: &[u8]| {
        let yaml = find(text, b"kind: Secret").is_some_and(|at| text.get(at + 12).is_none_or(u8::is_ascii_whitespace));
        yaml || find(text, b"\"kind\":\"Secret\"").is_some() || find(text, b"\"kind\": \"Secret\"").is_some()
    };
    Document { to: at + after.len(), is_secret: is_secret(after) || is_secret(before) }
}

fn push(bytes: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) {
    let text = &bytes[start..end];
    if plausible::is_secret(text, super::name::Verdict::Strong(Class::Password), plausible::Ends::Marked)
        || text.starts_with(b"LS0tLS1CRUdJTi") && super::pem::encoded(bytes, start, end).is_some()
    {
        spans.push(Span {
            start,
            end,
            rule: Rule::Builtin("kubernetes-secret"),
            class: Class::Key,
            form: Form::Raw,
            seed: Seed::Found,
        });
    }
}

fn yaml_values(bytes: &[u8], from: usize, to: usize, spans: &mut Vec<Span>) {
    let mut at = line_end(bytes, from, to) + 1;
    while at < to && bytes[at] == b' ' {
        let line = line_end(bytes, at, to);
        if let Some(colon) = find(&bytes[at..line], b": ") {
            let mut start = at + colon + 2;
            start += super::surroundings::blanks(bytes, start);
            let end = match value::quote_at(bytes, start) {
                Some((quote, inside)) => {
                    start = inside;
                    value::quoted_end(bytes, inside, line, quote)
                }
                None => line - usize::from(line > start && bytes[line - 1] == b'\r'),
            };
            if start < end && !matches!(bytes[start], b'|' | b'>') {
                push(bytes, start, end, spans);
            }
        } else {
            let start = at + bytes[at..line].iter().take_while(|byte| **byte == b' ').count();
            if start < line && bytes[line - 1] != b':' {
                push(bytes, start, line, spans);
            }
        }
        at = line + 1;
    }
}

fn json_values(bytes: &[u8], from: usize, to: usize, spans: &mut Vec<Span>) {
    let Some(open) = bytes[from..to].iter().take(16).position(|byte| *byte == b'{') else { return };
    let mut at = from + open + 1;
    while at < to {
        let Some(next) = bytes[at..to].iter().position(|byte| matches!(byte, b'"' | b'}')) else { return };
        let key_at = at + next;
        if bytes[key_at] == b'}' {
            return;
        }
        let Some((quote, inside)) = value::quote_at(bytes, key_at) else { return };
        let key_end = value::quoted_end(bytes, inside, to, quote) + 1;
        let gap = bytes[key_end.min(to)..to]
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_whitespace() || **byte == b':')
            .count();
        let Some((quote, start)) = value::quote_at(bytes, key_end + gap) else { return };
        let end = value::quoted_end(bytes, start, to, quote);
        push(bytes, start, end, spans);
        at = end + 1;
    }
}
