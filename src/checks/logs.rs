//! Checks of logs: what the kernel and the runtimes wrote.

use std::collections::BTreeMap;

use super::log_patterns::{KERNEL, Pattern, RUNTIME, is_abandoned_handshake, is_failed_login, matching};
use super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::level::Level;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::logs::{KERNEL_LOG, RUNTIME_LOGS, RuntimeLog};
use crate::iggy::log_line::{LogLine, template, without_colours};

const DAY_S: i64 = 24 * 60 * 60;
const HOUR_S: i64 = 60 * 60;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "logs.kernel",
        title: "Findings in the kernel's log",
        category: Category::Logs,
        tier: Tier::Core,
        severity: Severity::Critical,
        needs: &[KERNEL_LOG.source()],
        rule: "Fail on an oops, a lockup, a fatal hardware error, a failed block device, a file system that was shut down or set read-only, or an Iggy process that was killed or crashed, in the last 24 hours of uptime (hours_max); warn on hung tasks, corrected hardware errors, lost links, other out-of-memory kills and full tables; pass otherwise.",
        threshold_source: "The kernel's own messages, and node-problem-detector's rules for them.",
        why: "The kernel notices dying disks, memory and drivers long before a broker does, and it says so here.",
        remedy: "dmesg -T | tail -n 200\n# Keep the lines that the table shows for the ticket, then follow what each of them says about its device.",
        references: &["Linux documentation: admin-guide/bug-hunting", "node-problem-detector: kernel-monitor.json"],
        privilege: "CAP_SYSLOG",
        settings: &[Setting {
            name: "hours_max",
            default: 24.0,
            min: 1.0,
            max: 8760.0,
            help: "how far back lines count, hours",
        }],
        evaluate: kernel,
    },
    Check {
        id: "logs.runtime",
        title: "Findings in the runtimes' logs",
        category: Category::Logs,
        tier: Tier::Core,
        severity: Severity::High,
        needs: &[RUNTIME_LOGS.source()],
        rule: "Over the lines of the last 24 hours: fail on a panic, an abort, a failed write or damaged data; warn on 50 ERROR lines (errors_warn), or when ERROR is 5 % (error_percent_warn) of at least 200 lines of the last hour; information on fewer errors; pass otherwise. Refused log-ins, and handshakes that a client left, are counted apart.",
        threshold_source: "The messages of Iggy's own source; the counts are snapvisor's own judgement.",
        why: "A runtime says what went wrong in its own words, often hours before clients notice.",
        remedy: "journalctl -u iggy-server -n 2000 --no-pager | grep -E ' (ERROR|WARN) |panicked' | tail -40\ngrep -hE ' (ERROR|WARN) |panicked' 'DATA_DIRECTORY'/logs/iggy-server.log* | tail -40\n# The first error counts, not the last; the table gives the meaning of each known message.",
        references: &["Apache Iggy: server logs"],
        privilege: "CAP_DAC_READ_SEARCH",
        settings: &[
            Setting { name: "errors_warn", default: 50.0, min: 1.0, max: 2000.0, help: "ERROR lines a day that warn" },
            Setting {
                name: "error_percent_warn",
                default: 5.0,
                min: 0.1,
                max: 100.0,
                help: "percent of the last hour's lines that warn",
            },
        ],
        evaluate: runtime,
    },
];

/// A known message that was met.
struct Hit<'a> {
    pattern: &'static Pattern,
    count: u64,
    /// When it was first and last written, as far as its lines say.
    times: Option<(Timestamp, Timestamp)>,
    last: &'a str,
    place: &'a str,
}

fn hits_table(title: &'static str, hits: &[Hit<'_>]) -> Proof {
    let columns = vec![
        Column::text("Verdict"),
        Column::text("Where"),
        Column::text("Meaning"),
        Column::number("Lines", Unit::Count),
        Column::text("First"),
        Column::text("Last"),
        Column::text("Newest line"),
    ];
    let time = |time: Option<Timestamp>| time.map_or_else(|| "unknown".to_owned(), |time| time.to_string());
    let rows = hits.iter().map(|hit| {
        vec![
            hit.pattern.verdict.word().into(),
            hit.place.into(),
            hit.pattern.meaning.into(),
            hit.count.into(),
            time(hit.times.map(|(first, _)| first)).into(),
            time(hit.times.map(|(_, last)| last)).into(),
            hit.last.into(),
        ]
    });
    Proof::table(title, columns, rows.collect())
}

