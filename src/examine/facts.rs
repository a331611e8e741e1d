//! The facts row: what a reader looks for first.

use crate::evidence::Evidence;
use crate::report::model::Fact;

/// The host's own name.
pub(super) fn hostname(_evidence: &Evidence) -> Option<String> {
    None
}

/// The facts that could be observed, in the order of the page.
pub(super) fn row(_evidence: &Evidence) -> Vec<Fact<String>> {
    Vec::new()
}
