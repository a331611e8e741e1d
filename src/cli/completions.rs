//! `snapvisor completions`: from the table of commands.

use std::io::Write;

use clap_complete::Shell;

use super::{CliError, Exit};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor completions bash > /etc/bash_completion.d/snapvisor
  snapvisor completions zsh > /usr/local/share/zsh/site-functions/_snapvisor
  snapvisor completions fish > ~/.config/fish/completions/snapvisor.fish")]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Exit, CliError> {
        // Into memory first: the generator panics where the output cannot be written.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "snapvisor", &mut script);
        out.write_all(&script)?;
        Ok(Exit::Done)
    }
}
