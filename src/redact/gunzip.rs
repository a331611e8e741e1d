//! Packed logs, unpacked within limits: a bomb costs no more than a log.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

/// Unpacked bytes that a packed byte may become.
const RATIO_MAX: u64 = 200;
/// Unpacked bytes that are always allowed: a small log may be one line a thousand times.
const FREE_BYTES: u64 = 4 << 20;

/// What is said of data that unpacks to more.
pub(super) const TOO_MUCH: &str = "it unpacks to more than 200 times its size";

/// What packed data unpacks to. Reading fails with [`ErrorKind::FileTooLarge`] where that is more than 4 MiB and 200 times
/// the packed size, which no log comes near.
pub struct Gunzip<R> {
    unpacked: MultiGzDecoder<R>,
    left: u64,
}

impl<R: Read> Gunzip<R> {
    /// Unpacks `packed`, which holds so many bytes.
    pub fn new(packed: R, packed_bytes: u64) -> Self {
        let left = packed_bytes.saturating_mul(RATIO_MAX).max(FREE_BYTES);
        Self { unpacked: MultiGzDecoder::new(packed), left }
    }

    /// The same, and no more than so many bytes.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { left: self.left.min(bytes), ..self }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacked.read(to)?;
        self.left = self.left.checked_sub(read as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn unpacked(bytes: u64) -> Result<u64, ErrorKind> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        io::copy(&mut io::repeat(b'0').take(bytes), &mut gzip).expect("memory takes it");
        gzip.flush().expect("memory takes it");
        let packed = gzip.finish().expect("memory takes it");
        let length = packed.len() as u64;
        io::copy(&mut Gunzip::new(packed.as_slice(), length), &mut io::sink()).map_err(|error| error.kind())
    }

    #[test]
    fn a_small_log_may_be_as_monotonous_as_it_likes_and_a_bomb_is_refused() {
        assert_eq!(unpacked(FREE_BYTES), Ok(FREE_BYTES));
        assert_eq!(unpacked(FREE_BYTES * 2), Err(ErrorKind::FileTooLarge));
    }
}
