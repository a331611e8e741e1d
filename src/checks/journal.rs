//! The journal's own health.

use super::figures::float;
use super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::journal::{
    EventKind, FileState, JOURNAL_EVENTS, JOURNAL_FILES, JournalEvent, JournalFile, Keeping, is_iggys,
};
use crate::evidence::logs::KERNEL_LOG;

pub(super) const CHECK: Check = Check {
    id: "logs.journal",
    title: "Journal health",
    category: Category::Logs,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[JOURNAL_FILES.source(), JOURNAL_EVENTS.source(), KERNEL_LOG.source()],
    rule: "Warns on a journal file that is damaged or cut, when journald missed messages or threw messages of Iggy's services away in the last 24 hours, when no file outlives a reboot, and when the history is shorter than 24 hours (history_hours_min) although the host has been up for longer. Passes otherwise.",
    threshold_source: "systemd's catalogue of messages; the 24 hours are our own.",
    why: "The lines that explain an outage are the ones that a rate limit or a reboot throws away first.",
    remedy: "journalctl --verify\njournalctl --disk-usage\n# Keep logs across reboots, and long enough:\nmkdir -p /var/log/journal /etc/systemd/journald.conf.d\nprintf '[Journal]\\nStorage=persistent\\nSystemMaxUse=1G\\n' > /etc/systemd/journald.conf.d/iggy.conf\nsystemctl restart systemd-journald && journalctl --flush\n# A service that is cut off for being loud:\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nLogRateLimitBurst=100000\\n' > /etc/systemd/system/iggy-server.service.d/log-rate.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window",
    references: &["systemd: journald.conf(5)"],
    privilege: "group systemd-journal, or CAP_DAC_READ_SEARCH",
    settings: &[Setting {
        name: "history_hours_min",
        default: 24.0,
        min: 1.0,
        max: 8760.0,
        help: "hours that the journal should reach back",
    }],
    evaluate: journal,
};

const DAY_S: i64 = 86_400;

fn journal(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(JOURNAL_FILES)?;
    let events = case.read(JOURNAL_EVENTS);
    let lost: Vec<&JournalEvent> =
        events.as_ref().map_or(&[][..], |journal| journal.events.as_slice()).iter().collect();
    let uptime_s = case.read(KERNEL_LOG).ok().map(|log| log.uptime_s);
    let judged = judged(files, &lost, case.now, uptime_s, case.setting("history_hours_min")).proof(table(files));
    Ok(events.err().into_iter().fold(judged, Judgement::gap))
}

fn judged(
    files: &[JournalFile],
    events: &[&JournalEvent],
    now: Timestamp,
    uptime_s: Option<u64>,
    history_hours_min: f64,
) -> Judgement {
    if let Some((file, why)) = files.iter().find_map(|file| Some((file, file.header.as_ref().err()?))) {
        return Judgement::warn(format!("{} is damaged: {why}.", file.path));
    }
    let recent = |event: &&&JournalEvent| now.unix() - event.at_unix <= DAY_S;
    let lost = |event: &&&JournalEvent| match event.kind {
        EventKind::Suppressed => event.unit.as_deref().is_some_and(is_iggys),
        EventKind::Missed => true,
        _ => false,
    };
    if let Some(event) = events.iter().filter(recent).find(lost) {
        let total: u64 = events.iter().filter(recent).filter(lost).map(|event| event.lost).sum();
        return Judgement::warn(format!(
            "Messages were lost in the last 24 hours ({total} that were counted); the newest loss: {}.",
            event.text.trim_end_matches('.')
        ));
    }
    if files.iter().all(|file| file.keeping == Keeping::Volatile) {
        return Judgement::warn("The journal is kept in memory alone: a reboot takes all of it away.");
    }
    let headers = || files.iter().filter_map(|file| file.header.as_ref().ok());
    let oldest_us = headers().map(|header| header.oldest_us).filter(|oldest| *oldest > 0).min();
    let size: u64 = files.iter().map(|file| file.size_bytes).sum();
    let Some(oldest_us) = oldest_us else {
        return Judgement::info(format!("The journal ({}) holds no entry.", human(size)));
    };
    let oldest = Timestamp::from_unix(i64::try_from(oldest_us / 1_000_000).unwrap_or(0));
    let hours = float(u64::try_from(now.since_s(oldest)).unwrap_or(0)) / 3600.0;
    let up_hours = uptime_s.map_or(0.0, float) / 3600.0;
    let judged = if hours < history_hours_min && up_hours > history_hours_min {
        Judgement::warn(format!("The journal ({}) reaches back {hours:.1} hours alone.", human(size)))
    } else {
        Judgement::pass(format!("The journal ({}) is whole and reaches back to {oldest}.", human(size)))
    };
    judged.measured(hours, Unit::Count, format!("{hours:.1} hours")).expected(format!("≥ {history_hours_min} hours"))
}

