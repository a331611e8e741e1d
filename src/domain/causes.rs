//! An error and what caused it, in one line: for a log, a terminal, or a report, where the chain is printed once.
//!
//! It says everything that the errors say, paths and statements of SQL among them: nothing that goes to a client of the API
//! is made of it.

use std::error::Error;

/// Causes that are followed: a chain that is longer runs in a circle.
const CAUSES_MAX: usize = 32;

/// The error and its causes, from the outermost to the first, with `: ` between them.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |&cause| cause.source()).take(CAUSES_MAX) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn a_chain_is_told_from_the_outermost_error_to_the_first() {
        let alone = Link("the disk is full", None);
        assert_eq!(chain(&alone), "the disk is full");
        let within = Link("cannot write the archive", Some(Box::new(alone)));
        let outermost = Link("no snapshot", Some(Box::new(within)));
        assert_eq!(chain(&outermost), "no snapshot: cannot write the archive: the disk is full");
    }
}
