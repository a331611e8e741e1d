//! Whether programs wait for memory.

use super::super::figures::percent;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::memory::{PAGING, Paging};

pub(super) const CHECK: Check = Check {
    id: "mem.pressure",
    title: "Nothing waits for memory",
    category: Category::Memory,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[PAGING.source()],
    rule: "Fails when all tasks together waited for memory during more than 10 % of the last minute (pressure, full). \
           Warns when some did (pressure, some), above 500 major page faults a second, or when pages were swapped in or out during the window. Passes otherwise.",
    threshold_source: "node_exporter's mixin: 500 major faults a second; Brendan Gregg's vmstat step: any swapping; the pressure figures are our own.",
    why: "A shard that waits for memory serves nobody, and every client of that shard waits with it.",
    remedy: "cat /proc/pressure/memory\nvmstat 1 5\nps -eo pid,rss,unit,comm --sort=-rss | head -15\n# Stop or move what takes the memory besides Iggy, or lower system.memory_pool.size in Iggy's configuration.",
    references: &["Linux documentation: accounting/psi", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "pressure_warn_percent",
            default: 10.0,
            min: 0.1,
            max: 100.0,
            help: "pressure (some) that warns",
        },
        Setting {
            name: "pressure_fail_percent",
            default: 10.0,
            min: 0.1,
            max: 100.0,
            help: "pressure (full) that fails",
        },
        Setting { name: "major_faults_per_s", default: 500.0, min: 1.0, max: 1e9, help: "major page faults a second" },
        Setting {
            name: "swapped_pages_per_s",
            default: 0.0,
            min: 0.0,
            max: 1e9,
            help: "pages swapped in or out a second",
        },
    ],
    evaluate: pressure,
};

fn pressure(case: &Case<'_>) -> Result<Judgement, Gap> {
    let paging = case.read(PAGING)?;
    let per_second = |events: u64| format!("{:.1}/s", paging.per_second(events));
    let average = |pick: fn(&crate::evidence::pressure::Pressure) -> f64| {
        paging.pressure.as_ref().map_or_else(|_| "not known".to_owned(), |pressure| percent(pick(pressure)))
    };
    let facts = [
        ("Pressure of the last minute, some", average(|pressure| pressure.some.average_60s)),
        ("Pressure of the last minute, full", average(|pressure| pressure.full.average_60s)),
        ("Major page faults", per_second(paging.major_faults)),
        ("Pages read from swap", per_second(paging.swapped_in)),
        ("Pages written to swap", per_second(paging.swapped_out)),
        ("Allocations that had to free memory", per_second(paging.allocation_stalls)),
        ("Allocations that had to move pages", per_second(paging.compaction_stalls)),
    ];
    let judged = judged(case, paging).proof(Proof::facts("Memory pressure", facts));
    Ok(paging.pressure.as_ref().err().cloned().into_iter().fold(judged, Judgement::gap))
}

fn judged(case: &Case<'_>, paging: &Paging) -> Judgement {
    let (warn, fail) = (case.setting("pressure_warn_percent"), case.setting("pressure_fail_percent"));
    let (some, full) =
        paging.pressure.as_ref().map_or((0.0, 0.0), |pressure| (pressure.some.average_60s, pressure.full.average_60s));
    let faults = paging.per_second(paging.major_faults);
    let swapped = paging.per_second(paging.swapped_in + paging.swapped_out);
    let (faults_max, swapped_max) = (case.setting("major_faults_per_s"), case.setting("swapped_pages_per_s"));
    let of = |judged: Judgement, share: f64, limit: f64| {
        judged.measured(share, Unit::Percent, percent(share)).expected(format!("≤ {}", percent(limit)))
    };
    let waited = |who: &str, share: f64, limit: f64| {
        format!("{who} waited for memory during {} of the last minute, more than {}.", percent(share), percent(limit))
    };
    if full > fail {
        of(Judgement::fail(waited("All tasks", full, fail)), full, fail)
    } else if some > warn {
        of(Judgement::warn(waited("Tasks", some, warn)), some, warn)
    } else if faults > faults_max {
        Judgement::warn(format!("{faults:.0} page faults a second had to read a disk, more than {faults_max}."))
            .measured(faults, Unit::PerSecond, format!("{faults:.0}/s"))
            .expected(format!("≤ {faults_max}/s"))
    } else if swapped > swapped_max {
        let (read, written) = (paging.swapped_in, paging.swapped_out);
        Judgement::warn(format!("{read} pages were read from swap and {written} written to it during the window."))
            .measured(swapped, Unit::PerSecond, format!("{swapped:.1}/s"))
            .expected(format!("≤ {swapped_max}/s"))
    } else {
        of(Judgement::pass(format!("Tasks waited for memory during {} of the last minute.", percent(some))), some, warn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::pressure::{Pressure, Stall};

    fn quiet() -> Paging {
        Paging { window_s: 2.0, pressure: Ok(Pressure::default()), ..Paging::default() }
    }

    #[test]
    fn pressure_and_paging_are_judged_at_their_boundaries() {
        let stall = |average_60s| Stall { average_60s, ..Stall::default() };
        let pressed =
            |some, full| Paging { pressure: Ok(Pressure { some: stall(some), full: stall(full) }), ..quiet() };
        for (paging, verdict) in [
            (quiet(), Verdict::Pass),
            (pressed(10.0, 10.0), Verdict::Pass),
            (pressed(10.1, 10.0), Verdict::Warn),
            (pressed(10.1, 10.1), Verdict::Fail),
            (Paging { major_faults: 1000, ..quiet() }, Verdict::Pass),
            (Paging { major_faults: 1001, ..quiet() }, Verdict::Warn),
            (Paging { swapped_in: 1, ..quiet() }, Verdict::Warn),
            (Paging { swapped_out: 1, ..quiet() }, Verdict::Warn),
            (Paging { pressure: Err(Gap::absent("no PSI")), ..quiet() }, Verdict::Pass),
        ] {
            let mut evidence = Evidence::default();
            let gaps = usize::from(paging.pressure.is_err());
            evidence.put(PAGING, Ok(paging));
            let judged = judge_one("mem.pressure", &evidence).unwrap();
            assert_eq!((judged.verdict, judged.gaps.len()), (verdict, gaps), "{}", judged.summary);
        }
    }
}
