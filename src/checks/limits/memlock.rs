//! Whether the server's rings fit into its limit of locked memory.

use super::super::figures::{counted, float};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::limits::{SERVER_LIMITS, SERVER_THREADS, ServerThreads};
use crate::evidence::system::{KERNEL, Kernel};
use crate::evidence::uring::RING_CAPACITY;

pub(super) const CHECK: Check = Check {
    id: "limits.memlock",
    title: "Locked memory is enough for the server's rings",
    category: Category::Limits,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[IGGY_PROCESS.source(), SERVER_LIMITS.source(), SERVER_THREADS.source(), KERNEL.source()],
    rule: "The server needs a ring for each shard and one for its main thread; a ring of n entries takes 64·n bytes and \
           64 + 36·n bytes rounded up to pages (404 KiB at 4096). Passes with CAP_IPC_LOCK or without a limit. Fails when the limit is \
           below the need; warns instead on a kernel that is not known to charge rings to this limit (before 6.18). Warns \
           below twice the need, since the memory of a server that has ended is given back late.",
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

/// What decides.
struct Budget {
    /// The soft limit, bytes; `None` is unlimited.
    limit_bytes: Option<u64>,
    exempt: Exempt,
    rings: u64,
    capacity: u64,
    charged: Charged,
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
    let process = case.read(IGGY_PROCESS)?;
    let limit = case.read(SERVER_LIMITS)?.locked_memory;
    let threads = case.read(SERVER_THREADS)?;
    let capacity = process.environment.as_ref().ok().and_then(|environment| environment.ring_capacity);
    let charged = case.read(KERNEL).ok().and_then(Kernel::version).is_some_and(|version| version >= CHARGES_SINCE);
    let budget = Budget {
        limit_bytes: limit.soft,
        exempt: if process.confinement.has(CAP_IPC_LOCK) { Exempt::Yes } else { Exempt::No },
        rings: shards(threads) + 1,
        capacity: u64::from(capacity.unwrap_or(RING_CAPACITY)),
        charged: if charged { Charged::Yes } else { Charged::Unknown },
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
        let judged = match (limit < need, self.charged) {
            (true, Charged::Yes) => Judgement::fail(format!("{limited}: the server cannot start again.")),
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
    use super::*;
    use crate::domain::verdict::Verdict;

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
            let judged = Budget { limit_bytes, exempt, rings: 3, capacity: 4096, charged }.judged(2.0);
            assert_eq!(judged.verdict, verdict, "{limit_bytes:?}: {}", judged.summary);
        }
    }
}
