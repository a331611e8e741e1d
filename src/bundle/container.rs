//! The container: a ZIP written entry by entry into a file, each entry revocable until it ends.
//!
//! Made here and not by a crate for three things that none gives together in safe code: data that is already Deflate,
//! true sizes in the local headers (no data descriptors, which readers of streams cannot take), and taking back an
//! entry whose redaction failed half-way. What is written is read back by the `zip` crate. Layout and field numbers are
//! those of PKWARE's APPNOTE 6.3.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes gathered before they go to the file: small entries are written, and patched, in memory.
const BUFFER_BYTES: usize = 256 << 10;
/// The largest number that the old fields hold; it means "see the Zip64 field".
const FULL_32: u32 = u32::MAX;
const FULL_16: u16 = u16::MAX;
/// An entry of at least this many expected bytes gets room for large sizes: masks may make text longer than its file.
const LARGE_FROM_BYTES: u64 = 1 << 31;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATE: u16 = 8;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Unix, so that readers take the mode.
const MADE_BY: u16 = 3 << 8 | VERSION_64;
const FIELD_64: u16 = 0x0001;
const FIELD_TIME: u16 = 0x5455;

/// Where the CRC stands in a local header; the two sizes follow.
const LOCAL_CRC_AT: u64 = 14;
const LOCAL_BYTES: u64 = 30;

/// What is known of an entry when it begins.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Its name, UTF-8, safe.
    pub(super) name: String,
    /// Seconds since 1970 of its last change.
    pub(super) modified_s: i64,
    /// Its size if all goes well.
    pub(super) expected_bytes: u64,
}

/// An entry that has begun.
#[derive(Debug)]
struct Open {
    head: Head,
    header_at: u64,
    data_at: u64,
    large: bool,
}

/// A ZIP that grows.
#[derive(Debug)]
pub(super) struct Container {
    out: File,
    /// Bytes that are in the file.
    flushed: u64,
    /// Bytes that follow them.
    buffer: Vec<u8>,
    central: Vec<u8>,
    entries: u64,
    open: Option<Open>,
}

impl Container {
    /// A ZIP at the start of `out`, which is empty.
    pub(super) fn new(out: File) -> Self {
        Self { out, flushed: 0, buffer: Vec::with_capacity(BUFFER_BYTES), central: Vec::new(), entries: 0, open: None }
    }

    /// Bytes so far, the central directory not counted.
    pub(super) fn written(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.out
    }

    /// Begins an entry; one that is still open is an error of the caller.
    pub(super) fn begin(&mut self, head: Head) -> io::Result<()> {
        assert!(self.open.is_none(), "entries follow each other");
        let header_at = self.written();
        let large = head.expected_bytes >= LARGE_FROM_BYTES;
        let (date, time) = dos_time(head.modified_s);
        let mut header = Vec::with_capacity(128);
        put32(&mut header, LOCAL);
        put16(&mut header, if large { VERSION_64 } else { VERSION });
        put16(&mut header, FLAGS);
        put16(&mut header, DEFLATE);
        put16(&mut header, time);
        put16(&mut header, date);
        put32(&mut header, 0);
        put32(&mut header, if large { FULL_32 } else { 0 });
        put32(&mut header, if large { FULL_32 } else { 0 });
        put16(&mut header, u16_of(head.name.len()));
        put16(&mut header, if large { 20 } else { 0 } + 9);
        header.extend_from_slice(head.name.as_bytes());
        if large {
            put16(&mut header, FIELD_64);
            put16(&mut header, 16);
            put64(&mut header, 0);
            put64(&mut header, 0);
        }
        put_time(&mut header, head.modified_s);
        self.append(&header)?;
        self.open = Some(Open { head, header_at, data_at: self.written(), large });
        Ok(())
    }

    /// Appends Deflate data to the open entry.
    pub(super) fn data(&mut self, deflated: &[u8]) -> io::Result<()> {
        debug_assert!(self.open.is_some(), "data belongs to an entry");
        self.append(deflated)
    }

    /// Ends the open entry of `size` bytes with this CRC-32.
    pub(super) fn end(&mut self, size: u64, crc: u32) -> io::Result<()> {
        let open = self.open.take().expect("only an open entry ends");
        let packed = self.written() - open.data_at;
        let small = u32::try_from(size).ok().zip(u32::try_from(packed).ok()).filter(|_| !open.large);
        let mut sizes = Vec::with_capacity(16);
        put32(&mut sizes, crc);
        match small {
            Some((size, packed)) => {
                put32(&mut sizes, packed);
                put32(&mut sizes, size);
                self.patch(open.header_at + LOCAL_CRC_AT, &sizes)?;
            }
            None if open.large => {
                self.patch(open.header_at + LOCAL_CRC_AT, &sizes)?;
                sizes.clear();
                put64(&mut sizes, size);
                put64(&mut sizes, packed);
                self.patch(open.header_at + LOCAL_BYTES + open.head.name.len() as u64 + 4, &sizes)?;
            }
            None => return Err(io::Error::other("an entry outgrew the room for its size")),
        }
        self.entries += 1;
        put_central(&mut self.central, &open, size, packed, crc);
        Ok(())
    }

