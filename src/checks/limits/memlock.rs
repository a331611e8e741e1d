//! Whether the server's rings fit into its limit of locked memory.

use super::super::figures::{counted, float};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::cpu::{CpuList, TOPOLOGY};
use crate::evidence::iggy::{IGGY_PROCESS, Program};
use crate::evidence::limits::{SERVER_LIMITS, SERVER_THREADS, ServerThreads};
use crate::evidence::system::{KERNEL, Kernel};
use crate::evidence::units::{IGGY_UNITS, UnitFile};
use crate::evidence::uring::RING_CAPACITY;

pub(super) const CHECK: Check = Check {
    id: "limits.memlock",
    title: "Locked memory is enough for the server's rings",
    category: Category::Limits,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[
        IGGY_PROCESS.source(),
        SERVER_LIMITS.source(),
        SERVER_THREADS.source(),
        KERNEL.source(),
        IGGY_UNITS.source(),
        IGGY_CONFIG.source(),
        TOPOLOGY.source(),
    ],
    rule: "The server needs a ring for each shard and one for its main thread; a ring of n entries takes 64·n bytes and \
           64 + 36·n bytes rounded up to pages (404 KiB at 4096). Passes with CAP_IPC_LOCK or without a limit. Fails when the limit is \
           below the need; warns instead on a kernel that is not known to charge rings to this limit (before 6.18). Warns \
           below twice the need, since the memory of a server that has ended is given back late. Of a server that does \
           not run, the limit is its unit's (systemd's 8 MiB where the unit says nothing), and the shards are those of its configuration or as many as there are processors.",
    threshold_source: "Measured on Linux 6.18 to the KiB: systemd's default of 8 MiB holds 20 rings of 4096 entries. Iggy asks for no limit.",
    why: "The limit counts for all processes of the user together; one ring that does not fit ends the start of the server.",
    remedy: "mkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nLimitMEMLOCK=infinity\\n' > /etc/systemd/system/iggy-server.service.d/memlock.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window\n# In a container: --ulimit memlock=-1:-1 (compose: ulimits: { memlock: -1 }); in Kubernetes\n# LimitMEMLOCK=infinity in the unit of containerd or CRI-O.",
    references: &["setrlimit(2), RLIMIT_MEMLOCK", "systemd.exec(5), LimitMEMLOCK="],
    privilege: "any user",
    settings: &[Setting {
        name: "headroom_factor",
        default: 2.0,
        min: 1.0,
        max: 100.0,
        help: "the smallest multiple of the need that does not warn",
    }],
    evaluate: memlock,
};

/// `capability.h`: memory may be locked without limit.
const CAP_IPC_LOCK: u32 = 14;
/// The size of a page.
const PAGE_BYTES: u64 = 4096;
/// The first kernel that was measured to charge rings to the limit.
const CHARGES_SINCE: (u32, u32) = (6, 18);

/// What one ring is charged with, bytes.
const fn ring_bytes(capacity: u64) -> u64 {
    64 * capacity + (64 + 36 * capacity).next_multiple_of(PAGE_BYTES)
}

/// What a unit gets that says nothing: systemd's `DefaultLimitMEMLOCK`, since version 246.
const UNIT_DEFAULT_BYTES: u64 = 8 << 20;

/// What decides.
struct Budget {
    server: Server,
    /// The soft limit, bytes; `None` is unlimited.
    limit_bytes: Option<u64>,
    exempt: Exempt,
    rings: u64,
    capacity: u64,
    charged: Charged,
}

/// Whose limit it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Running,
    /// It would be started by its unit.
    Stopped,
}

#[derive(PartialEq, Eq)]
enum Exempt {
    Yes,
    No,
}

/// Whether the kernel charges rings to the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charged {
    Yes,
    Unknown,
}

fn memlock(case: &Case<'_>) -> Result<Judgement, Gap> {
    let process = match case.read(IGGY_PROCESS) {
        Ok(process) => process,
        Err(gap) if gap.reason == GapReason::Absent => return of_unit(case).unwrap_or(Err(gap)),
        Err(gap) => return Err(gap),
    };
    let limit = case.read(SERVER_LIMITS)?.locked_memory;
    let threads = case.read(SERVER_THREADS)?;
    let capacity = process.environment.as_ref().ok().and_then(|environment| environment.ring_capacity);
    let budget = Budget {
        server: Server::Running,
        limit_bytes: limit.soft,
        exempt: if process.confinement.has(CAP_IPC_LOCK) { Exempt::Yes } else { Exempt::No },
        rings: shards(threads) + 1,
        capacity: u64::from(capacity.unwrap_or(RING_CAPACITY)),
        charged: charged(case),
    };
    let shown = |bytes: Option<u64>| bytes.map_or_else(|| "unlimited".to_owned(), size::human);
    let facts = [
        ("PID", process.pid.to_string()),
        ("Soft limit", shown(limit.soft)),
        ("Hard limit", shown(limit.hard)),
        ("Shards", shards(threads).to_string()),
        ("Entries of a ring", budget.capacity.to_string()),
        ("One ring takes", size::human(ring_bytes(budget.capacity))),
        ("All rings take", size::human(budget.need_bytes())),
    ];
    Ok(budget.judged(case.setting("headroom_factor")).proof(Proof::facts("Locked memory of the server", facts)))
}

