//! Kernel parameters, by a list of what may be read: walking all of /proc/sys makes the kernel log warnings about
//! deprecated ones and can mount things.

use std::collections::BTreeMap;

use super::super::scene::Scene;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::system::Parameters;

/// Characters of a value that are kept.
const VALUE_CHARS_MAX: usize = 200;

/// The parameters. The host's and the domain's name are not among them.
const NAMES: &[&str] = &[
    "fs.aio-max-nr",
    "fs.aio-nr",
    "fs.epoll.max_user_watches",
    "fs.file-max",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inotify.max_queued_events",
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "fs.nr_open",
    "fs.pipe-max-size",
    "fs.pipe-user-pages-soft",
    "fs.protected_hardlinks",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.cap_last_cap",
    "kernel.core_pattern",
    "kernel.core_uses_pid",
    "kernel.dmesg_restrict",
    "kernel.hung_task_detect_count",
    "kernel.hung_task_panic",
    "kernel.hung_task_timeout_secs",
    "kernel.io_uring_disabled",
    "kernel.io_uring_group",
    "kernel.kptr_restrict",
    "kernel.msgmax",
    "kernel.nmi_watchdog",
    "kernel.numa_balancing",
    "kernel.ostype",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.panic_on_warn",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.printk",
    "kernel.randomize_va_space",
    "kernel.sched_autogroup_enabled",
    "kernel.sched_child_runs_first",
    "kernel.sched_rt_period_us",
    "kernel.sched_rt_runtime_us",
    "kernel.seccomp.actions_avail",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.softlockup_panic",
    "kernel.sysrq",
    "kernel.tainted",
    "kernel.task_delayacct",
    "kernel.threads-max",
    "kernel.timer_migration",
    "kernel.unprivileged_bpf_disabled",
    "kernel.unprivileged_userns_clone",
    "kernel.watchdog",
    "kernel.watchdog_thresh",
    "kernel.yama.ptrace_scope",
    "net.core.bpf_jit_enable",
    "net.core.busy_poll",
    "net.core.busy_read",
    "net.core.default_qdisc",
    "net.core.dev_weight",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.netdev_max_backlog",
    "net.core.optmem_max",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.rps_sock_flow_entries",
    "net.core.somaxconn",
    "net.core.wmem_default",
    "net.core.wmem_max",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.icmp_ratelimit",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.neigh.default.gc_thresh1",
    "net.ipv4.neigh.default.gc_thresh2",
    "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_adv_win_scale",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_dsack",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fastopen",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_limit_output_bytes",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_moderate_rcvbuf",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_no_metrics_save",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_orphan_retries",
    "net.ipv4.tcp_retries1",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_wmem",
    "net.ipv4.udp_mem",
    "net.ipv4.udp_rmem_min",
    "net.ipv4.udp_wmem_min",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.default.disable_ipv6",
    "net.netfilter.nf_conntrack_buckets",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
    "net.nf_conntrack_max",
    "vm.admin_reserve_kbytes",
    "vm.compact_unevictable_allowed",
    "vm.compaction_proactiveness",
    "vm.dirty_background_bytes",
    "vm.dirty_background_ratio",
    "vm.dirty_bytes",
    "vm.dirty_expire_centisecs",
    "vm.dirty_ratio",
    "vm.dirty_writeback_centisecs",
    "vm.extfrag_threshold",
    "vm.hugetlb_shm_group",
    "vm.laptop_mode",
    "vm.lowmem_reserve_ratio",
    "vm.max_map_count",
    "vm.min_free_kbytes",
    "vm.min_slab_ratio",
    "vm.min_unmapped_ratio",
    "vm.mmap_min_addr",
    "vm.nr_hugepages",
    "vm.nr_overcommit_hugepages",
    "vm.oom_dump_tasks",
    "vm.oom_kill_allocating_task",
    "vm.overcommit_kbytes",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.page-cluster",
    "vm.panic_on_oom",
    "vm.percpu_pagelist_high_fraction",
    "vm.stat_interval",
    "vm.swappiness",
    "vm.user_reserve_kbytes",
    "vm.vfs_cache_pressure",
    "vm.watermark_boost_factor",
    "vm.watermark_scale_factor",
    "vm.zone_reclaim_mode",
];

pub(super) fn parameters(scene: &Scene) -> Observed<Parameters> {
    let mut parameters = Parameters { values: BTreeMap::new(), gaps: Vec::new() };
    for name in NAMES {
        match scene.host.text(&path(name)) {
            Ok(text) => drop(parameters.values.insert(name, shown(&text))),
            Err(gap) if gap.reason == GapReason::Absent => {}
            Err(gap) => parameters.gaps.push(gap),
        }
    }
    if parameters == Parameters::default() {
        return Err(Gap::absent("/proc/sys holds none of the parameters that are asked for"));
    }
    Ok(parameters)
}

/// Where a parameter stands below /proc/sys.
pub(super) fn path(name: &str) -> String {
    // A slash in a name stands for the dot in a part of it, as in the name of an interface.
    let parts = name.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    format!("/proc/sys/{}", parts.collect::<String>())
}

/// A value on one line.
fn shown(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ").chars().take(VALUE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_nothing_that_is_a_secret_or_warns_when_read() {
        assert!(NAMES.is_sorted(), "the list is not sorted");
        for name in NAMES {
            let refused = ["hostname", "domainname", "boot_id", "uuid", "stable_secret", "_time_ms", "binfmt_misc"];
            assert!(!refused.iter().any(|word| name.contains(word)), "{name}");
            assert!(!name.starts_with("net.ipv6.neigh"), "{name}");
        }
    }

    #[test]
    fn a_value_is_shown_on_one_line() {
        assert_eq!(path("net.ipv4.tcp_rmem"), "/proc/sys/net/ipv4/tcp_rmem");
        assert_eq!(shown("4096\t131072\t6291456\n"), "4096 131072 6291456");
    }
}