    /// Takes the open entry back as if it had never begun.
    pub(super) fn revoke(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if let Some(keep) = open.header_at.checked_sub(self.flushed) {
            self.buffer.truncate(usize::try_from(keep).expect("it is within the buffer"));
        } else {
            self.buffer.clear();
            self.out.set_len(open.header_at)?;
            self.flushed = open.header_at;
        }
        Ok(())
    }

    /// Writes the central directory and a comment. Gives the file, which is not synced, and its size.
    pub(super) fn finish(mut self, comment: &str) -> io::Result<(File, u64)> {
        self.revoke()?;
        let central_at = self.written();
        let central = std::mem::take(&mut self.central);
        self.append(&central)?;
        let central_bytes = central.len() as u64;
        let mut end = Vec::with_capacity(128 + comment.len());
        let fits =
            self.entries < u64::from(FULL_16) && central_at < u64::from(FULL_32) && central_bytes < u64::from(FULL_32);
        if !fits {
            put_end_64(&mut end, self.entries, central_bytes, central_at);
        }
        put32(&mut end, END);
        put16(&mut end, 0);
        put16(&mut end, 0);
        put16(&mut end, u16::try_from(self.entries).unwrap_or(FULL_16));
        put16(&mut end, u16::try_from(self.entries).unwrap_or(FULL_16));
        put32(&mut end, u32::try_from(central_bytes).unwrap_or(FULL_32));
        put32(&mut end, u32::try_from(central_at).unwrap_or(FULL_32));
        let comment = &comment[..comment.floor_char_boundary(usize::from(FULL_16))];
        put16(&mut end, u16_of(comment.len()));
        end.extend_from_slice(comment.as_bytes());
        self.append(&end)?;
        self.flush()?;
        Ok((self.out, self.flushed))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            self.out.write_all_at(bytes, self.flushed)?;
            self.flushed += bytes.len() as u64;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all_at(&self.buffer, self.flushed)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Overwrites bytes that were appended earlier, as one piece.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(offset) = at.checked_sub(self.flushed) {
            let offset = usize::try_from(offset).expect("it is within the buffer");
            self.buffer[offset..offset + bytes.len()].copy_from_slice(bytes);
            return Ok(());
        }
        debug_assert!(at + bytes.len() as u64 <= self.flushed, "headers are appended as one piece");
        self.out.write_all_at(bytes, at)
    }
}

fn put_central(central: &mut Vec<u8>, open: &Open, size: u64, packed: u64, crc: u32) {
    let wide = |number: u64| number >= u64::from(FULL_32);
    let large: Vec<u64> = [size, packed, open.header_at].into_iter().filter(|number| wide(*number)).collect();
    let narrow = |number: u64| u32::try_from(number).unwrap_or(FULL_32);
    let (date, time) = dos_time(open.head.modified_s);
    put32(central, CENTRAL);
    put16(central, MADE_BY);
    put16(central, if open.large || !large.is_empty() { VERSION_64 } else { VERSION });
    put16(central, FLAGS);
    put16(central, DEFLATE);
    put16(central, time);
    put16(central, date);
    put32(central, crc);
    put32(central, narrow(packed));
    put32(central, narrow(size));
    put16(central, u16_of(open.head.name.len()));
    put16(central, 9 + if large.is_empty() { 0 } else { 4 + 8 * u16_of(large.len()) });
    put16(central, 0);
    put16(central, 0);
    put16(central, 0);
    // A regular file that its owner alone reads and writes, whatever it was: it is a copy on somebody's desk.
    put32(central, 0o100_600 << 16);
    put32(central, narrow(open.header_at));
    central.extend_from_slice(open.head.name.as_bytes());
    if !large.is_empty() {
        put16(central, FIELD_64);
        put16(central, 8 * u16_of(large.len()));
        for number in large {
            put64(central, number);
        }
    }
    put_time(central, open.head.modified_s);
}

fn put_end_64(end: &mut Vec<u8>, entries: u64, central_bytes: u64, central_at: u64) {
    put32(end, END_64);
    put64(end, 44);
    put16(end, MADE_BY);
    put16(end, VERSION_64);
    put32(end, 0);
    put32(end, 0);
    put64(end, entries);
    put64(end, entries);
    put64(end, central_bytes);
    put64(end, central_at);
    put32(end, LOCATOR_64);
    put32(end, 0);
    put64(end, central_at + central_bytes);
    put32(end, 1);
}

/// The extended timestamp: UTC seconds, which the old field in local time cannot say.
fn put_time(header: &mut Vec<u8>, modified_s: i64) {
    put16(header, FIELD_TIME);
    put16(header, 5);
    header.push(1);
    put32(header, u32::try_from(modified_s.clamp(0, i64::from(i32::MAX))).expect("clamped"));
}

