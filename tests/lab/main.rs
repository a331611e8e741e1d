//! The fault lab: real faults on a live host, planted one at a time, each of which must be found and named.
//!
//! `make test-lab` runs it; `cargo test` alone does not, since it needs root. The program has four roles. *Outside* it
//! makes a folder, starts itself again in mount, network and process namespaces of its own, and in the end undoes what
//! namespaces do not contain. *Inside* it builds a host with an Iggy server on it and plants the faults. As a file named
//! `iggy-server` it *is* that server. And it can *stall* on a path. Invariant: whatever ends it, nothing stays behind:
//! processes and mounts end with their namespaces, everything else stands in a ledger before it is done.

#![expect(clippy::print_stderr, reason = "a program for a terminal")]

mod faults;
mod judge;
mod lab;
mod ledger;
mod outside;
mod planting;
mod server;
mod snapshot;
mod volume;

use std::path::Path;
use std::process::ExitCode;

/// What can go wrong in the lab itself, for a person to read.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The variable that switches the lab on: `all`, or a part of the names of the faults to plant.
const SWITCH: &str = "SNAPVISOR_LAB";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let program = arguments.first().and_then(|path| Path::new(path).file_name()?.to_str()).unwrap_or_default();
    let outcome = match (program, arguments.get(1).map(String::as_str), arguments.get(2)) {
        ("iggy-server", _, _) => server::main(),
        (_, Some("--inside"), Some(folder)) => inside(Path::new(folder)),
        (_, Some("--stall"), Some(path)) => stall(path),
        _ if std::env::var_os(SWITCH).is_some() => outside::main(),
        _ => {
            println!("the fault lab was not run: it needs root and plants real faults (make test-lab)");
            Ok(ExitCode::SUCCESS)
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("lab: {error}");
        ExitCode::FAILURE
    })
}

fn inside(folder: &Path) -> Outcome<ExitCode> {
    let mut lab = lab::Lab::build(folder)?;
    judge::run(&mut lab)
}

/// Waits for a path that never answers.
fn stall(path: &str) -> Outcome<ExitCode> {
    println!("ready");
    std::fs::metadata(path)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a program to its end; its complaint is the error.
fn run(program: &str, arguments: &[&str]) -> Outcome<()> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {}", arguments.join(" "), complaint.trim()).into())
}
