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
fn the_architecture_shows_the_rooms_that_the_fence_enforces() {
    let fence = fs::read_to_string(path("tests/house.rs")).unwrap();
    let table = fence.split("const ROOMS").nth(1).unwrap().split("];\n").next().unwrap();
    let quoted: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
    let document = fs::read_to_string(path("docs/architecture.md")).unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| `")).filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (room, uses) = (cells.next()?, cells.next()?);
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        (names(room).len() == 1 && cells.next() == Some("")).then(|| [names(room), names(uses)].concat())
    });
    // `cli` may use all, which the document says in a word.
    let shown: Vec<String> = rows.flatten().collect();
    let enforced: Vec<&str> = quoted.iter().copied().take_while(|name| *name != "cli").chain(["cli"]).collect();
    assert_eq!(shown, enforced);
}
