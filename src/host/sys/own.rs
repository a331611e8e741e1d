//! Our own process: its priority, its limits, its parent, and what it has used.
#![expect(unsafe_code, reason = "ioprio_set and getrusage have no safe wrapper")]

use std::io;
use std::mem::MaybeUninit;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use super::last_errno;

/// The lowest priority of normal scheduling.
const NICE_LOWEST: i32 = 19;
/// `ioprio.h`: the class that gets the disk when nobody else wants it.
const IOPRIO_CLASS_IDLE: libc::c_long = 3;
/// `ioprio.h`: the class stands above 13 bits of level.
const IOPRIO_CLASS_SHIFT: libc::c_long = 13;
/// `ioprio.h`: the target is a thread.
const IOPRIO_WHO_PROCESS: libc::c_long = 1;

/// Gives this thread, and each thread that it starts from now on, the lowest CPU priority and the idle I/O class.
/// Both belong to threads: call it before any other is started.
///
/// # Errors
/// The kernel refused one of the two; both are tried.
pub fn lower_priority() -> io::Result<()> {
    let nice = rustix::process::setpriority_process(None, NICE_LOWEST);
    let priority = IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT;
    // SAFETY: ioprio_set takes three integers and touches no memory of ours; 0 names the calling thread.
    let set = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority) };
    if set == -1 {
        return Err(io::Error::from_raw_os_error(last_errno()));
    }
    nice.map_err(io::Error::from)
}

/// Limits the memory that this process may allocate (`RLIMIT_DATA`: heap and private mappings; mapped files do not count).
///
/// # Errors
/// The kernel refused.
pub fn limit_memory(bytes: u64) -> io::Result<()> {
    set_limit(Resource::Data, bytes)
}

/// No core dump of this process is written, and no other process of the same user may read its memory: it holds
/// secrets that are not masked yet.
///
/// # Errors
/// The kernel refused.
pub fn no_core_dumps() -> io::Result<()> {
    set_limit(Resource::Core, 0)?;
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

fn set_limit(resource: Resource, bytes: u64) -> io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let bytes = hard.map_or(bytes, |hard| bytes.min(hard));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// This process is killed when the thread that started it ends, and at once if `parent_pid` is not its parent any
/// more. The thread, not the process: start the child from a thread that lives as long as the child should (a worker
/// of tokio's blocking pool does not).
///
/// # Errors
/// The kernel refused, or the parent is gone already.
pub fn die_with_parent(parent_pid: u32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that died before the call above sends no signal.
    let parent = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get().unsigned_abs());
    if parent == parent_pid { Ok(()) } else { Err(io::Error::other("the parent process is gone")) }
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// CPU time in user mode, microseconds.
    pub user_us: u64,
    /// CPU time in the kernel, microseconds.
    pub system_us: u64,
    /// The most memory that was resident, bytes.
    pub resident_max_bytes: u64,
}

/// What this process has used.
///
/// # Errors
/// The kernel refused.
pub fn own_usage() -> io::Result<Usage> {
    usage(libc::RUSAGE_SELF)
}

/// What the children that this process has waited for have used, the largest of them for memory.
///
/// # Errors
/// The kernel refused.
pub fn children_usage() -> io::Result<Usage> {
    usage(libc::RUSAGE_CHILDREN)
}

fn usage(who: libc::c_int) -> io::Result<Usage> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole, writable rusage.
    if unsafe { libc::getrusage(who, usage.as_mut_ptr()) } == -1 {
        return Err(io::Error::from_raw_os_error(last_errno()));
    }
    // SAFETY: every field is an integer, for which zero is a value, and the kernel has filled it in.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    Ok(Usage {
        user_us: micros(usage.ru_utime),
        system_us: micros(usage.ru_stime),
        resident_max_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_has_used() {
        let before = own_usage().unwrap();
        let mut kept = vec![0_u8; 8 << 20];
        for (at, byte) in kept.iter_mut().enumerate().step_by(512) {
            *byte = u8::try_from(at % 251).unwrap();
        }
        let after = own_usage().unwrap();
        assert!(after.resident_max_bytes >= before.resident_max_bytes.max(8 << 20), "{after:?}");
        assert!(after.user_us + after.system_us >= before.user_us + before.system_us);
    }

    /// The settings hold for the process or the thread, so they are tried in a thread that ends.
    #[test]
    fn a_thread_can_lower_its_own_priority() {
        let nice = std::thread::spawn(|| {
            lower_priority().unwrap();
            std::fs::read_to_string("/proc/thread-self/stat").unwrap()
        });
        let stat = nice.join().unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        assert_eq!(after_name.split_whitespace().nth(16), Some("19"));
    }

    #[test]
    fn another_parent_is_noticed() {
        let child = std::thread::spawn(|| die_with_parent(u32::MAX).unwrap_err().to_string());
        assert_eq!(child.join().unwrap(), "the parent process is gone");
    }
}
