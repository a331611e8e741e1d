//! `snapvisor snapshot download`: resumes, checks, and lets a file appear only when it is whole.
//!
//! While it runs there are `FILE.partial` and `FILE.partial.etag`, which says of which archive the part is. A break
//! leaves both, and the next run goes on from there; a part of another archive is begun anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::ApiArgs;
use super::client::{ApiError, Client, Detail, Part, Row, header, read_rows};
use crate::cli::progress::Bar;
use crate::cli::{CliError, Exit, place};
use crate::config::Config;
use crate::domain::hex::hex;
use crate::domain::id::SnapshotId;
use crate::durable;

/// Breaks without a byte in between after which it is given up.
const BREAKS_MAX: u32 = 5;
/// The pause after the first break; each further one takes as much longer.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// Rows among which `latest` and names are looked for.
const ROWS_SEARCHED_MAX: usize = 10_000;

/// Download the archives of a snapshot.
///
/// A download that broke off is resumed by the same command. The file appears under its name only when it is complete
/// and its size and SHA-256 are right.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor snapshot download latest                            the newest snapshot, every node
  snapvisor snapshot download 17 --output node-a.zip            one row
  snapvisor snapshot download snapshot-20260601-103000 --output /var/tmp")]
pub(super) struct Download {
    /// A row's id, a snapshot's name, or `latest`.
    #[arg(value_name = "ID|NAME|latest")]
    which: String,
    /// The file to write, or the directory to write into.
    #[arg(long, default_value = ".", value_name = "FILE|DIR")]
    output: PathBuf,
    #[command(flatten)]
    api: ApiArgs,
}

impl Download {
    pub(super) fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        place::refuse_in_iggy(&self.output, config)?;
        if !self.output.is_dir() {
            place::refuse_special(&self.output)?;
        }
        let client = self.api.client(config)?;
        let ids = match self.which.parse::<SnapshotId>() {
            Ok(id) => vec![id],
            Err(_) => rows_of(&client, &self.which)?,
        };
        if ids.len() > 1 && !self.output.is_dir() {
            let problem = format!("the snapshot has {} archives: --output must be a directory", ids.len());
            return Err(CliError::Usage(problem));
        }
        for id in ids {
            let path = Transfer::new(&client, id, &self.output)?.run()?;
            writeln!(out, "{}", path.display())?;
        }
        Ok(Exit::Done)
    }
}

fn rows_of(client: &Client, which: &str) -> Result<Vec<SnapshotId>, CliError> {
    let rows = read_rows(&client.rows(ROWS_SEARCHED_MAX)?)?;
    let over = |name: &str| rows.iter().filter(|row| row.name == name).all(|row| row.completed_at.is_some());
    let name = match which {
        "latest" => rows.iter().map(|row| row.name.as_str()).find(|name| over(name)),
        name => Some(name),
    };
    let of_name: Vec<&Row> = rows.iter().filter(|row| Some(row.name.as_str()) == name).collect();
    match of_name.as_slice() {
        [] if which == "latest" => Err(CliError::Refused("there is no completed snapshot".to_owned())),
        [] => Err(CliError::Refused(format!("there is no snapshot `{which}`"))),
        rows => Ok(rows.iter().map(|row| row.id).collect()),
    }
}

/// One archive on its way.
struct Transfer<'a> {
    client: &'a Client,
    id: SnapshotId,
    detail: Detail,
    output: &'a Path,
}

/// Where the parts are.
struct Files {
    target: PathBuf,
    partial: PathBuf,
    etag: PathBuf,
}

impl Files {
    fn of(target: PathBuf) -> Self {
        let with = |suffix: &str| {
            let mut name = target.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { partial: with(".partial"), etag: with(".partial.etag"), target }
    }

    /// The rest that is missing, if what is here is the beginning of `etag`.
    fn part(&self, etag: &str, total: u64) -> Option<Part> {
        let from = fs::metadata(&self.partial).ok()?.len();
        // An archive without a name cannot be told from another one.
        let same = !etag.is_empty() && fs::read_to_string(&self.etag).ok()? == etag;
        (same && from > 0 && from <= total).then(|| Part { from, etag: etag.to_owned() })
    }
}

impl<'a> Transfer<'a> {
    fn new(client: &'a Client, id: SnapshotId, output: &'a Path) -> Result<Self, CliError> {
        Ok(Self { client, id, detail: client.detail(id)?, output })
    }

    fn run(&self) -> Result<PathBuf, CliError> {
        let mut breaks = 0;
        loop {
            match self.attempt() {
                Ok(path) => return Ok(path),
                Err(Break::For(error)) => return Err(error),
                Err(Break::Off { progress: Progressed::Yes, .. }) => breaks = 0,
                Err(Break::Off { error, .. }) if breaks >= BREAKS_MAX => return Err(error),
                Err(Break::Off { .. }) => breaks += 1,
            }
            thread::sleep(PAUSE * (breaks + 1));
        }
    }

