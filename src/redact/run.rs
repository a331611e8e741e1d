//! The engine alone: files, whole directory trees and standard input, learned and masked as one run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::carrier::Carrier;
use super::engine::Engine;
use super::error::RedactError;
use super::learner::Learner;
use super::pseudonym::PseudonymKey;
use super::settings::{Settings, SettingsError};
use super::summary::Summary;

/// Files of one run.
const FILES_MAX: usize = 1 << 20;
/// Bytes of standard input that are kept, for it cannot be read twice.
const INPUT_BYTES_MAX: usize = 256 << 20;
/// Bytes looked at to tell a file's layout.
const SNIFFED_BYTES: usize = 64 << 10;

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
    /// Files that were not redacted and therefore not written, each with the reason; a note stands in their place.
    pub failed: Vec<(PathBuf, RedactError)>,
}

/// Masks one input that cannot be read twice.
///
/// # Errors
/// When the rules are bad, or the input cannot be redacted: nothing was written then.
pub fn one(
    settings: &Settings,
    key: PseudonymKey,
    name: &str,
    reader: &mut dyn Read,
    writer: &mut dyn Write,
) -> Result<Report, RunError> {
    let mut learner = Learner::new(settings, key)?;
    let (bytes, _) = super::engine::read_whole(reader, INPUT_BYTES_MAX)?;
    let carrier = carrier_of(name, &bytes);
    learner.learn(carrier, name, &bytes)?;
    let engine = learner.finish();
    engine.self_test()?;
    let masked = engine.bytes(carrier, name, &bytes)?;
    writer.write_all(&masked).map_err(RedactError::Write)?;
    writer.flush().map_err(RedactError::Write)?;
    Ok(Report { summary: engine.summary(), failed: Vec::new() })
}

/// A file to mask, and its place below the directory of the results.
struct Input {
    path: PathBuf,
    below: PathBuf,
    carrier: Carrier,
}

/// Masks files and directory trees as one run: a secret found in one is masked in all. Each is written below
/// `output_dir` at its path below the argument it came from, with masked names; links and special files are left out.
///
/// # Errors
/// When the rules are bad, a named path cannot be read, or the results cannot be written. A file that cannot be redacted is
/// no error: a note takes its place.
pub fn tree(settings: &Settings, key: PseudonymKey, paths: &[PathBuf], output_dir: &Path) -> Result<Report, RunError> {
    let mut learner = Learner::new(settings, key)?;
    let mut inputs = gathered(paths)?;
    for input in &mut inputs {
        let taken = File::open(&input.path).map_err(RedactError::Read).and_then(|mut file| {
            input.carrier = sniffed(&input.path, &mut file)?;
            learner.learn_stream(input.carrier, &name_of(input), &mut file)
        });
        // What cannot be learned from cannot be masked either; the second pass says so.
        drop(taken);
    }
    let engine = learner.finish();
    engine.self_test()?;
    let (mut failed, mut taken) = (Vec::new(), std::collections::HashSet::new());
    for input in &inputs {
        let place = output_dir.join(masked_path(&engine, &input.below));
        if !taken.insert(place.clone()) {
            return Err(RunError::Collision { path: place });
        }
        if let Some(error) = masked_file(&engine, input, &place)? {
            failed.push((input.path.clone(), error));
        }
    }
    Ok(Report { summary: engine.summary(), failed })
}

fn gathered(paths: &[PathBuf]) -> Result<Vec<Input>, RunError> {
    let mut inputs = Vec::new();
    for path in paths {
        let metadata = fs::symlink_metadata(path).map_err(|source| RunError::Path { path: path.clone(), source })?;
        if !metadata.is_dir() {
            let below = path.file_name().map_or_else(|| PathBuf::from("file"), PathBuf::from);
            inputs.push(Input { path: path.clone(), below, carrier: Carrier::Text });
            continue;
        }
        for entry in WalkDir::new(path).follow_links(false).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            if !entry.file_type().is_file() {
                continue;
            }
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path()).to_owned();
            inputs.push(Input { path: entry.into_path(), below, carrier: Carrier::Text });
            if inputs.len() > FILES_MAX {
                return Err(RunError::TooMany);
            }
        }
    }
    Ok(inputs)
}

fn name_of(input: &Input) -> String {
    input.path.display().to_string()
}

/// The carrier of a file by its name, else by its first bytes; the file stands at its start afterwards.
fn sniffed(path: &Path, file: &mut File) -> Result<Carrier, RedactError> {
    let mut head = Vec::new();
    file.take(SNIFFED_BYTES as u64).read_to_end(&mut head).map_err(RedactError::Read)?;
    file.seek(SeekFrom::Start(0)).map_err(RedactError::Read)?;
    Ok(carrier_of(&path.display().to_string(), &head))
}

fn carrier_of(name: &str, head: &[u8]) -> Carrier {
    match Carrier::of_path(name) {
        Carrier::Text => Carrier::of_content(head),
        carrier => carrier,
    }
}

/// A path below the results: its parts masked, and no part that would lead out of it.
fn masked_path(engine: &Engine, below: &Path) -> PathBuf {
    below
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(engine.text(&name.to_string_lossy())),
            _ => None,
        })
        .collect()
}

/// Writes the masked file, or a note in its place; the error that made it a note.
fn masked_file(engine: &Engine, input: &Input, place: &Path) -> Result<Option<RedactError>, RunError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| RunError::Output { path, source }
    };
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(unwritable(parent))?;
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(place).map_err(unwritable(place))?;
    let masked = File::open(&input.path)
        .map_err(RedactError::Read)
        .and_then(|mut file| engine.stream(input.carrier, &name_of(input), &mut file, &mut out));
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
        let report = tree(&Settings::default(), key(), &[from.path().to_owned()], to.path()).expect("it is masked");
        assert!(report.failed.is_empty());
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
        one(&Settings::default(), key(), "stdin", &mut input.as_bytes(), &mut out).expect("it is masked");
        let out = String::from_utf8(out).expect("text");
        assert_eq!(out.matches("REDACTED-pw-").count(), 2, "{out}");
    }

    #[test]
    fn nothing_is_written_over() {
        let (from, to) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        fs::write(from.path().join("a"), "x\n").expect("a file");
        fs::write(to.path().join("a"), "mine\n").expect("a file");
        let again = tree(&Settings::default(), key(), &[from.path().join("a")], to.path());
        assert!(matches!(again, Err(RunError::Output { .. })));
        assert_eq!(fs::read_to_string(to.path().join("a")).expect("text"), "mine\n");
    }
}
