//! `snapvisor install`: a hardened systemd unit for `serve`, explained.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::settings::Overrides;
use super::{CliError, Exit, place};
use crate::config::{Config, SYSTEM_FILE};
use crate::durable;

/// The unit's name.
const UNIT: &str = "snapvisor.service";
/// Where units of the administrator's own are.
const UNIT_DIRECTORY: &str = "/etc/systemd/system";
/// Where the appliance's data goes, unless the configuration says otherwise; systemd makes it.
const STATE_DIRECTORY: &str = "/var/lib/snapvisor";

/// Write, explain and enable a hardened systemd unit that runs `snapvisor serve`.
///
/// The unit runs as root, since most of what a snapshot looks at is root's to see, but with everything taken from it
/// that it does not need: it writes nowhere but below its state directory, and its capabilities are those for looking.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor install --dry-run           print the unit, change nothing
  sudo snapvisor install                write it, enable it, start it")]
pub(super) struct Install {
    /// Print the unit and the commands, change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The data directory of the appliance.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// A line of the unit: why it is there, and what it says. Empty: a line without a comment.
type Line = (&'static str, String);

impl Install {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let file = file.map(|file| std::path::absolute(&file).unwrap_or(file));
        let loaded = Overrides::default().with_path("--data-dir", "data_dir", self.data_dir.as_deref())?.load(file)?;
        loaded.for_serving()?;
        let binary = std::env::current_exe().map_err(|source| CliError::File {
            what: "found",
            path: PathBuf::from("/proc/self/exe"),
            source,
        })?;
        let data_dir = data_dir(&loaded.config)?;
        let log_file = loaded.config.log_file.as_ref();
        for path in [Some(&binary), Some(&data_dir), loaded.file.as_ref(), log_file].into_iter().flatten() {
            refuse_unquotable(path)?;
        }
        for path in [Some(&data_dir), log_file].into_iter().flatten() {
            place::refuse_in_iggy(path, &loaded.config)?;
        }
        if log_file.is_some_and(|path| path.is_relative()) {
            return Err(CliError::Usage("a service needs an absolute `log_file`".to_owned()));
        }
        let unit = render(&lines(&binary, loaded.file.as_deref(), &data_dir, &loaded.config));
        let path = Path::new(UNIT_DIRECTORY).join(UNIT);
        let trusted = refuse_untrusted(&binary);
        if self.dry_run {
            if let Err(problem) = &trusted {
                writeln!(out, "# before: {problem}")?;
            }
            writeln!(out, "# {}\n{unit}", path.display())?;
            writeln!(out, "# then:")?;
            for command in COMMANDS {
                writeln!(out, "#   {}", command.join(" "))?;
            }
            return Ok(Exit::Done);
        }
        trusted?;
        refuse_without_systemd()?;
        if loaded.config.data_dir.is_relative() {
            writeln!(out, "data goes to {STATE_DIRECTORY}")?;
        }
        write_unit(&path, &unit)?;
        writeln!(out, "wrote {}", path.display())?;
        for command in COMMANDS {
            execute(command)?;
            writeln!(out, "ran `{}`", command.join(" "))?;
        }
        writeln!(out, "\nsnapvisor runs now and after every start of this host.")?;
        writeln!(out, "  systemctl status snapvisor       is it well?")?;
        writeln!(out, "  journalctl -u snapvisor          what does it say?")?;
        writeln!(out, "  {}   the first API key", data_dir.join("bootstrap.json").display())?;
        Ok(Exit::Done)
    }
}

/// What makes systemd take the unit up.
const COMMANDS: [&[&str]; 2] = [&["systemctl", "daemon-reload"], &["systemctl", "enable", "--now", UNIT]];

/// A relative data directory means the working directory, which a service does not have.
fn data_dir(config: &Config) -> Result<PathBuf, CliError> {
    if config.data_dir == Config::default().data_dir {
        return Ok(PathBuf::from(STATE_DIRECTORY));
    }
    if config.data_dir.is_relative() {
        return Err(CliError::Usage("a service needs an absolute `data_dir`; give --data-dir DIR".to_owned()));
    }
    Ok(config.data_dir.clone())
}

fn lines(binary: &Path, file: Option<&Path>, data_dir: &Path, config: &Config) -> Vec<Line> {
    let mut start = format!("ExecStart={} serve", binary.display());
    // The default file is read without being named, also when it appears later.
    if let Some(file) = file.filter(|file| *file != Path::new(SYSTEM_FILE)) {
        start = format!("{start} --config {}", file.display());
    }
    start = format!("{start} --data-dir {}", data_dir.display());
    let state = match data_dir.strip_prefix("/var/lib") {
        Ok(below) => (
            "Its data directory; systemd makes it, for root alone.",
            format!("StateDirectory={}\nStateDirectoryMode=0700", below.display()),
        ),
        Err(_) => (
            "Its data directory: the one place that it may write to.",
            format!("ReadWritePaths={}", data_dir.display()),
        ),
    };
    let line = |why: &'static str, text: &str| (why, text.to_owned());
    let mut lines = vec![
        line(
            "",
            "[Unit]\nDescription=Diagnostic snapshots of this Iggy node\nDocumentation=man:snapvisor(1)\nAfter=network.target\n\n[Service]\nType=exec",
        ),
        ("", start),
        line(
            "On SIGTERM requests get 30 s and snapshots under way 10 s to end; then all is on disk.",
            "TimeoutStopSec=60\nRestart=on-failure\nRestartSec=2",
        ),
        state,
        line("It reads everything and writes nothing else.", "ProtectSystem=strict\nProtectHome=read-only\nUMask=0077"),
        line(
            "To look, not to touch: read any file, see other users' processes and sockets, read the kernel's log.",
            "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_NET_ADMIN CAP_SYSLOG",
        ),
        line(
            "No program that it starts can gain rights.",
            "NoNewPrivileges=yes\nRestrictSUIDSGID=yes\nLockPersonality=yes",
        ),
        line(
            "It changes no kernel parameter and no control group, and needs no modules and no namespaces.",
            "ProtectKernelTunables=yes\nProtectControlGroups=yes\nProtectKernelModules=yes\nRestrictNamespaces=yes\nRestrictRealtime=yes\nMemoryDenyWriteExecute=yes\nSystemCallArchitectures=native",
        ),
        line(
            "Sockets: TCP, local ones, and the kernel's socket tables.",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        ),
        line(
            "It must never take memory or processor from the broker.",
            "Nice=5\nIOSchedulingClass=best-effort\nIOSchedulingPriority=7\nOOMScoreAdjust=500\nTasksMax=512",
        ),
    ];
    if let Some(log_file) = &config.log_file
        && let Some(directory) = log_file.parent()
    {
        lines.push(("Its log file.", format!("ReadWritePaths=-{}", directory.display())));
    }
    lines.push(line("", "\n[Install]\nWantedBy=multi-user.target"));
    lines
}

fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    for (why, line) in lines {
        if !why.is_empty() {
            text.push_str("# ");
            text.push_str(why);
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Refuses to touch a host on which the unit could not be started.
fn refuse_without_systemd() -> Result<(), CliError> {
    const RUNNING: &str = "/run/systemd/system";
    let refused =
        |problem: &str| Err(CliError::Refused(format!("{problem}; `snapvisor install --dry-run` prints the unit")));
    if !Path::new(RUNNING).is_dir() {
        return refused("this host does not run systemd: there is no /run/systemd/system");
    }
    if !rustix::process::geteuid().is_root() {
        return refused("only root may write to /etc/systemd/system");
    }
    Ok(())
}

/// Refuses a binary that another user than root could replace: the service would run it as root.
fn refuse_untrusted(binary: &Path) -> Result<(), CliError> {
    let changeable = |path: &Path| {
        let Ok(found) = fs::symlink_metadata(path) else { return true };
        let by_others = found.mode() & 0o002 != 0 || (found.mode() & 0o020 != 0 && found.gid() != 0);
        // In a sticky directory nobody replaces what is not theirs.
        let sticky = found.is_dir() && found.mode() & 0o1000 != 0;
        found.uid() != 0 || (by_others && !sticky)
    };
    match binary.ancestors().find(|path| changeable(path)) {
        Some(path) => Err(CliError::Refused(format!(
            "{} can be changed by others than root, and the service runs as root: `install -m 755 {} /usr/local/bin/`, \
             and run that one",
            path.display(),
            binary.display()
        ))),
        None => Ok(()),
    }
}

/// A path that a unit would read as something else.
fn refuse_unquotable(path: &Path) -> Result<(), CliError> {
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "/._-+@,=".contains(c));
    match path.to_str() {
        Some(text) if plain(text) => Ok(()),
        _ => Err(CliError::Usage(format!(
            "{} has characters that a systemd unit takes for something else",
            path.display()
        ))),
    }
}

/// Systemd never reads half a unit.
fn write_unit(path: &Path, unit: &str) -> Result<(), CliError> {
    let written = durable::replace(path, 0o644, |file| {
        // Whatever the umask took away.
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(unit.as_bytes())
    });
    written.map_err(|source| CliError::File { what: "written", path: path.to_owned(), source })
}

fn execute(command: &[&str]) -> Result<(), CliError> {
    let failed = |source| CliError::Program { command: command.join(" "), source };
    let status = Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).status().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(failed(io::Error::other(status.to_string()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_data_directory_becomes_the_state_directory() {
        assert_eq!(data_dir(&Config::default()).unwrap(), Path::new("/var/lib/snapvisor"));
        let elsewhere = Config { data_dir: "/srv/snap".into(), ..Config::default() };
        assert_eq!(data_dir(&elsewhere).unwrap(), Path::new("/srv/snap"));
        let relative = Config { data_dir: "snap".into(), ..Config::default() };
        assert!(data_dir(&relative).is_err());
    }

    #[test]
    fn a_service_of_root_runs_no_program_that_others_can_replace() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("snapvisor");
        fs::write(&binary, "").unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o777)).unwrap();
        let problem = refuse_untrusted(&binary).unwrap_err().to_string();
        assert!(problem.contains("can be changed by others than root"), "{problem}");
        assert!(refuse_untrusted(Path::new("/usr/bin/env")).is_ok());
        assert!(refuse_untrusted(Path::new("/nonexistent/snapvisor")).is_err());
    }

    #[test]
    fn a_path_that_a_unit_would_misread_is_refused() {
        for (path, refused) in
            [("/usr/bin/snapvisor", false), ("/srv/a b", true), ("/srv/%n", true), ("/srv/a\nb", true)]
        {
            assert_eq!(refuse_unquotable(Path::new(path)).is_err(), refused, "{path}");
        }
    }
}
