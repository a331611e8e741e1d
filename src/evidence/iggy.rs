//! What can be known about Iggy on a host: its processes, where its data is, and how far that is to be believed.
//!
//! Environments and command lines are never evidence: what is kept of them is on a closed list (names of variables,
//! paths, numbers, flags). Whole ones only seed the table of secrets ([`SECRET_SEEDS`]).

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Key, Observed};
use crate::domain::gap::Gap;
use crate::iggy::Layout;
use crate::iggy::connectors::HttpVariables;

/// The processes of Iggy's programs: servers and connectors.
pub const IGGY_PROCESSES: Key<Vec<IggyProcess>> = Key::new("iggy.processes");
/// The server's process that the snapshot is about.
pub const IGGY_PROCESS: Key<IggyProcess> = Key::new("iggy.process");
/// Where its data is. A gap only when there is no trace of Iggy on the host.
pub const IGGY_PLACE: Key<IggyPlace> = Key::new("iggy.place");
/// Secrets that were met on the way.
pub const SECRET_SEEDS: Key<SecretSeeds> = Key::new("iggy.secret-seeds");

/// One of Iggy's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// `iggy-server`.
    Server,
    /// `iggy-connectors`, the runtime of connectors.
    Connectors,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Server, Self::Connectors];

    /// The name of its executable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "iggy-server",
            Self::Connectors => "iggy-connectors",
        }
    }
}

/// A process of one of Iggy's programs.
#[derive(Debug, Clone, PartialEq)]
pub struct IggyProcess {
    /// What it runs.
    pub program: Program,
    /// Its id.
    pub pid: u32,
    /// The effective user.
    pub uid: u32,
    /// The supplementary groups.
    pub groups: Vec<u32>,
    /// When it started, ticks since boot.
    pub started_ticks: u64,
    /// Seconds since it started, and since the host did.
    pub age_s: Option<(u64, u64)>,
    /// Its executable.
    pub executable: Observed<Executable>,
    /// Whether its paths are ours.
    pub root: ProcessRoot,
    /// What its environment says on a closed list.
    pub environment: Observed<IggyEnvironment>,
    /// Flags on its command line that matter.
    pub flags: Observed<Vec<StartFlag>>,
    /// The data directory as the process itself names it, absolute.
    pub data_dir: Observed<String>,
    /// Its threads.
    pub threads: u32,
    /// Resident memory, bytes.
    pub resident_bytes: u64,
    /// Memory on swap, bytes.
    pub swapped_bytes: u64,
    /// Effective capabilities as bits, and how it is confined.
    pub confinement: Confinement,
    /// What it has open, has read and has written.
    pub figures: ProcessFigures,
}

impl IggyProcess {
    /// A path of the process as we can open it.
    #[must_use]
    pub fn seen(&self, path: &str) -> String {
        match self.root {
            ProcessRoot::Ours => path.to_owned(),
            ProcessRoot::Own | ProcessRoot::Unseen => format!("/proc/{}/root{path}", self.pid),
        }
    }

    /// The configuration that its environment names, as we can open it. A relative path is below the working directory of a
    /// shell that is gone.
    #[must_use]
    pub fn config_file(&self) -> Option<String> {
        let path = self.environment.as_ref().ok()?.config_path.as_ref()?;
        path.starts_with('/').then(|| self.seen(path))
    }
}

/// The executable of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Its path as the process sees it.
    pub path: String,
    /// Whether the file at this path is still the one that runs.
    pub image: Image,
    /// Its owner.
    pub owner_uid: u32,
    /// Its permissions.
    pub mode: u32,
}

/// Whether a program's file is still the one that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// It is.
    Current,
    /// It was replaced or removed since the start.
    Replaced,
}

/// Whether a process sees the same files as we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRoot {
    /// It does.
    Ours,
    /// It has a root or mounts of its own (a container): its paths are opened through `/proc/PID/root`.
    Own,
    /// It may not be seen whether it does; its paths are not opened as ours.
    Unseen,
}

/// A flag on the server's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFlag {
    /// `--fresh`: the data directory is wiped at each start.
    Fresh,
    /// `--with-default-root-credentials`: everybody knows the root password.
    DefaultRootCredentials,
    /// Another argument whose name says that its value is a secret (`--password=…`).
    SecretArgument,
}

impl StartFlag {
    /// The flag as it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Fresh => "--fresh",
            Self::DefaultRootCredentials => "--with-default-root-credentials",
            Self::SecretArgument => "an argument with a secret",
        }
    }
}