fn charged(case: &Case<'_>) -> Charged {
    let version = case.read(KERNEL).ok().and_then(Kernel::version);
    if version.is_some_and(|version| version >= CHARGES_SINCE) { Charged::Yes } else { Charged::Unknown }
}

/// What the server's unit would give it at its next start; `None` without a unit.
fn of_unit(case: &Case<'_>) -> Option<Result<Judgement, Gap>> {
    let server = Program::Server.name();
    let starts = |unit: &&UnitFile| unit.program.as_deref().is_some_and(|path| path.ends_with(server));
    let unit = case.read(IGGY_UNITS).ok()?.iter().find(starts)?;
    let topology = match case.read(TOPOLOGY) {
        Ok(topology) => topology,
        Err(gap) => return Some(Err(gap)),
    };
    let allowed = unit.setting("AllowedCPUs").map(|list| CpuList::parse(&list.replace(' ', ",")).count());
    let named = case.read(IGGY_CONFIG).ok().and_then(|config| named_shards(config.server.cpu_allocation.as_deref()?));
    let shards = named.or(allowed.filter(|count| *count > 0).map(|count| count as u64));
    let capable = unit.setting("AmbientCapabilities").is_some_and(|all| all.contains("CAP_IPC_LOCK"));
    let root = unit.setting("DynamicUser").is_none() && matches!(unit.setting("User"), None | Some("root" | "0"));
    let limit_bytes = unit.setting("LimitMEMLOCK").map_or(Some(UNIT_DEFAULT_BYTES), bytes);
    let budget = Budget {
        server: Server::Stopped,
        limit_bytes,
        exempt: if capable || root { Exempt::Yes } else { Exempt::No },
        rings: shards.unwrap_or_else(|| topology.online.count().max(1) as u64) + 1,
        capacity: u64::from(RING_CAPACITY),
        charged: charged(case),
    };
    let said = unit.setting("LimitMEMLOCK").unwrap_or("nothing, so systemd's default").to_owned();
    let facts = [
        ("Unit", unit.name.clone()),
        ("Its LimitMEMLOCK", said),
        ("Shards", (budget.rings - 1).to_string()),
        ("All rings take", size::human(budget.need_bytes())),
    ];
    let judged = budget.judged(case.setting("headroom_factor"));
    Some(Ok(judged.proof(Proof::facts("Locked memory that the unit gives the server", facts))))
}

/// How many shards `cpu_allocation` names: a number, or a range whose end does not count.
fn named_shards(text: &str) -> Option<u64> {
    let count = match text.split_once("..") {
        Some((first, end)) => end.trim().parse::<u64>().ok()?.checked_sub(first.trim().parse().ok()?)?,
        None => text.trim().parse().ok()?,
    };
    (count > 0).then_some(count)
}

/// The soft limit in systemd's writing, bytes; `None` is no limit. What is not understood counts as the default.
fn bytes(text: &str) -> Option<u64> {
    let soft = text.split(':').next().unwrap_or(text).trim();
    if soft == "infinity" {
        return None;
    }
    let end = soft.find(|c: char| !c.is_ascii_digit()).unwrap_or(soft.len());
    let shift = match soft[end..].trim() {
        "" | "B" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        "T" => Some(40),
        _ => None,
    };
    let number = soft[..end].parse::<u64>().ok();
    Some(number.zip(shift).map_or(UNIT_DEFAULT_BYTES, |(number, shift)| number.saturating_mul(1 << shift)))
}

/// Shards that run; of a server whose threads have other names, as many as it has processors.
fn shards(threads: &ServerThreads) -> u64 {
    let running = threads.shards();
    if running > 0 { running as u64 } else { threads.allowed.count().max(1) as u64 }
}

impl Budget {
    fn need_bytes(&self) -> u64 {
        self.rings.saturating_mul(ring_bytes(self.capacity))
    }

