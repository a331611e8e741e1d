//! The directory of archives: `DATA_DIR/archives`, for its owner alone.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::error::ArchiveError;
use crate::domain::hex::hex;
use crate::domain::id::SnapshotId;
use crate::durable;

/// The directory's name below the data directory.
const DIRECTORY: &str = "archives";
/// Its permissions.
const DIRECTORY_MODE: u32 = 0o700;
/// What a finished archive is called after its id.
const FINISHED: &str = ".zip";
/// What an archive under way is called after its id.
const PARTIAL: &str = ".zip.partial";
/// Bytes hashed at a time.
const READ_BYTES: usize = 256 << 10;

/// An archive that is safely on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    Removed,
    /// It was not there.
    Absent,
}

/// The space of the file system that holds the archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Its size.
    pub total_bytes: u64,
    /// What an ordinary user may still take.
    pub free_bytes: u64,
}

/// What the directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Finished archives.
    pub finished: BTreeSet<SnapshotId>,
    /// Archives under way, or left behind by a crash.
    pub partial: BTreeSet<SnapshotId>,
    /// Bytes of both.
    pub size_bytes: u64,
    /// Names that are not ours; they are never touched.
    pub strangers: Vec<PathBuf>,
}

/// What does not match between the directory and the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Finished archives without a row.
    pub files_without_row: BTreeSet<SnapshotId>,
    /// Partial archives that no row still works on.
    pub partial_without_row: BTreeSet<SnapshotId>,
    /// Completed rows without a file.
    pub rows_without_file: BTreeSet<SnapshotId>,
}

/// The archives of an appliance.
#[derive(Debug, Clone)]
pub struct Archives {
    directory: PathBuf,
}

impl Archives {
    /// The archives below `data_dir`; makes the directory if need be, and takes group and others off its permissions.
    ///
    /// # Errors
    /// It cannot be made or is not ours to change.
    pub fn open(data_dir: &Path) -> Result<Self, ArchiveError> {
        let directory = data_dir.join(DIRECTORY);
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(&directory)
            .map_err(ArchiveError::io("making", &directory))?;
        std::fs::set_permissions(&directory, Permissions::from_mode(DIRECTORY_MODE))
            .map_err(ArchiveError::io("closing to others", &directory))?;
        Ok(Self { directory })
    }

    /// Where the finished archive of a row is.
    #[must_use]
    pub fn path(&self, id: SnapshotId) -> PathBuf {
        self.directory.join(format!("{id}{FINISHED}"))
    }

    /// Where the archive of a row is written until it is committed.
    #[must_use]
    pub fn partial_path(&self, id: SnapshotId) -> PathBuf {
        self.directory.join(format!("{id}{PARTIAL}"))
    }

    /// Makes the empty file at [`Archives::partial_path`], mode 0600; what a crash left there is thrown away.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(&self, id: SnapshotId) -> Result<File, ArchiveError> {
        self.discard(id)?;
        let path = self.partial_path(id);
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(ArchiveError::io("making", &path))
    }

    /// Makes the partial archive the finished one: hash, fsync, rename, fsync of the directory. After a crash anywhere in
    /// between it may be called again, also when the rename was done already.
    ///
    /// # Errors
    /// There is neither a partial nor a finished archive, or the disk fails.
    pub fn commit(&self, id: SnapshotId) -> Result<Stored, ArchiveError> {
        let (partial, finished) = (self.partial_path(id), self.path(id));
        let stored = match open(&partial) {
            Ok(file) => {
                let stored = stored(&file, &partial)?;
                durable::appear(&file, &partial, &finished).map_err(ArchiveError::io("storing", &finished))?;
                stored
            }
            Err(ArchiveError::Missing(_)) => {
                let stored = stored(&open(&finished)?, &finished)?;
                self.sync_directory(id)?;
                stored
            }
            Err(error) => return Err(error),
        };
        Ok(stored)
    }

    /// The finished archive, for reading.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`], or it cannot be opened.
    pub fn read(&self, id: SnapshotId) -> Result<File, ArchiveError> {
        open(&self.path(id))
    }

    /// Removes the finished and the partial archive. A download under way keeps its open file.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn delete(&self, id: SnapshotId) -> Result<Deletion, ArchiveError> {
        let finished = remove(&self.path(id))?;
        let partial = remove(&self.partial_path(id))?;
        if (finished, partial) == (Deletion::Absent, Deletion::Absent) {
            return Ok(Deletion::Absent);
        }
        self.sync_directory(id)?;
        Ok(Deletion::Removed)
    }

    /// Removes the partial archive alone.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn discard(&self, id: SnapshotId) -> Result<Deletion, ArchiveError> {
        remove(&self.partial_path(id))
    }

    /// What the directory holds.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn inventory(&self) -> Result<Inventory, ArchiveError> {
        let mut inventory = Inventory::default();
        for entry in WalkDir::new(&self.directory).min_depth(1).max_depth(1).follow_links(false) {
            let entry = entry.map_err(|error| ArchiveError::io("listing", &self.directory)(error.into()))?;
            let name = entry.file_name().to_string_lossy();
            let id = |suffix: &str| name.strip_suffix(suffix).and_then(|stem| stem.parse::<SnapshotId>().ok());
            let known = match (id(FINISHED), id(PARTIAL)) {
                (Some(id), _) if entry.file_type().is_file() => inventory.finished.insert(id),
                (_, Some(id)) if entry.file_type().is_file() => inventory.partial.insert(id),
                _ => {
                    inventory.strangers.push(entry.path().to_owned());
                    false
                }
            };
            if known {
                // One that is removed right now counts as removed.
                inventory.size_bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            }
        }
        inventory.strangers.sort();
        Ok(inventory)
    }

    /// What does not match between the directory and the rows that are `completed` and `processing`.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn orphans(
        &self,
        completed: &BTreeSet<SnapshotId>,
        processing: &BTreeSet<SnapshotId>,
    ) -> Result<Orphans, ArchiveError> {
        let Inventory { finished, partial, .. } = self.inventory()?;
        let has_row = |id: &SnapshotId| completed.contains(id) || processing.contains(id);
        Ok(Orphans {
            files_without_row: finished.iter().filter(|id| !has_row(id)).copied().collect(),
            partial_without_row: partial.difference(processing).copied().collect(),
            rows_without_file: completed.difference(&finished).copied().collect(),
        })
    }

    /// The space of the file system.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn space(&self) -> Result<Space, ArchiveError> {
        let space = rustix::fs::statvfs(&self.directory)
            .map_err(|errno| ArchiveError::io("asking the space of", &self.directory)(errno.into()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
        Ok(Space { total_bytes: bytes(space.f_blocks), free_bytes: bytes(space.f_bavail) })
    }

    /// Makes what was done to a row's files last.
    fn sync_directory(&self, id: SnapshotId) -> Result<(), ArchiveError> {
        durable::sync_directory(&self.path(id)).map_err(ArchiveError::io("syncing", &self.directory))
    }
}

