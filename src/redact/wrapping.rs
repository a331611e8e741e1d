//! How the text of a file is wrapped, told from how the file begins.

use super::wide::{self, Order};

const PACKED: &str = "it is packed in a form that is not read here";
const ARCHIVE: &str = "it is an archive, which would be broken by a mask: unpack it first";
const DATABASE: &str = "it is a database, which would be broken by a mask";
const JOURNAL: &str = "it is a journal of systemd's: export it as text first";
const WIDE: &str = "it is UTF-32";

/// First bytes of files in which text cannot be masked, and why.
const UNREADABLE: &[(&[u8], &str)] = &[
    // Zstandard, XZ, bzip2, LZ4, LZMA's own container, lzip, lzop, compress, Snappy's frames.
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"BZh", PACKED),
    (b"\x04\x22\x4d\x18", PACKED),
    (b"]\0\0", PACKED),
    (b"LZIP", PACKED),
    (b"\x89LZO\0", PACKED),
    (b"\x1f\x9d", PACKED),
    (b"\xff\x06\0\0sNaPpY", PACKED),
    // ZIP, 7-Zip, RAR, cabinets; bare streams of zlib at its usual levels; PDF, whose text is such streams.
    (b"PK\x03\x04", PACKED),
    (b"7z\xbc\xaf\x27\x1c", PACKED),
    (b"Rar!\x1a\x07", PACKED),
    (b"MSCF\0\0\0\0", PACKED),
    (b"x\x9c", PACKED),
    (b"x\xda", PACKED),
    (b"%PDF-", PACKED),
    // cpio, ar, RPM; tar has its mark further on.
    (b"070701", ARCHIVE),
    (b"070702", ARCHIVE),
    (b"!<arch>\n", ARCHIVE),
    (b"\xed\xab\xee\xdb", ARCHIVE),
    (b"SQLite format 3\0", DATABASE),
    (b"LPKSHHRH", JOURNAL),
    (b"\xff\xfe\0\0", WIDE),
    (b"\0\0\xfe\xff", WIDE),
];
/// First bytes of what is packed behind the script that unpacks it, on a line of its own.
const BEHIND_SCRIPT: &[&[u8]] = &[
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"]\0\0",
    b"\x7fELF",
];
const SCRIPT: &str = "it is a script with an archive behind it, which would be broken by a mask: unpack it first";
const MIXED: &str = "it is UTF-16 behind a line that is not";
/// Lines of a text behind which other text may begin.
const FIRST_LINES_MAX: usize = 4;
/// Where tar's headers are marked.
const TAR_MARK: std::ops::Range<usize> = 257..262;
/// Characters of UTF-32 by which it is told without a mark in front.
const WIDE_MIN: usize = 8;

/// How text is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// Not at all, as far as can be told.
    None,
    /// Packed by gzip.
    Gzip,
    /// UTF-16.
    Wide(Order),
    /// In a way that is not read here: why.
    Unreadable(&'static str),
}

impl Wrapping {
    /// That of a file that begins like this.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        if let Some((_, why)) = UNREADABLE.iter().find(|(start, _)| head.starts_with(start)) {
            Self::Unreadable(why)
        } else if head.get(TAR_MARK) == Some(b"ustar") {
            Self::Unreadable(ARCHIVE)
        } else if is_utf32(head) {
            Self::Unreadable(WIDE)
        } else if head.starts_with(b"\x1f\x8b") {
            Self::Gzip
        } else if let Some(order) = wide::order_of(head) {
            Self::Wide(order)
        } else if is_followed_by_wide(head) {
            Self::Unreadable(MIXED)
        } else if head.starts_with(b"#!") && holds_archive(head) {
            Self::Unreadable(SCRIPT)
        } else {
            Self::None
        }
    }
}

/// Whether an archive begins on a line of its own, as far as the head reaches.
fn holds_archive(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head)
        .map(|line| &head[line + 1..])
        .any(|rest| BEHIND_SCRIPT.iter().any(|start| rest.starts_with(start)) || rest.get(TAR_MARK) == Some(b"ustar"))
}

/// Whether wide text begins behind one of the first lines.
fn is_followed_by_wide(head: &[u8]) -> bool {
    let Some(zero) = memchr::memchr(0, head) else { return false };
    memchr::memchr_iter(b'\n', &head[..zero])
        .take(FIRST_LINES_MAX)
        .any(|line| wide::order_of(&head[line + 1..]).is_some())
}

/// Whether three of every four bytes are zero, the same ones.
fn is_utf32(head: &[u8]) -> bool {
    let (fours, _) = head.as_chunks::<4>();
    let all = |fits: fn(&[u8; 4]) -> bool| fours.len() >= WIDE_MIN && fours.iter().all(fits);
    all(|four| four[0] != 0 && four[2..] == [0, 0])
        && fours.iter().filter(|four| four[1] == 0).count() * 2 > fours.len()
        || all(|four| four[..2] == [0, 0] && four[3] != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_masked_is_told_from_its_first_bytes() {
        let utf32: Vec<u8> = "password = hunter2".chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
        let utf16: Vec<u8> = "password = hunter2".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut tar = vec![b'a'; 512];
        tar[TAR_MARK].copy_from_slice(b"ustar");
        for (head, expected) in [
            (b"password = hunter2\n".as_slice(), Wrapping::None),
            (&utf16, Wrapping::Wide(Order::LittleEnd)),
            (b"\x1f\x8b\x08", Wrapping::Gzip),
            (b"\x28\xb5\x2f\xfd\x20", Wrapping::Unreadable(PACKED)),
            (b"SQLite format 3\0", Wrapping::Unreadable(DATABASE)),
            (b"\xff\xfe\0\0a\0\0\0", Wrapping::Unreadable(WIDE)),
            (&utf32, Wrapping::Unreadable(WIDE)),
            (&tar, Wrapping::Unreadable(ARCHIVE)),
            (&[0; 512], Wrapping::None),
            (b"#!/bin/sh\ntail -n +3 $0\nPK\x03\x04\x14", Wrapping::Unreadable(SCRIPT)),
            (b"#!/bin/sh\ntail -n +3 $0 # PK\x03\x04\x14\n", Wrapping::None),
            (&[b"#!/bin/sh\nexit\n", tar.as_slice()].concat(), Wrapping::Unreadable(SCRIPT)),
            (&[b"log of bob\n", utf16.as_slice()].concat(), Wrapping::Unreadable(MIXED)),
        ] {
            assert_eq!(Wrapping::of(head), expected, "{}", head.escape_ascii());
        }
    }
}
