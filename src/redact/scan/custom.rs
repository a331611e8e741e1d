//! Patterns that the user configured.

use super::super::pseudonym::{Class, mask_length};
use super::super::span::{Form, Rule, Seed, Span};
use super::{Progress, Scanner};

impl Scanner<'_> {
    /// Finds what the patterns of the user's match before `limit`.
    pub(super) fn custom(&self, bytes: &[u8], limit: usize, progress: &mut Progress, spans: &mut Vec<Span>) {
        progress.custom.resize(self.rules.patterns.len(), 0);
        for (place, (pattern, next)) in self.rules.patterns.iter().zip(&mut progress.custom).enumerate() {
            while *next < limit {
                let Some(captures) = pattern.regex.captures_at(bytes, *next) else { break };
                let whole = captures.get(0).expect("group 0 is the match");
                if whole.start() >= limit {
                    break;
                }
                *next = whole.end().max(whole.start() + 1);
                let Some(group) = captures.get(pattern.group) else { continue };
                let (start, end) = (group.start(), group.end());
                if !self.rules.allows(group.as_bytes()) && mask_length(group.as_bytes()).is_none() {
                    spans.push(Span {
                        start,
                        end,
                        rule: Rule::Custom(place),
                        class: Class::Token,
                        form: Form::Raw,
                        seed: Seed::Found,
                    });
                }
            }
            *next = (*next).max(limit);
        }
    }
}
