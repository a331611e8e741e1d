//! Consumer offsets: how far a consumer or a group has come in a partition.

/// Why a file is no consumer offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes, not 8")]
pub struct OffsetError {
    /// Bytes of the file.
    pub bytes: usize,
}

/// The offset of the last message that was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerOffset(pub u64);

impl ConsumerOffset {
    /// The offset in a file's whole content: a little-endian `u64` and nothing else.
    ///
    /// # Errors
    /// The file has another length; an empty one was made and not yet written.
    pub fn decode(file: &[u8]) -> Result<Self, OffsetError> {
        file.try_into().map(|bytes| Self(u64::from_le_bytes(bytes))).map_err(|_| OffsetError { bytes: file.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_eight_bytes_and_nothing_else() {
        assert_eq!(ConsumerOffset::decode(&[0x0b, 0x01, 0, 0, 0, 0, 0, 0]), Ok(ConsumerOffset(267)));
        for bytes in [0, 7, 9] {
            assert_eq!(ConsumerOffset::decode(&vec![0; bytes]), Err(OffsetError { bytes }));
        }
    }
}
