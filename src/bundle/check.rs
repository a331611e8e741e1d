//! Reads back what was written, through another library than the one that wrote it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::thread;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::deflate::LAST_BLOCK;
use super::error::BundleError;
use super::manifest::{DataSection, FileRecord, Sha256Digest};

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;
/// The role whose entries are too large to inflate once more: their structure is checked, and the digest of the whole.
const SEGMENT: &str = "segment";

/// A file read by position: several readers of one file do not disturb each other.
struct ReadAt<'a> {
    file: &'a File,
    position: u64,
    length: u64,
}

impl<'a> ReadAt<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        Ok(Self { file, position: 0, length: file.metadata()?.len() })
    }
}

impl Read for ReadAt<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(to, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ReadAt<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Size and SHA-256 of what `reader` gives.
pub(super) fn digest(reader: &mut dyn Read) -> io::Result<(u64, Sha256Digest)> {
    let mut sha = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((size, Sha256Digest(sha.finalize().into()))),
            Ok(read) => {
                sha.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn open(file: &File) -> Result<ZipArchive<BufReader<ReadAt<'_>>>, BundleError> {
    let reader = BufReader::with_capacity(READ_BYTES, ReadAt::new(file).map_err(BundleError::ReadBack)?);
    ZipArchive::new(reader).map_err(BundleError::Zip)
}

/// Checks a finished archive: exactly these files in this order, each with its CRC, size and SHA-256. Gives size and
/// SHA-256 of the whole.
pub(super) fn archive(file: &File, expected: &[FileRecord]) -> Result<(u64, Sha256Digest), BundleError> {
    thread::scope(|scope| {
        let whole = scope.spawn(|| digest(&mut ReadAt::new(file)?));
        let files = check_files(file, expected);
        let whole = whole.join().map_err(|_| BundleError::Worker)?.map_err(BundleError::ReadBack)?;
        files.map(|()| whole)
    })
}

fn check_files(file: &File, expected: &[FileRecord]) -> Result<(), BundleError> {
    let mut zip = open(file)?;
    if zip.len() != expected.len() {
        return Err(BundleError::Damaged("it has other files than were written"));
    }
    for (index, record) in expected.iter().enumerate() {
        let mut entry = zip.by_index(index).map_err(BundleError::Zip)?;
        if entry.name_raw() != record.name.as_bytes() {
            return Err(BundleError::Damaged("its files have other names"));
        }
        let (size, sha256) = digest(&mut entry).map_err(BundleError::ReadBack)?;
        if (size, sha256) != (record.size_bytes, record.sha256) {
            return Err(BundleError::Damaged("a file's digest differs"));
        }
    }
    Ok(())
}

/// Checks `iggy-data.zip`: exactly these entries in this order and of these sizes. All but segments are inflated and
/// hashed; a segment's data must end as Deflate ends, right before what follows.
pub(super) fn data(file: &File, section: &DataSection) -> Result<(), BundleError> {
    let mut zip = open(file)?;
    if zip.len() != section.entries.len() {
        return Err(BundleError::Damaged("the data ZIP has other entries than were written"));
    }
    for (index, expected) in section.entries.iter().enumerate() {
        let entry = zip.by_index_raw(index).map_err(BundleError::Zip)?;
        if entry.name_raw() != expected.name.as_str().as_bytes() || entry.size() != expected.size_bytes {
            return Err(BundleError::Damaged("an entry of the data ZIP differs from what was packed"));
        }
        if expected.role == SEGMENT {
            let ends_at = entry.data_start().map(|at| at + entry.compressed_size());
            check_end(file, ends_at)?;
            continue;
        }
        drop(entry);
        let mut entry = zip.by_index(index).map_err(BundleError::Zip)?;
        let (_, sha256) = digest(&mut entry).map_err(BundleError::ReadBack)?;
        if sha256 != expected.sha256 {
            return Err(BundleError::Damaged("an entry of the data ZIP has another digest than what was packed"));
        }
    }
    Ok(())
}

fn check_end(file: &File, ends_at: Option<u64>) -> Result<(), BundleError> {
    let damaged = BundleError::Damaged("a segment's data does not end where the next entry starts");
    let Some(ends_at) = ends_at.filter(|at| *at >= LAST_BLOCK.len() as u64) else { return Err(damaged) };
    let mut bytes = [0; 6];
    file.read_exact_at(&mut bytes, ends_at - LAST_BLOCK.len() as u64).map_err(BundleError::ReadBack)?;
    let follows = [*b"PK\x03\x04", *b"PK\x01\x02"].iter().any(|signature| bytes[2..] == *signature);
    if bytes[..2] == *LAST_BLOCK && follows { Ok(()) } else { Err(damaged) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn readers_of_one_file_do_not_disturb_each_other() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let (mut a, mut b) = (ReadAt::new(&file).unwrap(), ReadAt::new(&file).unwrap());
        a.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!(io::read_to_string(&mut b).unwrap(), "0123456789");
        assert_eq!(io::read_to_string(&mut a).unwrap(), "789");
        assert!(a.seek(SeekFrom::Current(-11)).is_err());
    }
}
