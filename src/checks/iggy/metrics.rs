//! The server's own counters over the sampling window.

use super::super::figures::float;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::metrics::{METRICS_FIRST, METRICS_SECOND, MetricsAnswer};

pub(super) const CHECK: Check = Check {
    id: "iggy.metrics",
    title: "Server counters",
    category: Category::Iggy,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[METRICS_FIRST.source(), METRICS_SECOND.source()],
    rule: "Asks for the server's metrics twice. Warns when a counter of dropped, rejected or failed work (its name holds drop, reject, refus or fail) rose in between. Information otherwise: all counters, and how fast they rise. 0.8 has no such counter.",
    threshold_source: "The names are those of Iggy's own metrics (0.9 edge: frame_drops, partitions_reconcile_failures, partition_frames_rejected_…).",
    why: "A shard that drops frames makes its clients wait for a timeout; nothing else shows it while it happens.",
    remedy: "# In Iggy's configuration: raise system.sharding.inbox_capacity for variant=partition, message_bus.peer_queue_capacity for reason=full towards a replica\ncurl -s http://127.0.0.1:3000/metrics | grep -E 'drop|reject|fail'\nsystemctl restart iggy-server   # in a maintenance window",
    references: &["Apache Iggy: http.metrics"],
    privilege: "any user on 0.8; a credential of Iggy's on 0.9 edge",
    settings: &[],
    evaluate: metrics,
};

/// Parts of names of counters that should not rise.
const LOSSES: [&str; 4] = ["drop", "reject", "refus", "fail"];
/// Series that are shown.
const ROWS_MAX: usize = 60;

fn metrics(case: &Case<'_>) -> Result<Judgement, Gap> {
    let first = case.read(METRICS_FIRST)?;
    let second = case.read(METRICS_SECOND)?;
    Ok(judged(first, second).proof(table(first, second)))
}

fn judged(first: &MetricsAnswer, second: &MetricsAnswer) -> Judgement {
    let before = |series: &str| first.metrics.0.get(series).copied();
    let mut losses: Vec<(&str, f64, f64)> = LOSSES
        .iter()
        .flat_map(|word| second.metrics.named(word))
        // A series that is new may have been counted since long ago.
        .map(|(series, now)| (series, now, now - before(series).unwrap_or(now)))
        .collect();
    losses.sort_by(|a, b| b.2.total_cmp(&a.2));
    losses.dedup_by(|a, b| a.0 == b.0);
    let count = second.metrics.0.len();
    match losses.first() {
        Some((series, now, rose)) if *rose > 0.0 => Judgement::warn(format!("{series} rose by {rose} to {now}."))
            .measured(*rose, Unit::Count, format!("{rose} more"))
            .expected("no loss while the snapshot was taken"),
        Some(_) => {
            let total: f64 = losses.iter().map(|(_, now, _)| now).sum();
            Judgement::info(format!("{count} series; none that counts losses rose ({total} since the server's start)."))
        }
        None => Judgement::info(format!("{count} series; this release counts no losses.")),
    }
}

fn table(first: &MetricsAnswer, second: &MetricsAnswer) -> Proof {
    let seconds = float(second.at_unix_ms.saturating_sub(first.at_unix_ms)) / 1000.0;
    let rows = second.metrics.0.iter().take(ROWS_MAX).map(|(series, now)| {
        let rose = first.metrics.0.get(series).map(|before| now - before);
        let rate = rose.filter(|_| seconds > 0.0).map(|rose| (rose / seconds * 10.0).round() / 10.0);
        vec![series.as_str().into(), Cell::Number(*now), rate.map_or(Cell::Empty, Cell::Number)]
    });
    let columns =
        vec![Column::text("Series"), Column::number("Value", Unit::Count), Column::number("Change", Unit::PerSecond)];
    Proof::table("Counters and gauges", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::iggy::metrics::Metrics;

    #[test]
    fn a_loss_that_rises_warns_and_one_that_stands_does_not() {
        for (first, second, expected) in [
            ("streams 3", "streams 4", Verdict::Info),
            ("frame_drops_total{shard=\"0\"} 7", "frame_drops_total{shard=\"0\"} 7", Verdict::Info),
            ("frame_drops_total{shard=\"0\"} 7", "frame_drops_total{shard=\"0\"} 8", Verdict::Warn),
            ("", "frame_drops_total{shard=\"0\"} 8", Verdict::Info),
            ("partitions_reconcile_failures 0", "partitions_reconcile_failures 1", Verdict::Warn),
            ("http_requests_total 1", "http_requests_total 9", Verdict::Info),
        ] {
            let answer = |text, at_unix_ms| Ok(MetricsAnswer { at_unix_ms, metrics: Metrics::read(text) });
            let mut evidence = Evidence::default();
            evidence.put(METRICS_FIRST, answer(first, 1000));
            evidence.put(METRICS_SECOND, answer(second, 2000));
            let judged = judge_one("iggy.metrics", &evidence).unwrap();
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