/// Groups matching lines (place, time, text) by their pattern, worst first, then in the order of the table.
fn hits<'a>(
    table: &'static [Pattern],
    lines: impl Iterator<Item = (&'a str, Option<Timestamp>, &'a str)>,
) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit<'a>> = Vec::new();
    for (place, time, line) in lines {
        let Some(pattern) = matching(table, line) else { continue };
        match hits.iter_mut().find(|hit| std::ptr::eq(hit.pattern, pattern) && hit.place == place) {
            Some(hit) => {
                (hit.count, hit.last) = (hit.count + 1, line);
                let first = hit.times.map(|(first, _)| first);
                hit.times = time.map(|time| (first.unwrap_or(time), time)).or(hit.times);
            }
            None => hits.push(Hit { pattern, count: 1, times: time.map(|time| (time, time)), last: line, place }),
        }
    }
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.pattern.verdict));
    hits
}

fn judge(hits: &[Hit<'_>], what: &str) -> Option<Judgement> {
    let worst = hits.first()?;
    let total: u64 = hits.iter().map(|hit| hit.count).sum();
    let (meaning, verdict) = (worst.pattern.meaning, worst.pattern.verdict);
    let others = if hits.len() == 1 { String::new() } else { format!(" {} kinds of message in all.", hits.len()) };
    let summary = format!("{what}: {meaning} ({} of {total} known lines).{others}", worst.count);
    let judged = if verdict == Verdict::Fail { Judgement::fail(summary) } else { Judgement::warn(summary) };
    Some(judged.proof(hits_table("Known messages", hits)))
}

fn kernel(case: &Case<'_>) -> Result<Judgement, Gap> {
    /// Lines shown whatever the verdict.
    const TAIL_LINES: usize = 200;
    let log = case.read(KERNEL_LOG)?;
    let hours_max = case.setting("hours_max");
    #[expect(clippy::cast_precision_loss, reason = "seconds of uptime")]
    let since_us = (log.uptime_s as f64 - hours_max * 3600.0).max(0.0) * 1e6;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of uptime")]
    let recent = log.lines.iter().filter(|line| line.since_boot_us as f64 >= since_us);
    let time = |since_boot_us: u64| {
        let ago_s = log.uptime_s.saturating_sub(since_boot_us / 1_000_000);
        i64::try_from(ago_s).ok().map(|ago_s| case.now.plus_s(-ago_s))
    };
    let hits = hits(KERNEL, recent.map(|line| ("kernel", time(line.since_boot_us), line.text.as_str())));
    let judged = judge(&hits, "The kernel's log").unwrap_or_else(|| {
        Judgement::pass(format!("{} lines and no known problem in the last {hours_max} hours.", log.lines.len()))
    });
    let shown = log.lines.len().min(TAIL_LINES);
    let tail: Vec<String> = log.lines[log.lines.len() - shown..]
        .iter()
        .map(|line| {
            format!("[{:>5}.{:06}] {}", line.since_boot_us / 1_000_000, line.since_boot_us % 1_000_000, line.text)
        })
        .collect();
    let lines_dropped = log.dropped + (log.lines.len() - shown) as u64;
    Ok(judged.proof(Proof::Text { title: "The newest lines", text: tail.join("\n"), lines_dropped }))
}

/// A runtime's lines, as far as they count.
struct Read<'a> {
    runtime: &'a str,
    plain: String,
    level: Level,
    age_s: Option<i64>,
}

fn read(log: &RuntimeLog, now: Timestamp) -> Vec<Read<'_>> {
    let mut last_age_s = None;
    log.lines
        .iter()
        .map(|line| {
            let plain = without_colours(line);
            let parts = LogLine::read(&plain);
            // A line without a time (a panic's text) belongs to the one before it.
            last_age_s = parts.time.map(|time| now.since_s(time)).or(last_age_s);
            let level = parts.level;
            Read { runtime: &log.runtime, plain, level, age_s: last_age_s }
        })
        .collect()
}

