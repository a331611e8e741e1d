//! Every place in the catalogue's sources at which a rule gives a verdict is reached by a test, and no row lacks its words.
//!
//! The tests of the rules run once more in a process of their own, in which each `Judgement` notes the line that made
//! it. What the sources hold and no test reached is a verdict that nobody has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{catalogue, find};
use crate::domain::finding::given::TRACE;

/// How a rule gives each verdict.
const WORDS: &[&str] = &["Judgement::pass", "Judgement::info", "Judgement::warn", "Judgement::fail"];

/// The rules of a file, without comments and without the tests that close it.
fn rules(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("\n#[cfg(test)]\n").next().unwrap();
    code.lines().map(|line| line.split("//").next().unwrap().to_owned()).collect()
}

/// The sources of the catalogue, as the compiler names them.
fn sources() -> BTreeMap<String, Vec<String>> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                None => below(&path, found),
                Some(_) if path.to_str().unwrap().ends_with("_tests.rs") => {}
                Some(_) => found.push(path),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    below(&root.join("src/checks"), &mut found);
    assert!(found.len() > 40, "the sources were not found");
    let named = |path: &PathBuf| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    found.iter().map(|path| (named(path), rules(path))).collect()
}

/// Places at which the tests of the rules made judgements.
fn given() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("places");
    let tests = Command::new(std::env::current_exe().unwrap())
        .args(["checks::", "--quiet"])
        .env(TRACE, &trace)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(tests.success(), "the tests of the rules do not pass");
    fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_verdict_that_a_rule_can_give_is_given_in_a_test() {
    // The tests of the rules, this one among them, run again in there.
    if std::env::var_os(TRACE).is_some() {
        return;
    }
    let given = given();
    let (mut places, mut missed) = (0, Vec::new());
    for (file, lines) in sources() {
        for (at, line) in lines.iter().enumerate() {
            for word in WORDS {
                for (start, _) in line.match_indices(word) {
                    assert!(line[start + word.len()..].starts_with('('), "{file}:{}: call {word} by name", at + 1);
                    places += 1;
                    if !given.contains(&format!("{file} {}", at + 1)) {
                        missed.push(format!("{file}:{}: {}", at + 1, line.trim()));
                    }
                }
            }
        }
    }
    assert!(places > 200, "the verdicts were not found");
    assert!(missed.is_empty(), "no test sees {} of {places} verdicts:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn every_check_that_warns_or_fails_says_what_to_do() {
    let mut rows = 0;
    for (file, lines) in sources() {
        let complains = lines.iter().any(|line| line.contains(WORDS[2]) || line.contains(WORDS[3]));
        for id in lines.iter().filter_map(|line| line.trim().strip_prefix("id: \"")?.strip_suffix("\",")) {
            rows += 1;
            let check = find(id).unwrap();
            assert!(!complains || !check.remedy.is_empty(), "{file}: {id} complains and has no remedy");
        }
    }
    assert_eq!(rows, catalogue().count(), "a row of the catalogue was not found in the sources");
}