fn open(path: &Path) -> Result<File, ArchiveError> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(no_follow).open(path).map_err(ArchiveError::io("opening", path))
}

fn remove(path: &Path) -> Result<Deletion, ArchiveError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(Deletion::Removed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Deletion::Absent),
        Err(error) => Err(ArchiveError::io("removing", path)(error)),
    }
}

fn stored(mut file: &File, path: &Path) -> Result<Stored, ArchiveError> {
    let mut sha = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut size_bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                sha.update(&buffer[..read]);
                size_bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ArchiveError::io("reading", path)(error)),
        }
    }
    Ok(Stored { size_bytes, sha256: hex(&sha.finalize()) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn id(number: i64) -> SnapshotId {
        SnapshotId::new(number).unwrap()
    }

    fn ids(numbers: &[i64]) -> BTreeSet<SnapshotId> {
        numbers.iter().copied().map(id).collect()
    }

    fn written(archives: &Archives, number: i64, content: &[u8]) {
        archives.begin(id(number)).unwrap().write_all(content).unwrap();
    }

    #[test]
    fn an_archive_appears_only_when_it_is_committed() {
        let data_dir = tempfile::tempdir().unwrap();
        let archives = Archives::open(data_dir.path()).unwrap();
        written(&archives, 1, b"left by a crash");
        written(&archives, 1, b"content");
        assert!(matches!(archives.read(id(1)), Err(ArchiveError::Missing(_))));
        let stored = archives.commit(id(1)).unwrap();
        let sha256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
        assert_eq!(stored, Stored { size_bytes: 7, sha256: sha256.into() });
        assert_eq!(archives.commit(id(1)).unwrap(), stored, "again, as after a crash right after the rename");
        assert_eq!(io::read_to_string(archives.read(id(1)).unwrap()).unwrap(), "content");
        assert!(!archives.partial_path(id(1)).exists());
        assert!(matches!(archives.commit(id(2)), Err(ArchiveError::Missing(_))));
    }

    #[test]
    fn only_the_owner_gets_in() {
        let data_dir = tempfile::tempdir().unwrap();
        fs::create_dir(data_dir.path().join(DIRECTORY)).unwrap();
        fs::set_permissions(data_dir.path().join(DIRECTORY), Permissions::from_mode(0o755)).unwrap();
        let archives = Archives::open(data_dir.path()).unwrap();
        assert_eq!(fs::metadata(&archives.directory).unwrap().mode() & 0o777, 0o700);
        written(&archives, 1, b"");
        assert_eq!(fs::metadata(archives.partial_path(id(1))).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_deleted_archive_is_gone_and_a_second_deletion_says_so() {
        let data_dir = tempfile::tempdir().unwrap();
        let archives = Archives::open(data_dir.path()).unwrap();
        written(&archives, 1, b"x");
        archives.commit(id(1)).unwrap();
        written(&archives, 1, b"and one under way");
        assert_eq!(archives.delete(id(1)).unwrap(), Deletion::Removed);
        assert_eq!(archives.delete(id(1)).unwrap(), Deletion::Absent);
        assert_eq!(archives.inventory().unwrap(), Inventory::default());
    }

    #[test]
    fn what_does_not_match_is_named_on_both_sides() {
        let data_dir = tempfile::tempdir().unwrap();
        let archives = Archives::open(data_dir.path()).unwrap();
        for number in [1, 2, 3] {
            written(&archives, number, b"12345");
            archives.commit(id(number)).unwrap();
        }
        for number in [3, 4, 5] {
            written(&archives, number, b"12");
        }
        let stranger = archives.directory.join("notes.zip");
        fs::write(&stranger, "not ours").unwrap();
        let inventory = archives.inventory().unwrap();
        assert_eq!(
            inventory,
            Inventory {
                finished: ids(&[1, 2, 3]),
                partial: ids(&[3, 4, 5]),
                size_bytes: 21,
                strangers: vec![stranger]
            }
        );
        assert_eq!(
            archives.orphans(&ids(&[1, 7]), &ids(&[2, 4])).unwrap(),
            Orphans { files_without_row: ids(&[3]), partial_without_row: ids(&[3, 5]), rows_without_file: ids(&[7]) }
        );
    }

    #[test]
    fn the_space_is_that_of_a_real_file_system() {
        let data_dir = tempfile::tempdir().unwrap();
        let space = Archives::open(data_dir.path()).unwrap().space().unwrap();
        assert!(space.total_bytes > 0 && space.free_bytes <= space.total_bytes, "{space:?}");
    }
}