fn runtime(case: &Case<'_>) -> Result<Judgement, Gap> {
    let logs = case.read(RUNTIME_LOGS)?;
    let gaps: Vec<Gap> = logs.iter().filter_map(|log| log.unread.clone()).collect();
    if gaps.len() == logs.len() {
        return Err(gaps.into_iter().next().unwrap_or_else(|| Gap::absent("no runtime has a log")));
    }
    let lines: Vec<Read<'_>> = logs.iter().flat_map(|log| read(log, case.now)).collect();
    let day: Vec<&Read<'_>> = lines.iter().filter(|line| line.age_s.is_none_or(|age| age <= DAY_S)).collect();
    let (logins, day): (Vec<_>, Vec<_>) = day.into_iter().partition(|line| is_failed_login(&line.plain));
    let (handshakes, day): (Vec<_>, Vec<_>) = day.into_iter().partition(|line| is_abandoned_handshake(&line.plain));
    let hits = hits(
        RUNTIME,
        day.iter().map(|line| (line.runtime, line.age_s.map(|age| case.now.plus_s(-age)), line.plain.as_str())),
    );
    let errors = day.iter().filter(|line| line.level == Level::Error).count() as u64;
    let judged = judge(&hits, "A runtime's log").unwrap_or_else(|| by_level(case, &day, errors));
    let judged = judged.proof(levels(&lines)).proof(templates(&day));
    let judged = gaps.into_iter().fold(judged, Judgement::gap);
    let apart = [("Refused log-ins", logins.len()), ("Handshakes that a client left", handshakes.len())];
    let apart: Vec<_> =
        apart.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| (what, count as u64)).collect();
    Ok(if apart.is_empty() {
        judged
    } else {
        judged.proof(Proof::facts("Counted apart, lines in the last 24 hours", apart))
    })
}

fn by_level(case: &Case<'_>, day: &[&Read<'_>], errors: u64) -> Judgement {
    /// Lines of the last hour below which a share says nothing.
    const LINES_MIN: usize = 200;
    let hour: Vec<_> = day.iter().filter(|line| line.age_s.is_some_and(|age| age <= HOUR_S)).collect();
    let hour_errors = hour.iter().filter(|line| line.level == Level::Error).count();
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand lines")]
    let (percent, errors_f) = (100.0 * hour_errors as f64 / hour.len().max(1) as f64, errors as f64);
    let (errors_warn, percent_warn) = (case.setting("errors_warn"), case.setting("error_percent_warn"));
    let summary =
        format!("{errors} ERROR lines in the last 24 hours, {percent:.1} % of the last hour's {} lines.", hour.len());
    let judged = match () {
        () if errors_f >= errors_warn || (hour.len() >= LINES_MIN && percent >= percent_warn) => {
            Judgement::warn(summary)
        }
        () if errors > 0 => Judgement::info(summary),
        () => Judgement::pass(format!("No ERROR among the {} lines of the last 24 hours.", day.len())),
    };
    judged.measured(errors_f, Unit::Count, format!("{errors} errors")).expected(format!("< {errors_warn} a day"))
}

