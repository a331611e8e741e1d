//! How far a scan has come, and what it remembers of what it passed.

use std::collections::VecDeque;

use super::super::span::Span;
use super::named::Memory;
use super::sieve::STRIDE;
use super::through::Through;
use super::{kubernetes, url};

/// How far a scan has come. Positions are those of the buffer; a stream shifts them.
#[derive(Debug, Default)]
pub(in crate::redact) struct Progress {
    /// All triggers before this position are done.
    pub(in crate::redact) scanned: usize,
    /// Nothing before this position is looked at again.
    pub(in crate::redact) masked_to: usize,
    /// What is masked beyond the present position, in order: the values of a name. What stands between is looked at: a name
    /// may hold a secret, too.
    pub(super) ahead: VecDeque<(usize, usize)>,
    /// Stems before this position belong to a name that was looked at.
    pub(super) name_to: usize,
    /// URLs and names of their credentials before this position were looked at.
    pub(super) url_to: usize,
    /// Programs before this position are arguments of a command that was looked at.
    pub(super) command_to: usize,
    /// Before this position no program stands that takes a here-string behind it.
    pub(super) here_to: usize,
    /// Blocks before this position are parts of one that was looked at.
    pub(super) block_to: usize,
    /// Statements before this position are parts of one that was looked at.
    pub(super) statement_to: usize,
    /// Runs before this position were looked at, and those of base 64.
    pub(super) run_to: usize,
    pub(super) packed_to: usize,
    pub(super) document: kubernetes::Document,
    /// For each pattern of the user's, where its next match may begin.
    pub(super) custom: Vec<usize>,
    /// The run of bytes in which the last URL stood.
    pub(super) url: url::Run,
    pub(super) names: Memory,
    pub(super) through: Option<Through>,
}

impl Progress {
    /// Follows a buffer that lost its first `bytes`, a multiple of [`STRIDE`].
    pub(in crate::redact) fn shift(&mut self, bytes: usize) {
        self.scanned -= bytes;
        debug_assert!(bytes.is_multiple_of(STRIDE), "a buffer begins at a multiple of a stride");
        for place in [
            &mut self.masked_to,
            &mut self.name_to,
            &mut self.url_to,
            &mut self.command_to,
            &mut self.here_to,
            &mut self.statement_to,
            &mut self.block_to,
            &mut self.run_to,
            &mut self.packed_to,
            &mut self.document.to,
        ] {
            *place = place.saturating_sub(bytes);
        }
        for (start, end) in &mut self.ahead {
            (*start, *end) = (start.saturating_sub(bytes), end.saturating_sub(bytes));
        }
        self.names.shift(bytes);
        self.url.end = self.url.end.saturating_sub(bytes);
        self.url.sign = self.url.sign.and_then(|sign| sign.checked_sub(bytes));
        for place in &mut self.custom {
            *place = place.saturating_sub(bytes);
        }
    }

    /// Goes on with what stands between these spans, up to where whoever found them would go on. Names there are parts of
    /// what was looked at.
    pub(super) fn go_on_between(&mut self, spans: &[Span], resume: usize) {
        self.name_to = self.name_to.max(resume);
        self.url_to = self.url_to.max(resume);
        let alone = self.ahead.is_empty() && spans.len() == 1;
        self.ahead.extend(spans.iter().map(|span| (span.start, span.end)));
        if !alone {
            self.ahead.make_contiguous().sort_unstable();
        }
    }

    /// Whether nothing at this position, which no earlier one follows, is masked yet.
    #[inline]
    pub(super) fn is_open(&mut self, at: usize) -> bool {
        if self.ahead.is_empty() {
            return at >= self.masked_to;
        }
        while self.ahead.pop_front_if(|(_, end)| *end <= at).is_some() {}
        at >= self.masked_to && self.ahead.front().is_none_or(|(start, _)| at < *start)
    }
}
