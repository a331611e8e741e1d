//! The engine alone: files, whole directory trees and standard input, learned and masked as one run.

mod source;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use source::Source;

use super::engine::Engine;
use super::error::RedactError;
use super::explain::Place;
use super::learner::Learner;
use super::pseudonym::PseudonymKey;
use super::settings::{Settings, SettingsError};
use super::summary::Summary;

/// Files of one run.
const FILES_MAX: usize = 1 << 20;

/// Why a run did not begin, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The user's rules cannot be used.
    #[error("the redaction rules cannot be used")]
    Settings(#[from] SettingsError),
    /// A path that was named cannot be read.
    #[error("{} cannot be read", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The directory for the results cannot be written, or a result stands there already.
    #[error("{} cannot be written", path.display())]
    Output {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Two inputs would be written to one place.
    #[error("two inputs would both be written to {}", path.display())]
    Collision {
        /// That place.
        path: PathBuf,
    },
    /// There are too many files.
    #[error("more than {FILES_MAX} files")]
    TooMany,
    /// The data of the only input cannot be redacted.
    #[error("the input cannot be redacted")]
    Redact(#[from] RedactError),
}

/// What became of a run.
#[derive(Debug)]
pub struct Report {
    /// Counts, without values.
    pub summary: Summary,
    /// Files that were not redacted and therefore not written, by their masked names, each with the reason; a note stands in
    /// their place.
    pub failed: Vec<(String, RedactError)>,
    /// Links and special files that were passed over, by their masked names.
    pub passed_over: Vec<String>,
}

/// Tells whoever runs it where each mask stands: an input's name, masked, and the place.
pub type Explain<'a> = &'a mut dyn FnMut(&str, &Place);

/// Masks one input.
///
/// # Errors
/// When the rules are bad, or the input cannot be redacted. What was written then is not to be used.
pub fn one(
    settings: &Settings,
    key: PseudonymKey,
    name: &str,
    reader: &mut dyn Read,
    writer: &mut dyn Write,
    explain: Option<Explain<'_>>,
) -> Result<Report, RunError> {
    alone(settings, key, name, Source::spooled(name, reader)?, writer, explain)
}

/// Masks one open file. It is read twice where it is, and only up to the length that it has now: a log may grow.
///
/// # Errors
/// As for [`one`].
pub fn file(
    settings: &Settings,
    key: PseudonymKey,
    name: &str,
    file: File,
    writer: &mut dyn Write,
    explain: Option<Explain<'_>>,
) -> Result<Report, RunError> {
    alone(settings, key, name, Source::opened(name, file)?, writer, explain)
}

fn alone(
    settings: &Settings,
    key: PseudonymKey,
    name: &str,
    mut source: Source,
    writer: &mut dyn Write,
    explain: Option<Explain<'_>>,
) -> Result<Report, RunError> {
    let mut learner = Learner::new(settings, key)?;
    source.learn(&mut learner, name)?;
    let engine = learner.finish();
    engine.self_test()?;
    source.mask(&engine, name, writer)?;
    writer.flush().map_err(RedactError::Write)?;
    if let Some(explain) = explain {
        let shown = engine.name(name);
        source.places(&engine, &mut |place| explain(&shown, &place))?;
    }
    Ok(Report { summary: engine.summary(), failed: Vec::new(), passed_over: Vec::new() })
}

/// A file to mask, and its place below the directory of the results.
struct Input {
    path: PathBuf,
    below: PathBuf,
    /// What is read, or why it cannot be; nothing before it was opened.
    source: Result<Option<Source>, RedactError>,
}

/// What lies below the paths that were named.
#[derive(Default)]
struct Gathered {
    inputs: Vec<Input>,
    passed_over: Vec<PathBuf>,
}

/// Masks files and directory trees as one run: a secret found in one is masked in all. Each is written below
/// `output_dir` at its path below the argument it came from, with masked names; links and special files are left out.
///
/// # Errors
/// When the rules are bad, a named path cannot be read, or the results cannot be written. A file that cannot be redacted is
/// no error: a note takes its place.
pub fn tree(
    settings: &Settings,
    key: PseudonymKey,
    paths: &[PathBuf],
    output_dir: &Path,
    mut explain: Option<Explain<'_>>,
) -> Result<Report, RunError> {
    let mut learner = Learner::new(settings, key)?;
    let Gathered { mut inputs, passed_over } = gathered(paths)?;
    for input in inputs.iter_mut().filter(|input| input.source.is_ok()) {
        let name = name_of(input);
        let source = Source::open(&input.path);
        // Descriptors are few and files many: it is opened anew for the second pass, which compares what it reads.
        input.source = source.and_then(|mut source| source.learn(&mut learner, &name).map(|()| Some(source.closed())));
    }
    let engine = learner.finish();
    engine.self_test()?;
    let (mut failed, mut taken) = (Vec::new(), std::collections::HashSet::new());
    for input in inputs {
        let place = output_dir.join(masked_path(&engine, &input.below));
        if !taken.insert(place.clone()) {
            return Err(RunError::Collision { path: place });
        }
        let name = engine.name(&name_of(&input));
        if let Some(error) = masked_file(&engine, input, &place, &mut explain)? {
            failed.push((name, error));
        }
    }
    let passed_over = passed_over.iter().map(|path| engine.name(&path.display().to_string())).collect();
    Ok(Report { summary: engine.summary(), failed, passed_over })
}

fn gathered(paths: &[PathBuf]) -> Result<Gathered, RunError> {
    let mut gathered = Gathered::default();
    for path in paths {
        let metadata = fs::symlink_metadata(path).map_err(|source| RunError::Path { path: path.clone(), source })?;
        if !metadata.is_dir() {
            let below = path.file_name().map_or_else(|| PathBuf::from("file"), PathBuf::from);
            gathered.inputs.push(Input { path: path.clone(), below, source: Ok(None) });
            continue;
        }
        for entry in WalkDir::new(path).follow_links(false).sort_by_file_name() {
            let below = |at: &Path| at.strip_prefix(path).unwrap_or(at).to_owned();
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => {
                    let below = below(entry.path());
                    gathered.inputs.push(Input { path: entry.into_path(), below, source: Ok(None) });
                }
                Ok(entry) => gathered.passed_over.push(entry.into_path()),
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    let below = below(&at);
                    let source = Err(RedactError::Read(error.into()));
                    gathered.inputs.push(Input { path: at, below, source });
                }
            }
            if gathered.inputs.len() + gathered.passed_over.len() > FILES_MAX {
                return Err(RunError::TooMany);
            }
        }
    }
    Ok(gathered)
}

