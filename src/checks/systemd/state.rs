//! The manager's state, failed units and timers.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::systemd::{SYSTEMD, Service, Systemd, Timer};

pub(super) const CHECK: Check = Check {
    id: "systemd.state",
    title: "Manager state, failed units, timers",
    category: Category::Systemd,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[SYSTEMD.source()],
    rule: "Fails when a service of Iggy's or of this appliance has failed or is restarting over and over. Warns on any other failed unit, and on a timer whose next time passed more than 15 minutes ago (timer_late_min). Passes otherwise.",
    threshold_source: "node-mixin: NodeSystemdServiceFailed; the 15 minutes are our own (systemd's accuracy is one minute).",
    why: "What systemd gave up on stays down until somebody looks, and a timer that stands still ends backups and rotation of logs silently.",
    remedy: "systemctl --failed\nsystemctl status UNIT\njournalctl -u UNIT -n 50 --no-pager\nsystemctl reset-failed UNIT   # once its cause is mended",
    references: &["systemd: systemctl(1)", "node-mixin: NodeSystemdServiceFailed"],
    privilege: "any user, over the system bus; root without it",
    settings: &[Setting {
        name: "timer_late_min",
        default: 15.0,
        min: 1.0,
        max: 10_080.0,
        help: "minutes after which a timer is late",
    }],
    evaluate: state,
};

fn state(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(SYSTEMD)?;
    let late_min = case.setting("timer_late_min");
    let judged = judged(found, case.now, late_min).proof(services(&found.services));
    let judged = if found.failed.is_empty() {
        judged
    } else {
        let rows = found.failed.iter().map(|name| vec![name.as_str().into()]).collect();
        judged.proof(Proof::table("Failed units", vec![Column::text("Unit")], rows))
    };
    Ok(if found.timers.is_empty() { judged } else { judged.proof(timers(&found.timers)) })
}

fn judged(found: &Systemd, now: Timestamp, late_min: f64) -> Judgement {
    let down = |service: &&Service| service.active == "failed" || service.sub == "auto-restart";
    if let Some(service) = found.services.iter().find(down) {
        let how = match service.exit {
            Some((_, status)) => format!("{}, status {status}", service.result),
            None => service.result.clone(),
        };
        let what = if service.active == "failed" { "has failed" } else { "fails and is restarted over and over" };
        return Judgement::fail(format!("{} {what} ({how}).", service.name)).remedy(of_unit(&service.name));
    }
    let failed = found.failed.len() + usize::try_from(found.failed_dropped).unwrap_or(0);
    if let Some(first) = found.failed.first() {
        let others = if failed == 1 { String::new() } else { format!(" and {} more", failed - 1) };
        return Judgement::warn(format!("{first}{others} failed; the manager is {}.", found.state))
            .remedy(of_unit(first));
    }
    let late = |timer: &&Timer| {
        #[expect(clippy::cast_precision_loss, reason = "minutes")]
        timer.next_unix.is_some_and(|next| (now.unix() - next) as f64 > late_min * 60.0)
    };
    if let Some(timer) = found.timers.iter().find(late) {
        let next = timer.next_unix.map(|next| Timestamp::from_unix(next).to_string()).unwrap_or_default();
        return Judgement::warn(format!("{} was to start {} at {next} and did not.", timer.name, timer.starts)).remedy(
            format!("systemctl status {0} {1}\nsystemctl restart {0}", quoted(&timer.name), quoted(&timer.starts)),
        );
    }
    Judgement::pass(format!(
        "The manager (systemd {}) is {}; none of {} failed.",
        found.version,
        found.state,
        counted(usize::try_from(found.units).unwrap_or(usize::MAX), "unit", "units")
    ))
}

fn of_unit(name: &str) -> String {
    CHECK.remedy.replace("UNIT", &quoted(name))
}

fn services(services: &[Service]) -> Proof {
    let rows = services.iter().map(|service| {
        vec![
            service.name.as_str().into(),
            format!("{} ({})", service.active, service.sub).into(),
            service.result.as_str().into(),
            service.restarts.map_or(Cell::Empty, |restarts| u64::from(restarts).into()),
            service.active_since_unix.map_or(Cell::Empty, |since| Timestamp::from_unix(since).to_string().into()),
        ]
    });
    let columns = vec![
        Column::text("Service"),
        Column::text("State"),
        Column::text("Last result"),
        Column::number("Restarts", Unit::Count),
        Column::text("Active since"),
    ];
    Proof::table("Services of Iggy's and of this appliance", columns, rows.collect())
}

fn timers(timers: &[Timer]) -> Proof {
    let time = |unix: Option<i64>| unix.map_or(Cell::Empty, |unix| Timestamp::from_unix(unix).to_string().into());
    let rows = timers.iter().map(|timer| {
        vec![
            timer.name.as_str().into(),
            timer.starts.as_str().into(),
            time(timer.last_unix),
            time(timer.next_unix),
            timer.unit_state.as_str().into(),
        ]
    });
    let columns = ["Timer", "Starts", "Last", "Next", "State of that unit"].map(Column::text).to_vec();
    Proof::table("Timers", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    const NOW: i64 = 1_800_000_000;

    fn service(active: &str, sub: &str) -> Service {
        Service { name: "iggy-server.service".into(), active: active.into(), sub: sub.into(), ..Service::default() }
    }

    fn timer(next_unix: Option<i64>) -> Timer {
        Timer { name: "tidy.timer".into(), next_unix, ..Timer::default() }
    }

    #[test]
    fn our_services_fail_others_and_late_timers_warn() {
        let running = || service("active", "running");
        for (services, failed, timers, expected) in [
            (vec![running()], vec![], vec![], Verdict::Pass),
            (vec![service("inactive", "dead")], vec![], vec![], Verdict::Pass),
            (vec![service("failed", "failed")], vec!["iggy-server.service"], vec![], Verdict::Fail),
            (vec![service("activating", "auto-restart")], vec![], vec![], Verdict::Fail),
            (vec![running()], vec!["x.service"], vec![], Verdict::Warn),
            (vec![running()], vec![], vec![timer(Some(NOW - 900))], Verdict::Pass),
            (vec![running()], vec![], vec![timer(Some(NOW - 901))], Verdict::Warn),
            (vec![running()], vec![], vec![timer(None)], Verdict::Pass),
        ] {
            let failed = failed.into_iter().map(str::to_owned).collect();
            let found = Systemd { state: "running".into(), services, failed, timers, ..Systemd::default() };
            let judged = judged(&found, Timestamp::from_unix(NOW), 15.0);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
