//! A name that may be that of a secret: what is known about it, and what is done with its value.

use super::super::pseudonym::{Class, mask_length};
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::last_value::LastValue;
use super::name::Verdict;
use super::plausible::Ends;
use super::value::Quote;
use super::verdicts::Verdicts;
use super::{Through, plausible};

/// What a stem led to.
pub(super) struct Outcome {
    /// Stems before this position belong to the same name and need no second look.
    pub(super) name_end: usize,
    /// Where scanning goes on, when something was masked.
    pub(super) resume: Option<usize>,
    /// A value that goes on beyond what may be looked at.
    pub(super) through: Option<Through>,
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `=` and its kin.
    Equals,
    /// `:`
    Colon,
    /// White space after a flag or a directive.
    Blank,
    /// NUL after a flag.
    Nul,
    /// `>` of an XML element.
    Element,
    /// `value` of a name-and-value pair.
    Pair,
    /// The end of the cell of a table, or of a term, that is the name.
    Cell,
    /// `,` behind a name in quotes.
    Comma,
    /// The end of the line of a name that stands alone.
    Below,
    /// The end of the header of a part of a form.
    Part,
    /// None: the value of the pair stands before its name.
    Before,
    /// The brace of a block of which the name is a label.
    Labelled,
    /// `]` of a section that has a line of its own.
    Section,
    /// `(` of a function.
    Call,
}

/// A text in which words were looked for in vain: what goes on from it is looked at from its end.
#[derive(Debug, Default)]
pub(super) struct Searched {
    from: usize,
    to: usize,
}

impl Searched {
    /// Whether `search` finds words of at most `longest` bytes in the text from `from` to `to`: it is given what may hold them
    /// and was not searched in vain.
    pub(super) fn holds(
        &mut self,
        from: usize,
        to: usize,
        longest: usize,
        search: impl FnOnce(std::ops::Range<usize>) -> bool,
    ) -> bool {
        let known = (self.from..=self.to).contains(&from);
        let start = if known { self.to.saturating_sub(longest).max(from).min(to) } else { from };
        *self = Self { from: if known { self.from } else { from }, to: to.max(if known { self.to } else { 0 }) };
        let found = search(start..to);
        if found {
            self.clear();
        }
        found
    }

    /// Forgets what was searched.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Where the next of some bytes stands, remembered: texts without any would be searched again for every name. Whoever asks
/// one of these looks for the same bytes every time.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// None stands from here on, up to the next or to where they were looked for.
    from: usize,
    to: usize,
    found: bool,
}

impl Next {
    /// The first place from `from` up to `to` that `search` finds in what it is given.
    pub(super) fn after(
        &mut self,
        from: usize,
        to: usize,
        search: impl FnOnce(std::ops::Range<usize>) -> Option<usize>,
    ) -> Option<usize> {
        if !(self.from..=self.to).contains(&from) {
            *self = Self { from, to: from, found: false };
        }
        if !self.found && self.to < to {
            let start = self.to;
            let place = search(start..to).map(|place| start + place);
            (self.to, self.found) = (place.unwrap_or(to), place.is_some());
        }
        (self.found && self.to < to).then_some(self.to)
    }
}

/// What is known from earlier names.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) verdicts: Verdicts,
    /// Lines before this position were looked at as headers of tables, or are rows of one.
    pub(super) header_to: usize,
    pub(super) last_value: LastValue,
    /// Where no protocol is named whose peers share a key.
    pub(super) unshared: Searched,
    /// Where no word stands that joins a secret and its name behind it.
    pub(super) unjoined: Searched,
    /// Where no record of `psql` begins.
    pub(super) unrecorded: Searched,
    /// The next end of a line, the next quote, the next sign that ends a header, and those between cookies and in them.
    pub(super) line: Next,
    pub(super) quote: Next,
    pub(super) stop: Next,
    pub(super) semicolon: Next,
    pub(super) equals: Next,
}

impl Memory {
    /// What is known of names, without what is known of places.
    pub(super) fn take_names(&mut self) -> Self {
        Self { verdicts: std::mem::take(&mut self.verdicts), ..Self::default() }
    }

    /// Follows a buffer that lost its first `bytes`.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.header_to = self.header_to.saturating_sub(bytes);
        self.last_value.shift(bytes);
        self.unshared.clear();
        self.unjoined.clear();
        self.unrecorded.clear();
        (self.line, self.quote, self.stop, self.semicolon, self.equals) = Default::default();
    }
}

/// One look at a name.
pub(super) struct Keyed<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) rules: &'a Compiled,
    pub(super) spans: &'a mut Vec<Span>,
    pub(super) memory: &'a mut Memory,
    /// What stands before this position is masked, and part of no name.
    pub(super) masked_to: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) verdict: Verdict,
    pub(super) flag: bool,
    pub(super) quote: Option<Quote>,
    pub(super) line_start: bool,
    pub(super) query: bool,
}

impl Name {
    /// A name that says nothing but that what it names is secret.
    pub(super) fn secret(at: usize) -> Self {
        Self::of(at, at, Verdict::Strong(Class::Password))
    }

    /// A name of which nothing but its place is known, and what it says.
    pub(super) fn of(start: usize, end: usize, verdict: Verdict) -> Self {
        Self { start, end, verdict, flag: false, quote: None, line_start: false, query: false }
    }
}

impl Keyed<'_> {
    /// [`line_end`](super::surroundings::line_end), from memory as far as it goes.
    pub(super) fn line_end(&mut self, from: usize, to: usize) -> usize {
        let bytes = self.bytes;
        self.memory.line.after(from.min(to), to, |range| memchr::memchr2(b'\n', 0, &bytes[range])).unwrap_or(to)
    }

    /// Masks a value if it is one; where to go on.
    pub(super) fn push(&mut self, name: Name, start: usize, end: usize, form: Form, ends: Ends) -> Option<usize> {
        let value = self.bytes.get(start..end)?;
        if mask_length(value) == Some(value.len()) && start < end {
            return Some(end);
        }
        if !plausible::is_secret(value, name.verdict, ends)
            || plausible::describes(&self.bytes[name.start..name.end], value, name.verdict)
        {
            return None;
        }
        self.told(name, start, end, form)
    }

    /// Masks a value of which it is known that it is one, unless the user allows it; where to go on.
    pub(super) fn told(&mut self, name: Name, start: usize, end: usize, form: Form) -> Option<usize> {
        let value = self.bytes.get(start..end)?;
        if self.rules.allows(value) {
            return None;
        }
        let (class, rule) = match name.verdict {
            Verdict::Strong(class) => (class, "key"),
            _ => (Class::Key, "weak-key"),
        };
        // What says how Junos wrote it stays.
        let start = match value {
            [b'$', b'8' | b'9', b'$', _, ..] => start + 3,
            _ => start,
        };
        let seed = if matches!(name.verdict, Verdict::Strong(_)) { Seed::Found } else { Seed::Never };
        self.spans.push(Span { start, end, rule: Rule::Builtin(rule), class, form, seed });
        Some(end)
    }
}
