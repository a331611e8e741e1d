//! Programs that crashed.

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::journal::{EventKind, JOURNAL_EVENTS, JournalEvent, is_iggys};

pub(super) const CHECK: Check = Check {
    id: "systemd.coredumps",
    title: "Crashes of programs",
    category: Category::Systemd,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[JOURNAL_EVENTS.source()],
    rule: "Fails when systemd-coredump noted a crash of one of Iggy's programs in the last 7 days (iggy_days), warns on a crash of another program in the last 24 hours; passes otherwise. Of a crash its program, signal and topmost frames are kept, never its environment, command line or memory.",
    threshold_source: "node-problem-detector: CCPPCrash; systemd's catalogue; the days are our own.",
    why: "A server written in a memory-safe language crashes for a reason worth a ticket: a bug in a library or in the kernel, or bad memory.",
    remedy: "coredumpctl list --since -7d\ncoredumpctl info PID   # attach the trace to the ticket, not the dump: it holds messages and secrets",
    references: &["systemd: coredumpctl(1), sd-messages.h"],
    privilege: "group systemd-journal, or CAP_DAC_READ_SEARCH",
    settings: &[Setting {
        name: "iggy_days",
        default: 7.0,
        min: 1.0,
        max: 7.0,
        help: "days for which a crash of Iggy's fails; events are read for seven",
    }],
    evaluate: coredumps,
};

const DAY_S: i64 = 86_400;

fn coredumps(case: &Case<'_>) -> Result<Judgement, Gap> {
    let journal = case.read(JOURNAL_EVENTS)?;
    let dumps: Vec<&JournalEvent> = journal.events.iter().filter(|event| event.kind == EventKind::CoreDump).collect();
    let judged = judged(&dumps, case.now, case.setting("iggy_days"));
    Ok(if dumps.is_empty() { judged } else { judged.proof(table(&dumps)) })
}

fn judged(dumps: &[&JournalEvent], now: Timestamp, iggy_days: f64) -> Judgement {
    let age_s = |event: &JournalEvent| now.unix() - event.at_unix;
    let ours = |event: &&&JournalEvent| {
        let program = event.program.as_ref().is_some_and(|(program, _)| is_iggys(program));
        program || event.unit.as_deref().is_some_and(is_iggys)
    };
    #[expect(clippy::cast_precision_loss, reason = "days")]
    let recent: Vec<_> =
        dumps.iter().filter(ours).filter(|event| age_s(event) as f64 <= iggy_days * DAY_S as f64).collect();
    let name = |event: &JournalEvent| match &event.program {
        Some((program, signal)) => format!("{program} ({signal})"),
        None => event.text.clone(),
    };
    if let Some(newest) = recent.first() {
        return Judgement::fail(format!(
            "{} crashed at {}; {} crashes of Iggy's programs in all.",
            name(newest),
            Timestamp::from_unix(newest.at_unix),
            recent.len()
        ));
    }
    match dumps.iter().find(|event| age_s(event) <= DAY_S) {
        Some(event) => Judgement::warn(format!("{} crashed at {}.", name(event), Timestamp::from_unix(event.at_unix))),
        None => Judgement::pass("No crash that counts was noted."),
    }
}

fn table(dumps: &[&JournalEvent]) -> Proof {
    let rows = dumps.iter().map(|event| {
        let (program, signal) = event.program.clone().unwrap_or_default();
        let time = Timestamp::from_unix(event.at_unix).to_string();
        [time, program, signal, event.unit.clone().unwrap_or_default(), event.text.clone()].map(Into::into).to_vec()
    });
    let columns = ["Time", "Program", "Signal", "Unit", "What was noted"].map(Column::text).to_vec();
    Proof::table("Crashes, newest first", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn crashes_of_iggys_fail_for_a_week_and_others_warn_for_a_day() {
        const NOW: i64 = 1_800_000_000;
        let dump = |program: &str, age_s: i64| JournalEvent {
            at_unix: NOW - age_s,
            kind: EventKind::CoreDump,
            program: Some((program.to_owned(), "SIGSEGV".to_owned())),
            ..JournalEvent::default()
        };
        for (dumps, expected) in [
            (vec![], Verdict::Pass),
            (vec![dump("/usr/bin/iggy-server", 7 * DAY_S)], Verdict::Fail),
            (vec![dump("/usr/bin/iggy-server", 7 * DAY_S + 1)], Verdict::Pass),
            (vec![dump("/usr/bin/java", DAY_S)], Verdict::Warn),
            (vec![dump("/usr/bin/java", DAY_S + 1)], Verdict::Pass),
            (vec![dump("/usr/bin/java", 1), dump("/opt/iggy-connectors", 2)], Verdict::Fail),
        ] {
            let judged = judged(&dumps.iter().collect::<Vec<_>>(), Timestamp::from_unix(NOW), 7.0);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
