//! The host inside the namespaces, with a healthy server on it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::snapshot::Snapshot;
use crate::volume::{self, Authority, text};
use crate::{Outcome, run, snapshot};

/// Length of the sampling window, unless a fault needs more.
const WINDOW_MS: u64 = 100;
/// A unit that nobody would complain about.
const UNIT: &str = include_str!("iggy-server.service");
/// The authorities that this host trusts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where an operator sets kernel parameters.
pub(crate) const PARAMETERS: &str = "/etc/sysctl.d";
/// Where units stand that an operator wrote.
pub(crate) const UNITS: &str = "/etc/systemd/system";

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Limits, as options of prlimit(1).
    pub(crate) limits: Vec<String>,
    pub(crate) user: u32,
}

impl Spec {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }
}

/// The lab's host.
pub(crate) struct Lab {
    /// Everything of the lab is below it.
    pub(crate) folder: PathBuf,
    /// Where the file system with Iggy's data is mounted.
    pub(crate) disk: PathBuf,
    /// Iggy's data directory.
    pub(crate) data: PathBuf,
    /// Where its certificates are.
    pub(crate) tls: PathBuf,
    pub(crate) authority: Authority,
    /// How the healthy server is started.
    pub(crate) healthy: Spec,
    pub(crate) server: Server,
}

impl Lab {
    pub(crate) fn build(folder: &Path) -> Outcome<Self> {
        show_own_sysfs(folder)?;
        unlimited()?;
        network()?;
        let disk = folder.join("disk");
        volume::disk(&folder.join("disk.img"), &disk, "data=ordered")?;
        let (data, tls) = (disk.join("iggy"), disk.join("tls"));
        volume::data(&data)?;
        let authority = Authority::new()?;
        fs::create_dir(&tls)?;
        let identity = authority.identity(&[volume::ADDRESS, "node.lab"], -1..300)?;
        fs::write(tls.join("chain.pem"), format!("{}{}", identity.certificate, authority.intermediate.pem()))?;
        fs::write(tls.join("key.pem"), identity.key)?;
        volume::own(&tls)?;
        trust(folder, &authority)?;
        fs::write(volume::config_path(&data), toml::to_string(&volume::healthy(&data, &tls)?)?)?;
        volume::own(&data)?;
        let healthy = spec(folder, &data)?;
        units(&healthy, &data)?;
        let server = Server::start(&healthy)?;
        Ok(Self { folder: folder.to_owned(), disk, data, tls, authority, healthy, server })
    }

    pub(crate) fn snapshot(&self, window_ms: Option<u64>, settings: &[(&str, String)]) -> Outcome<Snapshot> {
        snapshot::take(&self.folder, window_ms.unwrap_or(WINDOW_MS), settings)
    }

    /// Ends the server and starts one like this.
    pub(crate) fn restart(&mut self, spec: &Spec) -> Outcome<()> {
        self.server.stop();
        self.server = Server::start(spec)?;
        Ok(())
    }
}

/// sysfs shows the network of whoever mounted it; control groups are mounted below it.
fn show_own_sysfs(folder: &Path) -> Outcome<()> {
    let groups = folder.join("groups");
    fs::create_dir(&groups)?;
    run("mount", &["--rbind", "/sys/fs/cgroup", text(&groups)])?;
    run("mount", &["-t", "sysfs", "sysfs", "/sys"])?;
    run("mount", &["--rbind", text(&groups), "/sys/fs/cgroup"])?;
    run("umount", &["-R", "-l", text(&groups)])
}

/// What the server inherits: no limit that a check would look at, or the highest that we may have. A root without
/// `CAP_SYS_RESOURCE` cannot lift its own.
fn unlimited() -> Outcome<()> {
    let nofile = fs::read_to_string("/proc/sys/fs/nr_open")?.trim().parse()?;
    for (resource, wanted) in [(Resource::Nofile, Some(nofile)), (Resource::Memlock, None), (Resource::Nproc, None)] {
        if setrlimit(resource, Rlimit { current: wanted, maximum: wanted }).is_err() {
            let maximum = getrlimit(resource).maximum;
            setrlimit(resource, Rlimit { current: maximum, maximum })?;
        }
    }
    Ok(())
}

/// Two ends of a wire, the server's address on one, a way out over it.
fn network() -> Outcome<()> {
    let address = format!("{}/24", volume::ADDRESS);
    for arguments in [
        "link set lo up",
        "link add iggy0 type veth peer name wire0",
        &format!("addr add {address} dev iggy0"),
        "link set iggy0 up",
        "link set wire0 up",
        "route add default via 10.77.0.2 dev iggy0",
    ] {
        run("ip", &arguments.split(' ').collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The host trusts the lab's authority.
fn trust(folder: &Path, authority: &Authority) -> Outcome<()> {
    let bundle = folder.join("authorities.pem");
    fs::write(&bundle, authority.root.pem())?;
    if !Path::new(AUTHORITIES).is_file() {
        return Err(format!("{AUTHORITIES} is not there: install ca-certificates").into());
    }
    run("mount", &["--bind", text(&bundle), AUTHORITIES])
}

/// Our own program under the server's name.
fn spec(folder: &Path, data: &Path) -> Outcome<Spec> {
    let bin = folder.join("bin");
    fs::create_dir(&bin)?;
    let program = bin.join("iggy-server");
    fs::copy(std::env::current_exe()?, &program)?;
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    let environment = [
        ("IGGY_SYSTEM_PATH", text(data)),
        ("IGGY_ROOT_USERNAME", "operator"),
        ("IGGY_ROOT_PASSWORD", "lab-4c1d70a98e5b2f63"),
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
    ];
    Ok(Spec {
        program,
        arguments: Vec::new(),
        limits: Vec::new(),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        user: volume::USER,
    })
}

/// A folder of units of our own, with the server's in it.
fn units(spec: &Spec, data: &Path) -> Outcome<()> {
    if !Path::new(UNITS).is_dir() {
        return Err(format!("{UNITS} is not there: install systemd's package, it need not run").into());
    }
    run("mount", &["-t", "tmpfs", "-o", "size=1m,mode=755", "units", UNITS])?;
    if Path::new(PARAMETERS).is_dir() {
        run("mount", &["-t", "tmpfs", "-o", "size=1m,mode=755", "parameters", PARAMETERS])?;
    }
    let unit = UNIT.replace("PROGRAM", text(&spec.program)).replace("DATA", text(data));
    Ok(fs::write(Path::new(UNITS).join("iggy-server.service"), unit)?)
}

/// A running stand-in.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(spec: &Spec) -> Outcome<Self> {
        // prlimit sets its own limits and becomes the server.
        let mut command = Command::new("prlimit");
        command.args(&spec.limits).arg(&spec.program).args(&spec.arguments);
        command.env_clear().envs(spec.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        if spec.user != 0 {
            command.uid(spec.user).gid(spec.user);
        }
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut server = Self { child, input, output: BufReader::new(output.ok_or("no output")?) };
        match server.line()?.as_str() {
            "ready" => Ok(server),
            other => Err(format!("the server did not start: {other:?}").into()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives a command and waits until it is done.
    pub(crate) fn tell(&mut self, command: &str) -> Outcome<()> {
        writeln!(self.input.as_ref().ok_or("the server has ended")?, "{command}")?;
        match self.line()?.as_str() {
            "ok" => Ok(()),
            other => Err(format!("the server says {other:?} to `{command}`").into()),
        }
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn stop(&mut self) {
        // It may have ended by itself, and been buried.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
