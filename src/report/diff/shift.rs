//! How a check moved between two reports.

use super::Relation;
use crate::domain::verdict::Verdict;
use crate::report::model::CheckChange;

/// How a check's verdict moved. Declared, and listed, in the order that a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// It needs attention and did not before.
    New,
    /// It needed a look and has failed.
    Worse,
    /// It was judged and no longer is.
    Unseen,
    /// It had failed and needs a look.
    Better,
    /// It needed attention and no longer does.
    Resolved,
    /// Anything else: judged at last and fine, a fact that became a pass, a check that came or went.
    Other,
}

impl Move {
    /// All moves, in the order of a report.
    pub const ALL: [Self; 6] = [Self::New, Self::Worse, Self::Unseen, Self::Better, Self::Resolved, Self::Other];

    /// The move of this change.
    #[must_use]
    pub fn of(change: &CheckChange) -> Self {
        let attention = |verdict: Option<Verdict>| verdict.filter(|v| matches!(v, Verdict::Fail | Verdict::Warn));
        let judged = |verdict: Option<Verdict>| verdict.is_some_and(|verdict| verdict != Verdict::Skip);
        match (attention(change.before), attention(change.after)) {
            (None, Some(_)) => Self::New,
            (Some(before), Some(after)) if after > before => Self::Worse,
            (Some(_), Some(_)) => Self::Better,
            _ if judged(change.before) && !judged(change.after) => Self::Unseen,
            (Some(_), None) => Self::Resolved,
            (None, None) => Self::Other,
        }
    }

    /// The word of a count: `2 new`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Unseen => "no longer seen",
            Self::Better => "better",
            Self::Resolved => "resolved",
            Self::Other => "otherwise different",
        }
    }

    /// Its heading: of one node at two times, or of two nodes.
    #[must_use]
    pub const fn title(self, relation: Relation) -> &'static str {
        match (relation, self) {
            (_, Self::Other) => "Otherwise different",
            (Relation::Times, Self::New) => "New",
            (Relation::Times, Self::Worse) => "Worse",
            (Relation::Times, Self::Unseen) => "No longer seen",
            (Relation::Times, Self::Better) => "Better",
            (Relation::Times, Self::Resolved) => "Resolved",
            (Relation::Nodes, Self::New) => "On the second node alone",
            (Relation::Nodes, Self::Worse) => "Worse on the second node",
            (Relation::Nodes, Self::Unseen) => "Not seen on the second node",
            (Relation::Nodes, Self::Better) => "Worse on the first node",
            (Relation::Nodes, Self::Resolved) => "On the first node alone",
        }
    }
}

/// How many changes moved how: `2 new, 1 worse, 1 resolved`; empty without changes.
#[must_use]
pub fn counted(changes: &[CheckChange], relation: Relation) -> String {
    let count = |wanted: Move| changes.iter().filter(|change| Move::of(change) == wanted).count();
    let parts = Move::ALL.into_iter().map(|wanted| (count(wanted), wanted)).filter(|(count, _)| *count > 0);
    let part = |(count, wanted): (usize, Move)| match relation {
        Relation::Times => format!("{count} {}", wanted.word()),
        Relation::Nodes => {
            let title = wanted.title(relation);
            format!("{count} {}{}", title[..1].to_lowercase(), &title[1..])
        }
    };
    parts.map(part).collect::<Vec<_>>().join(", ")
}
