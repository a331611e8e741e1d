//! The fence: which room may use which, how long a file may be, and what a module may not be called.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms that it may use besides `domain`, which all may use and which uses none.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("durable", &[]),
    ("iggy", &[]),
    ("evidence", &["iggy"]),
    ("host", &["evidence", "iggy"]),
    ("checks", &["evidence", "iggy"]),
    ("redact", &[]),
    ("report", &["redact"]),
    ("bundle", &["host", "iggy", "redact"]),
    ("config", &["checks", "redact"]),
    ("examine", &["durable", "iggy", "host", "evidence", "checks", "redact", "report", "bundle", "config"]),
    ("store", &[]),
    ("archive", &["durable", "redact", "report"]),
    ("agent", &["examine", "config"]),
    // `redact`: one key for the pseudonyms of all nodes of a trigger is made where the trigger is.
    ("orchestrator", &["durable", "store", "archive", "examine", "agent", "config", "redact"]),
    ("observability", &["redact"]),
    ("http", &["orchestrator", "store", "archive", "report", "checks", "agent", "redact", "config", "observability"]),
    (
        "cli",
        &[
            "durable",
            "iggy",
            "evidence",
            "host",
            "checks",
            "redact",
            "report",
            "bundle",
            "config",
            "examine",
            "store",
            "archive",
            "agent",
            "orchestrator",
            "observability",
            "http",
        ],
    ),
];

const FILE_LINES_MAX: usize = 500;
const BUCKET_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "stuff", "shared"];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&src(), &mut found);
    found.sort();
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The room of a file; `None` for `lib.rs` and `main.rs`.
fn room(path: &Path) -> Option<String> {
    let mut parts = path.strip_prefix(src()).unwrap().iter();
    let first = parts.next().unwrap().to_str().unwrap().to_owned();
    parts.next().is_some().then_some(first)
}

/// Code without comments and without the test module that closes a file (tests may use any room).
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let body = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    body.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The rooms that this code names: `crate::room…` and the first words inside `crate::{…}`.
fn rooms_named(code: &str) -> BTreeSet<&'static str> {
    let known = |word: &str| ROOMS.iter().map(|(room, _)| *room).find(|room| *room == word);
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            named.extend(known(&rest[..end]));
            continue;
        }
        let (mut depth, mut word, mut first) = (0, String::new(), true);
        for character in rest.chars() {
            if character.is_alphanumeric() || character == '_' {
                word.push(character);
                continue;
            }
            if depth == 1 && first {
                named.extend(known(&word));
            }
            if !word.is_empty() {
                first = false;
                word.clear();
            }
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => first = true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    named
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for path in all_sources() {
        let Some(room) = room(&path) else { continue };
        let Some((_, uses)) = ROOMS.iter().find(|(known, _)| *known == room) else {
            wrong.push(format!("{}: the room `{room}` is not in the table", path.display()));
            continue;
        };
        for named in rooms_named(&code(&path)) {
            let open = named == room || (named == "domain" && room != "domain") || uses.contains(&named);
            if !open {
                wrong.push(format!("{}: `{room}` may not use `{named}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "use crate::redact::Engine;\nuse crate::{domain::id, store::{http, Store}, archive};";
    assert_eq!(rooms_named(code).into_iter().collect::<Vec<_>>(), ["archive", "domain", "redact", "store"]);
}

#[test]
fn the_table_of_rooms_has_no_cycle() {
    fn visit(room: &'static str, path: &mut Vec<&'static str>) {
        assert!(!path.contains(&room), "a cycle: {path:?} → {room}");
        path.push(room);
        let uses = ROOMS.iter().find(|(known, _)| *known == room).map_or(&[][..], |(_, uses)| uses);
        for next in uses {
            visit(next, path);
        }
        path.pop();
    }
    for (room, _) in ROOMS {
        visit(room, &mut Vec::new());
    }
}

#[test]
fn no_file_is_longer_than_the_wall() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "over {FILE_LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn no_module_is_a_bucket() {
    for path in all_sources() {
        for part in path.strip_prefix(src()).unwrap() {
            let name = part.to_str().unwrap().trim_end_matches(".rs");
            assert!(!BUCKET_NAMES.contains(&name), "{}: `{name}` names a bucket, not a noun", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_owns() {
    for path in all_sources() {
        assert!(fs::read_to_string(&path).unwrap().starts_with("//!"), "{}: opens without `//!`", path.display());
    }
}

#[test]
fn unsafe_stands_in_one_room() {
    for path in all_sources() {
        let has = code(&path).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        assert!(!has || path.starts_with(src().join("host/sys")), "{}: unsafe outside host/sys", path.display());
    }
}
