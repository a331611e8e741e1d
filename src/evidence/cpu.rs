//! What can be known about a host's processors.

use super::Key;
use super::pressure::Pressure;
use crate::evidence::Observed;

/// Which processors there are.
pub const TOPOLOGY: Key<Topology> = Key::new("cpu.topology");
/// How many tasks wanted to run.
pub const LOAD: Key<Load> = Key::new("cpu.load");
/// What the processors did during the sampling window.
pub const USE: Key<Use> = Key::new("cpu.use");
/// The clock that the kernel reads.
pub const CLOCK_SOURCE: Key<ClockSource> = Key::new("cpu.clocksource");

/// Numbers of processors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<u32>);

/// Processors that a list names at most: more than any kernel is built for.
const CPUS_MAX: u32 = 65_536;

impl CpuList {
    /// Reads the kernel's form, `0-3,8`; parts that are not one are left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
            (last < CPUS_MAX).then_some(first..=last)
        };
        Self(text.trim().split(',').filter_map(range).flatten().collect())
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The kernel's form.
    #[must_use]
    pub fn ranges(&self) -> String {
        let mut parts: Vec<(u32, u32)> = Vec::new();
        for cpu in &self.0 {
            match parts.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*cpu) => *last = *cpu,
                _ => parts.push((*cpu, *cpu)),
            }
        }
        let text = |(first, last): (u32, u32)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        parts.into_iter().map(text).collect::<Vec<_>>().join(",")
    }
}

/// Which processors there are, and which we may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// Processors that run.
    pub online: CpuList,
    /// Processors that are there.
    pub present: CpuList,
    /// Processors kept away from the scheduler at boot.
    pub isolated: CpuList,
    /// Whether two threads share a core: `on`, `off`, `forceoff`, `notsupported`, `notimplemented`.
    pub threading: Option<String>,
    /// Processors of each memory node.
    pub nodes: Vec<(u32, CpuList)>,
    /// Processors that our own process may use.
    pub allowed: CpuList,
    /// The processors' model name.
    pub model: Option<String>,
}

/// How many tasks wanted to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The load averages over 1, 5 and 15 minutes.
    pub averages: [f64; 3],
    /// Tasks that could run at the start and at the end of the window, ours left out.
    pub running: [u64; 2],
    /// Tasks that waited for a disk, likewise.
    pub blocked: [u64; 2],
    /// Pressure on processors.
    pub pressure: Observed<Pressure>,
}

/// Shares of one processor's time, percent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Not idle and not waiting for a disk.
    pub busy: f64,
    /// In user mode.
    pub user: f64,
    /// In the kernel.
    pub system: f64,
    /// Idle while a disk was waited for.
    pub waiting: f64,
    /// Wanted to run, and the hypervisor ran somebody else.
    pub stolen: f64,
}

/// What the processors did during the sampling window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Use {
    /// All together.
    pub all: Shares,
    /// Each.
    pub each: Vec<(u32, Shares)>,
}

/// The clock that the kernel reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClockSource {
    /// The one in use.
    pub current: String,
    /// Those it could use.
    pub available: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_processors_is_read_and_written_as_the_kernel_does() {
        for (text, cpus, written) in [
            ("0-3,8\n", vec![0, 1, 2, 3, 8], "0-3,8"),
            ("0", vec![0], "0"),
            ("", vec![], ""),
            ("0-1,3-4294967295,x", vec![0, 1], "0-1"),
        ] {
            let list = CpuList::parse(text);
            assert_eq!(list, CpuList(cpus));
            assert_eq!(list.ranges(), written);
        }
    }
}
