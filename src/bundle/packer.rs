//! The packer: takes entries byte by byte, compresses them chunk by chunk on two threads, commits them in order.
//!
//! The caller's thread reads, hashes and writes; the workers compress and compute CRCs. At most [`SLOTS`] chunks are
//! under way, so memory does not depend on any size. The bytes hashed are the bytes packed: both are taken from the same
//! buffer. An entry can be abandoned at any time before it ends and leaves no byte behind.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use sha2::{Digest, Sha256};

use super::container::{Container, Head};
use super::deflate::{self, CHUNK_BYTES};
use super::error::BundleError;

/// Threads that compress.
const WORKERS: usize = 2;
/// Chunks that are read and not yet written. Three for each worker, and two that wait for an earlier one.
const SLOTS: usize = 8;
/// Items in the queue: holes take no slot.
const QUEUE_MAX: usize = 4096;

/// A chunk on its way to a worker.
struct Job {
    number: u64,
    raw: Vec<u8>,
    packed: Vec<u8>,
}

/// A chunk that comes back.
struct Done {
    number: u64,
    raw: Vec<u8>,
    packed: Vec<u8>,
    /// Its CRC-32 state; `None` when the worker died on it.
    crc: Option<crc32fast::Hasher>,
}

/// What is committed, in order.
enum Item {
    Begin(Head),
    Chunk(u64),
    Hole,
    End,
}

/// An entry that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    /// Its bytes before compression.
    pub(super) size_bytes: u64,
    /// Their SHA-256.
    pub(super) sha256: [u8; 32],
}

/// A chunk of zeros, compressed once.
struct Zeros {
    raw: Vec<u8>,
    packed: Vec<u8>,
    crc: crc32fast::Hasher,
}

/// Writes a ZIP of many entries.
pub(super) struct Packer {
    zip: Container,
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
    queue: VecDeque<Item>,
    ready: HashMap<u64, Done>,
    spare: Vec<(Vec<u8>, Vec<u8>)>,
    /// Numbers of the next chunk to send, and chunks out with workers or waiting for their turn.
    next: u64,
    under_way: usize,
    /// The entry that is being filled: its present chunk, size and digest.
    chunk: Vec<u8>,
    size: u64,
    digest: Sha256,
    /// The entry that is being committed: its size and CRC.
    committed_size: u64,
    committed_crc: crc32fast::Hasher,
    zeros: Zeros,
}

