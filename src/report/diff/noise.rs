//! What differs between two reports and means nothing.

/// Rows of settled evidence that are measurements all the same.
pub(super) const MOVING: &[&str] = &[
    "fs.aio-nr",
    "fs.dentry-state",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inode-state",
    "kernel.hung_task_detect_count",
    "kernel.ns_last_pid",
    "kernel.pty.nr",
    "kernel.random.boot_id",
    "kernel.random.entropy_avail",
    "kernel.random.uuid",
    "net.netfilter.nf_conntrack_count",
    "Memory in use",
    "Of that, inactive file cache",
    "Kills for want of memory",
    "Throttled periods",
    "Periods, in the window and since it exists",
    "Stopped in, likewise",
    "Limit at 2",
    "Offset left to work off",
    "Largest possible error",
    "Estimated error",
    "Correction of speed",
    "Status bits",
    "Promised",
    "Open",
    "PID",
    "Process",
    "Main process",
    "Up",
    "Restarts",
    "Tasks",
    "Compared",
];

/// Columns of settled evidence that are measurements all the same.
pub(super) const MOVING_COLUMNS: &[&str] = &["In use", "Process", "PID"];

/// Rows that differ between any two nodes and mean nothing.
pub(super) const OF_ITS_OWN: &[&str] = &["kernel.hostname", "Host name", "Own name", "Machine id"];
