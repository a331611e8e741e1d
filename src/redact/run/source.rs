//! One input: a file, or what standard input gave, read twice; unpacked or narrowed where its text needs it.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zeroize::Zeroizing;

use super::super::carrier::Carrier;
use super::super::engine::Engine;
use super::super::error::RedactError;
use super::super::explain::{self, Place};
use super::super::gunzip::{Gunzip, TOO_MUCH};
use super::super::learner::Learner;
use super::super::wide;
use super::super::wrapping::Wrapping;

/// Bytes of an input that cannot be read twice which stay in memory; more of them go to a file without a name.
const KEPT_BYTES_MAX: usize = 8 << 20;
/// Bytes looked at to tell a file's layout.
const SNIFFED_BYTES: usize = 64 << 10;
enum Data {
    /// A file, and how much of it is read: a log may grow between two readings.
    File(File, Length),
    Memory(Cursor<Zeroizing<Vec<u8>>>),
    /// To be opened again.
    Closed(Length),
}

/// Bytes that a file had when it was first opened; `None` for the files of the kernel, which say that they are empty.
type Length = Option<u64>;

fn length_of(file: &File) -> Result<Length, RedactError> {
    let length = file.metadata().map_err(RedactError::Read)?.len();
    Ok(Some(length).filter(|length| *length > 0))
}

/// An input.
pub(super) struct Source {
    data: Data,
    wrapping: Wrapping,
    carrier: Carrier,
}

impl Source {
    /// A file.
    ///
    /// # Errors
    /// It cannot be read, or is in a form that is not read here.
    pub(super) fn open(path: &Path) -> Result<Self, RedactError> {
        let file = File::open(path).map_err(RedactError::Read)?;
        let length = length_of(&file)?;
        Self::sniffed(&path.display().to_string(), Data::File(file, length))
    }

    /// A file that is open: read where it is, if it can be read twice, or else kept.
    ///
    /// # Errors
    /// As for [`Source::spooled`].
    pub(super) fn opened(name: &str, mut file: File) -> Result<Self, RedactError> {
        match length_of(&file)? {
            Some(length) if file.metadata().map_err(RedactError::Read)?.is_file() => {
                Self::sniffed(name, Data::File(file, Some(length)))
            }
            _ => Self::spooled(name, &mut file),
        }
    }

