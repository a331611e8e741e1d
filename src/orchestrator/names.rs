//! What may be a name.

use super::error::{ChangeError, Noun};

/// Characters of a name at most; the schema has the same number.
const CHARS_MAX: usize = 64;
/// Characters of a node's name at most; the schema has the same number.
const NODE_CHARS_MAX: usize = 128;

/// A name for people: it stands in lists and messages.
pub(super) fn check(noun: Noun, name: &str) -> Result<(), ChangeError> {
    let rule = "1 to 64 characters, no control characters, no space at either end";
    let shown = name.trim() == name && !name.chars().any(char::is_control);
    accept(noun, name, shown && (1..=CHARS_MAX).contains(&name.chars().count()), rule)
}

/// A node's name: it becomes part of a file name.
pub(super) fn check_node(name: &str) -> Result<(), ChangeError> {
    let rule = "1 to 128 letters, digits, `.`, `_` and `-`, not beginning with `.`";
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    accept(Noun::Node, name, legal && (1..=NODE_CHARS_MAX).contains(&name.len()) && !name.starts_with('.'), rule)
}

/// A node's name made from what a host calls itself: whatever cannot stand in it becomes `-`.
pub(super) fn node_name_of(hostname: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = hostname.trim_start_matches('.').chars().take(NODE_CHARS_MAX).map(legal).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

fn accept(noun: Noun, name: &str, good: bool, rule: &'static str) -> Result<(), ChangeError> {
    if good { Ok(()) } else { Err(ChangeError::BadName { noun, name: name.to_owned(), rule }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_people_can_read() {
        for (name, good) in [
            ("events-prod", true),
            ("Événements (prod)", true),
            (&*"x".repeat(64), true),
            (&*"é".repeat(64), true),
            (&*"x".repeat(65), false),
            ("", false),
            (" x", false),
            ("x ", false),
            ("a\nb", false),
            ("a\u{0}b", false),
            ("\u{9b}31m", false),
        ] {
            assert_eq!(check(Noun::Division, name).is_ok(), good, "{name:?}");
        }
    }

    #[test]
    fn a_nodes_name_can_stand_in_a_file_name() {
        for (name, good) in [
            ("iggy-01.example.org", true),
            (&*"x".repeat(128), true),
            (&*"x".repeat(129), false),
            ("", false),
            (".hidden", false),
            ("..", false),
            ("a/b", false),
            ("a b", false),
            ("é", false),
        ] {
            assert_eq!(check_node(name).is_ok(), good, "{name:?}");
        }
        for (hostname, name) in [("iggy-01", "iggy-01"), ("", "localhost"), ("..", "localhost"), ("a b/é", "a-b--")] {
            assert_eq!(node_name_of(hostname), name);
            assert!(check_node(name).is_ok());
        }
    }
}
