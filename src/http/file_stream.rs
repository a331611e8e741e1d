//! A file as a body: constant memory, no thread and no lock held while a slow client reads.
//!
//! Each chunk is read when the connection asks for it. What the page cache holds is read at once and without blocking
//! (`preadv2` with `RWF_NOWAIT`); only a miss goes to the blocking pool, through a small number of permits, so that any
//! number of downloads waits for the disk with a handful of threads. Dropping the stream ends it; a read that is under
//! way on the pool finishes there and is thrown away.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, LazyLock};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use rustix::io::{Errno, ReadWriteFlags};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::range::Span;

/// Bytes of one chunk: measured best between throughput and memory at many slow readers.
const CHUNK_BYTES: usize = 128 * 1024;
/// Files opened and reads that wait for the disk at a time, over all downloads.
const DISK_READS_MAX: usize = 8;

static DISK_READS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(DISK_READS_MAX));

/// A turn to wait for the disk on the blocking pool.
pub(super) async fn disk_turn() -> SemaphorePermit<'static> {
    DISK_READS.acquire().await.expect("this semaphore is never closed")
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Bytes),
    /// This part of the file.
    File(Span),
}

impl Piece {
    /// How many bytes it is.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(span) => span.length(),
        }
    }
}

/// Streams `pieces` of `file`, one after the other. A file that turns out to be shorter breaks the stream off, and with
/// it the connection: a client must never take a cut archive for a whole one.
pub fn stream(file: Arc<File>, pieces: Vec<Piece>) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
    let state = Reading { file, pieces: pieces.into(), buffer: BytesMut::new() };
    stream::try_unfold(state, |mut reading| async move {
        let Some(piece) = reading.pieces.pop_front() else { return Ok(None) };
        let chunk = match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::File(span) => reading.chunk(span).await?,
        };
        Ok(Some((chunk, reading)))
    })
}

struct Reading {
    file: Arc<File>,
    pieces: VecDeque<Piece>,
    /// Memory of the last chunk, used again once the connection has let go of it.
    buffer: BytesMut,
}

impl Reading {
    /// The beginning of `span`; the rest of it becomes the next piece.
    async fn chunk(&mut self, span: Span) -> io::Result<Bytes> {
        let wanted = usize::try_from(span.length()).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        self.buffer.resize(wanted, 0);
        let read = match at_once(&self.file, &mut self.buffer, span.start) {
            Some(result) => result?,
            None => self.wait_for_disk(span.start).await?,
        };
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is shorter than it was"));
        }
        let rest = Span { start: span.start + read as u64, end: span.end };
        if rest.start < rest.end {
            self.pieces.push_front(Piece::File(rest));
        }
        let chunk = self.buffer.split_to(read).freeze();
        self.buffer.clear();
        Ok(chunk)
    }

    /// Fills the buffer on the blocking pool.
    async fn wait_for_disk(&mut self, offset: u64) -> io::Result<usize> {
        let _turn = disk_turn().await;
        let (file, mut buffer) = (Arc::clone(&self.file), std::mem::take(&mut self.buffer));
        let reading = tokio::task::spawn_blocking(move || {
            let read = file.read_at(&mut buffer, offset);
            (buffer, read)
        });
        let (buffer, read) = reading.await.map_err(io::Error::other)?;
        self.buffer = buffer;
        read
    }
}

/// Reads what can be read without waiting; `None` when waiting is needed, or not avoidable on this file system.
fn at_once(file: &File, buffer: &mut [u8], offset: u64) -> Option<io::Result<usize>> {
    match rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT) {
        Ok(read) => Some(Ok(read)),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => None,
        Err(error) => Some(Err(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use futures_util::TryStreamExt as _;

    use super::*;

    fn file_of(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    async fn whole(file: Arc<File>, pieces: Vec<Piece>) -> io::Result<Vec<u8>> {
        stream(file, pieces)
            .try_fold(Vec::new(), |mut all, chunk| async move {
                assert!(chunk.len() <= CHUNK_BYTES);
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_byte_for_byte() {
        let bytes: Vec<u8> = (0..=250).cycle().take(CHUNK_BYTES * 2 + 7).collect();
        let file = file_of(&bytes);
        let end = bytes.len() as u64;
        let all = whole(Arc::clone(&file), vec![Piece::File(Span { start: 0, end })]).await.unwrap();
        assert!(all == bytes);
        let pieces = vec![
            Piece::Bytes("a".into()),
            Piece::File(Span { start: 5, end: 9 }),
            Piece::Bytes("b".into()),
            Piece::File(Span { start: end - 1, end }),
        ];
        assert_eq!(pieces.iter().map(Piece::length).sum::<u64>(), 7);
        let expected = [b"a", &bytes[5..9], b"b", &bytes[bytes.len() - 1..]].concat();
        assert_eq!(whole(file, pieces).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_breaks_the_stream_off() {
        let file = file_of(b"abc");
        let error = whole(file, vec![Piece::File(Span { start: 0, end: 4 })]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_is_not_cached_is_read_from_the_disk() {
        let file = file_of(b"abcdef");
        let mut reading = Reading { file, pieces: VecDeque::new(), buffer: BytesMut::zeroed(4) };
        assert_eq!(reading.wait_for_disk(1).await.unwrap(), 4);
        assert_eq!(&reading.buffer[..], b"bcde");
    }
}