    /// What a reader gives, kept so that it can be read twice.
    ///
    /// # Errors
    /// It cannot be read or kept, or is in a form that is not read here.
    pub(super) fn spooled(name: &str, reader: &mut dyn Read) -> Result<Self, RedactError> {
        let mut bytes = Zeroizing::new(Vec::new());
        reader.take(KEPT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(RedactError::Read)?;
        if bytes.len() <= KEPT_BYTES_MAX {
            return Self::sniffed(name, Data::Memory(Cursor::new(bytes)));
        }
        let mut file = nameless().map_err(RedactError::Write)?;
        file.write_all(&bytes).map_err(RedactError::Write)?;
        io::copy(reader, &mut file).map_err(RedactError::Read)?;
        let length = length_of(&file)?;
        Self::sniffed(name, Data::File(file, length))
    }

    fn sniffed(name: &str, data: Data) -> Result<Self, RedactError> {
        let mut source = Self { data, wrapping: Wrapping::None, carrier: Carrier::Text };
        let head = source.head()?;
        source.wrapping = Wrapping::of(&head);
        match source.wrapping {
            Wrapping::None => source.carrier = carrier_of(name, &head),
            Wrapping::Gzip => {
                let head = source.head()?;
                if Wrapping::of(&head) != Wrapping::None {
                    return Err(RedactError::Form("what is packed in it is packed or wide once more"));
                }
                source.carrier = carrier_of(name.strip_suffix(".gz").unwrap_or(name), &head);
            }
            Wrapping::Wide(_) => {}
            Wrapping::Unreadable(why) => return Err(RedactError::Form(why)),
        }
        Ok(source)
    }

    fn head(&mut self) -> Result<Vec<u8>, RedactError> {
        let mut head = Vec::new();
        self.read(&mut |reader| {
            reader.take(SNIFFED_BYTES as u64).read_to_end(&mut head).map_err(RedactError::Read).map(drop)
        })?;
        Ok(head)
    }

    /// The same without its open file.
    pub(super) fn closed(self) -> Self {
        let length = match self.data {
            Data::File(_, length) | Data::Closed(length) => length,
            Data::Memory(_) => None,
        };
        Self { data: Data::Closed(length), ..self }
    }

    /// The same with its file open again; what was added to it since is not read.
    pub(super) fn reopened(self, path: &Path) -> Result<Self, RedactError> {
        let Data::Closed(length) = self.data else { return Ok(self) };
        Ok(Self { data: Data::File(File::open(path).map_err(RedactError::Read)?, length), ..self })
    }

    /// Hands the text to `to`, from its start.
    fn read(&mut self, to: &mut dyn FnMut(&mut dyn Read) -> Result<(), RedactError>) -> Result<(), RedactError> {
        let mut prefix;
        let (reader, length): (&mut dyn Read, u64) = match &mut self.data {
            Data::File(file, length) => {
                file.seek(SeekFrom::Start(0)).map_err(RedactError::Read)?;
                prefix = file.take(length.unwrap_or(u64::MAX));
                (&mut prefix, length.unwrap_or(0))
            }
            Data::Memory(cursor) => {
                cursor.set_position(0);
                let length = cursor.get_ref().len() as u64;
                (cursor, length)
            }
            Data::Closed(_) => return Err(RedactError::Read(io::ErrorKind::NotFound.into())),
        };
        match self.wrapping {
            Wrapping::None | Wrapping::Unreadable(_) => to(reader),
            Wrapping::Gzip => {
                let read = to(&mut Gunzip::new(reader, length));
                read.map_err(|error| match error {
                    RedactError::Read(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                        RedactError::Form(TOO_MUCH)
                    }
                    error => error,
                })
            }
            Wrapping::Wide(order) => {
                let narrow = wide::read(reader, order)?;
                to(&mut narrow.as_bytes())
            }
        }
    }

    /// The first pass.
    ///
    /// # Errors
    /// It cannot be learned from.
    pub(super) fn learn(&mut self, learner: &mut Learner, name: &str) -> Result<(), RedactError> {
        let carrier = self.carrier;
        self.read(&mut |reader| learner.learn_stream(carrier, name, reader).map(drop))
    }

    /// The second pass.
    ///
    /// # Errors
    /// It cannot be redacted; what was written is not to be used.
    pub(super) fn mask(&mut self, engine: &Engine, name: &str, writer: &mut dyn Write) -> Result<(), RedactError> {
        let carrier = self.carrier;
        match self.wrapping {
            Wrapping::None | Wrapping::Unreadable(_) => {
                self.read(&mut |reader| engine.stream(carrier, name, reader, writer).map(drop))
            }
            Wrapping::Gzip => {
                let mut packer = GzEncoder::new(writer, Compression::default());
                self.read(&mut |reader| engine.stream(carrier, name, reader, &mut packer).map(drop))?;
                packer.finish().map(drop).map_err(RedactError::Write)
            }
            Wrapping::Wide(order) => {
                let mut masked = Vec::new();
                self.read(&mut |reader| engine.stream(carrier, name, reader, &mut masked).map(drop))?;
                wide::write(&masked, order, writer)
            }
        }
    }

    /// Where its masks stand; lines and columns are those of the text, unpacked and narrow.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn places(&mut self, engine: &Engine, each: &mut dyn FnMut(Place)) -> Result<(), RedactError> {
        let carrier = self.carrier;
        self.read(&mut |reader| explain::places(engine, carrier, reader, each))
    }
}

fn carrier_of(name: &str, head: &[u8]) -> Carrier {
    match Carrier::of_path(name) {
        Carrier::Text => Carrier::of_content(head),
        carrier => carrier,
    }
}

/// A file that nobody else can open and that is gone when we are.
fn nameless() -> io::Result<File> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!(".snapvisor-redact-{:016x}", u64::from_le_bytes(random));
    let path = std::env::temp_dir().join(name);
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::super::pseudonym::PseudonymKey;
    use super::super::super::settings::Settings;
    use super::*;

    #[test]
    fn what_is_added_to_a_log_between_the_readings_is_not_read() {
        let mut log = tempfile::NamedTempFile::new().expect("a file");
        log.write_all(b"a line\npassword=x8Kq2mZw91LpT\n").expect("it is written");
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
        let mut source = Source::open(log.path()).expect("a log");
        source.learn(&mut learner, "x.log").expect("it is learned");
        log.write_all(b"password=never-learned-71Xq\n").expect("it is written");
        let (engine, mut out) = (learner.finish(), Vec::new());
        let mut again = source.closed().reopened(log.path()).expect("it is still there");
        again.mask(&engine, "x.log", &mut out).expect("it is what was learned");
        let out = String::from_utf8(out).expect("text");
        assert!(out.starts_with("a line\npassword=REDACTED-pw-") && out.lines().count() == 2, "{out}");
    }

    #[test]
    fn a_file_of_the_kernel_is_read_although_it_says_that_it_is_empty() {
        let mut out = Vec::new();
        let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
        let engine = Learner::new(&Settings::default(), key).expect("no rules of the user's").finish();
        for source in [
            Source::open(Path::new("/proc/self/limits")),
            Source::opened("limits", File::open("/proc/self/limits").expect("a file")),
        ] {
            out.clear();
            source.expect("it is read").mask(&engine, "limits", &mut out).expect("it is masked");
            assert!(out.starts_with(b"Limit "), "{}", String::from_utf8_lossy(&out));
        }
    }
}
