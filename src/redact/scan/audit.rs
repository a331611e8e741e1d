//! The audit log: command lines in hexadecimal (`proctitle=`) and as numbered arguments (`a0=`, `a1=`).

use super::super::bytes::find;
use super::super::carrier::Carrier;
use super::super::settings::Compiled;
use super::super::span::{Form, Span};
use super::{Layers, Scanner, command};

/// Bytes of one record.
const RECORD_BYTES_MAX: usize = 16 << 10;
/// Arguments of one record.
const ARGUMENTS_MAX: usize = 256;

fn hex_decoded(text: &[u8]) -> Vec<u8> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
    text.chunks_exact(2).map(|pair| u8::try_from(nibble(pair[0]) << 4 | nibble(pair[1])).expect("eight bits")).collect()
}

fn hex_run(bytes: &[u8], at: usize) -> usize {
    let digits = bytes[at..].iter().take(RECORD_BYTES_MAX).take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits / 2 * 2
}

/// The secrets of the command line whose hexadecimal digits stand at `at`.
pub(super) fn proctitle(bytes: &[u8], at: usize, rules: &Compiled, spans: &mut Vec<Span>) {
    let digits = hex_run(bytes, at);
    if digits < 8 {
        return;
    }
    let decoded = hex_decoded(&bytes[at..at + digits]);
    for span in (Scanner { rules, literals: None, layers: Layers::All }).spans(Carrier::Argv, &decoded) {
        if span.form != Form::Rest {
            spans.push(Span { start: at + span.start * 2, end: at + span.end * 2, form: Form::Hex, ..span });
        }
    }
}

/// The secrets among the arguments of an `EXECVE` record whose `argc=` ends at `at`; returns where the record ends.
pub(super) fn execve(bytes: &[u8], at: usize, rules: &Compiled, spans: &mut Vec<Span>) -> usize {
    let end = super::surroundings::line_end(bytes, at, bytes.len().min(at + RECORD_BYTES_MAX));
    let (mut place, mut line, mut arguments, mut origins) = (at, Vec::new(), Vec::new(), Vec::new());
    while arguments.len() < ARGUMENTS_MAX {
        let Some(next) = find(&bytes[place..end], b" a") else { break };
        let digits = bytes[place + next + 2..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let equals = place + next + 2 + digits;
        place = equals;
        if digits == 0 || bytes.get(equals) != Some(&b'=') || equals >= end {
            continue;
        }
        let from = line.len();
        if bytes.get(equals + 1) == Some(&b'"') {
            let stop = memchr::memchr(b'"', &bytes[equals + 2..end]).map_or(end, |quote| equals + 2 + quote);
            line.extend_from_slice(&bytes[equals + 2..stop]);
            origins.push((from, equals + 2, 1));
            place = stop;
        } else {
            let run = hex_run(bytes, equals + 1);
            line.extend(hex_decoded(&bytes[equals + 1..equals + 1 + run]));
            origins.push((from, equals + 1, 2));
            place = equals + 1 + run;
        }
        arguments.push((from, line.len()));
        line.push(0);
    }
    let mut found = Vec::new();
    command::in_arguments(&line, &arguments, rules, &mut found);
    found.extend((Scanner { rules, literals: None, layers: Layers::All }).spans(Carrier::Text, &line));
    for span in found {
        let Some((from, origin, width)) = origins.iter().rev().find(|(from, _, _)| *from <= span.start) else {
            continue;
        };
        let form = if *width == 2 { Form::Hex } else { Form::Raw };
        let (start, stop) = (origin + (span.start - from) * width, origin + (span.end - from) * width);
        spans.push(Span { start, end: stop, form, ..span });
    }
    end
}
