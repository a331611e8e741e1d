//! Carries out the treatment of one file: its bytes go into the packer, and what happened comes out as a value.

use std::io::{self, Read, Write};

use flate2::write::GzEncoder;

use crate::redact::wide::{self, Order};
use crate::redact::{Carrier, Engine, Gunzip, RedactError, Scan};

use super::deflate::CHUNK_BYTES;
use super::error::BundleError;
use super::guard::{Guard, Stop};
use super::manifest::Label;
use super::packer::Packer;
use super::source::{Source, Stretch};
use super::treatment::is_text;
use super::{headers, keys};

/// The most that a packed log may unpack to: all of it is searched once more in the end.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;
const TOO_MUCH: &str = "it unpacks to more than 200 times its size, or than 4 GiB";
/// Level of logs that are packed again: they go into a ZIP afterwards.
const REPACK_LEVEL: u32 = 1;

/// How the copying of one file went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All of it is in the entry.
    Whole(Label),
    /// A limit was reached; what is in the entry is a prefix.
    Prefix(Label, Stop),
    /// The entry must go: a limit was reached, and a prefix would be worth nothing.
    Stopped(Stop),
    /// The entry must go: it could not be redacted.
    Unredacted(String),
    /// The entry must go: it could not be read.
    Unreadable(io::Error),
}

/// Where the bytes of one entry go.
pub(super) struct Target<'a, 'g> {
    pub(super) packer: &'a mut Packer,
    pub(super) guard: &'a mut Guard,
    pub(super) meter: &'a mut Meter<'g>,
    /// Why writing stopped, when it did.
    stop: Option<Stop>,
    failure: Option<BundleError>,
    unchecked: usize,
}

/// Counts bytes and tells the caller.
pub(super) struct Meter<'g> {
    done: u64,
    total: u64,
    tell: &'g mut dyn FnMut(u64, u64),
}

impl<'g> Meter<'g> {
    pub(super) fn new(total: u64, tell: &'g mut dyn FnMut(u64, u64)) -> Self {
        tell(0, total);
        Self { done: 0, total, tell }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.done = (self.done + bytes).min(self.total);
        (self.tell)(self.done, self.total);
    }
}

impl<'a, 'g> Target<'a, 'g> {
    pub(super) fn new(packer: &'a mut Packer, guard: &'a mut Guard, meter: &'a mut Meter<'g>) -> Self {
        Self { packer, guard, meter, stop: None, failure: None, unchecked: CHUNK_BYTES }
    }

    /// Whether another chunk may follow; asked once a chunk.
    fn check(&mut self, bytes: usize) -> Result<(), Stop> {
        self.unchecked += bytes;
        if self.unchecked < CHUNK_BYTES {
            return Ok(());
        }
        self.unchecked = 0;
        self.guard.check(self.packer.file(), self.packer.written())
    }

    /// The file byte for byte; holes are not read.
    pub(super) fn copy(&mut self, source: &mut Source, label: Label) -> Result<Outcome, BundleError> {
        loop {
            let (stretch, mut left) = match source.stretch() {
                Ok(None) => return Ok(Outcome::Whole(label)),
                Ok(Some(stretch @ (Stretch::Data(bytes) | Stretch::Hole(bytes)))) => (stretch, bytes),
                Err(error) => return Ok(Outcome::Unreadable(error)),
            };
            while left > 0 {
                if let Err(stop) = self.check(CHUNK_BYTES) {
                    return Ok(Outcome::Prefix(label, stop));
                }
                let taken = match stretch {
                    Stretch::Hole(_) => {
                        let bytes = left.min(64 * CHUNK_BYTES as u64);
                        self.packer.hole(bytes)?;
                        bytes
                    }
                    Stretch::Data(_) => match self.packer.read_from(source, left)? {
                        Ok(0) => return Ok(Outcome::Whole(label)),
                        Ok(bytes) => bytes as u64,
                        Err(error) => return Ok(Outcome::Unreadable(error)),
                    },
                };
                self.meter.add(taken);
                left -= taken;
            }
        }
    }

    /// The file through the redactor.
    pub(super) fn mask(
        &mut self,
        engine: &Engine,
        carrier: Carrier,
        artifact: &str,
        source: &mut Source,
    ) -> Result<Outcome, BundleError> {
        let masked = engine.stream(carrier, artifact, source, self).map(|_| Label::Full);
        self.outcome(masked)
    }

    /// The file with its password hashes overwritten at equal length.
    pub(super) fn overwrite(
        &mut self,
        engine: &Engine,
        artifact: &str,
        source: &mut Source,
    ) -> Result<Outcome, BundleError> {
        let before = source.left();
        let overwritten = engine.equal_length_verifiers(artifact, source, self);
        if let Ok(summary) = &overwritten
            && summary.written_bytes != summary.read_bytes
        {
            debug_assert!(before >= summary.read_bytes);
            return Ok(Outcome::Unredacted("overwriting changed its length".to_owned()));
        }
        self.outcome(overwritten.map(|_| Label::Altered))
    }

