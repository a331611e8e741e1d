//! Whether space is held by files that nobody can see any more.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::{self, MIB};
use crate::domain::verdict::Severity;
use crate::evidence::deleted_files::{DELETED_FILES, DeletedFiles, Unread};
use crate::evidence::mounts::{MOUNTS, Mount};
use crate::evidence::processes::{PROCESSES, Processes};

pub(super) const CHECK: Check = Check {
    id: "disk.deleted-open",
    title: "Deleted files give their space back",
    category: Category::Disk,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[DELETED_FILES.source(), MOUNTS.source(), PROCESSES.source()],
    rule: "Fails when deleted files that are still open take more than 10 % (volume_fail_percent) of a file system; warns when one process holds more than 1 GiB of them (held_warn_mib); passes otherwise. Files in memory do not count.",
    threshold_source: "Lynis (LOGG-2190) names such files; the figures are our own judgement.",
    why: "du does not see them and df does: a full disk on which nothing can be found to delete.",
    remedy: "ls -l /proc/PID/fd | grep deleted\n# The space comes back when the process closes them: let it reopen its logs, or restart it\nsystemctl reload SERVICE || systemctl restart SERVICE",
    references: &["Lynis: LOGG-2190", "proc_pid_fd(5)"],
    privilege: "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH for processes of others",
    settings: &[
        Setting {
            name: "held_warn_mib",
            default: 1024.0,
            min: 1.0,
            max: 1e9,
            help: "held by one process, warns above, MiB",
        },
        Setting {
            name: "volume_fail_percent",
            default: 10.0,
            min: 0.1,
            max: 100.0,
            help: "share of a file system that fails, percent",
        },
    ],
    evaluate: deleted,
};

/// What brings back the files of other users' processes.
const UNLOCK: &str = "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, or run as root";

fn deleted(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(DELETED_FILES)?;
    let mounts = case.read(MOUNTS).map_or(&[][..], |mounts| mounts.as_slice());
    let processes = case.read(PROCESSES).ok();
    let (warn, fail) = (case.setting("held_warn_mib") * float(MIB), case.setting("volume_fail_percent"));
    let mut judged = judged(found, mounts, processes, warn, fail);
    if !found.files.is_empty() {
        let columns = vec![Column::text("Process"), Column::text("File"), Column::text("Takes")];
        let rows = found.files.iter().map(|file| {
            let held = size::human(file.allocated_bytes);
            vec![holder(processes, file.pid).into(), file.path.as_str().into(), held.into()]
        });
        judged = judged.proof(Proof::table("Deleted files that are open", columns, rows.collect()));
    }
    if found.hidden_processes > 0 {
        let detail = format!("the open files of {} processes may not be seen", found.hidden_processes);
        judged = judged.gap(Gap::denied(detail, UNLOCK));
    }
    if let Some(gap) = processes.and_then(|processes| processes.visibility.gap()) {
        judged = judged.gap(gap);
    }
    Ok(match found.unread {
        Unread::None => judged,
        Unread::Some => judged.gap(Gap::broken("more files are open than are looked at")),
    })
}

/// The remedy for the files of one process: its service is asked for when it is pasted.
fn of_process(pid: u32) -> String {
    let service = format!("\"$(ps -o unit= -p {pid})\"");
    CHECK.remedy.replace("PID", &pid.to_string()).replace("SERVICE", &service)
}

fn holder(processes: Option<&Processes>, pid: u32) -> String {
    match processes.and_then(|processes| processes.find(pid)) {
        Some(process) => format!("{} ({pid})", process.program()),
        None => pid.to_string(),
    }
}

fn judged(found: &DeletedFiles, mounts: &[Mount], processes: Option<&Processes>, warn: f64, fail: f64) -> Judgement {
    let volumes = found.devices.iter().filter_map(|(device, bytes)| {
        let mount = mounts.iter().find(|mount| mount.device == *device)?;
        let total = mount.space.as_ref().ok()?.total_bytes;
        Some((mount, *bytes, share(*bytes, total)))
    });
    let worst = volumes.max_by(|a, b| a.2.total_cmp(&b.2));
    if let Some((mount, bytes, held)) = worst.filter(|(.., held)| *held > fail) {
        return Judgement::fail(format!(
            "Deleted files that are still open take {} of {} ({}), more than {fail} %.",
            size::human(bytes),
            mount.point,
            percent(held)
        ))
        .measured(held, Unit::Percent, percent(held))
        .expected(format!("≤ {fail} %"))
        .remedy(found.processes.first().map_or_else(|| CHECK.remedy.to_owned(), |(pid, _)| of_process(*pid)));
    }
    match found.processes.first() {
        Some((pid, bytes)) if float(*bytes) > warn => {
            Judgement::warn(format!("{} holds {} of deleted files.", holder(processes, *pid), size::human(*bytes)))
                .remedy(of_process(*pid))
        }
        Some((pid, bytes)) => Judgement::pass(format!(
            "Deleted files take little: at most {}, held by {}.",
            size::human(*bytes),
            holder(processes, *pid)
        )),
        None => Judgement::pass("No deleted file is held open, as far as processes may be seen."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::deleted_files::DeletedFile;
    use crate::evidence::mounts::{Space, parse};
    use crate::evidence::processes::Visibility;

    fn seen(bytes: u64, total_bytes: u64, hidden: u64, unread: Unread) -> Judgement {
        let file = DeletedFile { pid: 7, path: "/var/log/x".into(), allocated_bytes: bytes, device: (8, 1), inode: 3 };
        let files = if bytes == 0 { Vec::new() } else { vec![file] };
        let mut mounts = parse("1 2 8:1 / / rw - ext4 /dev/sda1 rw");
        mounts[0].space = Ok(Space { total_bytes, available_bytes: 0, inodes: 0, inodes_available: 0 });
        let mut evidence = Evidence::default();
        evidence.put(DELETED_FILES, Ok(DeletedFiles::of(files, hidden, unread)));
        evidence.put(MOUNTS, Ok(mounts));
        judge_one("disk.deleted-open", &evidence).unwrap()
    }

    #[test]
    fn what_is_held_is_judged_by_process_and_file_system() {
        const GIB: u64 = 1 << 30;
        for (bytes, total_bytes, expected) in [
            (0, 100 * GIB, Verdict::Pass),
            (GIB, 100 * GIB, Verdict::Pass),
            (GIB + 1, 100 * GIB, Verdict::Warn),
            (GIB, 10 * GIB, Verdict::Pass),
            (GIB, 10 * GIB - 1, Verdict::Fail),
        ] {
            let judged = seen(bytes, total_bytes, 0, Unread::None);
            assert_eq!(judged.verdict, expected, "{bytes} of {total_bytes}: {}", judged.summary);
        }
    }

    #[test]
    fn what_could_not_be_looked_at_is_a_gap() {
        assert_eq!(seen(0, 1, 4, Unread::Some).gaps.len(), 2);
    }

    #[test]
    fn hidden_processes_may_hold_what_is_not_seen() {
        let mut evidence = Evidence::default();
        evidence.put(DELETED_FILES, Ok(DeletedFiles::default()));
        evidence.put(PROCESSES, Ok(Processes { visibility: Visibility::OwnOnly, ..Processes::default() }));
        assert_eq!(judge_one("disk.deleted-open", &evidence).unwrap().gaps.len(), 1);
    }
}
