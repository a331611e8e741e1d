//! The command line: one file per command; `serve` is the composition root.
//!
//! This room parses, calls the rooms below and prints; it decides nothing that a room below could decide. Invariant:
//! results go to standard output and nothing else does; messages, progress and logs go to standard error; the chain of
//! an error is printed once, here, and the exit code says which kind it was ([`Exit`]).

mod admin;
mod checks;
mod collect;
mod completions;
mod config;
mod error;
mod install;
mod man;
mod output;
mod place;
mod progress;
mod redact;
mod report;
mod serve;
mod settings;
mod snapshot;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use error::{CliError, Exit};

use crate::domain::causes::chain;
use crate::{examine, host};

/// What stands below `snapvisor --help`.
const AFTER_HELP: &str = "\
Start here:
  snapvisor collect                     take a snapshot of this host, no server needed
  snapvisor serve                       run the appliance on http://127.0.0.1:8787
  snapvisor snapshot create --wait      have a running appliance take one

Exit codes:
  0  done
  1  `collect --fail-on`: the snapshot is complete, and a check came out that bad
  2  the command line or the configuration is wrong; nothing was done
  3  it failed: a file, the database, the network or the other side
  4  it was refused: not found, not permitted, in conflict, or `--yes` is missing";

/// Diagnostic snapshots of the nodes of an Apache Iggy deployment.
///
/// A snapshot is a ZIP with a report of the host (what was found, how bad it is, what to do) and, unless it is left out,
/// Iggy's data directory. Secrets are masked before anything leaves the host. It is not a backup.
#[derive(Debug, Parser)]
#[command(name = "snapvisor", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    /// Read this configuration file instead of /etc/snapvisor/snapvisor.toml.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// The table of commands: help, completions and the man page are made of it.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Collect(collect::Collect),
    Snapshot(snapshot::Snapshot),
    Tenant(admin::tenant::Tenant),
    Division(admin::division::Division),
    Environment(admin::environment::Environment),
    Deployment(admin::deployment::Deployment),
    Node(admin::node::Node),
    Role(admin::role::Role),
    Key(admin::key::Key),
    Install(install::Install),
    Config(config::Config),
    Checks(checks::Checks),
    Redact(redact::Redact),
    Report(report::Report),
    Completions(completions::Completions),
    Man(man::Man),
}

/// What our own child processes are started as: before anything is parsed or read.
type Hidden = (&'static str, fn() -> ExitCode);
const HIDDEN: &[Hidden] =
    &[(examine::child::ARGUMENT, examine::child::main), (host::PROBE_MOUNTS_ARGUMENT, host::probe_mounts_main)];

/// Parses the command line, runs the command and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(name) = std::env::args_os().nth(1)
        && let Some((_, child)) = HIDDEN.iter().find(|(hidden, _)| name == *hidden)
    {
        return child();
    }
    let parsed = command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => conclude(run(cli, &mut io::stdout().lock())),
        Err(error) => {
            // Nothing can be said where the message itself cannot be written.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS }
        }
    }
}

/// The command line as clap knows it.
fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli, out: &mut dyn Write) -> Result<Exit, CliError> {
    let file = cli.config;
    match cli.command {
        Command::Serve(serve) => serve.run(file, out),
        Command::Collect(collect) => collect.run(file, out),
        Command::Snapshot(snapshot) => snapshot.run(file, out),
        Command::Tenant(tenant) => tenant.run(file, out),
        Command::Division(division) => division.run(file, out),
        Command::Environment(environment) => environment.run(file, out),
        Command::Deployment(deployment) => deployment.run(file, out),
        Command::Node(node) => node.run(file, out),
        Command::Role(role) => role.run(file, out),
        Command::Key(key) => key.run(file, out),
        Command::Install(install) => install.run(file, out),
        Command::Config(config) => config.run(file, out),
        Command::Checks(checks) => checks.run(file, out),
        Command::Redact(redact) => redact.run(file, out),
        Command::Report(report) => report.run(file, out),
        Command::Completions(completions) => completions.run(out),
        Command::Man(man) => man.run(out),
    }
}

/// The one place where an error is printed.
fn conclude(result: Result<Exit, CliError>) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", chain(&error));
            error.exit().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_commands_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_and_takes_a_configuration() {
        fn visit(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}: no help");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
            }
            for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
                visit(below, &path);
            }
        }
        let mut root = command();
        root.build();
        visit(&root, "");
        let parsed = Cli::try_parse_from(["snapvisor", "config", "show", "--config", "/a.toml"]).unwrap();
        assert_eq!(parsed.config, Some(PathBuf::from("/a.toml")));
    }
}
