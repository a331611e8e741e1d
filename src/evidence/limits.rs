//! The limits of the Iggy server's process, and its threads.

use serde::{Deserialize, Serialize};

use super::Key;
use super::cpu::CpuList;

/// The server's limits.
pub const SERVER_LIMITS: Key<ServerLimits> = Key::new("limits.server");
/// The server's threads.
pub const SERVER_THREADS: Key<ServerThreads> = Key::new("limits.threads");

/// Those threads that waited for a device at the start, after the sampling window.
pub const SERVER_THREADS_LATER: Key<Vec<ThreadWait>> = Key::new("limits.threads-later");

/// What a thread waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadWait {
    /// Its id.
    pub tid: u32,
    /// The state's letter.
    pub state: char,
    /// The kernel function that it waits in, when the kernel tells.
    pub waits_in: Option<String>,
}

/// Limits of the server's process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerLimits {
    /// Locked memory, bytes.
    pub locked_memory: Limit,
    /// Open files.
    pub open_files: Limit,
    /// Processes and threads of its user.
    pub processes: Limit,
}

/// A limit; `None` is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// What counts.
    pub soft: Option<u64>,
    /// What the process may raise it to.
    pub hard: Option<u64>,
}

impl ServerLimits {
    /// Reads /proc/PID/limits; `None` if a line that is needed is missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let limit = |name: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
            let mut words = rest.split_ascii_whitespace();
            let mut number = || match words.next()? {
                "unlimited" => Some(None),
                word => word.parse().ok().map(Some),
            };
            Some(Limit { soft: number()?, hard: number()? })
        };
        Some(Self {
            locked_memory: limit("Max locked memory ")?,
            open_files: limit("Max open files ")?,
            processes: limit("Max processes ")?,
        })
    }
}

/// Threads of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerThreads {
    /// The threads, by id.
    pub threads: Vec<ServerThread>,
    /// Threads left out by a cap.
    pub dropped: u64,
    /// The processors that the process as a whole may use.
    pub allowed: CpuList,
}

/// One thread of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerThread {
    /// Its id.
    pub tid: u32,
    /// Its name: `shard-0` for a shard.
    pub name: String,
    /// The state's letter.
    pub state: char,
    /// The processors that it may use.
    pub allowed: CpuList,
    /// The processor that it ran on last.
    pub last_cpu: Option<u32>,
    /// The kernel function that it waits in, when the kernel tells.
    pub waits_in: Option<String>,
}

impl ServerThread {
    /// The shard that this thread is.
    #[must_use]
    pub fn shard(&self) -> Option<u32> {
        self.name.strip_prefix("shard-")?.parse().ok()
    }
}

impl ServerThreads {
    /// How many shards run.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.threads.iter().filter(|thread| thread.shard().is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_their_table() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             96364                96364                processes \n\
                    Max open files            1024                 524288               files     \n\
                    Max locked memory         8388608              unlimited            bytes     \n";
        let expected = ServerLimits {
            locked_memory: Limit { soft: Some(8 << 20), hard: None },
            open_files: Limit { soft: Some(1024), hard: Some(524_288) },
            processes: Limit { soft: Some(96_364), hard: Some(96_364) },
        };
        assert_eq!(ServerLimits::parse(text), Some(expected));
        assert_eq!(ServerLimits::parse(&text.replace("8388608", "x")), None);
    }

    #[test]
    fn a_shard_is_known_by_the_name_of_its_thread() {
        let thread = |name: &str| ServerThread { name: name.into(), ..ServerThread::default() };
        assert_eq!(["shard-11", "shard-", "iggy-server"].map(|name| thread(name).shard()), [Some(11), None, None]);
    }
}
