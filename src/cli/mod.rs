//! The command line: one file per command; `serve` is the composition root.

/// Parses the command line, runs the command and gives the exit code.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