    /// The file byte for byte, if a search of the very bytes that are packed finds no secret.
    pub(super) fn scan(
        &mut self,
        engine: &Engine,
        artifact: &str,
        source: &mut Source,
    ) -> Result<Outcome, BundleError> {
        let mut tee = Tee { source, target: self };
        let scanned = engine.scan(artifact, &mut tee);
        // A scanner may stop at its first hit; a clean answer means that it saw everything.
        match scanned {
            Ok(Scan::Clean) if !source.is_exhausted() && self.failure.is_none() && self.stop.is_none() => {
                Ok(Outcome::Unredacted("the search ended early".to_owned()))
            }
            Ok(Scan::Hit { rule }) if self.failure.is_none() && self.stop.is_none() => {
                Ok(Outcome::Unredacted(format!("unknown binary data with a secret in it ({rule})")))
            }
            Ok(Scan::Clean | Scan::Hit { .. }) => self.outcome(Ok(Label::Scanned)),
            Err(error) => self.outcome(Err(error)),
        }
    }

    /// A packed log: unpacked, through the redactor, packed again.
    pub(super) fn mask_packed(
        &mut self,
        engine: &Engine,
        artifact: &str,
        source: &mut Source,
    ) -> Result<Outcome, BundleError> {
        let packed_bytes = source.left();
        let mut unpacked = match unpacked(source, packed_bytes) {
            Ok(unpacked) => unpacked,
            Err(reason) => return Ok(Outcome::Unredacted(reason)),
        };
        let masked = {
            let mut repacked = GzEncoder::new(&mut *self, flate2::Compression::new(REPACK_LEVEL));
            let streamed = engine.stream(Carrier::Text, artifact, &mut unpacked, &mut repacked);
            streamed.and_then(|summary| {
                repacked.finish().map_err(RedactError::Write)?;
                Ok(summary.written_bytes)
            })
        };
        let masked = masked.map(|unpacked_bytes| {
            self.guard.read_back(unpacked_bytes);
            Label::Full
        });
        match self.outcome(masked)? {
            Outcome::Unreadable(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Ok(Outcome::Unredacted(TOO_MUCH.to_owned()))
            }
            outcome => Ok(outcome),
        }
    }

    /// UTF-16: narrowed, through the redactor, widened again.
    pub(super) fn mask_wide(
        &mut self,
        engine: &Engine,
        order: Order,
        artifact: &str,
        source: &mut Source,
    ) -> Result<Outcome, BundleError> {
        let mut masked = Vec::new();
        let written = wide::read(source, order).and_then(|text| {
            engine.stream(Carrier::Text, artifact, &mut text.as_bytes(), &mut masked)?;
            wide::write(&masked, order, self)
        });
        self.outcome(written.map(|()| Label::Full))
    }

    /// The headers of a segment's messages as a table.
    pub(super) fn headers(&mut self, start_offset: u64, source: &mut Source) -> Result<Outcome, BundleError> {
        let written = headers::table(start_offset, source, self).map(|()| Label::Full);
        self.outcome(written.map_err(RedactError::Read))
    }

    /// What became of it, seen from both ends: the packer's own failures come first, then limits, then the redactor's.
    fn outcome(&mut self, done: Result<Label, RedactError>) -> Result<Outcome, BundleError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let Some(stop) = self.stop {
            return Ok(Outcome::Stopped(stop));
        }
        Ok(match done {
            Ok(label) => Outcome::Whole(label),
            Err(RedactError::Read(error)) => Outcome::Unreadable(error),
            Err(error) => Outcome::Unredacted(error.to_string()),
        })
    }
}

/// The text of a packed log of so many bytes, which fails where it unpacks to more than any log does; or why it is none.
pub(super) fn unpacked<R: Read>(packed: R, packed_bytes: u64) -> Result<impl Read, String> {
    let mut unpacked = Gunzip::new(packed, packed_bytes).at_most(UNPACKED_BYTES_MAX);
    let mut head = Vec::new();
    match unpacked.by_ref().take(keys::HEAD_BYTES as u64).read_to_end(&mut head) {
        Ok(_) if is_text(&head) => Ok(io::Cursor::new(head).chain(unpacked)),
        Ok(_) => Err("packed data that is not text".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(TOO_MUCH.to_owned()),
        Err(error) => Err(format!("it cannot be unpacked: {error}")),
    }
}

impl Write for Target<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(stop) = self.check(bytes.len()) {
            self.stop = Some(stop);
            return Err(io::Error::other("a limit was reached"));
        }
        self.packer.write(bytes).map_err(|failure| {
            self.failure = Some(failure);
            io::Error::other("the archive cannot be written")
        })?;
        self.guard.read_back(bytes.len() as u64);
        self.meter.add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands on what it reads to the packer as well.
struct Tee<'a, 't, 'g> {
    source: &'a mut Source,
    target: &'a mut Target<'t, 'g>,
}

impl Read for Tee<'_, '_, '_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(to)?;
        self.target.write_all(&to[..read])?;
        Ok(read)
    }
}
