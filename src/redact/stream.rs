//! Streams: data of any length, cut into pieces that are clear or secret, in constant memory.
//!
//! A window of fresh bytes stands between a look-behind and a look-ahead. The scanner is asked only about triggers inside
//! the window; it sees up to [`AHEAD`] bytes after any of them and [`BEHIND`] before, however the data is cut, and what
//! it says depends on nothing else. So the result is the same for every size of window and of the reader's chunks.

use std::io::{ErrorKind, Read};

use zeroize::Zeroizing;

use super::error::RedactError;
use super::scan::{AHEAD, BEHIND, Progress, STRIDE, Scanner};
use super::span::Span;

/// Fresh bytes taken in at a time.
const WINDOW: usize = 512 << 10;

/// Bytes of data that has to be seen as a whole: an environment, a configuration file.
pub(super) const STRUCTURED_BYTES_MAX: usize = 8 << 20;

/// A piece of a stream.
pub(super) enum Piece<'a> {
    /// Bytes without a secret.
    Clear(&'a [u8]),
    /// A secret and its bytes.
    Secret(&'a Span, &'a [u8]),
}

/// A fingerprint of data that is read twice: it tells a source that has changed meanwhile, not one that somebody forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(u128);

impl Fingerprint {
    /// Of data that is there as a whole.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128(bytes))
    }
}

/// What was read.
pub(super) struct Taken {
    pub(super) bytes: u64,
    pub(super) fingerprint: Fingerprint,
}

/// Cuts all that `reader` gives into pieces.
pub(super) fn cut(
    scanner: &Scanner<'_>,
    reader: &mut dyn Read,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), RedactError>,
) -> Result<Taken, RedactError> {
    cut_windows(scanner, reader, WINDOW, each)
}

/// [`cut`] with a window of any size.
pub(super) fn cut_windows(
    scanner: &Scanner<'_>,
    reader: &mut dyn Read,
    window: usize,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), RedactError>,
) -> Result<Taken, RedactError> {
    let mut buffer: Vec<u8> = Vec::with_capacity(BEHIND * 2 + window + AHEAD);
    let mut progress = Progress::default();
    let mut pending: Vec<Span> = Vec::new();
    let (mut out, mut total, mut hasher) = (0, 0_u64, xxhash_rust::xxh3::Xxh3::new());
    loop {
        let held = buffer.len();
        let wanted = progress.scanned + window + AHEAD;
        let ended = fill(reader, &mut buffer, wanted)?;
        hasher.update(&buffer[held..]);
        total += (buffer.len() - held) as u64;
        let limit = if ended { buffer.len() } else { buffer.len() - AHEAD };
        scanner.scan(&buffer, limit, &mut progress, &mut pending);
        let settled = if ended { buffer.len() } else { limit.saturating_sub(BEHIND) };
        out = emit(&buffer, out, settled, &mut pending, each)?;
        if ended {
            return Ok(Taken { bytes: total, fingerprint: Fingerprint(hasher.digest128()) });
        }
        let drop = out.min(progress.scanned).saturating_sub(BEHIND) / STRIDE * STRIDE;
        if drop >= window.min(WINDOW) {
            buffer.drain(..drop);
            progress.shift(drop);
            for span in &mut pending {
                (span.start, span.end) = (span.start - drop, span.end - drop);
            }
            out -= drop;
        }
    }
}

/// Hands out all pieces up to `settled`, and the whole of a secret that crosses it; returns where it stopped.
fn emit(
    buffer: &[u8],
    mut out: usize,
    settled: usize,
    pending: &mut Vec<Span>,
    each: &mut dyn FnMut(Piece<'_>) -> Result<(), RedactError>,
) -> Result<usize, RedactError> {
    super::span::settle(pending);
    let ready = pending.iter().take_while(|span| span.start < settled).count();
    for span in pending.drain(..ready) {
        let start = span.start.max(out);
        if start > out {
            each(Piece::Clear(&buffer[out..start]))?;
        }
        if span.end > start {
            each(Piece::Secret(&span, &buffer[start..span.end]))?;
            out = span.end;
        }
    }
    if settled > out {
        each(Piece::Clear(&buffer[out..settled]))?;
        out = settled;
    }
    Ok(out)
}

/// Reads until the buffer holds `wanted` bytes; whether the reader came to its end.
fn fill(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool, RedactError> {
    let mut held = buffer.len();
    if held < wanted {
        buffer.resize(wanted, 0);
    }
    while held < wanted {
        match reader.read(&mut buffer[held..wanted]) {
            Ok(0) => {
                buffer.truncate(held);
                return Ok(true);
            }
            Ok(read) => held += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                buffer.truncate(held);
                return Err(RedactError::Read(error));
            }
        }
    }
    Ok(false)
}

/// All that `reader` gives, up to a limit, and its fingerprint.
pub(super) fn read_whole(
    reader: &mut dyn Read,
    limit_bytes: usize,
) -> Result<(Zeroizing<Vec<u8>>, Fingerprint), RedactError> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(limit_bytes as u64 + 1).read_to_end(&mut bytes).map_err(RedactError::Read)?;
    if bytes.len() > limit_bytes {
        return Err(RedactError::TooLarge { limit_bytes });
    }
    let fingerprint = Fingerprint::of(&bytes);
    Ok((bytes, fingerprint))
}