fn table(files: &[JournalFile]) -> Proof {
    let time = |us: u64| Timestamp::from_unix(i64::try_from(us / 1_000_000).unwrap_or(0)).to_string();
    let rows = files.iter().map(|file| {
        let (state, entries, oldest) = match &file.header {
            Ok(header) => {
                let state = match header.state {
                    FileState::Online => "written to",
                    FileState::Offline => "closed",
                    FileState::Archived => "archived",
                };
                (state.to_owned(), header.entries, time(header.oldest_us))
            }
            Err(why) => (why.clone(), 0, String::new()),
        };
        vec![file.path.as_str().into(), file.size_bytes.into(), entries.into(), oldest.into(), state.into()]
    });
    let columns = vec![
        Column::text("File"),
        Column::number("Size", Unit::Bytes),
        Column::number("Entries", Unit::Count),
        Column::text("Oldest entry"),
        Column::text("State"),
    ];
    Proof::table("Files of the journal", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::journal::JournalHeader;

    const NOW: i64 = 1_800_000_000;
    const DAY_UP: Option<u64> = Some(86_401);

    fn file(keeping: Keeping, hours: i64) -> JournalFile {
        let oldest_us = u64::try_from(NOW - hours * 3600).unwrap() * 1_000_000;
        let header = JournalHeader { state: FileState::Online, entries: 9, oldest_us, newest_us: oldest_us };
        JournalFile { path: "/x.journal".into(), keeping, size_bytes: 8 << 20, header: Ok(header) }
    }

    fn event(kind: EventKind, unit: &str, age_s: i64) -> JournalEvent {
        JournalEvent { at_unix: NOW - age_s, kind, unit: Some(unit.into()), lost: 7, ..JournalEvent::default() }
    }

    #[test]
    fn damage_losses_and_a_short_memory_warn() {
        let kept = |hours| vec![file(Keeping::Persistent, hours)];
        let damaged = vec![JournalFile { header: Err("cut".into()), ..file(Keeping::Persistent, 99) }];
        let mut empty = file(Keeping::Persistent, 24);
        empty.header = empty.header.map(|header| JournalHeader { entries: 0, oldest_us: 0, newest_us: 0, ..header });
        let both = vec![file(Keeping::Volatile, 1), file(Keeping::Persistent, 48)];
        for (files, events, uptime_s, expected) in [
            (kept(24), vec![], DAY_UP, Verdict::Pass),
            (kept(23), vec![], DAY_UP, Verdict::Warn),
            (kept(23), vec![], Some(86_400), Verdict::Pass),
            (kept(23), vec![], None, Verdict::Pass),
            (vec![empty], vec![], DAY_UP, Verdict::Info),
            (damaged, vec![], DAY_UP, Verdict::Warn),
            (vec![file(Keeping::Volatile, 48)], vec![], DAY_UP, Verdict::Warn),
            (both, vec![], DAY_UP, Verdict::Pass),
            (kept(24), vec![event(EventKind::Suppressed, "iggy-server.service", DAY_S)], None, Verdict::Warn),
            (kept(24), vec![event(EventKind::Suppressed, "iggy-server.service", DAY_S + 1)], None, Verdict::Pass),
            (kept(24), vec![event(EventKind::Suppressed, "chatty.service", 1)], None, Verdict::Pass),
            (kept(24), vec![event(EventKind::Missed, "", 1)], None, Verdict::Warn),
            (kept(24), vec![event(EventKind::Restart, "iggy-server.service", 1)], None, Verdict::Pass),
        ] {
            let events: Vec<_> = events.iter().collect();
            let judged = judged(&files, &events, Timestamp::from_unix(NOW), uptime_s, 24.0);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