/// What is kept of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IggyEnvironment {
    /// The names of the variables that begin with `IGGY_`, sorted.
    pub names: Vec<String>,
    /// `IGGY_SYSTEM_PATH`.
    pub system_path: Option<String>,
    /// `IGGY_CONFIG_PATH`, or `IGGY_CONNECTORS_CONFIG_PATH` for the connectors.
    pub config_path: Option<String>,
    /// `IGGY_SHARD_RUNTIME_CAPACITY`.
    pub ring_capacity: Option<u32>,
    /// `RUST_LOG`.
    pub rust_log: Option<String>,
    /// What the connectors' variables say of their HTTP API.
    #[serde(default)]
    pub connectors_http: HttpVariables,
    /// What the root account's variables hold. A recording masks what stands under a name like `credentials`.
    #[serde(rename = "root_account")]
    pub root_credentials: RootCredentials,
}

/// What `IGGY_ROOT_USERNAME` and `IGGY_ROOT_PASSWORD` hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootCredentials {
    /// They are not both set.
    #[default]
    Unstated,
    /// A pair that stands in Iggy's own documentation.
    WellKnown,
    /// Something else.
    Own,
}

/// How a process is confined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Effective capabilities, as bits.
    pub capabilities: u64,
    /// Whether it can gain privileges by running a set-user-id program: `NoNewPrivs`.
    pub no_new_privileges: Option<bool>,
    /// 0 none, 1 strict, 2 filter.
    pub seccomp: Option<u8>,
    /// Process namespaces that it is in, from ours on: one on this host, more in a container; 0 where that is not told.
    pub pid_namespaces: usize,
}

impl Confinement {
    /// Whether it has the capability of this number (`capability.h`).
    #[must_use]
    pub const fn has(self, capability: u32) -> bool {
        capability < 64 && self.capabilities >> capability & 1 == 1
    }
}

/// Figures of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessFigures {
    /// Open files and sockets.
    pub open_files: Observed<u64>,
    /// Bytes that it caused to be read from disk.
    pub read_bytes: Observed<u64>,
    /// Bytes that it caused to be written to disk.
    pub written_bytes: Observed<u64>,
    /// Its share of memory when shared pages are divided by their users, bytes.
    pub proportional_bytes: Observed<u64>,
    /// The kernel's inclination to kill it when memory runs out, −1000 to 1000.
    pub oom_adjustment: Observed<i32>,
    /// The kernel's score for that, which includes the adjustment.
    pub oom_score: Observed<u32>,
    /// Context switches that it asked for, and that were forced on it.
    pub switches: Option<(u64, u64)>,
    /// Its control group.
    pub cgroup: Option<String>,
}

/// Where a server's data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IggyPlace {
    /// How it was found.
    pub found: FoundBy,
    /// The data directory as Iggy names it; `None` when only a trace of Iggy was found.
    pub named: Option<String>,
    /// The data directory as we can open it, when it was found and looked at.
    pub data_dir: Option<String>,
    /// What stands there, if it may be believed.
    pub standing: Standing,
    /// The configuration file as we can open it: what the operator named, else what the server wrote at its start.
    pub config_file: Option<String>,
    /// The server's process.
    pub pid: Option<u32>,
}

impl IggyPlace {
    /// The data directory, when it may be read and bundled.
    #[must_use]
    pub fn believed(&self) -> Option<(&str, &Directory)> {
        match &self.standing {
            Standing::Believed(directory) => Some((self.data_dir.as_deref()?, directory)),
            Standing::Doubted(_) | Standing::Unseen(_) => None,
        }
    }

    /// A path below the data directory, when that may be read.
    ///
    /// # Errors
    /// Why it may not.
    pub fn below(&self, path: &str) -> Result<String, Gap> {
        match &self.standing {
            Standing::Believed(_) => match &self.data_dir {
                Some(data_dir) => Ok(format!("{}/{path}", data_dir.trim_end_matches('/'))),
                None => Err(Gap::absent("no data directory of Iggy is known")),
            },
            Standing::Doubted(doubt) => Err(Gap::denied(doubt.text(), "set iggy.data_dir in the configuration")),
            Standing::Unseen(gap) => Err(gap.clone()),
        }
    }
}

/// How Iggy was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundBy {
    /// The operator said so.
    Configuration,
    /// By its process.
    Process,
    /// By a unit file of systemd.
    Unit(String),
    /// At a path where Iggy's packages put it.
    WellKnownPath,
}

impl FoundBy {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Configuration => "by snapvisor's configuration".to_owned(),
            Self::Process => "by its process".to_owned(),
            Self::Unit(unit) => format!("by its unit {unit}"),
            Self::WellKnownPath => "at a well-known path".to_owned(),
        }
    }
}

