//! The header of a journal file (systemd: `journal-def.h`).

use crate::evidence::journal::{FileState, JournalHeader};

/// Bytes of the header that are read.
pub(super) const HEADER_BYTES: usize = 208;
/// The first bytes of each file.
const SIGNATURE: &[u8] = b"LPKSHHRH";

/// Reads a header; `size_bytes` is the file's.
pub(super) fn header(bytes: &[u8], size_bytes: u64) -> Result<JournalHeader, String> {
    if bytes.len() < HEADER_BYTES {
        return Err(format!("it has {} bytes, less than a header", bytes.len()));
    }
    if &bytes[..SIGNATURE.len()] != SIGNATURE {
        return Err("it does not begin as a journal does".to_owned());
    }
    let field = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes within the header"));
    let state = match bytes[16] {
        0 => FileState::Offline,
        1 => FileState::Online,
        2 => FileState::Archived,
        other => return Err(format!("its state is {other}, which there is none")),
    };
    let used = field(88).checked_add(field(96));
    if used.is_none_or(|used| used > size_bytes) {
        return Err("it is shorter than its header says".to_owned());
    }
    Ok(JournalHeader { state, entries: field(152), oldest_us: field(184), newest_us: field(192) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture;
    use super::*;

    #[test]
    fn a_real_header_tells_entries_and_times_and_a_damaged_one_what_is_wrong() {
        let bytes = fixture();
        let size = bytes.len() as u64;
        let expected = JournalHeader {
            state: FileState::Offline,
            entries: 38,
            oldest_us: 1_800_000_000_000_000,
            newest_us: 1_800_001_808_000_000,
        };
        assert_eq!(header(&bytes[..HEADER_BYTES], size), Ok(expected));
        let broken = |change: &dyn Fn(&mut Vec<u8>), size: u64| {
            let mut bytes = bytes[..HEADER_BYTES].to_vec();
            change(&mut bytes);
            header(&bytes, size).unwrap_err()
        };
        assert_eq!(broken(&|bytes| bytes.truncate(100), size), "it has 100 bytes, less than a header");
        assert_eq!(broken(&|bytes| bytes[0] = b'X', size), "it does not begin as a journal does");
        assert_eq!(broken(&|bytes| bytes[16] = 9, size), "its state is 9, which there is none");
        assert_eq!(broken(&|_| (), size - 1), "it is shorter than its header says");
        assert_eq!(broken(&|bytes| bytes[88..104].fill(0xff), size), "it is shorter than its header says");
    }
}
