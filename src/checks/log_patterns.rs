//! What a line of a log gives away: known messages, what they mean and what to do.

use crate::domain::verdict::Verdict;

/// A message that is known.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Lower-case texts that a line must all hold.
    pub(super) holds: &'static [&'static str],
    /// How bad it is.
    pub(super) verdict: Verdict,
    /// What it means.
    pub(super) meaning: &'static str,
}

const fn fail(holds: &'static [&'static str], meaning: &'static str) -> Pattern {
    Pattern { holds, verdict: Verdict::Fail, meaning }
}

const fn warn(holds: &'static [&'static str], meaning: &'static str) -> Pattern {
    Pattern { holds, verdict: Verdict::Warn, meaning }
}

/// The kernel's. The messages are those of the kernel's own source and of node-problem-detector's rules.
pub(super) const KERNEL: &[Pattern] = &[
    fail(&["kernel bug at"], "a bug in the kernel stopped a thread"),
    fail(&["bug: unable to handle"], "the kernel touched memory that is not there (an oops)"),
    fail(&["oops: "], "an oops: a kernel thread died"),
    fail(&["general protection fault", "ip:"], "a program or driver was stopped for a forbidden access"),
    fail(&["soft lockup"], "a processor was stuck in the kernel for seconds"),
    fail(&["hard lockup"], "a processor did not even take interrupts"),
    fail(&["rcu", "detected stalls"], "a processor made no progress for a long time"),
    fail(&["machine check", "fatal"], "the hardware reported a fatal error"),
    fail(&["[hardware error]", "uncorrected"], "the hardware reported an uncorrected error"),
    fail(&["remounting filesystem read-only"], "a file system was set read-only after an error"),
    fail(&["ext4-fs error"], "ext4 found itself damaged"),
    fail(&["xfs", "shutting down"], "XFS shut a file system down after an error"),
    fail(&["xfs", "corruption"], "XFS found itself damaged"),
    fail(&["btrfs", "forced readonly"], "btrfs was set read-only after an error"),
    fail(&["i/o error, dev"], "a block device failed a request"),
    fail(&["critical medium error"], "a block device has unreadable sectors"),
    fail(&["nvme", "timeout, completion polled"], "an NVMe drive answers late"),
    fail(&["nvme", "resetting controller"], "an NVMe drive had to be reset"),
    fail(&["out of memory: killed process", "iggy"], "the kernel killed an Iggy process for want of memory"),
    fail(&["segfault at", "iggy"], "an Iggy process crashed"),
    warn(&["out of memory: killed process"], "the kernel killed a process for want of memory"),
    warn(&["oom-kill:"], "the kernel killed a process for want of memory"),
    warn(&["blocked for more than", "seconds"], "a thread waited on the disk or a lock for minutes"),
    warn(&["[hardware error]"], "the hardware reported an error"),
    warn(&["mce: ", "corrected"], "the hardware corrected an error"),
    warn(&["link is down"], "a network interface lost its link"),
    warn(&["nic link is down"], "a network interface lost its link"),
    warn(&["nf_conntrack: table full"], "new connections were dropped: the connection table was full"),
    warn(&["tcp: out of memory"], "TCP ran out of its memory limit"),
    warn(&["possible syn flooding"], "a listener's queue was full; SYN cookies were sent"),
    warn(&["clocksource", "unstable"], "the clock source was found unstable and replaced"),
    warn(&["cpu", "temperature above threshold"], "a processor was slowed down for its temperature"),
    warn(&["no space left on device"], "a device is full"),
];

/// The runtimes'. The messages are those of Iggy's own source (0.8 and master), the first that fits counts.
pub(super) const RUNTIME: &[Pattern] = &[
    fail(
        &["io_uring permission denied"],
        "io_uring is forbidden: seccomp of the container, or kernel.io_uring_disabled",
    ),
    fail(&["io_uring invalid argument"], "the kernel is older than 5.19 and lacks what the shards need of io_uring"),
    fail(&["io_uring incomplete opcode support"], "this kernel's io_uring lacks an operation that the shards need"),
    fail(&["no worker thread is running"], "this kernel's io_uring lacks an operation that the shards need"),
    fail(
        &["locked memory limit information"],
        "the rings of io_uring did not get locked memory: LimitMEMLOCK is too low",
    ),
    fail(&["denied locked memory"], "the rings of io_uring did not get locked memory: LimitMEMLOCK is too low"),
    fail(
        &["'http_server' panicked", "no reactor running"],
        "0.8.0 cannot serve HTTPS: its HTTP listener panics with http.tls on, and the server stops",
    ),
    fail(&["panicked"], "a thread of the runtime panicked"),
    fail(&["no space left on device"], "a write failed: the file system is full"),
    fail(&["os error 28"], "a write failed: the file system is full"),
    fail(&["read-only file system"], "a write failed: the file system is read-only"),
    fail(&["os error 5)"], "the disk failed a read or a write"),
    fail(&["too many open files"], "the limit of open files was reached"),
    fail(&["cannot allocate memory"], "memory could not be had; for io_uring that is the locked-memory limit"),
    fail(&["superblock", "corrupt"], "the server's own metadata is damaged"),
    fail(&["checksum mismatch"], "data on disk does not match its checksum"),
    fail(&["invalid message checksum"], "data on disk does not match its checksum"),
    fail(&["invalid batch checksum"], "data on disk does not match its checksum"),
    fail(
        &["cannot decrypt the message"],
        "stored messages were encrypted with another key than the one that is configured",
    ),
    fail(&["address already in use"], "a listener could not be opened: the port is taken"),
    fail(&["failed to bind"], "a listener could not be opened"),
    fail(&["failed to save messages for partition"], "messages that were taken could not be written"),
    fail(&["shutdown flush failed"], "messages that were taken could not be written when the server stopped"),
    fail(
        &["shutdown fsync failed"],
        "messages that were written may not have reached the disk when the server stopped",
    ),
    fail(&["failed to fsync"], "data could not be made durable"),
    fail(&["failed to persist"], "data could not be made durable"),
    fail(&["server has failed to start"], "the server did not start"),
    fail(&["shard", "exited with error"], "a shard gave up"),
    fail(&["shard", "aborted"], "a shard gave up"),
    fail(&["aborting"], "the runtime gave up"),
    warn(&["failed to set cpu affinity"], "a shard runs on any CPU: it could not be pinned"),
    warn(&["unable to accept tcp"], "a client was turned away at the door"),
    warn(&["shards will sync on restart"], "shards disagree on metadata until the next restart"),
    warn(&["failed to delete messages file"], "retention could not remove a segment: its space is not freed"),
    warn(&["users limit reached"], "no more users can be made"),
];