fn name_of(input: &Input) -> String {
    input.path.display().to_string()
}

/// A path below the results: its parts masked, and no part that would lead out of it.
fn masked_path(engine: &Engine, below: &Path) -> PathBuf {
    below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(engine.name(&name.to_string_lossy())),
            _ => None,
        })
        .collect()
}

/// Writes the masked file, or a note in its place; the error that made it a note.
fn masked_file(
    engine: &Engine,
    input: Input,
    place: &Path,
    explain: &mut Option<Explain<'_>>,
) -> Result<Option<RedactError>, RunError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| RunError::Output { path, source }
    };
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(unwritable(parent))?;
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(place).map_err(unwritable(place))?;
    let name = name_of(&input);
    let masked = input.source.and_then(|source| {
        let source = source.ok_or(RedactError::Panicked)?;
        let mut source = source.reopened(&input.path)?;
        source.mask(engine, &name, &mut out)?;
        match explain {
            None => Ok(()),
            Some(explain) => {
                let shown = engine.name(&name);
                source.places(engine, &mut |place| explain(&shown, &place))
            }
        }
    });
    let Err(error) = masked else { return Ok(None) };
    drop(out);
    fs::remove_file(place).map_err(unwritable(place))?;
    let mut name = place.file_name().map_or_else(Default::default, std::ffi::OsStr::to_owned);
    name.push(".redaction-failed.txt");
    let note = place.with_file_name(name);
    fs::write(&note, format!("This file was left out: {error}.\n")).map_err(unwritable(&note))?;
    Ok(Some(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal")
    }

    #[test]
    fn a_secret_found_in_one_file_is_masked_in_all() {
        let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        fs::create_dir(from.path().join("sub")).expect("a directory");
        fs::write(from.path().join(".pgpass"), "db:5432:*:app:x8Kq2mZw91LpT\n").expect("a file");
        fs::write(from.path().join("sub/app.log"), "cannot log in with x8Kq2mZw91LpT\n").expect("a file");
        fs::write(from.path().join("sub/x8Kq2mZw91LpT.txt"), "nothing\n").expect("a file");
        std::os::unix::fs::symlink("/etc/passwd", from.path().join("link")).expect("a link");
        let report =
            tree(&Settings::default(), key(), &[from.path().to_owned()], to.path(), None).expect("it is masked");
        assert!(report.failed.is_empty());
        assert_eq!(report.passed_over, [from.path().join("link").display().to_string()]);
        let mut written: Vec<(String, String)> = WalkDir::new(to.path())
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let below = entry.path().strip_prefix(to.path()).expect("it is below").display().to_string();
                (below, fs::read_to_string(entry.path()).expect("text"))
            })
            .collect();
        written.sort();
        let mask = written[0].1["db:5432:*:app:".len()..].trim_end().to_owned();
        assert!(mask.starts_with("REDACTED-pw-"), "{mask}");
        let wanted = [
            (".pgpass".to_owned(), format!("db:5432:*:app:{mask}\n")),
            (format!("sub/{mask}.txt"), "nothing\n".to_owned()),
            ("sub/app.log".to_owned(), format!("cannot log in with {mask}\n")),
        ];
        assert_eq!(written, wanted);
    }

    #[test]
    fn standard_input_is_masked_by_what_it_holds() {
        let mut out = Vec::new();
        let input = "db:5432:*:app:x8Kq2mZw91LpT\nother:5432:*:app:q7Wm3nXv82KoS\n";
        one(&Settings::default(), key(), "stdin", &mut input.as_bytes(), &mut out, None).expect("it is masked");
        let out = String::from_utf8(out).expect("text");
        assert_eq!(out.matches("REDACTED-pw-").count(), 2, "{out}");
    }

    #[test]
    fn nothing_is_written_over() {
        let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        fs::write(from.path().join("a"), "x\n").expect("a file");
        fs::write(to.path().join("a"), "mine\n").expect("a file");
        let again = tree(&Settings::default(), key(), &[from.path().join("a")], to.path(), None);
        assert!(matches!(again, Err(RunError::Output { .. })));
        assert_eq!(fs::read_to_string(to.path().join("a")).expect("text"), "mine\n");
    }

    #[test]
    fn a_place_is_told_and_no_value() {
        let mut told = Vec::new();
        let input = "a=1\n  password=hunter2x token: abcdef0123\n";
        let mut out = Vec::new();
        let mut explain = |name: &str, place: &Place| {
            told.push(format!("{name}:{}:{} {}", place.line, place.column, place.rule));
        };
        one(&Settings::default(), key(), "x.log", &mut input.as_bytes(), &mut out, Some(&mut explain))
            .expect("it is masked");
        assert_eq!(told, ["x.log:2:12 key", "x.log:2:28 key"]);
    }

    #[test]
    fn packed_and_wide_text_is_masked_and_what_is_not_read_here_is_left_out() {
        let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"password=x8Kq2mZw91LpT\n").expect("memory");
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            bomb.write_all(&vec![b'a'; 1 << 20]).expect("memory");
        }
        for (name, bytes) in [
            ("a.log.gz", gzip.finish().expect("memory")),
            ("b.txt", wide("\u{feff}password=x8Kq2mZw91LpT\r\n")),
            ("c.txt", wide("nothing but x8Kq2mZw91LpT here, and no mark in front of it\r\n")),
            ("d.log.zst", b"\x28\xb5\x2f\xfd....".to_vec()),
            ("e.log.gz", bomb.finish().expect("memory")),
            ("f.bin", b"\0\x01\xff password=x8Kq2mZw91LpT \xfe\n".to_vec()),
        ] {
            fs::write(from.path().join(name), bytes).expect("a file");
        }
        let report =
            tree(&Settings::default(), key(), &[from.path().to_owned()], to.path(), None).expect("it is masked");
        let read = |name: &str| fs::read(to.path().join(name)).expect("a file");
        let packed = read("a.log.gz");
        let text = io::read_to_string(flate2::read::MultiGzDecoder::new(&packed[..])).expect("text");
        let mask = text.trim_end().strip_prefix("password=").expect("a mask");
        assert!(mask.starts_with("REDACTED-pw-"), "{text}");
        assert_eq!(read("b.txt"), wide(&format!("\u{feff}password={mask}\r\n")));
        assert_eq!(read("c.txt"), wide(&format!("nothing but {mask} here, and no mark in front of it\r\n")));
        assert_eq!(read("f.bin"), [b"\0\x01\xff password=", mask.as_bytes(), b" \xfe\n"].concat());
        let note = |name: &str| String::from_utf8(read(name)).expect("text");
        assert_eq!(
            note("d.log.zst.redaction-failed.txt"),
            "This file was left out: it is packed in a form that is not read here.\n"
        );
        assert_eq!(
            note("e.log.gz.redaction-failed.txt"),
            "This file was left out: it unpacks to more than 200 times its size.\n"
        );
        assert_eq!(report.failed.len(), 2);
    }
}
