//! The plan of a bundle: which files, in which order. Printed, it is the dry run.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::domain::size::human;
use crate::iggy::{Layout, Partition, Role};
use crate::redact::{Policy, Redacted};

use super::error::BundleError;
use super::name::readable;
use super::source::Source;
use super::treatment::{Case, role_word};
use super::walk::{Found, Kind, walk};

/// Descriptors that are held from the first pass to the second.
const HELD_MAX: usize = 64;
/// An unknown file up to this size goes before the segments.
const SMALL_BYTES: u64 = 1 << 20;
/// Lines of a dry run.
const LINES_MAX: usize = 10_000;

/// A file that will be bundled.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) found: Found,
    pub(super) role: Role,
}

/// What will be bundled, in order.
#[derive(Debug)]
pub struct Plan {
    pub(super) root: OwnedFd,
    pub(super) layout: Layout,
    pub(super) files: Vec<Planned>,
    /// What is listed and never copied: links, sockets, what cannot be looked at.
    pub(super) aside: Vec<Found>,
    pub(super) names_dropped: u64,
    held: HashMap<usize, Source>,
}

impl Plan {
    /// Walks the data directory at `path`; the path itself may be a link, nothing below it is followed.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn of_path(path: &Path) -> Result<Self, BundleError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| BundleError::Directory(errno.into()))?;
        Ok(Self::of_directory(root))
    }

    /// Walks an open data directory. The lengths of all files are taken now, one right after the other: that is where
    /// they are cut later.
    #[must_use]
    pub fn of_directory(root: OwnedFd) -> Self {
        let walked = walk(&root);
        let top = walked.found.iter().filter_map(|found| found.path.iter().next());
        let layout = Layout::of(top.map(std::os::unix::ffi::OsStrExt::as_bytes));
        let (files, aside): (Vec<Found>, _) = walked.found.into_iter().partition(|found| found.kind == Kind::File);
        let files = in_order(files.into_iter().map(|found| Planned { role: Role::of(&found.path), found }).collect());
        Self { root, layout, files, aside, names_dropped: walked.names_dropped, held: HashMap::new() }
    }

    /// The directory's layout.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Bytes of all planned files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|planned| planned.found.size_bytes).sum()
    }

    /// The plan for a person: one line a file, in the order in which they would go in.
    #[must_use]
    pub fn dry_run(&self, policy: &Policy<'_>) -> Redacted<String> {
        let layout = if self.layout.is_known() { "layout " } else { "" };
        let (label, files, size) = (self.layout.label(), self.files.len(), human(self.size_bytes()));
        let mut text = format!("{layout}{label}, {files} files, {size}\n");
        for planned in self.files.iter().take(LINES_MAX) {
            let Found { path, size_bytes, .. } = &planned.found;
            let _ = writeln!(text, "{:>10}  {:<23} {}", human(*size_bytes), role_word(&planned.role), readable(path));
        }
        for found in self.aside.iter().take(LINES_MAX) {
            let why = match &found.kind {
                Kind::Link(_) => "a link: recorded, not followed",
                Kind::Special(what) => what,
                Kind::Unreadable(_) | Kind::File => "unreadable",
            };
            let _ = writeln!(text, "{:>10}  {why}: {}", "-", readable(&found.path));
        }
        Redacted::new(text, policy)
    }

    /// The case of a planned file, of which `head` are the first bytes.
    pub(super) fn case<'a>(&self, planned: &'a Planned, head: &'a [u8]) -> Case<'a> {
        let Found { path, size_bytes, .. } = &planned.found;
        Case { layout: self.layout, role: &planned.role, path, size_bytes: *size_bytes, head }
    }

    /// Keeps a file open for the second pass, if not too many are.
    pub(super) fn hold(&mut self, index: usize, source: Source) {
        if self.held.len() < HELD_MAX {
            self.held.insert(index, source);
        }
    }

    /// The file that was kept open.
    pub(super) fn release(&mut self, index: usize) -> Option<Source> {
        self.held.remove(&index)
    }
}

/// Small files first, then logs, then segments with their indexes, newest first, then what is large and unknown.
fn in_order(mut files: Vec<Planned>) -> Vec<Planned> {
    let mut newest: HashMap<(Partition, u64), i128> = HashMap::new();
    for planned in &files {
        if let Some(segment) = segment(&planned.role) {
            let at = newest.entry(segment).or_insert(i128::MIN);
            *at = (*at).max(planned.found.modified_ns);
        }
    }
    files.sort_by_cached_key(|planned| {
        let found = &planned.found;
        let (rank, newest_first) = match &planned.role {
            Role::RuntimeConfig | Role::StateInfo => (0, 0),
            Role::StateLog | Role::StateTokens | Role::Metadata => (1, 0),
            Role::ConsumerOffset(_) => (2, 0),
            Role::ServerLog(_) => (3, -found.modified_ns),
            Role::Unknown if found.size_bytes <= SMALL_BYTES => (4, 0),
            role @ (Role::Segment { .. } | Role::Index { .. }) => {
                (5, -segment(role).and_then(|segment| newest.get(&segment)).copied().unwrap_or(0))
            }
            Role::Unknown => (6, -found.modified_ns),
        };
        (rank, newest_first, std::cmp::Reverse(segment(&planned.role)), found.path.clone())
    });
    files
}

fn segment(role: &Role) -> Option<(Partition, u64)> {
    match role {
        Role::Segment { partition, start_offset } | Role::Index { partition, start_offset } => {
            Some((*partition, *start_offset))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn small_files_come_first_and_the_newest_segments_next() {
        let tree = tempfile::tempdir().unwrap();
        let partition = "streams/0/topics/0/partitions/0";
        let offset = |n: u64| format!("{partition}/{n:020}");
        // Name, and its age in seconds: the index of the oldest segment was touched last.
        for (name, age_s) in [
            (format!("{}.log", offset(0)), 300),
            (format!("{}.index", offset(0)), 299),
            (format!("{}.log", offset(9)), 10),
            (format!("{}.index", offset(9)), 11),
            (format!("{}.log", offset(5)), 100),
            (format!("{partition}/offsets/consumers/1"), 5),
            ("logs/iggy-server.log".into(), 1),
            ("logs/iggy-server.log.1".into(), 50),
            ("state/log".into(), 70),
            ("runtime/current_config.toml".into(), 400),
            ("notes.txt".into(), 0),
        ] {
            let path = tree.path().join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
            let time = SystemTime::now() - Duration::from_secs(age_s);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        let plan = Plan::of_path(tree.path()).unwrap();
        assert_eq!(plan.layout(), Layout::V0_8);
        let order: Vec<String> = plan.files.iter().map(|planned| readable(&planned.found.path)).collect();
        let expected = [
            "runtime/current_config.toml".to_owned(),
            "state/log".to_owned(),
            format!("{partition}/offsets/consumers/1"),
            "logs/iggy-server.log".to_owned(),
            "logs/iggy-server.log.1".to_owned(),
            "notes.txt".to_owned(),
            format!("{}.index", offset(9)),
            format!("{}.log", offset(9)),
            format!("{}.log", offset(5)),
            format!("{}.index", offset(0)),
            format!("{}.log", offset(0)),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert!(matches!(Plan::of_path(Path::new("/nonexistent/data")), Err(BundleError::Directory(_))));
    }
}