/// The first pattern of a table that a line matches.
pub(super) fn matching<'a>(table: &'a [Pattern], line: &str) -> Option<&'a Pattern> {
    let line = line.to_ascii_lowercase();
    table.iter().find(|pattern| pattern.holds.iter().all(|text| line.contains(text)))
}

/// Whether a line tells of a client that left before the handshake was done: whoever knocks on a port does, this
/// appliance's own look at the listeners too, and it is counted apart.
pub(super) fn is_abandoned_handshake(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "tls handshake failed from",
        "websocket handshake failed from",
        "websocket handshake failed on tls connection from",
        "failed to accept tls connection from",
    ]
    .iter()
    .any(|text| line.contains(text))
}

/// Whether a line tells of a log-in that was refused: somebody else's mistake, and counted apart.
pub(super) fn is_failed_login(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "invalid credentials",
        "invalid_credentials",
        "invalid username or password",
        "unauthenticated",
        "invalid personal access token",
    ]
    .iter()
    .any(|text| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_lower_case_and_can_be_met() {
        for pattern in KERNEL.iter().chain(RUNTIME) {
            assert!(!pattern.holds.is_empty() && !pattern.meaning.is_empty());
            for text in pattern.holds {
                assert_eq!(*text, text.to_ascii_lowercase(), "would never match");
            }
        }
    }

    #[test]
    fn known_messages_are_recognised() {
        let verdict = |table, line| matching(table, line).map(|pattern| pattern.verdict);
        for (line, expected) in [
            ("Out of memory: Killed process 812 (iggy-server) total-vm:9", Some(Verdict::Fail)),
            ("Out of memory: Killed process 812 (java) total-vm:9", Some(Verdict::Warn)),
            ("EXT4-fs error (device sda1): ext4_find_entry:1455", Some(Verdict::Fail)),
            ("INFO: task jbd2/sda1-8:301 blocked for more than 120 seconds.", Some(Verdict::Warn)),
            ("EXT4-fs (vda): mounted filesystem with ordered data mode", None),
        ] {
            assert_eq!(verdict(KERNEL, line), expected, "{line}");
        }
        for (line, meaning) in [
            ("thread 'shard-1' panicked at core/x.rs:3:5:", "a thread of the runtime panicked"),
            ("ERROR shard-0: Shard 0 panicked: boom", "a thread of the runtime panicked"),
            ("=== io_uring Permission Denied ===", RUNTIME[0].meaning),
            (
                "ERROR Failed to save messages for partition 1: No space left on device (os error 28)",
                "a write failed: the file system is full",
            ),
            ("ERROR Failed to save messages for partition 1: x", "messages that were taken could not be written"),
            (
                "ERROR Cannot decrypt the message at offset: 7. Error: x",
                "stored messages were encrypted with another key than the one that is configured",
            ),
        ] {
            assert_eq!(matching(RUNTIME, line).map(|pattern| pattern.meaning), Some(meaning), "{line}");
        }
        assert!(matching(RUNTIME, "INFO server: saved 10 messages").is_none());
        assert_eq!(verdict(RUNTIME, "thread 'shard-1' panicked at core/x.rs:3:5:"), Some(Verdict::Fail));
        assert!(is_abandoned_handshake(
            "ERROR shard-1 server::tcp::tcp_tls_listener: Failed to accept TLS connection from '127.0.0.1:47806': tls handshake eof"
        ));
        assert!(!is_abandoned_handshake("ERROR Failed to accept the configuration"));
        assert!(is_failed_login("WARN Invalid credentials for user ID: 7"));
    }
}