/// Date and time of the old fields, in UTC, 1980 to 2107 in steps of two seconds.
pub(super) fn dos_time(modified_s: i64) -> (u16, u16) {
    const FIRST: i64 = 315_532_800;
    const LAST: i64 = 4_354_819_198;
    let time = jiff::Timestamp::from_second(modified_s.clamp(FIRST, LAST)).expect("clamped");
    let civil = jiff::tz::Offset::UTC.to_datetime(time);
    let bits = |value: i16| u16::try_from(value).expect("fields of a civil time are positive");
    let small = |value: i8| bits(i16::from(value));
    let date = (bits(civil.year()) - 1980) << 9 | small(civil.month()) << 5 | small(civil.day());
    let time = small(civil.hour()) << 11 | small(civil.minute()) << 5 | (small(civil.second()) / 2);
    (date, time)
}

fn u16_of(length: usize) -> u16 {
    u16::try_from(length).expect("names, fields and comments are limited")
}

fn put16(to: &mut Vec<u8>, number: u16) {
    to.extend_from_slice(&number.to_le_bytes());
}

fn put32(to: &mut Vec<u8>, number: u32) {
    to.extend_from_slice(&number.to_le_bytes());
}

fn put64(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(&number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::deflate;
    use super::*;

    fn head(name: &str, expected_bytes: u64) -> Head {
        Head { name: name.into(), modified_s: 1_795_494_426, expected_bytes }
    }

    fn add(zip: &mut Container, head: Head, content: &[u8]) {
        let mut deflated = Vec::new();
        deflate::append(content, &mut deflated);
        zip.begin(head).unwrap();
        zip.data(&deflated).unwrap();
        zip.data(deflate::LAST_BLOCK).unwrap();
        zip.end(content.len() as u64, crc32fast::hash(content)).unwrap();
    }

    fn read_back(file: File) -> Vec<(String, Vec<u8>)> {
        let mut zip = zip::ZipArchive::new(file).unwrap();
        (0..zip.len())
            .map(|n| {
                let mut entry = zip.by_index(n).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (entry.name().unwrap().into_owned(), content)
            })
            .collect()
    }

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut zip = Container::new(tempfile::tempfile().unwrap());
        let big = b"0123456789abcdef".repeat(100_000);
        add(&mut zip, head("small", 5), b"hello");
        add(&mut zip, head("empty", 0), b"");
        add(&mut zip, head("room for large sizes", 1 << 40), b"not large");
        add(&mut zip, head("big", 1), &big);
        let (file, size) = zip.finish("a comment").unwrap();
        assert_eq!(file.metadata().unwrap().len(), size);
        assert_eq!(zip::ZipArchive::new(&file).unwrap().comment(), b"a comment");
        let expected: [(&str, &[u8]); 4] =
            [("small", b"hello"), ("empty", b""), ("room for large sizes", b"not large"), ("big", &big)];
        assert_eq!(read_back(file), expected.map(|(name, content)| (name.to_owned(), content.to_vec())));
    }

    #[test]
    fn a_revoked_entry_leaves_no_byte() {
        let mut plain = Container::new(tempfile::tempfile().unwrap());
        let mut revoking = Container::new(tempfile::tempfile().unwrap());
        for zip in [&mut plain, &mut revoking] {
            add(zip, head("first", 5), b"first");
        }
        revoking.begin(head("small", 1)).unwrap();
        revoking.data(b"secret").unwrap();
        revoking.revoke().unwrap();
        revoking.begin(head("beyond the buffer", 1)).unwrap();
        for _ in 0..5 {
            revoking.data(&vec![0x5e; BUFFER_BYTES / 2]).unwrap();
        }
        revoking.revoke().unwrap();
        revoking.revoke().unwrap();
        for zip in [&mut plain, &mut revoking] {
            add(zip, head("last", 4), b"last");
        }
        let bytes = |zip: Container| {
            let (file, size) = zip.finish("").unwrap();
            let mut bytes = vec![0; usize::try_from(size).unwrap()];
            file.read_exact_at(&mut bytes, 0).unwrap();
            (bytes, file.metadata().unwrap().len())
        };
        assert_eq!(bytes(revoking), bytes(plain));
    }

    #[test]
    fn more_entries_than_the_old_fields_can_count() {
        let mut zip = Container::new(tempfile::tempfile().unwrap());
        for n in 0..66_000 {
            zip.begin(head(&n.to_string(), 0)).unwrap();
            zip.data(deflate::LAST_BLOCK).unwrap();
            zip.end(0, 0).unwrap();
        }
        let (file, _) = zip.finish("").unwrap();
        assert_eq!(zip::ZipArchive::new(file).unwrap().len(), 66_000);
    }

    #[test]
    fn old_times_are_clamped() {
        let date = |year: u16, month: u16, day: u16| (year - 1980) * 512 + month * 32 + day;
        let time = |hour: u16, minute: u16, second: u16| hour * 2048 + minute * 32 + second / 2;
        assert_eq!(dos_time(0), (date(1980, 1, 1), 0));
        assert_eq!(dos_time(1_795_494_426), (date(2026, 11, 24), time(4, 27, 6)));
        assert_eq!(dos_time(i64::MAX), (date(2107, 12, 31), time(23, 59, 58)));
    }
}
