//! The archive as written, read for secrets before it is announced.
//!
//! What is labelled as not redacted (messages, which are the customer's own data) is passed over, and files of numbers
//! alone. Invariant: an archive that passes holds no known secret, in no encoding, and nothing that is one by its own form.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use zip::ZipArchive;

use super::error::ExamineError;
use crate::bundle::archive::{IGGY_DATA, REPORT_HTML};
use crate::bundle::manifest::{DataSection, Label};
use crate::checks;
use crate::redact::{Engine, Leak, Markup, RedactError, Verifier};

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;
/// Roles whose files are numbers: an index, a consumer's offset.
const ROLES_OF_NUMBERS: &[&str] = &["index", "consumer offset"];

/// Reads a finished archive back and looks for everything that the engine knows.
///
/// # Errors
/// [`ExamineError::Leak`] and its kin: the archive must not be announced.
pub(super) fn archive(engine: &Engine, path: &Path, data: Option<&DataSection>) -> Result<(), ExamineError> {
    let mut verifier = engine.verifier();
    if first_leak(&verifier, path, data)?.is_none() {
        return Ok(());
    }
    // It may be a word of ours that somebody took for a password.
    verifier.except(&own_words());
    match first_leak(&verifier, path, data)? {
        None => Ok(()),
        Some(Leak { rule, artifact, .. }) => Err(ExamineError::Leak { rule, artifact: engine.text(&artifact) }),
    }
}

fn first_leak(verifier: &Verifier<'_>, path: &Path, data: Option<&DataSection>) -> Result<Option<Leak>, ExamineError> {
    let file = File::open(path).map_err(|source| ExamineError::Unverified(source.into()))?;
    let whole = Range::whole(&file).map_err(|source| ExamineError::Unverified(source.into()))?;
    let mut zip = open(whole)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(ExamineError::Unverified)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if name == IGGY_DATA {
            let Some(start) = entry.data_start() else { return Err(unread("its data does not begin anywhere")) };
            let inner = Range { file: &file, start, length: entry.size(), at: 0 };
            drop(entry);
            let leak = first_leak_inside(verifier, open(inner)?, data)?;
            if leak.is_some() {
                return Ok(leak);
            }
            continue;
        }
        let markup = if name == REPORT_HTML { Markup::Html } else { Markup::Json };
        for markup in [Markup::Plain, markup] {
            let leak = check(verifier, &name, markup, &mut entry)?;
            if leak.is_some() {
                return Ok(leak);
            }
            drop(entry);
            entry = zip.by_index(index).map_err(ExamineError::Unverified)?;
        }
    }
    verifier
        .check_text("the archive's comment", &String::from_utf8_lossy(zip.comment()))
        .map_err(ExamineError::Redaction)
}

fn first_leak_inside(
    verifier: &Verifier<'_>,
    mut zip: ZipArchive<BufReader<Range<'_>>>,
    data: Option<&DataSection>,
) -> Result<Option<Leak>, ExamineError> {
    for index in 0..zip.len() {
        let expected = data.and_then(|section| section.entries.get(index));
        let mut entry = zip.by_index(index).map_err(ExamineError::Unverified)?;
        let name = format!("{IGGY_DATA}: {}", String::from_utf8_lossy(entry.name_raw()));
        let leak = verifier.check_text(&name, &name).map_err(ExamineError::Redaction)?;
        if leak.is_some() {
            return Ok(leak);
        }
        let passed_over = expected
            .is_some_and(|entry| entry.redaction == Label::NotRedacted || ROLES_OF_NUMBERS.contains(&entry.role));
        if !passed_over {
            let leak = check_packed(verifier, &name, &mut entry)?;
            if leak.is_some() {
                return Ok(leak);
            }
        }
    }
    Ok(None)
}

/// An entry as it is, and unpacked if it is a log that was packed again.
fn check_packed(verifier: &Verifier<'_>, name: &str, entry: &mut dyn Read) -> Result<Option<Leak>, ExamineError> {
    let mut head = [0; 2];
    let length = read_up_to(entry, &mut head).map_err(|source| ExamineError::Unverified(source.into()))?;
    let mut whole = head[..length].chain(entry);
    if head == *b"\x1f\x8b" {
        return check(verifier, name, Markup::Plain, &mut flate2::read::MultiGzDecoder::new(whole));
    }
    check(verifier, name, Markup::Plain, &mut whole)
}

