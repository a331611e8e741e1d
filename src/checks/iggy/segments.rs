//! Segment files by their names and sizes.

use super::super::figures::{counted, float, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::api::IGGY_API;
use crate::evidence::segments::{Counterpart, SEGMENT_FILES, SegmentFiles, Walk};

pub(super) const CHECK: Check = Check {
    id: "iggy.segments",
    title: "Segment files on disk",
    category: Category::Iggy,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[SEGMENT_FILES.source(), IGGY_API.source()],
    rule: "Fails when a partition holds an index without its log, or (in 0.8, which writes both) a log without its index. Warns on more than 100,000 files (files_warn), and when the logs on disk and the segments that the server counts differ by more than 5 % (count_warn_percent) and by more than two. Passes otherwise. Only names, sizes and times are looked at; iggy.integrity reads what is in them.",
    threshold_source: "The layout is Iggy's own; the numbers are our own.",
    why: "A server that meets half a segment at its start stops there, and each open segment costs two open files.",
    remedy: "# Do not delete anything: keep the list below for the ticket, and compare with a replica or a backup.\n# Too many files: raise the segment size or lower message_expiry of the topics that hold most of them.",
    references: &["Apache Iggy: storage layout"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[
        Setting {
            name: "files_warn",
            default: 100_000.0,
            min: 100.0,
            max: 100_000_000.0,
            help: "segment files that warn",
        },
        Setting {
            name: "count_warn_percent",
            default: 5.0,
            min: 0.1,
            max: 100.0,
            help: "difference between disk and server that warns, percent",
        },
    ],
    evaluate: segments,
};

/// Segments that may come and go between the walk and the answer, whatever their share.
const MOVING_MAX: u64 = 2;

/// Folders that were not listed and are worth a line each.
const UNLISTED_MAX: usize = 8;

fn segments(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(SEGMENT_FILES)?;
    let counted = case.read(IGGY_API).ok().and_then(|api| api.stats.as_ref().ok()).map(|stats| stats.segments_count);
    let judged = judged(files, counted, case.setting("files_warn"), case.setting("count_warn_percent"));
    let judged = judged.proof(facts(files, counted));
    let judged = files.unlisted.iter().take(UNLISTED_MAX).cloned().fold(judged, Judgement::gap);
    Ok(if files.orphans.is_empty() { judged } else { judged.proof(orphans(files)) })
}

fn judged(files: &SegmentFiles, server_counts: Option<u64>, files_warn: f64, count_warn_percent: f64) -> Judgement {
    if let Some(orphan) = files.orphans.first() {
        let missing = match orphan.missing {
            Counterpart::Log => "log",
            Counterpart::Index => "index",
        };
        let others = if files.orphans.len() == 1 { "" } else { "; there are more" };
        return Judgement::fail(format!("{} stands there without its {missing}{others}.", orphan.path));
    }
    let total = files.logs + files.indexes;
    if float(total) > files_warn {
        return Judgement::warn(format!("{total} segment files in {} partitions.", files.partitions))
            .measured(float(total), Unit::Count, format!("{total} files"))
            .expected(format!("≤ {files_warn} files"));
    }
    if let Some(server) = server_counts.filter(|_| files.walk == Walk::Whole && files.unlisted.is_empty()) {
        let apart = server.abs_diff(files.logs);
        if apart > MOVING_MAX && share(apart, server.max(files.logs)) > count_warn_percent {
            return Judgement::warn(format!(
                "{} logs stand on disk, and the server counts {server} segments.",
                files.logs
            ));
        }
    }
    let whole = files.walk == Walk::Whole && files.unlisted.is_empty();
    let cut = if whole { "" } else { "At least " };
    Judgement::pass(format!(
        "{cut}{} in {}, {}, each with what belongs to it.",
        counted(usize::try_from(files.logs).unwrap_or(usize::MAX), "segment", "segments"),
        counted(usize::try_from(files.partitions).unwrap_or(usize::MAX), "partition", "partitions"),
        human(files.bytes)
    ))
}

fn facts(files: &SegmentFiles, server_counts: Option<u64>) -> Proof {
    let mut facts = vec![
        ("Partitions", files.partitions.to_string()),
        ("Logs", files.logs.to_string()),
        ("Empty logs", files.empty_logs.to_string()),
        ("Indexes", files.indexes.to_string()),
        ("Size", human(files.bytes)),
    ];
    facts.extend(files.newest_unix.map(|newest| ("Newest change", Timestamp::from_unix(newest).to_string())));
    facts.extend(server_counts.map(|count| ("Segments that the server counts", count.to_string())));
    Proof::facts("Segment files", facts)
}

fn orphans(files: &SegmentFiles) -> Proof {
    let rows = files.orphans.iter().map(|orphan| {
        let missing = if orphan.missing == Counterpart::Log { "its log" } else { "its index" };
        vec![orphan.path.as_str().into(), missing.into()]
    });
    Proof::table("Halves of segments", ["File", "Missing"].map(Column::text).to_vec(), rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::segments::Orphan;

    #[test]
    fn halves_fail_and_numbers_warn() {
        let files = |logs: u64| SegmentFiles { partitions: 4, logs, indexes: logs, ..SegmentFiles::default() };
        let half = Orphan { path: "streams/0/x.index".into(), missing: Counterpart::Log };
        let with_half = SegmentFiles { orphans: vec![half], ..files(10) };
        let cut = SegmentFiles { walk: Walk::Cut, ..files(10) };
        for (files, server, expected) in [
            (files(0), Some(0), Verdict::Pass),
            (files(10), None, Verdict::Pass),
            (files(10), Some(10), Verdict::Pass),
            (files(10), Some(12), Verdict::Pass),
            (files(10), Some(13), Verdict::Warn),
            (files(1000), Some(1050), Verdict::Pass),
            (files(1000), Some(1060), Verdict::Warn),
            (files(1060), Some(1000), Verdict::Warn),
            (files(50_000), None, Verdict::Pass),
            (files(50_001), None, Verdict::Warn),
            (with_half, None, Verdict::Fail),
            (cut, Some(1000), Verdict::Pass),
        ] {
            let judged = judged(&files, server, 100_000.0, 5.0);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
