//! Consumer offsets: how far a consumer or a group has come in a partition.

use xxhash_rust::xxh3::xxh3_64;

/// Why a file is no consumer offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// It has another length.
    #[error("{0} bytes, neither 8 nor 16")]
    Length(usize),
    /// It has a checksum, which is another's.
    #[error("its checksum does not fit")]
    Checksum,
}

/// The offset of the last message that was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerOffset(pub u64);

impl ConsumerOffset {
    /// The offset in a file's whole content: a little-endian `u64`, in 0.9 edge with its XXH3-64 behind it.
    ///
    /// # Errors
    /// The file has another length (an empty one was made and not yet written), or the checksum does not fit.
    pub fn decode(file: &[u8]) -> Result<Self, OffsetError> {
        let (numbers, rest) = file.as_chunks::<8>();
        match (numbers, rest) {
            ([offset], []) => Ok(Self(u64::from_le_bytes(*offset))),
            ([offset, checksum], []) if xxh3_64(offset) == u64::from_le_bytes(*checksum) => {
                Ok(Self(u64::from_le_bytes(*offset)))
            }
            ([_, _], []) => Err(OffsetError::Checksum),
            _ => Err(OffsetError::Length(file.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_eight_bytes_and_at_most_their_checksum() {
        let offset = [0x0b, 0x01, 0, 0, 0, 0, 0, 0];
        assert_eq!(ConsumerOffset::decode(&offset), Ok(ConsumerOffset(267)));
        let mut with_checksum = [offset, xxh3_64(&offset).to_le_bytes()].concat();
        assert_eq!(ConsumerOffset::decode(&with_checksum), Ok(ConsumerOffset(267)));
        with_checksum[0] ^= 1;
        assert_eq!(ConsumerOffset::decode(&with_checksum), Err(OffsetError::Checksum));
        for bytes in [0, 7, 9, 15, 17, 24] {
            assert_eq!(ConsumerOffset::decode(&vec![0; bytes]), Err(OffsetError::Length(bytes)));
        }
    }
}
