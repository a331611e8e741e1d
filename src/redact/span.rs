//! Spans: where a secret stands in a piece of data, and what is known about it.

use super::pseudonym::{Class, Encoding};

/// The rule that found a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rule {
    /// One of ours, by the name the summary shows.
    Builtin(&'static str),
    /// A pattern of the user's, by its place in the settings.
    Custom(usize),
}

/// How the secret is written between a span's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Raw,
    /// Inside a string of JSON or the like, this many levels deep.
    Escaped(u8),
    /// Percent-encoded, as in a URL.
    Percent,
    /// As it is, where a mask has to bring quotes of its own, of this kind and this many levels deep: a bare number in
    /// JSON or TOML.
    Bare {
        /// `"` or `'`.
        quote: u8,
        /// Backslashes before each quote.
        depth: u8,
    },
    /// A secret that the engine knows, in one of its encodings.
    Known {
        /// Its place in the table of literals.
        secret: usize,
        /// How it is written.
        encoding: Encoding,
    },
    /// The rest of a secret that the span before began: swallowed without a mask of its own.
    Rest,
    /// Hexadecimal digits of a text (audit's `proctitle`).
    Hex,
}

/// How far a secret's value may be trusted when it is looked for elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seed {
    /// Masked where it stands, never looked for.
    Never,
    /// Found in text.
    Found,
    /// Found by its place in data whose meaning is known: an environment, a configuration.
    Typed,
    /// Said to be a secret by whoever runs the snapshot.
    Told,
    /// A line of the user's own file: looked for although it may be short.
    Listed,
}

/// A secret between two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    pub(super) rule: Rule,
    pub(super) class: Class,
    pub(super) form: Form,
    pub(super) seed: Seed,
}

impl Span {
    /// A secret told by its place in data whose meaning is known.
    pub(super) fn typed(start: usize, end: usize, class: Class) -> Self {
        Self { start, end, rule: Rule::Builtin("typed"), class, form: Form::Raw, seed: Seed::Typed }
    }
}

/// Spans in order, without overlaps: of two that overlap the one that starts first stands, then the longer one, and
/// what the other has beyond it is swallowed.
pub(super) fn settle(spans: &mut Vec<Span>) {
    spans.retain(|span| span.start < span.end);
    spans.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    let mut masked_to = 0;
    spans.retain_mut(|span| {
        if span.end <= masked_to {
            return false;
        }
        if span.start < masked_to {
            span.start = masked_to;
            span.form = Form::Rest;
            span.seed = Seed::Never;
        }
        masked_to = span.end;
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize) -> Span {
        let (rule, class) = (Rule::Builtin("test"), Class::Token);
        Span { start, end, rule, class, form: Form::Raw, seed: Seed::Found }
    }

    #[test]
    fn of_overlapping_spans_the_first_and_longest_stands() {
        let mut spans = vec![span(5, 9), span(0, 4), span(0, 6), span(9, 12), span(10, 11), span(3, 3)];
        settle(&mut spans);
        let places: Vec<_> = spans.iter().map(|span| (span.start, span.end, span.form)).collect();
        assert_eq!(places, [(0, 6, Form::Raw), (6, 9, Form::Rest), (9, 12, Form::Raw)]);
    }
}