fn read_up_to(reader: &mut dyn Read, head: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < head.len() {
        match reader.read(&mut head[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn check(
    verifier: &Verifier<'_>,
    name: &str,
    markup: Markup,
    reader: &mut dyn Read,
) -> Result<Option<Leak>, ExamineError> {
    verifier.check(name, markup, reader).map_err(|error| match error {
        RedactError::Read(source) => ExamineError::Unverified(source.into()),
        other => ExamineError::Redaction(other),
    })
}

/// Everything that this program says of itself: the catalogue's words, the page without a host in it.
fn own_words() -> Vec<u8> {
    let mut words = Vec::new();
    for row in checks::catalogue() {
        let texts = [row.id, row.title, row.rule, row.threshold_source, row.why, row.remedy, row.privilege];
        for text in texts.iter().chain(row.references) {
            words.extend_from_slice(text.as_bytes());
            words.push(b'\n');
        }
    }
    words.extend(super::minimal::page_without_a_host());
    words
}

fn open(range: Range<'_>) -> Result<ZipArchive<BufReader<Range<'_>>>, ExamineError> {
    ZipArchive::new(BufReader::with_capacity(READ_BYTES, range)).map_err(ExamineError::Unverified)
}

fn unread(why: &'static str) -> ExamineError {
    ExamineError::Unverified(zip::result::ZipError::InvalidArchive(why.into()))
}

/// A stretch of a file, read by position.
struct Range<'a> {
    file: &'a File,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a> Range<'a> {
    fn whole(file: &'a File) -> io::Result<Self> {
        Ok(Self { file, start: 0, length: file.metadata()?.len(), at: 0 })
    }
}

impl Read for Range<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = to.len().min(left);
        let read = self.file.read_at(&mut to[..wanted], self.start + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Range<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;
    use crate::redact::{Carrier, Learner, PseudonymKey, Settings};

    const SECRET: &str = "x8Kq2mZw91LpTr5v";

    fn engine() -> Engine {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).unwrap();
        let mut learner = Learner::new(&Settings::default(), key).unwrap();
        learner.learn(Carrier::Environ, "environ", format!("DB_PASSWORD={SECRET}\0").as_bytes()).unwrap();
        learner.finish()
    }

    fn zip(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn verdict(files: &[(&str, &[u8])]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        std::fs::write(&path, zip(files, CompressionMethod::Stored)).unwrap();
        archive(&engine(), &path, None).map_err(|error| crate::domain::causes::chain(&error))
    }

    #[test]
    fn a_secret_anywhere_in_the_archive_throws_it_away() {
        let leak = |rule: &str, place: &str| {
            Err(format!("the finished archive was thrown away: the rule {rule} found a secret in {place}"))
        };
        let inner =
            |name: &str, content: &[u8]| zip(&[("a.log", b"clean"), (name, content)], CompressionMethod::Deflated);
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("u:{SECRET}"));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(format!("cannot log in with {SECRET}\n").as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(verdict(&[("report.html", b"<p>clean"), ("report.json", b"{}")]), Ok(()));
        for (name, content, place) in [
            ("report.html", b"<p>x8Kq2mZw&#57;1LpTr5v".to_vec(), "report.html"),
            ("report.json", br#"{"m":"\u00788Kq2mZw91LpTr5v"}"#.to_vec(), "report.json"),
            ("report.json", format!("{{\"m\":\"{base64}\"}}").into_bytes(), "report.json"),
            ("iggy-data.zip", inner("b.log", SECRET.as_bytes()), "iggy-data.zip: b.log"),
            ("iggy-data.zip", inner("b.log.gz", &gzip), "iggy-data.zip: b.log.gz"),
        ] {
            assert_eq!(verdict(&[("manifest.json", b"{}"), (name, &content)]), leak("known-secret", place), "{name}");
        }
        let name = engine().text(&format!("iggy-data.zip: {SECRET}/b.log"));
        let in_a_name = inner(&format!("{SECRET}/b.log"), b"clean");
        assert_eq!(verdict(&[("iggy-data.zip", &in_a_name)]), leak("known-secret", &name));
        let token = b"<p>ghp_0123456789abcdefghijABCDEFGHIJ012345";
        assert_eq!(verdict(&[("report.html", token)]), leak("token", "report.html"));
    }

    #[test]
    fn an_archive_that_cannot_be_read_is_not_announced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        std::fs::write(&path, b"no archive").unwrap();
        assert!(matches!(archive(&engine(), &path, None), Err(ExamineError::Unverified(_))));
    }

    #[test]
    fn a_word_of_ours_that_somebody_took_for_a_password_is_no_leak() {
        let key = PseudonymKey::from_hex(&"42".repeat(32)).unwrap();
        let mut learner = Learner::new(&Settings::default(), key).unwrap();
        learner.learn_secret(b"thp_eligible", crate::redact::Class::Password);
        learner.learn_secret(b"self.coverage", crate::redact::Class::Password);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.zip");
        std::fs::write(&path, zip(&[("report.html", b"<p>self.coverage")], CompressionMethod::Stored)).unwrap();
        archive(&learner.finish(), &path, None).unwrap();
    }
}
