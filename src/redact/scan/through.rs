//! Values that are longer than what may be looked at.

use super::super::pseudonym::Class;
use super::super::span::{Form, Rule, Seed, Span};
use super::value::{self, Quote, Until};
use super::{Progress, VALUE_BYTES_MAX, tokens};

/// A value that is longer than what may be looked at: it is swallowed to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    /// Up to this quote.
    Quoted(Quote),
    /// Up to the end of a bare value.
    Bare(Until),
    /// Up to the end of a run of characters of tokens.
    Run,
}

/// Swallows what is left of a value that was longer than what may be looked at.
#[inline]
pub(super) fn go_through(bytes: &[u8], progress: &mut Progress, spans: &mut Vec<Span>) {
    if progress.through.is_some() {
        swallow(bytes, progress, spans);
    }
}

#[inline(never)]
fn swallow(bytes: &[u8], progress: &mut Progress, spans: &mut Vec<Span>) {
    while let Some(through) = progress.through {
        let from = progress.masked_to;
        let to = bytes.len().min(from + VALUE_BYTES_MAX);
        if from >= to {
            if bytes.len() <= from {
                return;
            }
            progress.through = None;
            return;
        }
        let end = match through {
            Through::Quoted(quote) => value::quoted_end(bytes, from, to, quote),
            Through::Bare(until) => value::bare_end(bytes, from, to, until),
            Through::Run => from + bytes[from..to].iter().take_while(|byte| tokens::Body::Base64.has(**byte)).count(),
        };
        if end > from {
            let (rule, class) = (Rule::Builtin("key"), Class::Password);
            spans.push(Span { start: from, end, rule, class, form: Form::Rest, seed: Seed::Never });
            progress.masked_to = end;
        }
        if end < to {
            progress.through = None;
        }
    }
}
