//! How the text of a file is wrapped, told from how the file begins.

use super::wide::{self, Order};

/// First bytes of archives and packed files that are not read here: what is in them cannot be masked.
const PACKED: &[&[u8]] = &[
    // Zstandard, XZ, bzip2, LZ4, LZMA's own container, lzip, lzop, compress, Snappy's frames.
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"BZh",
    b"\x04\x22\x4d\x18",
    b"]\0\0",
    b"LZIP",
    b"\x89LZO\0",
    b"\x1f\x9d",
    b"\xff\x06\0\0sNaPpY",
    // ZIP, 7-Zip, RAR, cabinets; bare streams of zlib at its usual levels.
    b"PK\x03\x04",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"MSCF\0\0\0\0",
    b"x\x9c",
    b"x\xda",
];

/// How text is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// Not at all, as far as can be told.
    None,
    /// Packed by gzip.
    Gzip,
    /// UTF-16.
    Wide(Order),
    /// Packed in a form that is not read here.
    Unreadable,
}

impl Wrapping {
    /// That of a file that begins like this.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        if PACKED.iter().any(|start| head.starts_with(start)) {
            Self::Unreadable
        } else if head.starts_with(b"\x1f\x8b") {
            Self::Gzip
        } else {
            wide::order_of(head).map_or(Self::None, Self::Wide)
        }
    }
}