    fn attempt(&self) -> Result<PathBuf, Break> {
        let link = self.client.link(self.id)?;
        let whole = self.client.open(&link, None)?;
        let etag = header(whole.headers(), "etag").unwrap_or_default();
        let total = whole.body().content_length();
        let total = total.ok_or_else(|| ApiError::Answer("the archive comes without a content-length".to_owned()))?;
        let files = Files::of(target(self.output, whole.headers(), self.id));
        let (mut answer, mut from) = (whole, 0);
        if let Some(part) = files.part(&etag, total) {
            from = part.from;
            if from < total {
                answer = self.client.open(&link, Some(&part))?;
                from = if answer.status() == StatusCode::PARTIAL_CONTENT { from } else { 0 };
            }
        }
        let mut file = open_partial(&files, &etag, from)?;
        if from < total {
            receive(&mut answer, &mut file, &files, from, total)?;
        }
        self.check(&mut file, &files, total)?;
        appear(&file, &files)?;
        Ok(files.target)
    }

    fn check(&self, file: &mut File, files: &Files, total: u64) -> Result<(), Break> {
        let failed = |source| failed("read", &files.partial, source);
        let length = file.metadata().map_err(failed)?.len();
        let promised = self.detail.size_bytes.unwrap_or(total);
        let mut problem = (length != promised).then(|| format!("{length} bytes in place of {promised}"));
        if let (None, Some(stated)) = (&problem, &self.detail.sha256) {
            let found = sha256(file).map_err(failed)?;
            problem = (found != *stated).then(|| format!("its SHA-256 is {found} in place of {stated}"));
        }
        let Some(problem) = problem else { return Ok(()) };
        for path in [&files.partial, &files.etag] {
            fs::remove_file(path).map_err(|source| self::failed("removed", path, source))?;
        }
        Err(ApiError::Damaged(problem).into())
    }
}

/// Why an attempt ended without a file.
enum Break {
    /// Trying again will not help.
    For(CliError),
    /// Trying again may help.
    Off { error: CliError, progress: Progressed },
}

enum Progressed {
    Yes,
    No,
}

impl From<ApiError> for Break {
    fn from(error: ApiError) -> Self {
        if error.is_passing() {
            Self::Off { error: error.into(), progress: Progressed::No }
        } else {
            Self::For(error.into())
        }
    }
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> Break {
    Break::For(CliError::File { what, path: path.to_owned(), source })
}

/// The file to write: what was asked for, or the name that the server gives, if it is a plain one.
fn target(output: &Path, headers: &ureq::http::HeaderMap, id: SnapshotId) -> PathBuf {
    if !output.is_dir() {
        return output.to_owned();
    }
    let disposition = header(headers, "content-disposition").unwrap_or_default();
    let named = disposition.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next());
    let plain = |name: &&str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !name.is_empty() && !name.starts_with('.') && name.chars().all(legal)
    };
    output.join(named.filter(plain).map_or_else(|| format!("snapshot-{id}.zip"), str::to_owned))
}

fn open_partial(files: &Files, etag: &str, from: u64) -> Result<File, Break> {
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        options
    };
    let mut file = options().open(&files.partial).map_err(|source| failed("written", &files.partial, source))?;
    if from == 0 {
        let begun = file.set_len(0).and_then(|()| {
            let mut etag_file = options().truncate(true).open(&files.etag)?;
            etag_file.write_all(etag.as_bytes())
        });
        begun.map_err(|source| failed("written", &files.etag, source))?;
    }
    file.seek(SeekFrom::Start(from)).map_err(|source| failed("written", &files.partial, source))?;
    Ok(file)
}

fn receive(answer: &mut Response<Body>, file: &mut File, files: &Files, from: u64, total: u64) -> Result<(), Break> {
    let bar = Bar::new(total);
    let mut body = answer.body_mut().as_reader();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = from;
    while at < total {
        let read = match body.read(&mut chunk) {
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            other => other,
        };
        let length = read.map_err(|error| Break::Off {
            error: ApiError::Interrupted(error).into(),
            progress: if at > from { Progressed::Yes } else { Progressed::No },
        })?;
        file.write_all(&chunk[..length]).map_err(|source| failed("written", &files.partial, source))?;
        at += length as u64;
        bar.at(at);
    }
    Ok(())
}

fn sha256(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => digest.update(&chunk[..length]),
        }
    }
    Ok(hex(&digest.finalize()))
}

/// The file is there whole, or not at all.
fn appear(file: &File, files: &Files) -> Result<(), Break> {
    durable::appear(file, &files.partial, &files.target).map_err(|source| failed("written", &files.target, source))?;
    fs::remove_file(&files.etag).map_err(|source| failed("removed", &files.etag, source))
}
