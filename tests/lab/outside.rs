//! Outside the namespaces: makes them, waits, and undoes what they do not contain.

use std::process::{Command, ExitCode};
use std::thread;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::ledger::Ledger;
use crate::{Outcome, SWITCH};

/// Programs that the lab starts, and the Debian packages that have them.
const PROGRAMS: &[(&str, &str)] = &[
    ("unshare", "util-linux"),
    ("mount", "mount"),
    ("umount", "mount"),
    ("swapon", "mount"),
    ("mkswap", "util-linux"),
    ("prlimit", "util-linux"),
    ("losetup", "mount"),
    ("mkfs.ext4", "e2fsprogs"),
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("openssl", "openssl"),
];

pub(crate) fn main() -> Outcome<ExitCode> {
    if !geteuid().is_root() {
        return Err("it plants real faults and must run as root".into());
    }
    missing_programs()?;
    let _ledger = Ledger::begin()?;
    let folder = tempfile::Builder::new().prefix("snapvisor-lab-").tempdir()?;
    // The server runs as another user and must reach its files.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let mut child = Command::new("unshare")
        .args([
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--kill-child=SIGKILL",
            "--mount-proc",
            "--propagation",
            "private",
        ])
        .arg(std::env::current_exe()?)
        .arg("--inside")
        .arg(folder.path())
        .env(SWITCH, std::env::var_os(SWITCH).unwrap_or_default())
        .spawn()?;
    end_on_signal(Pid::from_child(&child));
    let status = child.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn missing_programs() -> Outcome<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let there = |program: &str| path.split(':').any(|folder| std::path::Path::new(folder).join(program).exists());
    let missing: Vec<String> = PROGRAMS
        .iter()
        .filter(|(program, _)| !there(program))
        .map(|(program, package)| format!("{program} (package {package})"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("it needs {}", missing.join(", ")).into()) }
}

/// Ctrl-C and SIGTERM end what runs inside, so that `main` goes on and undoes.
fn end_on_signal(inside: Pid) {
    use tokio::signal::unix::{SignalKind, signal};
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        let _ = kill_process(inside, Signal::KILL);
    });
}
