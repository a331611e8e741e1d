//! `snapvisor redact`: the redaction engine alone.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::output::printable;
use super::settings::Overrides;
use super::{CliError, Exit, place};
use crate::redact::run::{self, Explain, RunError};
use crate::redact::{Place, PseudonymKey, Summary};

/// Mask the secrets in files, directory trees or standard input.
///
/// One file, or standard input, goes to standard output. With --output-dir several files and whole trees are one run: a
/// secret found in one is masked in all, under the same pseudonym, and each file is written below the directory at its
/// path below the argument it came from. What an ordinary word could be (`falcon4821`, anything below 8 bytes) is masked
/// only where its place says that it is secret: masked everywhere it would blank what it has nothing to do with.
///
/// Left out, each with a note in its place: archives, databases and what is packed in another form than gzip.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  journalctl -u iggy | snapvisor redact > iggy.log
  snapvisor redact /etc/iggy/server.toml
  snapvisor redact /var/log/iggy /etc/iggy --output-dir masked --explain")]
pub(super) struct Redact {
    /// Files and directories; none, or -, is standard input.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the masked files below this directory.
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Tell on standard error which rule masked something where, with its file, line and column, and how much in all; never a value.
    #[arg(long)]
    explain: bool,
}

impl Redact {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let config = Overrides::default().load(file)?.config;
        if let Some(output_dir) = &self.output_dir {
            place::refuse_in_iggy(output_dir, &config)?;
        }
        let settings = config.redaction;
        let key = PseudonymKey::generate().map_err(|_| CliError::Usage("no random numbers".to_owned()))?;
        let mut told = |name: &str, place: &Place| {
            let (name, Place { line, column, rule, mask }) = (printable(name), place);
            let _ = writeln!(io::stderr(), "{name}:{line}:{column}: {rule} {mask}");
        };
        let explained: Option<Explain<'_>> = if self.explain { Some(&mut told) } else { None };
        let report = match (&self.output_dir, self.paths.as_slice()) {
            (Some(_), []) => return Err(CliError::Usage("--output-dir needs paths to read".to_owned())),
            (Some(output_dir), paths) => run::tree(&settings, key, paths, output_dir, explained)?,
            (None, [] | [_]) => match self.file()? {
                Some((name, file)) => run::file(&settings, key, &name, file, out, explained)?,
                None => run::one(&settings, key, "standard input", &mut io::stdin(), out, explained)?,
            },
            (None, _) => return Err(CliError::Usage("several paths need --output-dir".to_owned())),
        };
        for (name, error) in &report.failed {
            let _ = writeln!(io::stderr(), "left out: {}: {error}", printable(name));
        }
        for name in &report.passed_over {
            let _ = writeln!(io::stderr(), "passed over: {}: no regular file", printable(name));
        }
        if self.explain {
            explain(&report.summary);
        }
        Ok(if report.failed.is_empty() { Exit::Done } else { Exit::Failed })
    }

    /// The file to mask; `None` is standard input.
    fn file(&self) -> Result<Option<(String, File)>, RunError> {
        let Some(path) = self.paths.first().filter(|path| path.as_os_str() != "-") else { return Ok(None) };
        let unreadable = |source| RunError::Path { path: path.clone(), source };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Some((path.display().to_string(), file)))
    }
}

fn explain(summary: &Summary) {
    let mut err = io::stderr().lock();
    for (title, counts) in [("rule", &summary.rules), ("file", &summary.artifacts)] {
        let _ = writeln!(err, "{:>8} {:>8}  {title}", "masks", "secrets");
        for (name, masks) in counts {
            let _ = writeln!(err, "{:>8} {:>8}  {}", masks.masks, masks.secrets, printable(name));
        }
    }
    for (rule, count) in &summary.propagation_suppressed {
        let _ =
            writeln!(err, "{count} secrets of {rule} are common words here and were masked only where they were found");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_goes_to_standard_output() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "password=hunter2\nx=1\n").expect("it is written");
        let command = Redact { paths: vec![file.path().to_owned()], output_dir: None, explain: false };
        let mut out = Vec::new();
        command.run(None, &mut out).expect("it is masked");
        let out = String::from_utf8(out).expect("text");
        assert!(out.starts_with("password=REDACTED-pw-") && out.ends_with("\nx=1\n"), "{out}");
    }

    #[test]
    fn several_paths_need_a_place() {
        let command = Redact { paths: vec!["a".into(), "b".into()], output_dir: None, explain: false };
        assert!(matches!(command.run(None, &mut Vec::new()), Err(CliError::Usage(_))));
    }
}
