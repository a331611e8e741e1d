//! What to do: prose as prose, commands as commands, both to copy.

use maud::{Markup, html};

use super::Text;
use super::shown::{marked, prose};
use crate::report::model::Remedy;

pub(super) fn remedy(remedy: &Remedy<Text>) -> Markup {
    let text = match remedy {
        Remedy::AnyHost(words) => words.as_str(),
        Remedy::ThisHost(text) => text.as_str(),
    };
    html! {
        div.todo {
            div.head {
                h4 { "What to do" }
                div.acts.js hidden {
                    @if text.lines().any(is_command) { button type="button" data-copy="commands" { "Copy commands" } }
                    button type="button" data-copy="ticket" { "Copy for ticket" }
                    button type="button" data-copy="link" { "Copy link" }
                }
            }
            @for block in blocks(text) {
                @match block {
                    Block::Prose(lines) => p { (prose(&lines.join(" "))) },
                    Block::Commands(lines) => pre { code { (marked(&lines.join("\n"))) } },
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Prose(Vec<&'a str>),
    Commands(Vec<&'a str>),
}

/// The lines, neighbours of one kind together.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let command = is_command(line);
        match blocks.last_mut() {
            Some(Block::Commands(lines)) if command => lines.push(line),
            Some(Block::Prose(lines)) if !command => lines.push(line.trim()),
            _ if command => blocks.push(Block::Commands(vec![line])),
            _ => blocks.push(Block::Prose(vec![line.trim()])),
        }
    }
    blocks
}

/// Prose begins with a capital and its first word is neither a path nor an assignment; the rest is to paste.
fn is_command(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or("");
    let prose = first.starts_with(|c: char| c.is_uppercase()) && !first.contains(['=', '/', '_', '@']);
    !prose && !first.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_commands_are_told_apart() {
        let text = "Raise the limit in the unit:\nsystemctl edit iggy-server\nLimitMEMLOCK=infinity\n\nThen restart it.\nIt takes a second.";
        assert_eq!(
            blocks(text),
            [
                Block::Prose(vec!["Raise the limit in the unit:"]),
                Block::Commands(vec!["systemctl edit iggy-server", "LimitMEMLOCK=infinity"]),
                Block::Prose(vec!["Then restart it.", "It takes a second."]),
            ]
        );
    }
}