impl Packer {
    /// A packer into the empty file `out`, with its workers in `scope`; they end with the packer.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, out: File) -> Self {
        let (jobs, job_queue) = mpsc::sync_channel::<Job>(SLOTS);
        let (results, done) = mpsc::sync_channel::<Done>(SLOTS);
        let job_queue = Arc::new(Mutex::new(job_queue));
        for _ in 0..WORKERS {
            let (job_queue, results) = (Arc::clone(&job_queue), results.clone());
            scope.spawn(move || work(&job_queue, &results));
        }
        let raw = vec![0; CHUNK_BYTES];
        let (mut packed, mut crc) = (Vec::new(), crc32fast::Hasher::new());
        deflate::append(&raw, &mut packed);
        crc.update(&raw);
        Self {
            zip: Container::new(out),
            jobs,
            done,
            queue: VecDeque::new(),
            ready: HashMap::new(),
            spare: Vec::new(),
            next: 0,
            under_way: 0,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            size: 0,
            digest: Sha256::new(),
            committed_size: 0,
            committed_crc: crc32fast::Hasher::new(),
            zeros: Zeros { raw, packed, crc },
        }
    }

    /// Bytes of the ZIP so far; chunks under way are not counted.
    pub(super) fn written(&self) -> u64 {
        self.zip.written()
    }

    /// The file that is written.
    pub(super) fn file(&self) -> &File {
        self.zip.file()
    }

    /// Begins an entry.
    pub(super) fn begin(&mut self, head: Head) {
        self.queue.push_back(Item::Begin(head));
        self.chunk.clear();
        self.size = 0;
        self.digest = Sha256::new();
    }

    /// Appends bytes to the entry.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), BundleError> {
        while !bytes.is_empty() {
            let taken = bytes.len().min(CHUNK_BYTES - self.chunk.len());
            self.chunk.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            self.send_when(CHUNK_BYTES)?;
        }
        Ok(())
    }

    /// Appends up to `limit` bytes of `source` to the entry, at most a chunk; 0 at its end. The outer error is ours, the
    /// inner one the source's.
    pub(super) fn read_from(&mut self, source: &mut dyn Read, limit: u64) -> Result<io::Result<usize>, BundleError> {
        let filled = self.chunk.len();
        let room = usize::try_from(limit).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES - filled);
        self.chunk.resize(filled + room, 0);
        let read = loop {
            match source.read(&mut self.chunk[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.chunk.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.send_when(CHUNK_BYTES)?;
        Ok(read)
    }

    /// Appends zeros to the entry without reading or compressing them.
    pub(super) fn hole(&mut self, mut bytes: u64) -> Result<(), BundleError> {
        while bytes > 0 {
            if self.chunk.is_empty() && bytes >= CHUNK_BYTES as u64 {
                self.digest.update(&self.zeros.raw);
                self.size += CHUNK_BYTES as u64;
                self.queue.push_back(Item::Hole);
                bytes -= CHUNK_BYTES as u64;
                self.commit_ready()?;
                while self.queue.len() > QUEUE_MAX && self.under_way > 0 {
                    self.receive()?;
                }
            } else {
                let room = CHUNK_BYTES - self.chunk.len();
                let taken = usize::try_from(bytes).unwrap_or(room).min(room);
                self.chunk.resize(self.chunk.len() + taken, 0);
                bytes -= taken as u64;
                self.send_when(CHUNK_BYTES)?;
            }
        }
        Ok(())
    }

    /// Ends the entry.
    pub(super) fn end(&mut self) -> Result<Packed, BundleError> {
        self.send_when(1)?;
        self.queue.push_back(Item::End);
        self.commit_ready()?;
        let sha256 = std::mem::take(&mut self.digest).finalize().into();
        Ok(Packed { size_bytes: self.size, sha256 })
    }

    /// Takes the entry back as if it had never begun.
    pub(super) fn abandon(&mut self) -> Result<(), BundleError> {
        // What came before it stays: commit all, then take back what is open.
        self.commit_ready()?;
        while self.under_way > 0 {
            self.receive()?;
        }
        self.zip.revoke().map_err(BundleError::Write)?;
        self.chunk.clear();
        Ok(())
    }

    /// Commits all that is under way and closes the ZIP: its file, not synced, and its size.
    pub(super) fn finish(mut self, comment: &str) -> Result<(File, u64), BundleError> {
        while self.under_way > 0 {
            self.receive()?;
        }
        self.zip.finish(comment).map_err(BundleError::Write)
    }

    /// Sends the present chunk to a worker once it has `bytes`.
    fn send_when(&mut self, bytes: usize) -> Result<(), BundleError> {
        if self.chunk.len() < bytes {
            return Ok(());
        }
        while self.under_way >= SLOTS {
            self.receive()?;
        }
        let (raw, packed) = self.spare.pop().unwrap_or_else(|| (Vec::with_capacity(CHUNK_BYTES), Vec::new()));
        let raw = std::mem::replace(&mut self.chunk, raw);
        self.digest.update(&raw);
        self.size += raw.len() as u64;
        let number = self.next;
        self.next += 1;
        self.under_way += 1;
        self.queue.push_back(Item::Chunk(number));
        self.jobs.send(Job { number, raw, packed }).map_err(|_| BundleError::Worker)?;
        while let Ok(done) = self.done.try_recv() {
            self.ready.insert(done.number, done);
        }
        self.commit_ready()
    }

    /// Waits for a chunk and commits what is then in order.
    fn receive(&mut self) -> Result<(), BundleError> {
        if self.ready.len() < self.under_way {
            let done = self.done.recv().map_err(|_| BundleError::Worker)?;
            self.ready.insert(done.number, done);
        }
        self.commit_ready()
    }

    fn commit_ready(&mut self) -> Result<(), BundleError> {
        while let Some(item) = self.queue.front() {
            if let Item::Chunk(number) = item
                && !self.ready.contains_key(number)
            {
                return Ok(());
            }
            let item = self.queue.pop_front().expect("there is a front");
            self.commit(item)?;
        }
        Ok(())
    }

    fn commit(&mut self, item: Item) -> Result<(), BundleError> {
        match item {
            Item::Begin(head) => {
                self.committed_size = 0;
                self.committed_crc = crc32fast::Hasher::new();
                self.zip.begin(head).map_err(BundleError::Write)
            }
            Item::Hole => {
                self.committed_size += CHUNK_BYTES as u64;
                self.committed_crc.combine(&self.zeros.crc);
                self.zip.data(&self.zeros.packed).map_err(BundleError::Write)
            }
            Item::Chunk(number) => {
                let mut done = self.ready.remove(&number).expect("only a chunk that is ready is committed");
                self.under_way -= 1;
                self.committed_crc.combine(&done.crc.ok_or(BundleError::Worker)?);
                self.committed_size += done.raw.len() as u64;
                self.zip.data(&done.packed).map_err(BundleError::Write)?;
                done.raw.clear();
                done.packed.clear();
                self.spare.push((done.raw, done.packed));
                Ok(())
            }
            Item::End => {
                self.zip.data(deflate::LAST_BLOCK).map_err(BundleError::Write)?;
                let crc = std::mem::take(&mut self.committed_crc).finalize();
                self.zip.end(self.committed_size, crc).map_err(BundleError::Write)
            }
        }
    }
}

/// A worker: compresses chunks until the packer is gone.
fn work(jobs: &Mutex<Receiver<Job>>, results: &SyncSender<Done>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { number, raw, mut packed }) = job else { return };
        let crc = catch_unwind(AssertUnwindSafe(|| {
            deflate::append(&raw, &mut packed);
            let mut crc = crc32fast::Hasher::new();
            crc.update(&raw);
            crc
        }));
        if results.send(Done { number, raw, packed, crc: crc.ok() }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[path = "packer_tests.rs"]
mod tests;
