//! The report of a recorded host without what differs between two runs: the snapshot's name, what it cost, how long each
//! rule took, the version, the catalogue's words, and the check of the running process itself. The rest is what a reader gets.

use std::fmt::Write as _;

use serde_json::Value;
use snapvisor::report::html;
use snapvisor::report::model::{Cost, Remedy, Words};

pub(crate) type Report = snapvisor::report::diff::Report;

/// The check whose evidence is this very run.
const OF_THIS_RUN: &str = "self.agent";
/// What stands in place of the snapshot's name, which has the time of the run in it.
const NAME: &str = "snapshot-RECORDED";

/// A report without what differs between two runs.
pub(crate) struct Normal {
    report: Report,
    name: String,
}

impl Normal {
    pub(crate) fn of(mut report: Report) -> Self {
        report.tool.version = Words::new("VERSION");
        report.snapshot.duration_ms = 0;
        report.cost = Cost::default();
        report.stages.clear();
        report.checks.retain(|check| check.id.as_str() != OF_THIS_RUN);
        for check in &mut report.checks {
            check.wall_us = 0;
            // The catalogue's words are the same for every host; `docs/checks.md` has them, and a test.
            (check.rule, check.source, check.why) = (Words::new("RULE"), Words::new("SOURCE"), Words::new("WHY"));
            check.references.clear();
            if let Some(Remedy::AnyHost(words)) = &mut check.remedy {
                *words = Words::new("REMEDY");
            }
        }
        let name = report.snapshot.name.as_str().to_owned();
        Self { report, name }
    }

    /// `report.json`: a line for each field, and for each element of a list.
    pub(crate) fn json(&self) -> String {
        let document = serde_json::to_value(&self.report).unwrap();
        let mut text = String::new();
        for (field, value) in document.as_object().unwrap() {
            match value {
                Value::Array(list) => list.iter().for_each(|one| writeln!(text, "{field}[] {one}").unwrap()),
                one => writeln!(text, "{field} {one}").unwrap(),
            }
        }
        text.replace(&self.name, NAME)
    }

    /// The page, an element a line, without style, script and data block: those have tests of their own.
    pub(crate) fn page(&self) -> String {
        let mut page = html::render(&self.report);
        for (open, close) in [("<style>", "</style>"), ("<script>", "</script>"), ("<script id=", "</script>")] {
            let start = page.find(open).unwrap();
            let end = start + page[start..].find(close).unwrap();
            page.replace_range(start..end, "");
        }
        let policy = page.find("default-src").unwrap();
        let end = policy + page[policy..].find('"').unwrap();
        page.replace_range(policy..end, "POLICY");
        page.replace("><", ">\n<").replace(&self.name, NAME) + "\n"
    }
}