    fn judged(&self, factor: f64) -> Judgement {
        let need = self.need_bytes();
        let rings = counted(usize::try_from(self.rings).unwrap_or(usize::MAX), "ring", "rings");
        let needs = format!("{rings} of {} entries need {}", self.capacity, size::human(need));
        let Some(limit) = self.limit_bytes else {
            return Judgement::pass(format!("Locked memory of the server is not limited; {needs}."));
        };
        if self.exempt == Exempt::Yes {
            return Judgement::pass(format!("The server has CAP_IPC_LOCK, so no limit holds; {needs}."));
        }
        let fits = limit / ring_bytes(self.capacity).max(1);
        let limited = format!("{needs}, and the limit of locked memory is {} ({fits} rings)", size::human(limit));
        let again = if self.server == Server::Running { " again" } else { "" };
        let judged = match (limit < need, self.charged) {
            (true, Charged::Yes) => Judgement::fail(format!("{limited}: the server cannot start{again}.")),
            (true, Charged::Unknown) => Judgement::warn(format!(
                "{limited}: on a kernel that charges rings to it (6.18 does), the server cannot start."
            )),
            (false, _) if float(limit) < factor * float(need) => {
                Judgement::warn(format!("{limited}: less than {factor} times the need, so a quick restart can fail."))
            }
            (false, _) => Judgement::pass(format!("{limited}.")),
        };
        judged
            .measured(float(limit), Unit::Bytes, size::human(limit))
            .expected(format!("≥ {factor} × {}", size::human(need)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::cpu::Topology;

    #[test]
    fn a_ring_is_charged_as_measured() {
        for (capacity, rings_in_8_mib) in [(256, 292), (1024, 78), (2048, 40), (4096, 20)] {
            assert_eq!((8 << 20) / ring_bytes(capacity), rings_in_8_mib, "{capacity}");
        }
        assert_eq!(ring_bytes(4096), 404 * 1024);
    }

    #[test]
    fn the_limit_is_judged_at_its_boundaries() {
        let need = 3 * ring_bytes(4096);
        for (limit_bytes, exempt, charged, verdict) in [
            (None, Exempt::No, Charged::Yes, Verdict::Pass),
            (Some(0), Exempt::Yes, Charged::Yes, Verdict::Pass),
            (Some(need - 1), Exempt::No, Charged::Yes, Verdict::Fail),
            (Some(need - 1), Exempt::No, Charged::Unknown, Verdict::Warn),
            (Some(need), Exempt::No, Charged::Yes, Verdict::Warn),
            (Some(2 * need - 1), Exempt::No, Charged::Yes, Verdict::Warn),
            (Some(2 * need), Exempt::No, Charged::Yes, Verdict::Pass),
        ] {
            let server = Server::Running;
            let judged = Budget { server, limit_bytes, exempt, rings: 3, capacity: 4096, charged }.judged(2.0);
            assert_eq!(judged.verdict, verdict, "{limit_bytes:?}: {}", judged.summary);
        }
    }

    #[test]
    fn of_a_server_that_does_not_run_its_unit_is_judged() {
        let judge = |settings: &[(&str, &str)], cpus: &str| {
            let mut evidence = Evidence::default();
            evidence.put(IGGY_PROCESS, Err(Gap::absent("no process of iggy-server runs")));
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let unit = UnitFile {
                name: "iggy-server.service".into(),
                program: Some("/usr/bin/iggy-server".into()),
                settings: settings.iter().map(owned).collect(),
                ..UnitFile::default()
            };
            evidence.put(IGGY_UNITS, Ok(vec![unit]));
            evidence.put(TOPOLOGY, Ok(Topology { online: CpuList::parse(cpus), ..Topology::default() }));
            evidence.put(KERNEL, Ok(Kernel { release: "6.18.1".into(), ..Kernel::default() }));
            judge_one("limits.memlock", &evidence).unwrap()
        };
        let iggy = ("User", "iggy");
        for (settings, cpus, expected) in [
            // systemd's own 8 MiB hold 20 rings of 404 KiB: 19 shards, without any to spare from the tenth on.
            (vec![iggy], "0-8", Verdict::Pass),
            (vec![iggy], "0-9", Verdict::Warn),
            (vec![iggy], "0-18", Verdict::Warn),
            (vec![iggy], "0-19", Verdict::Fail),
            (vec![iggy, ("LimitMEMLOCK", "infinity")], "0-63", Verdict::Pass),
            (vec![iggy, ("LimitMEMLOCK", "64K:8M")], "0-1", Verdict::Fail),
            (vec![iggy, ("LimitMEMLOCK", "1G")], "0-63", Verdict::Pass),
            (vec![iggy, ("AllowedCPUs", "0-3 8")], "0-63", Verdict::Pass),
            (vec![iggy, ("AmbientCapabilities", "CAP_SYS_NICE CAP_IPC_LOCK")], "0-63", Verdict::Pass),
            (vec![], "0-63", Verdict::Pass),
        ] {
            let judged = judge(&settings, cpus);
            assert_eq!(judged.verdict, expected, "{settings:?} {cpus}: {}", judged.summary);
        }
        let judged = judge(&[iggy], "0-19");
        let sentence = "21 rings of 4096 entries need 8.29 MiB, and the limit of locked memory is 8.00 MiB (20 rings): the server cannot start.";
        assert_eq!(judged.summary, sentence);
    }

    #[test]
    fn an_allocation_names_how_many_shards_there_are() {
        for (text, expected) in [("4", Some(4)), ("0..8", Some(8)), ("4..8", Some(4)), ("all", None), ("8..4", None)] {
            assert_eq!(named_shards(text), expected, "{text}");
        }
        assert_eq!(named_shards("numa:auto"), None);
        assert_eq!((bytes("8388608"), bytes("8M"), bytes("?")), (Some(8 << 20), Some(8 << 20), Some(8 << 20)));
    }
}
