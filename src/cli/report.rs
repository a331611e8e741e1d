//! `snapvisor report`: old archives, read again.
//!
//! It opens archives, asks [`crate::report`] for pages and writes them. Nothing is redacted here and nothing has to be:
//! what is read is proven to be the report that the archive's manifest states, and that was redacted when it was made.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::settings::Overrides;
use super::{CliError, Exit, place};
use crate::archive;
use crate::config::Config;
use crate::durable;
use crate::report::{diff, html};

/// Render the report of an archive again, or compare two.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor report render snapshot-20260601-103000-iggy-01.zip
  snapvisor report diff yesterday.zip today.zip                 one node, at two times
  snapvisor report diff iggy-01.zip iggy-02.zip                 two nodes of one snapshot: drift")]
pub(super) struct Report {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReportCommand {
    Render(Render),
    Diff(Diff),
}

/// Render an archive's report with the design of this version.
#[derive(Debug, clap::Args)]
struct Render {
    /// The archive.
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// The page to write, - for standard output [default: the archive's name with .html, in the working directory].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Tell what differs between two archives' reports, on the terminal and as a page.
///
/// Of one node at two times: which findings are new, worse, better or resolved, and which settings changed. Of two nodes:
/// how they drifted apart. Counters, sizes, times and process ids are left out.
#[derive(Debug, clap::Args)]
struct Diff {
    /// The first archive: the earlier one, or the first node's.
    #[arg(value_name = "ARCHIVE")]
    before: PathBuf,
    /// The second archive.
    #[arg(value_name = "ARCHIVE")]
    after: PathBuf,
    /// The page to write, - for standard output in place of the text [default: diff-FIRST-SECOND.html].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let config = Overrides::default().load(file)?.config;
        match self.command {
            ReportCommand::Render(render) => render.run(&config, out),
            ReportCommand::Diff(diff) => diff.run(&config, out),
        }
    }
}

impl Render {
    fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        let page = html::render(&read(&self.archive)?);
        let target = self.output.unwrap_or_else(|| format!("{}.html", stem(&self.archive)).into());
        if target.as_os_str() == "-" {
            out.write_all(page.as_bytes())?;
        } else {
            write(&target, page.as_bytes(), &[&self.archive], config)?;
            writeln!(out, "{}", target.display())?;
        }
        Ok(Exit::Done)
    }
}

impl Diff {
    fn run(self, config: &Config, out: &mut dyn Write) -> Result<Exit, CliError> {
        let (before, after) = (read(&self.before)?, read(&self.after)?);
        let comparison = diff::compare(&before, &after);
        let page = html::comparison(&comparison);
        let name = || format!("diff-{}-{}.html", stem(&self.before), stem(&self.after)).into();
        let target = self.output.unwrap_or_else(name);
        if target.as_os_str() == "-" {
            out.write_all(page.as_bytes())?;
        } else {
            write(&target, page.as_bytes(), &[&self.before, &self.after], config)?;
            write!(out, "{}", comparison.text())?;
            writeln!(out, "\n{}", target.display())?;
        }
        Ok(Exit::Done)
    }
}

/// The report of an archive.
///
/// # Errors
/// It is no archive of ours, was changed, or is of another version.
pub(super) fn read(path: &Path) -> Result<diff::Report, CliError> {
    archive::read_report(path).map_err(|source| CliError::OldReport { path: path.to_owned(), source })
}

/// The archive's name without its ending.
fn stem(archive: &Path) -> String {
    archive.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes a page for its owner alone: whole or not at all, and never over what it was made from.
fn write(target: &Path, page: &[u8], archives: &[&Path], config: &Config) -> Result<(), CliError> {
    place::refuse_in_iggy(target, config)?;
    place::refuse_special(target)?;
    let same =
        |archive: &&Path| fs::canonicalize(target).is_ok_and(|path| fs::canonicalize(archive).ok() == Some(path));
    if archives.iter().any(same) {
        return Err(CliError::Refused(format!("{} is the archive itself", target.display())));
    }
    let written = durable::replace(target, 0o600, |file| file.write_all(page));
    written.map_err(|source| CliError::File { what: "written", path: target.to_owned(), source })
}
