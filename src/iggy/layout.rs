//! The layout of a data directory: which release wrote it, and what each of its files is.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The layout of a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Server 0.8: `state/` with a journal, `streams/`, `runtime/`.
    V0_8,
    /// Master after 0.8 (0.9 edge): `metadata/` with a snapshot and a write-ahead log.
    Edge,
    /// None that we know: nothing may be judged by its formats.
    Unknown,
}

impl Layout {
    /// The layout of the directory that directly holds these names.
    #[must_use]
    pub fn of<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>) -> Self {
        let (mut state, mut metadata, mut data) = (false, false, false);
        for name in names {
            match name.as_ref() {
                b"state" => state = true,
                b"metadata" => metadata = true,
                b"streams" | b"runtime" => data = true,
                _ => {}
            }
        }
        match (data, metadata, state) {
            (true, true, _) => Self::Edge,
            (true, false, true) => Self::V0_8,
            _ => Self::Unknown,
        }
    }

    /// Whether this is a layout of Iggy's at all.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The layout for a person.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V0_8 => "0.8",
            Self::Edge => "0.9 (edge)",
            Self::Unknown => "unknown layout",
        }
    }
}

/// A partition, by the numbers in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// Stream id.
    pub stream: u64,
    /// Topic id within the stream.
    pub topic: u64,
    /// Partition id within the topic.
    pub partition: u64,
}

/// Where a file of the server's log stands in the order of rotation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rotation {
    /// The one that is written to.
    Current,
    /// `iggy-server.log.N`; 1 is the newest of these.
    Numbered(u32),
    /// `iggy-server.log.` and a date or anything else; later names are newer.
    Named(String),
}

/// How a rotated log is compressed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstd,
    /// `.xz`.
    Xz,
}

/// One file of the server's log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFile {
    /// Its place in the rotation.
    pub rotation: Rotation,
    /// Its compression.
    pub packing: Packing,
}

/// What a file of the data directory is, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Messages of a partition.
    Segment {
        /// Whose.
        partition: Partition,
        /// Offset of its first message.
        start_offset: u64,
    },
    /// The index of a segment.
    Index {
        /// Whose.
        partition: Partition,
        /// Offset of its segment's first message.
        start_offset: u64,
    },
    /// How far a consumer or a consumer group has come.
    ConsumerOffset(Partition),
    /// The journal of metadata commands: holds password hashes as text inside binary records.
    StateLog,
    /// Version and time of the state.
    StateInfo,
    /// Revoked JWT ids.
    StateTokens,
    /// Snapshot or write-ahead log of the metadata (0.9 edge): holds password hashes like the journal of 0.8.
    Metadata,
    /// The effective configuration, written at start.
    RuntimeConfig,
    /// The server's log.
    ServerLog(LogFile),
    /// A file that we do not know.
    Unknown,
}

/// Digits of the start offset in a segment's file name.
const OFFSET_DIGITS: usize = 20;
/// The name of the server's log, before any suffix of rotation.
const LOG_NAME: &str = "iggy-server.log";

impl Role {
    /// What the file at `path`, relative to the data directory, is.
    ///
    /// The roles are the same in 0.8 and 0.9 edge where both have such a file; the formats are not.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let parts: Vec<&[u8]> = path.iter().map(OsStrExt::as_bytes).collect();
        match parts.as_slice() {
            [b"state", b"log"] => Self::StateLog,
            [b"state", b"info"] => Self::StateInfo,
            [b"state", b"tokens"] => Self::StateTokens,
            [b"metadata", ..] if parts.len() > 1 => Self::Metadata,
            [b"runtime", b"current_config.toml"] => Self::RuntimeConfig,
            [b"logs", name] => log_file(name).map_or(Self::Unknown, Self::ServerLog),
            [b"streams", stream, b"topics", topic, b"partitions", partition, rest @ ..] => {
                match (id(stream), id(topic), id(partition)) {
                    (Some(stream), Some(topic), Some(partition)) => {
                        in_partition(Partition { stream, topic, partition }, rest)
                    }
                    _ => Self::Unknown,
                }
            }
            _ => Self::Unknown,
        }
    }
}

fn in_partition(partition: Partition, rest: &[&[u8]]) -> Role {
    match rest {
        [b"offsets", b"consumers" | b"groups", name] if id(name).is_some() => Role::ConsumerOffset(partition),
        [name] => match (start_offset(name, b".log"), start_offset(name, b".index")) {
            (Some(start_offset), _) => Role::Segment { partition, start_offset },
            (_, Some(start_offset)) => Role::Index { partition, start_offset },
            _ => Role::Unknown,
        },
        _ => Role::Unknown,
    }
}