fn levels(lines: &[Read<'_>]) -> Proof {
    let mut counts: BTreeMap<(&str, Level), u64> = BTreeMap::new();
    for line in lines {
        *counts.entry((line.runtime, line.level)).or_default() += 1;
    }
    let columns = vec![Column::text("Runtime"), Column::text("Level"), Column::number("Lines", Unit::Count)];
    let rows =
        counts.into_iter().map(|((runtime, level), count)| vec![runtime.into(), level.word().into(), count.into()]);
    Proof::table("Lines by level", columns, rows.collect())
}

fn templates(lines: &[&Read<'_>]) -> Proof {
    /// Templates shown.
    const TEMPLATES_MAX: usize = 10;
    let mut counts: BTreeMap<(Level, String), u64> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.level <= Level::Warn) {
        *counts.entry((line.level, template(LogLine::read(&line.plain).message))).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|((level, _), count)| (*level, std::cmp::Reverse(*count)));
    let columns = vec![Column::text("Level"), Column::number("Lines", Unit::Count), Column::text("Message")];
    let rows = rows.into_iter().take(TEMPLATES_MAX);
    let rows = rows.map(|((level, template), count)| vec![level.word().into(), count.into(), template.into()]);
    Proof::table("The most frequent warnings and errors, numbers taken out", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, find};
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::logs::{KernelLine, KernelLog};

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn verdict(id: &str, evidence: &Evidence) -> Verdict {
        let check = find(id).unwrap();
        let case = Case { evidence, now: NOW, findings: &[], check, settings: &Settings::default() };
        (check.evaluate)(&case).unwrap().verdict
    }

    fn kernel_verdict(lines: &[(u64, &str)]) -> Verdict {
        let lines = lines.iter().map(|&(since_boot_s, text)| KernelLine {
            priority: 3,
            since_boot_us: since_boot_s * 1_000_000,
            text: text.to_owned(),
        });
        let mut evidence = Evidence::default();
        evidence.put(KERNEL_LOG, Ok(KernelLog { lines: lines.collect(), dropped: 0, uptime_s: 200_000 }));
        verdict("logs.kernel", &evidence)
    }

    #[test]
    fn the_kernels_recent_problems_are_judged_and_old_ones_are_not() {
        const KILLED: &str = "Out of memory: Killed process 9 (iggy-server)";
        assert_eq!(kernel_verdict(&[]), Verdict::Pass);
        assert_eq!(kernel_verdict(&[(199_000, "eth0: NIC Link is Down")]), Verdict::Warn);
        assert_eq!(kernel_verdict(&[(199_000, "eth0: NIC Link is Down"), (199_001, KILLED)]), Verdict::Fail);
        assert_eq!(kernel_verdict(&[(200_000 - 86_401, KILLED)]), Verdict::Pass);
        assert_eq!(kernel_verdict(&[(200_000 - 86_400, KILLED)]), Verdict::Fail);
    }

    fn runtime_verdict(lines: Vec<String>) -> Verdict {
        let log = RuntimeLog { runtime: "iggy-server".into(), lines, ..RuntimeLog::default() };
        let mut evidence = Evidence::default();
        evidence.put(RUNTIME_LOGS, Ok(vec![log]));
        verdict("logs.runtime", &evidence)
    }

    fn line(age_s: i64, text: &str) -> String {
        format!("{} {text}", NOW.plus_s(-age_s))
    }

    #[test]
    fn errors_are_judged_by_their_number_and_their_share() {
        let errors = |count: usize, of: usize| {
            let error = std::iter::repeat_n(line(60, "ERROR shard-0 a: b"), count);
            error.chain(std::iter::repeat_n(line(60, " INFO shard-0 a: b"), of - count)).collect()
        };
        assert_eq!(runtime_verdict(errors(0, 10)), Verdict::Pass);
        assert_eq!(runtime_verdict(errors(9, 199)), Verdict::Info, "a share of few lines says nothing");
        assert_eq!(runtime_verdict(errors(9, 200)), Verdict::Info);
        assert_eq!(runtime_verdict(errors(10, 200)), Verdict::Warn);
        assert_eq!(runtime_verdict(errors(49, 2000)), Verdict::Info);
        assert_eq!(runtime_verdict(errors(50, 2000)), Verdict::Warn);
    }

    #[test]
    fn a_panic_fails_for_a_day_and_a_refused_login_never() {
        let panic = |age| vec![line(age, " INFO a: b"), "thread 'shard-1' panicked at src/x.rs:1:2:".to_owned()];
        assert_eq!(runtime_verdict(panic(60)), Verdict::Fail);
        assert_eq!(runtime_verdict(panic(DAY_S + 1)), Verdict::Pass);
        for text in ["ERROR a: Invalid credentials for user", "ERROR a: TLS handshake failed from 10.0.0.7:4: eof"] {
            let lines = std::iter::repeat_n(line(60, text), 300).collect();
            assert_eq!(runtime_verdict(lines), Verdict::Pass, "{text}");
        }
    }
}
