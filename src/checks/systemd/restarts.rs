//! Restarts that nobody asked for.

use std::collections::BTreeMap;

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::journal::{EventKind, JOURNAL_EVENTS, JournalEvent, is_iggys};
use crate::evidence::systemd::{SYSTEMD, Service};

pub(super) const CHECK: Check = Check {
    id: "systemd.restarts",
    title: "Restarts in 24 hours",
    category: Category::Systemd,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[JOURNAL_EVENTS.source(), SYSTEMD.source()],
    rule: "Counts the restarts that systemd itself scheduled for Iggy's services, from the journal. Fails on more than 2 within any 5 minutes or on 5 (day_fail) within 24 hours, warns on one. Without the journal, warns when systemd counts restarts since the service was last started by hand. Passes otherwise.",
    threshold_source: "node-mixin: more than 2 in 5 minutes; node-problem-detector: 5 in 20 minutes; the 5 a day are our own.",
    why: "Each unplanned restart of a broker drops its clients and reads its segments again; a loop of them is an outage that looks like service.",
    remedy: "journalctl -u iggy-server -p warning -n 100 --no-pager\nsystemctl status iggy-server   # the exit code; then logs.runtime",
    references: &["systemd: sd-messages.h", "node-mixin: NodeSystemdServiceCrashlooping"],
    privilege: "group systemd-journal, or CAP_DAC_READ_SEARCH",
    settings: &[Setting {
        name: "day_fail",
        default: 5.0,
        min: 2.0,
        max: 1000.0,
        help: "restarts in 24 hours that fail",
    }],
    evaluate: restarts,
};

const DAY_S: i64 = 86_400;
/// The window in which restarts are a loop, and how many it takes.
const LOOP_S: i64 = 300;
const LOOP_RESTARTS_MIN: usize = 3;

fn restarts(case: &Case<'_>) -> Result<Judgement, Gap> {
    let services = case.read(SYSTEMD).map_or(&[][..], |systemd| systemd.services.as_slice());
    match case.read(JOURNAL_EVENTS) {
        Ok(journal) => {
            let recent = |event: &&JournalEvent| case.now.unix() - event.at_unix <= DAY_S;
            let ours = |event: &&JournalEvent| event.unit.as_deref().is_some_and(is_iggys);
            let events: Vec<&JournalEvent> = journal.events.iter().filter(recent).filter(ours).collect();
            Ok(by_journal(&events, case.setting("day_fail")).proof(table(&events)))
        }
        Err(gap) if services.is_empty() => Err(gap),
        Err(gap) => Ok(by_counter(services).gap(gap)),
    }
}

fn by_journal(events: &[&JournalEvent], day_fail: f64) -> Judgement {
    let mut units: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == EventKind::Restart) {
        units.entry(event.unit.as_deref().unwrap_or_default()).or_default().push(event.at_unix);
    }
    let Some((unit, times)) = units.iter().max_by_key(|(_, times)| times.len()) else {
        return Judgement::pass("systemd restarted none of Iggy's services in the last 24 hours.");
    };
    let looping = units.iter().find(|(_, times)| {
        let mut sorted = (*times).clone();
        sorted.sort_unstable();
        sorted.windows(LOOP_RESTARTS_MIN).any(|window| window[LOOP_RESTARTS_MIN - 1] - window[0] <= LOOP_S)
    });
    if let Some((unit, times)) = looping {
        return Judgement::fail(format!(
            "{unit} was restarted {} times in 24 hours, at least {LOOP_RESTARTS_MIN} of them within 5 minutes.",
            times.len()
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
    let count = times.len() as f64;
    let summary = format!("{unit} was restarted {} times in the last 24 hours.", times.len());
    let judged = if count >= day_fail { Judgement::fail(summary) } else { Judgement::warn(summary) };
    judged.measured(count, Unit::Count, format!("{} restarts", times.len())).expected("none")
}

fn by_counter(services: &[Service]) -> Judgement {
    match services.iter().max_by_key(|service| service.restarts) {
        Some(Service { name, restarts: Some(restarts @ 1..), .. }) => {
            Judgement::warn(format!("{name} was restarted {restarts} times since it was last started by hand."))
        }
        _ => Judgement::pass("systemd counts no restart of Iggy's services."),
    }
}

fn table(events: &[&JournalEvent]) -> Proof {
    let shown = events.iter().filter(|event| {
        matches!(event.kind, EventKind::Restart | EventKind::Failed | EventKind::StartFailed | EventKind::Exited)
    });
    let rows = shown.map(|event| {
        [Timestamp::from_unix(event.at_unix).to_string(), event.unit.clone().unwrap_or_default(), event.text.clone()]
            .map(Into::into)
            .to_vec()
    });
    Proof::table(
        "What systemd noted, newest first",
        ["Time", "Unit", "Event"].map(Column::text).to_vec(),
        rows.collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::journal::JournalEvents;
    use crate::evidence::systemd::Systemd;

    const NOW: i64 = 1_800_000_000;

    fn judge(evidence: &Evidence) -> Result<Judgement, Gap> {
        let check = find("systemd.restarts").unwrap();
        let settings = Settings::default();
        restarts(&Case { evidence, now: Timestamp::from_unix(NOW), findings: &[], check, settings: &settings })
    }

    fn at(unit: &str, ages_s: &[i64]) -> Verdict {
        let event =
            |age_s: &i64| JournalEvent { at_unix: NOW - age_s, unit: Some(unit.to_owned()), ..JournalEvent::default() };
        let mut evidence = Evidence::default();
        let events = ages_s.iter().map(event).collect();
        evidence.put(JOURNAL_EVENTS, Ok(JournalEvents { events, ..JournalEvents::default() }));
        judge(&evidence).unwrap().verdict
    }

    #[test]
    fn loops_and_many_restarts_fail_and_one_warns_for_a_day() {
        const SERVER: &str = "iggy-server.service";
        for (unit, ages_s, expected) in [
            (SERVER, &[][..], Verdict::Pass),
            (SERVER, &[DAY_S + 1], Verdict::Pass),
            (SERVER, &[DAY_S], Verdict::Warn),
            (SERVER, &[10, 20], Verdict::Warn),
            (SERVER, &[10, 20, 310], Verdict::Fail),
            (SERVER, &[10, 20, 311], Verdict::Warn),
            (SERVER, &[1000, 5000, 9000, 13_000], Verdict::Warn),
            (SERVER, &[1000, 5000, 9000, 13_000, 17_000], Verdict::Fail),
            ("other.service", &[10, 20, 30, 40, 50, 60], Verdict::Pass),
        ] {
            assert_eq!(at(unit, ages_s), expected, "{unit} {ages_s:?}");
        }
    }

    #[test]
    fn without_the_journal_systemds_counter_stands_for_it() {
        let judge_counter = |restarts| {
            let mut evidence = Evidence::default();
            let service = Service { name: "iggy-server.service".into(), restarts, ..Service::default() };
            evidence.put(SYSTEMD, Ok(Systemd { services: vec![service], ..Systemd::default() }));
            judge(&evidence).unwrap()
        };
        assert_eq!(judge_counter(Some(0)).verdict, Verdict::Pass);
        assert_eq!(judge_counter(Some(1)).verdict, Verdict::Warn);
        assert_eq!(judge_counter(None).gaps.len(), 1);
        assert!(judge(&Evidence::default()).is_err());
    }
}