/// A decimal number without sign, as Iggy names directories.
fn id(name: &[u8]) -> Option<u64> {
    let digits = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(name).ok()?.parse().ok() } else { None }
}

fn start_offset(name: &[u8], extension: &[u8]) -> Option<u64> {
    let stem = name.strip_suffix(extension)?;
    if stem.len() == OFFSET_DIGITS { id(stem) } else { None }
}

fn log_file(name: &[u8]) -> Option<LogFile> {
    let name = std::str::from_utf8(name).ok()?;
    let (stem, packing) = [(".gz", Packing::Gzip), (".zst", Packing::Zstd), (".xz", Packing::Xz)]
        .into_iter()
        .find_map(|(suffix, packing)| Some((name.strip_suffix(suffix)?, packing)))
        .unwrap_or((name, Packing::Plain));
    let rotation = match stem.strip_prefix(LOG_NAME)? {
        "" => Rotation::Current,
        rest => {
            let suffix = rest.strip_prefix(['.', '-', '_'])?;
            match suffix.parse() {
                Ok(number) if suffix.len() <= 4 => Rotation::Numbered(number),
                _ if suffix.is_empty() => return None,
                _ => Rotation::Named(suffix.to_owned()),
            }
        }
    };
    Some(LogFile { rotation, packing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_recognised_by_the_names_in_the_directory() {
        for (names, layout) in [
            (&["logs", "runtime", "state", "streams"][..], Layout::V0_8),
            (&["state", "streams"], Layout::V0_8),
            (&["metadata", "streams", "logs"], Layout::Edge),
            (&["metadata", "state", "runtime"], Layout::Edge),
            (&["state"], Layout::Unknown),
            (&["streams", "runtime"], Layout::Unknown),
            (&["etc", "usr", "var"], Layout::Unknown),
            (&[], Layout::Unknown),
        ] {
            assert_eq!(Layout::of(names), layout, "{names:?}");
        }
    }

    #[test]
    fn every_path_of_a_data_directory_has_its_role() {
        let partition = Partition { stream: 3, topic: 0, partition: 12 };
        let log = |rotation, packing| Role::ServerLog(LogFile { rotation, packing });
        for (path, role) in [
            ("state/log", Role::StateLog),
            ("state/info", Role::StateInfo),
            ("state/tokens", Role::StateTokens),
            ("state/other", Role::Unknown),
            ("metadata/snapshot.bin", Role::Metadata),
            ("metadata/journal.wal", Role::Metadata),
            ("metadata", Role::Unknown),
            ("runtime/current_config.toml", Role::RuntimeConfig),
            ("logs/iggy-server.log", log(Rotation::Current, Packing::Plain)),
            ("logs/iggy-server.log.1", log(Rotation::Numbered(1), Packing::Plain)),
            ("logs/iggy-server.log.12.gz", log(Rotation::Numbered(12), Packing::Gzip)),
            ("logs/iggy-server.log.2026-06-01", log(Rotation::Named("2026-06-01".into()), Packing::Plain)),
            ("logs/iggy-server.log.20260601", log(Rotation::Named("20260601".into()), Packing::Plain)),
            ("logs/iggy-server.log.", Role::Unknown),
            ("logs/iggy-server.logs", Role::Unknown),
            (
                "streams/3/topics/0/partitions/12/00000000000000001000.log",
                Role::Segment { partition, start_offset: 1000 },
            ),
            ("streams/3/topics/0/partitions/12/00000000000000000000.index", Role::Index { partition, start_offset: 0 }),
            ("streams/3/topics/0/partitions/12/0000000000000000000.log", Role::Unknown),
            ("streams/3/topics/0/partitions/12/99999999999999999999.log", Role::Unknown),
            ("streams/3/topics/0/partitions/12/offsets/consumers/7", Role::ConsumerOffset(partition)),
            ("streams/3/topics/0/partitions/12/offsets/groups/0", Role::ConsumerOffset(partition)),
            ("streams/3/topics/0/partitions/12/offsets/groups/x", Role::Unknown),
            ("streams/x/topics/0/partitions/12/00000000000000001000.log", Role::Unknown),
            ("id_rsa", Role::Unknown),
        ] {
            assert_eq!(Role::of(Path::new(path)), role, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_path_has_a_role(path: std::path::PathBuf) {
            let _ = Role::of(&path);
        }
    }
}
