//! The table of processes: numbers and names, never arguments beyond the program's own name and never an environment.

use super::Key;
use crate::domain::gap::Gap;

/// All processes that could be seen.
pub const PROCESSES: Key<Processes> = Key::new("processes");

/// What the processes used during the sampling window.
pub const PROCESS_RATES: Key<ProcessRates> = Key::new("processes.rates");

/// What the processes used during the sampling window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRates {
    /// Those that were there at both ends of the window, the busiest first.
    pub rates: Vec<ProcessRate>,
}

/// What one process used during the sampling window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRate {
    /// Its id.
    pub pid: u32,
    /// Share of one processor's time, percent; several threads can exceed 100.
    pub cpu_percent: f64,
    /// The processor that it ran on last.
    pub last_cpu: Option<u32>,
    /// The state's letter at the start and at the end.
    pub states: [char; 2],
    /// Of one that waited for a device at both ends: the kernel function that it waits in, when the kernel tells.
    pub waits_in: Option<String>,
}

impl ProcessRates {
    /// What the process of this id used.
    #[must_use]
    pub fn find(&self, pid: u32) -> Option<&ProcessRate> {
        self.rates.iter().find(|rate| rate.pid == pid)
    }
}

/// The table of processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    /// The processes, by pid.
    pub processes: Vec<Process>,
    /// Processes left out by a cap.
    pub dropped: u64,
    /// Whose processes could be seen.
    pub visibility: Visibility,
    /// Ticks of CPU time and of start times in a second.
    pub ticks_per_s: u64,
}

/// Whose processes /proc shows us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody's.
    #[default]
    All,
    /// Our own user's alone: /proc is mounted with `hidepid`.
    OwnOnly,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's id; 0 for the first process and in a container for those started from outside.
    pub parent: u32,
    /// The name that the kernel keeps: at most 15 bytes, and the process may change it.
    pub name: String,
    /// The first word of its command line; `None` for kernel threads and for those that wiped it.
    pub argv0: Option<String>,
    /// The effective user id.
    pub uid: u32,
    /// The state's letter: R, S, D, Z, T, t, X, I.
    pub state: char,
    /// Resident memory, bytes.
    pub resident_bytes: u64,
    /// Memory on swap, bytes.
    pub swapped_bytes: u64,
    /// Threads.
    pub threads: u32,
    /// CPU time used so far, user and kernel, ticks.
    pub cpu_ticks: u64,
    /// When it started, ticks since boot. With the pid it names a process for good.
    pub started_ticks: u64,
    /// What it is.
    pub kind: ProcessKind,
}

/// Whether a process has a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProcessKind {
    /// It runs a program.
    #[default]
    Program,
    /// It is a thread of the kernel.
    Kernel,
}

impl Process {
    /// The last part of the first word of its command line, or the kernel's name for it.
    #[must_use]
    pub fn program(&self) -> &str {
        let argv0 = self.argv0.as_deref().map(|argv0| argv0.rsplit('/').next().unwrap_or(argv0));
        argv0.filter(|program| !program.is_empty()).unwrap_or(&self.name)
    }
}

impl Visibility {
    /// What cannot be said while the processes of others are hidden.
    #[must_use]
    pub fn gap(self) -> Option<Gap> {
        let hidden =
            || Gap::denied("only processes of our own user are visible (hidepid)", "CAP_SYS_PTRACE, or run as root");
        (self == Self::OwnOnly).then(hidden)
    }
}

impl Processes {
    /// The process of this id.
    #[must_use]
    pub fn find(&self, pid: u32) -> Option<&Process> {
        self.processes.iter().find(|process| process.pid == pid)
    }
}

/// The fields of /proc/PID/stat that anybody here reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// The name in parentheses.
    pub name: String,
    /// Field 3.
    pub state: char,
    /// Field 4.
    pub parent: u32,
    /// Field 9.
    pub flags: u64,
    /// Fields 14 and 15 together.
    pub cpu_ticks: u64,
    /// Field 20.
    pub threads: u32,
    /// Field 22.
    pub started_ticks: u64,
    /// Field 39.
    pub last_cpu: Option<u32>,
}

impl ProcessStat {
    /// `PF_KTHREAD` of the kernel's `sched.h`.
    const KERNEL_THREAD: u64 = 0x0020_0000;

    /// Reads the text of /proc/PID/stat; `None` if it is not one. The name may hold blanks and parentheses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The first field after the name is number 3.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |at: usize| field(at)?.parse::<u64>().ok();
        Some(Self {
            name: name.to_owned(),
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            flags: number(9)?,
            cpu_ticks: number(14)?.checked_add(number(15)?)?,
            threads: field(20)?.parse().ok()?,
            started_ticks: number(22)?,
            last_cpu: field(39).and_then(|cpu| cpu.parse().ok()),
        })
    }

    /// What kind of process it is.
    #[must_use]
    pub const fn kind(&self) -> ProcessKind {
        if self.flags & Self::KERNEL_THREAD == 0 { ProcessKind::Program } else { ProcessKind::Kernel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let text = "42 (a) (b c) S 1 42 42 0 -1 4194560 1 2 3 4 70 30 5 6 20 0 11 0 12345 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 3 40";
        let stat = ProcessStat::parse(text).unwrap();
        assert_eq!(
            stat,
            ProcessStat {
                name: "a) (b c".into(),
                state: 'S',
                parent: 1,
                flags: 4_194_560,
                cpu_ticks: 100,
                threads: 11,
                started_ticks: 12_345,
                last_cpu: Some(3),
            }
        );
        assert_eq!(stat.kind(), ProcessKind::Program);
        for broken in ["", "42", "42 (a", "42 (a) S 1", "42 (a) S x 42 42 0 -1 1 1 2 3 4 7 3 5 6 20 0 11 0 1"] {
            assert_eq!(ProcessStat::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_program_is_the_last_part_of_its_first_word() {
        let process =
            |argv0: Option<&str>| Process { name: "kept".into(), argv0: argv0.map(Into::into), ..Process::default() };
        for (argv0, program) in
            [(Some("/usr/bin/iggy-server"), "iggy-server"), (Some("top"), "top"), (Some("/"), "kept"), (None, "kept")]
        {
            assert_eq!(process(argv0).program(), program);
        }
    }
}