/// What stands at the place where the data should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A directory that may be read and bundled.
    Believed(Directory),
    /// Something that may not.
    Doubted(Doubt),
    /// It could not be looked at.
    Unseen(Gap),
}

/// A data directory that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Its layout.
    pub layout: Layout,
    /// Its owner.
    pub owner_uid: u32,
    /// Its group.
    pub group_gid: u32,
    /// Its permissions.
    pub mode: u32,
    /// Its file system and number there: what is opened later must be the same directory.
    pub identity: (u64, u64),
}

/// Why what a process or an environment names is not believed: nobody gets a folder bundled that neither they nor root
/// own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The executable belongs to neither root nor the process's user.
    ForeignExecutable {
        /// Its owner.
        owner_uid: u32,
        /// The process's user.
        uid: u32,
    },
    /// The directory belongs to neither root nor the process's user.
    ForeignDirectory {
        /// Its owner.
        owner_uid: u32,
        /// The process's user.
        uid: u32,
    },
    /// Nothing of Iggy's is in it.
    UnknownLayout,
    /// It is no directory.
    NotADirectory,
}

impl Doubt {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::ForeignExecutable { owner_uid, uid } => format!(
                "the executable belongs to user {owner_uid}, neither root nor the process's user {uid}, so nothing that the process says is believed"
            ),
            Self::ForeignDirectory { owner_uid, uid } => format!(
                "the data directory belongs to user {owner_uid}, neither root nor the process's user {uid}, so it is left alone"
            ),
            Self::UnknownLayout => "the directory does not look like one of Iggy's, so it is left alone".to_owned(),
            Self::NotADirectory => "the data path is no directory".to_owned(),
        }
    }
}

/// What a seed is, so that the secrets in it can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedKind {
    /// An environment block, `NAME=value` ended by NUL.
    Environment,
    /// A command line, arguments ended by NUL.
    CommandLine,
    /// A secret and nothing else.
    Secret,
    /// A unit file of systemd.
    Unit,
}

/// Something that holds secrets, read in this process only to teach them to the redaction. Never evidence, never
/// recorded, wiped when dropped.
#[derive(Clone)]
pub struct SecretSeed {
    /// What it is.
    pub kind: SeedKind,
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// All that was met.
#[derive(Clone, Default)]
pub struct SecretSeeds(pub Vec<SecretSeed>);

impl std::fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSeed").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SecretSeeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretSeeds({})", self.0.len())
    }
}

/// Processes for the tests of rules.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A server of user 1000 in which nothing is wrong.
    pub(crate) fn process(pid: u32) -> IggyProcess {
        IggyProcess {
            program: Program::Server,
            pid,
            uid: 1000,
            groups: vec![1000],
            started_ticks: 100,
            age_s: Some((90_000, 100_000)),
            executable: Ok(Executable {
                path: "/opt/iggy/iggy-server".into(),
                image: Image::Current,
                owner_uid: 0,
                mode: 0o755,
            }),
            root: ProcessRoot::Ours,
            environment: Ok(IggyEnvironment::default()),
            flags: Ok(Vec::new()),
            data_dir: Ok("/srv/iggy".into()),
            threads: 5,
            resident_bytes: 1 << 30,
            swapped_bytes: 0,
            confinement: Confinement::default(),
            figures: ProcessFigures {
                open_files: Ok(50),
                read_bytes: Ok(1),
                written_bytes: Ok(1),
                proportional_bytes: Ok(1 << 30),
                oom_adjustment: Ok(0),
                oom_score: Ok(1),
                switches: Some((1, 1)),
                cgroup: None,
            },
        }
    }

    /// A believed data directory.
    pub(crate) fn place(found: FoundBy) -> IggyPlace {
        let directory =
            Directory { layout: Layout::V0_8, owner_uid: 1000, group_gid: 1000, mode: 0o750, identity: (1, 1) };
        IggyPlace {
            found,
            named: Some("/srv/iggy".into()),
            data_dir: Some("/srv/iggy".into()),
            standing: Standing::Believed(directory),
            config_file: None,
            pid: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_does_not_show_itself() {
        let seed = SecretSeed { kind: SeedKind::Secret, bytes: Zeroizing::new(b"hunter2".to_vec()) };
        let shown = format!("{seed:?} {:?}", SecretSeeds(vec![seed.clone()]));
        assert_eq!(shown, "SecretSeed { kind: Secret, .. } SecretSeeds(1)");
    }

    #[test]
    fn a_capability_is_a_bit() {
        let confinement = Confinement { capabilities: 1 << 14 | 1 << 23, ..Confinement::default() };
        for (capability, has) in [(14, true), (23, true), (15, false), (63, false), (64, false)] {
            assert_eq!(confinement.has(capability), has, "{capability}");
        }
    }
}
