//! What is generated from our own tables is current: `make docs` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the repository has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use snapvisor::checks::{self, Tier};
use snapvisor::config;

/// With this variable set the tests write in place of comparing.
const WRITE: &str = "UPDATE_DOCS";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn current(name: &str, expected: &str) {
    if std::env::var_os(WRITE).is_some() {
        fs::write(path(name), expected).unwrap();
    }
    let found = fs::read_to_string(path(name)).unwrap_or_default();
    assert!(found == expected, "{name} is not current: run `make docs`");
}

#[test]
fn the_reference_of_the_configuration_is_current() {
    current("docs/configuration.md", &config::reference());
}

const BEGIN: &str = "<!-- checks: written by `make docs` -->\n";
const END: &str = "<!-- end of checks -->\n";

#[test]
fn the_readme_lists_the_checks_of_the_catalogue() {
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let (head, rest) = readme.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    current("README.md", &format!("{head}{BEGIN}{}{END}{tail}", table_of_checks()));
}

/// A row for each category: its checks, those that decide the headline in bold.
fn table_of_checks() -> String {
    let mut text = "| area | checks |\n| --- | --- |\n".to_owned();
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    for check in checks::catalogue() {
        let mark = if check.tier == Tier::Core { "**" } else { "" };
        let cell = format!("{mark}{}{mark} `{}`", check.title, check.id);
        match rows.iter_mut().find(|(title, _)| *title == check.category.title()) {
            Some((_, cells)) => cells.push(cell),
            None => rows.push((check.category.title(), vec![cell])),
        }
    }
    for (title, cells) in rows {
        writeln!(text, "| {title} | {} |", cells.join(" · ")).unwrap();
    }
    text
}

#[test]
fn the_document_of_checks_is_the_catalogue() {
    current("docs/checks.md", &document_of_checks());
}

/// All that the catalogue knows of each check, by category.
fn document_of_checks() -> String {
    let count = checks::catalogue().count();
    let core = checks::catalogue().filter(|check| check.tier == Tier::Core).count();
    let mut text = format!(
        "# Checks\n\n\
         {count} checks, {core} of them core: those decide the headline of a report. This document is written by `make docs` from \
         the table that the program itself reads; `snapvisor checks explain ID` shows the same.\n\n\
         A check passes, informs, warns or fails, each by its rule. What it could not see makes it a skip or a gap with \
         its reason, never a pass; `self.coverage` lists them all. A threshold is changed, and a check switched off, in the \
         configuration:\n\n\
         ```toml\n[checks.\"disk.space\"]\nwarn_percent = 10\n\n[checks.\"disk.queue\"]\nenabled = false\n```\n\n\
         A report shows which thresholds were changed and which checks are switched off. Unknown checks, names and values are \
         errors.\n"
    );
    let mut category = "";
    for check in checks::catalogue() {
        if check.category.title() != category {
            category = check.category.title();
            write!(text, "\n## {category}\n").unwrap();
        }
        section_of(&mut text, check);
    }
    text
}

fn section_of(text: &mut String, check: &checks::Check) {
    let tier = if check.tier == Tier::Core { "core" } else { "extended" };
    write!(text, "\n### {}\n\n**{}**", check.id, check.title).unwrap();
    writeln!(text, " · {tier} · {} severity · seen in full by: {}\n", check.severity.word(), check.privilege).unwrap();
    writeln!(text, "- *Rule.* {}", check.rule).unwrap();
    writeln!(text, "- *Why it matters.* {}", check.why).unwrap();
    writeln!(text, "- *Where the thresholds come from.* {}", check.threshold_source).unwrap();
    let needs: Vec<String> = check.needs.iter().map(|source| format!("`{}`", source.0)).collect();
    writeln!(text, "- *Evidence.* {}", needs.join(", ")).unwrap();
    for setting in check.settings {
        let range = format!("default {}, {} to {}", setting.default, setting.min, setting.max);
        writeln!(text, "- *Setting.* `{}`: {} ({range})", setting.name, setting.help).unwrap();
    }
    for list in checks::file_lists(check) {
        writeln!(text, "- *Setting.* `{}`: {} (default none)", list.name, list.help).unwrap();
    }
    if !check.references.is_empty() {
        writeln!(text, "- *To read.* {}", check.references.join("; ")).unwrap();
    }
    if !check.remedy.is_empty() {
        write!(text, "\n```sh\n{}\n```\n", check.remedy).unwrap();
    }
}

const ROOMS_BEGIN: &str = "<!-- rooms: written by `make docs` -->\n";
const ROOMS_END: &str = "<!-- end of rooms -->\n";

#[test]
fn the_architecture_shows_the_rooms_that_the_fence_enforces() {
    let name = "docs/architecture.md";
    let document = fs::read_to_string(path(name)).unwrap();
    let (head, rest) = document.split_once(ROOMS_BEGIN).unwrap();
    let (_, tail) = rest.split_once(ROOMS_END).unwrap();
    current(name, &format!("{head}{ROOMS_BEGIN}{}{ROOMS_END}{tail}", table_of_rooms()));
}

/// The table in the source of `tests/house.rs`: a room in quotes, then those that it may use, in brackets.
fn table_of_rooms() -> String {
    let fence = fs::read_to_string(path("tests/house.rs")).unwrap();
    let rooms = fence.split("const ROOMS").nth(1).unwrap().split_once("= &[").unwrap().1.split("\n];").next().unwrap();
    let mut text = "| room | may use |\n| --- | --- |\n".to_owned();
    for row in rooms.split("&[").zip(rooms.split("&[").skip(1)) {
        let room = row.0.rsplit('"').nth(1).unwrap();
        let uses: Vec<&str> = row.1.split(']').next().unwrap().split('"').skip(1).step_by(2).collect();
        let uses = match uses.as_slice() {
            _ if room == "cli" => "all of them".to_owned(),
            [] => "–".to_owned(),
            uses => uses.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        writeln!(text, "| `{room}` | {uses} |").unwrap();
    }
    text
}

#[test]
fn no_document_names_what_does_not_exist() {
    let binary = env!("CARGO_BIN_EXE_snapvisor");
    let commands = std::process::Command::new(binary).arg("--help").output().unwrap();
    let commands = String::from_utf8(commands.stdout).unwrap();
    let known = |word: &str| commands.lines().any(|line| line.split_whitespace().next() == Some(word));
    for name in ["README.md", "docs/configuration.md", "docs/security.md", "docs/architecture.md"] {
        let text = fs::read_to_string(path(name)).unwrap();
        for (at, _) in text.match_indices("snapvisor ") {
            let word = text[at + "snapvisor ".len()..].split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
            let in_code = text[..at].matches('`').count() % 2 == 1;
            assert!(!in_code || word.is_empty() || known(word), "{name}: there is no command `{word}`");
        }
    }
}
