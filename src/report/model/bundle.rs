//! What became of Iggy's data directory.

use serde::{Deserialize, Serialize};

use super::{Map, Visit, Words};
pub use crate::domain::label::Label;

/// The ZIP of Iggy's data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle<T> {
    /// How it ended.
    pub state: BundleState,
    /// The directory.
    pub directory: Option<T>,
    /// A sentence about what happened, when not everything went as asked.
    pub note: Option<T>,
    /// Entries of the ZIP.
    pub entries: u64,
    /// Their bytes before compression.
    pub size_bytes: u64,
    /// The ZIP's own size, bytes.
    pub packed_bytes: u64,
    /// Entries by what was done to them.
    pub labels: Vec<EntryLabel>,
    /// What is not in it; the first ones.
    pub left_out: Vec<LeftOut<T>>,
    /// Further left-out files that are not listed here (the manifest lists all).
    pub left_out_dropped: u64,
}

/// How the bundle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleState {
    /// Everything is in it.
    Complete,
    /// A limit, a deadline or an unreadable file left something out.
    Partial,
    /// It was not asked for.
    NotRequested,
    /// There is no data directory to be found.
    NoDirectory,
    /// It could not be made.
    Failed,
}

/// How many entries carry a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryLabel {
    /// The label.
    pub label: Label,
    /// Entries.
    pub entries: u64,
    /// Their bytes before compression.
    pub size_bytes: u64,
}

/// A file that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut<T> {
    /// Its path below the directory.
    pub path: T,
    /// Its size, if known.
    pub size_bytes: Option<u64>,
    /// A stable word: `budget`, `deadline`, `vanished`, `unreadable`, `secret`, `special`, `symlink`.
    pub reason: Words,
}

impl<T> Bundle<T> {
    pub(super) fn map_text<U>(self, f: &mut Map<'_, T, U>) -> Bundle<U> {
        Bundle {
            state: self.state,
            directory: self.directory.map(&mut *f),
            note: self.note.map(&mut *f),
            entries: self.entries,
            size_bytes: self.size_bytes,
            packed_bytes: self.packed_bytes,
            labels: self.labels,
            left_out: self
                .left_out
                .into_iter()
                .map(|file| LeftOut { path: f(file.path), size_bytes: file.size_bytes, reason: file.reason })
                .collect(),
            left_out_dropped: self.left_out_dropped,
        }
    }

    pub(super) fn for_each_text(&self, f: &mut Visit<'_, T>) {
        let Self {
            state: _,
            directory,
            note,
            entries: _,
            size_bytes: _,
            packed_bytes: _,
            labels: _,
            left_out,
            left_out_dropped: _,
        } = self;
        directory.iter().for_each(&mut *f);
        note.iter().for_each(&mut *f);
        for LeftOut { path, size_bytes: _, reason: _ } in left_out {
            f(path);
        }
    }
}
