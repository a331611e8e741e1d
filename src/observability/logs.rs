//! Log lines: text for people or a JSON object a line, to standard error and perhaps a file, masked.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::redact::Engine;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text(Colour),
    /// A JSON object.
    Json,
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With the escape sequences of terminals.
    Terminal,
    /// Plain.
    None,
}

/// Where log lines go and what masks them.
pub struct Logs {
    format: Format,
    engine: Engine,
    sinks: Vec<Sink>,
}

type Sink = Mutex<Box<dyn Write + Send>>;

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").field("format", &self.format).field("sinks", &self.sinks.len()).finish_non_exhaustive()
    }
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The log file.
    #[error("cannot open the log file {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// This process logs already.
    #[error("logging was started before")]
    Started,
}

impl Logs {
    /// Lines of this format to standard error, masked by `engine`.
    #[must_use]
    pub fn to_stderr(format: Format, engine: Engine) -> Self {
        Self { format, engine, sinks: vec![Mutex::new(Box::new(io::stderr()))] }
    }

    /// The same lines to a file as well; what is in it stays. A new file is readable by its owner and group.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn and_file(mut self, path: &Path) -> Result<Self, LogsError> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
        let file = opened.map_err(|source| LogsError::File { path: path.to_owned(), source })?;
        self.sinks.push(Mutex::new(Box::new(file)));
        Ok(self)
    }

    /// Starts logging for the whole process. From here on a panic is a log line too, so that its message is masked.
    ///
    /// # Errors
    /// When the process logs already.
    pub fn start(self) -> Result<(), LogsError> {
        self.subscriber().try_init().map_err(|_| LogsError::Started)?;
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(message, place, "a part of the program panicked");
        }));
        Ok(())
    }

    /// Our own lines from `info` up. Other crates speak only when something is wrong: some of them write headers, and so
    /// keys, at their finer levels. For that reason no environment variable makes them talk.
    fn subscriber(self) -> impl Subscriber + Send + Sync {
        let wanted = Targets::new().with_default(LevelFilter::WARN).with_target("snapvisor", Level::INFO);
        let format = self.format;
        let layer = fmt::layer().with_target(false).with_writer(self);
        let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
            Format::Text(colour) => Box::new(layer.with_ansi(colour == Colour::Terminal)),
            Format::Json => Box::new(layer.json().flatten_event(true).with_span_list(false)),
        };
        Registry::default().with(layer.with_filter(wanted))
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Lines<'a>;

    fn make_writer(&'a self) -> Lines<'a> {
        Lines(self)
    }
}

/// Writes whole lines: the formatter gives each event in one piece.
#[derive(Debug)]
pub struct Lines<'a>(&'a Logs);

impl Write for Lines<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = self.0.engine.text(&String::from_utf8_lossy(line));
        for sink in &self.0.sinks {
            // A sink that fails (a full disk, a closed pipe) must not take the line from the others.
            let _ = sink.lock().unwrap_or_else(PoisonError::into_inner).write_all(masked.as_bytes());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::redact::{PseudonymKey, Settings};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, log: impl FnOnce()) -> String {
        let memory = Memory::default();
        let engine = Engine::unlearned(&Settings::default(), PseudonymKey::generate().unwrap()).unwrap();
        let logs = Logs { format, engine, sinks: vec![Mutex::new(Box::new(memory.clone()))] };
        tracing::subscriber::with_default(logs.subscriber(), log);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_has_its_fields_at_the_top() {
        let line = logged(Format::Json, || tracing::info!(target: "snapvisor", status = 204, route = "/x", "answered"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["message"], &value["status"], &value["route"]),
            (&"answered".into(), &204.into(), &"/x".into())
        );
        assert_eq!(value["level"], "INFO");
    }

    #[test]
    fn text_is_one_line_an_event() {
        let text = logged(Format::Text(Colour::None), || {
            tracing::info!(target: "snapvisor", "one");
            tracing::info!(target: "snapvisor", "two");
        });
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().next().unwrap().ends_with(" INFO one"), "{text}");
    }

    #[test]
    fn other_crates_speak_only_when_something_is_wrong() {
        let text = logged(Format::Text(Colour::None), || {
            tracing::debug!(target: "h2", "headers");
            tracing::info!(target: "hyper", "chatter");
            tracing::debug!(target: "snapvisor::http", "detail");
            tracing::warn!(target: "hyper", "trouble");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("trouble"));
    }
}
