//! Whether the server may open the files that it needs.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::api::IGGY_API;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::limits::SERVER_LIMITS;

pub(super) const CHECK: Check = Check {
    id: "limits.nofile",
    title: "The server may open enough files",
    category: Category::Limits,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_PROCESS.source(), SERVER_LIMITS.source(), IGGY_API.source()],
    rule: "Fails when the server's soft limit of open files is below 4096, or when more than 90 % of it is in use. Warns \
           below 65535, above 70 % in use, or when two files for each segment and one for each client make more than 80 % of it \
           (demand_warn_percent; known only with a credential for Iggy's API). Passes otherwise.",
    threshold_source: "Elasticsearch refuses to start below 65535, MongoDB asks for 64000, ScyllaDB sets 800000, TiUP asks for 1000000; systemd's default soft limit is 1024.",
    why: "Each segment holds two files open and each client one: at the limit the server refuses clients and cannot roll a segment.",
    remedy: "mkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nLimitNOFILE=1048576\\n' > /etc/systemd/system/iggy-server.service.d/nofile.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window\n# In a container: --ulimit nofile=1048576:1048576 (compose: ulimits: { nofile: 1048576 }).",
    references: &["setrlimit(2), RLIMIT_NOFILE", "systemd.exec(5), LimitNOFILE="],
    privilege: "any user for the limit; CAP_SYS_PTRACE for the files in use",
    settings: &[
        Setting {
            name: "limit_fail",
            default: 4096.0,
            min: 1.0,
            max: 1e9,
            help: "the smallest limit that does not fail",
        },
        Setting {
            name: "limit_warn",
            default: 65_535.0,
            min: 1.0,
            max: 1e9,
            help: "the smallest limit that does not warn",
        },
        Setting {
            name: "used_warn_percent",
            default: 70.0,
            min: 1.0,
            max: 100.0,
            help: "the largest share in use that does not warn",
        },
        Setting {
            name: "used_fail_percent",
            default: 90.0,
            min: 1.0,
            max: 100.0,
            help: "the largest share in use that does not fail",
        },
        Setting {
            name: "demand_warn_percent",
            default: 80.0,
            min: 1.0,
            max: 1000.0,
            help: "the largest share that segments and clients could need and that does not warn",
        },
    ],
    evaluate: open_files,
};

fn open_files(case: &Case<'_>) -> Result<Judgement, Gap> {
    let process = case.read(IGGY_PROCESS)?;
    let limit = case.read(SERVER_LIMITS)?.open_files;
    let used = process.figures.open_files.clone();
    let shown = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let facts = [
        ("PID", process.pid.to_string()),
        ("Soft limit", shown(limit.soft)),
        ("Hard limit", shown(limit.hard)),
        ("Open", used.as_ref().map_or_else(|_| "not known".to_owned(), u64::to_string)),
    ];
    // Without a credential the demand is not known, which iggy.stats says.
    let stats = case.read(IGGY_API).ok().and_then(|api| api.stats.as_ref().ok());
    let demand = stats.map(|stats| stats.segments_count.saturating_mul(2).saturating_add(stats.clients_count));
    let facts =
        facts.into_iter().chain(demand.map(|files| ("Two for each segment, one for each client", files.to_string())));
    let judged = judged(case, limit.soft, used.as_ref().ok().copied(), demand);
    let judged = judged.proof(Proof::facts("Open files of the server", facts));
    Ok(used.err().into_iter().fold(judged, Judgement::gap))
}

fn judged(case: &Case<'_>, soft: Option<u64>, used: Option<u64>, demand: Option<u64>) -> Judgement {
    let Some(limit) = soft else { return Judgement::pass("The server's open files are not limited.") };
    let settings = ["limit_fail", "limit_warn", "used_warn_percent", "used_fail_percent", "demand_warn_percent"];
    let [limit_fail, limit_warn, used_warn, used_fail, demand_warn] = settings.map(|name| case.setting(name));
    let in_use = used.map(|used| share(used, limit));
    let too_many = |share: f64, most: f64| {
        format!("{} of the server's {limit} open files are in use, more than {}.", percent(share), percent(most))
    };
    let of_use = |judged: Judgement, share: f64| {
        judged.measured(share, Unit::Percent, percent(share)).expected(format!("≤ {}", percent(used_warn)))
    };
    let of_limit = |judged: Judgement| {
        judged.measured(float(limit), Unit::Count, limit.to_string()).expected(format!("≥ {limit_warn}"))
    };
    let needed = demand.map(|files| (files, share(files, limit)));
    let open = used.map(|used| format!(", {used} are open")).unwrap_or_default();
    match in_use {
        Some(share) if share > used_fail => of_use(Judgement::fail(too_many(share, used_fail)), share),
        _ if float(limit) < limit_fail => of_limit(Judgement::fail(format!(
            "The server may open {limit} files{open}; below {limit_fail} it runs out under load."
        ))),
        Some(share) if share > used_warn => of_use(Judgement::warn(too_many(share, used_warn)), share),
        _ if needed.is_some_and(|(_, share)| share > demand_warn) => {
            let (files, share) = needed.unwrap_or_default();
            Judgement::warn(format!(
                "Segments and clients need up to {files} open files, {} of the {limit} that the server may open.",
                percent(share)
            ))
            .measured(share, Unit::Percent, percent(share))
            .expected(format!("≤ {}", percent(demand_warn)))
        }
        _ if float(limit) < limit_warn => of_limit(Judgement::warn(format!(
            "The server may open {limit} files{open}; at least {limit_warn} should be allowed."
        ))),
        _ => of_limit(Judgement::pass(format!("The server may open {limit} files{open}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn the_limit_and_its_use_are_judged_at_their_boundaries() {
        let (evidence, settings) = (Evidence::default(), Settings::default());
        let check = find("limits.nofile").unwrap();
        let now = Timestamp::from_unix(0);
        let case = Case { evidence: &evidence, now, findings: &[], check, settings: &settings };
        for (soft, used, demand, verdict) in [
            (None, Some(1_000_000), None, Verdict::Pass),
            (Some(4095), Some(1), None, Verdict::Fail),
            (Some(4096), Some(1), None, Verdict::Warn),
            (Some(65_534), None, None, Verdict::Warn),
            (Some(65_535), None, None, Verdict::Pass),
            (Some(100_000), Some(70_000), None, Verdict::Pass),
            (Some(100_000), Some(70_001), None, Verdict::Warn),
            (Some(100_000), Some(90_000), None, Verdict::Warn),
            (Some(100_000), Some(90_001), None, Verdict::Fail),
            (Some(100_000), Some(1), Some(80_000), Verdict::Pass),
            (Some(100_000), Some(1), Some(80_001), Verdict::Warn),
        ] {
            let judged = judged(&case, soft, used, demand);
            assert_eq!(judged.verdict, verdict, "{soft:?} {used:?}: {}", judged.summary);
        }
    }
}
