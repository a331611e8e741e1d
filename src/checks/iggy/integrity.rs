//! Whether the messages on disk are whole.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::size::human;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::integrity::{INTEGRITY, Integrity, PartitionAudit, Writer};

pub(super) const CHECK: Check = Check {
    id: "iggy.integrity",
    title: "The messages on disk are whole",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[INTEGRITY.source()],
    rule: "Reads segments through, the newest first, for ten seconds at most: checksums, header fields, offsets within and across segments, and index entries. Fails at the first thing that is wrong in a partition, with file and byte. \
           Warns when a consumer is further than the newest message of a stopped server. Information when the newest segment of a stopped server ends inside a message (a server that was killed leaves that, and cuts it off at its next start), or when time ran out; passes otherwise. The end of a running server's newest segment is not judged.",
    threshold_source: "The layout of Iggy's segments: what the server wrote is what must be read.",
    why: "A flipped bit or a lost segment is found by the first consumer that reaches it, possibly months later; replicas and backups are still there today.",
    remedy: "# Keep the files as they are, and do not restart the server yet: it may cut off what follows.\n# Copy the partition's folder, compare it with a replica or a backup, and open a ticket with this table.",
    references: &["Apache Iggy: storage layout"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: integrity,
};

/// Gaps that are worth a line each.
const GAPS_MAX: usize = 8;

fn integrity(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(INTEGRITY)?;
    let unread = found.partitions.iter().filter_map(|partition| Some(Gap::broken(partition.unread.clone()?)));
    Ok(unread.take(GAPS_MAX).fold(judged(found).proof(table(found)), Judgement::gap))
}

fn name(partition: &PartitionAudit) -> String {
    format!("stream {}, topic {}, partition {}", partition.stream, partition.topic, partition.partition)
}

fn judged(found: &Integrity) -> Judgement {
    let messages: u64 = found.partitions.iter().map(|partition| partition.messages).sum();
    let bytes: u64 = found.partitions.iter().map(|partition| partition.bytes).sum();
    let read = format!(
        "{messages} messages ({}) in {}",
        human(bytes),
        counted(found.partitions.len(), "partition", "partitions")
    );
    let wrong: Vec<_> =
        found.partitions.iter().filter_map(|partition| Some((partition, partition.defect.as_ref()?))).collect();
    if let Some((partition, defect)) = wrong.first() {
        let others =
            if wrong.len() == 1 { String::new() } else { format!(" {} partitions are damaged in all.", wrong.len()) };
        return Judgement::fail(format!(
            "{}: {} at byte {} of {}.{others}",
            name(partition),
            defect.what,
            defect.position,
            defect.file
        ));
    }
    if let Some(partition) = found.partitions.iter().find(|partition| partition.ahead.is_some()) {
        let ahead = partition.ahead.as_deref().unwrap_or_default();
        return Judgement::warn(format!("{}: {ahead}; it will skip what is written next.", name(partition)));
    }
    let torn = found.partitions.iter().find_map(|partition| Some((partition, partition.torn?)));
    match torn {
        Some((partition, (position, bytes))) if found.writer == Writer::None => Judgement::info(format!(
            "{read} are whole; {} ends {bytes} bytes into a message at byte {position}, as a killed server leaves it.",
            name(partition)
        )),
        _ if found.segments_left > 0 => Judgement::info(format!(
            "{read} are whole; {} segments were not read in the time there was.",
            found.segments_left
        )),
        _ => Judgement::pass(format!("{read} are whole.")),
    }
}

fn table(found: &Integrity) -> Proof {
    let time = |us: u64| Timestamp::from_unix(i64::try_from(us / 1_000_000).unwrap_or(i64::MAX)).to_string();
    let mut sorted: Vec<&PartitionAudit> = found.partitions.iter().collect();
    sorted.sort_by_key(|partition| {
        (partition.defect.is_none(), partition.torn.is_none(), std::cmp::Reverse(partition.bytes))
    });
    let rows = sorted.iter().map(|partition| {
        let state = match (&partition.defect, partition.torn, &partition.ahead, &partition.unread) {
            (Some(defect), ..) => format!("{} at byte {} of {}", defect.what, defect.position, defect.file),
            (_, _, Some(ahead), _) => ahead.clone(),
            (_, Some((position, bytes)), ..) => format!("unfinished message of {bytes} bytes at byte {position}"),
            (.., Some(unread)) => unread.clone(),
            _ if partition.unindexed > 0 => format!("whole; {} messages are not indexed yet", partition.unindexed),
            _ => "whole".to_owned(),
        };
        vec![
            format!("{}/{}/{}", partition.stream, partition.topic, partition.partition).into(),
            partition.segments.into(),
            partition.messages.into(),
            partition.bytes.into(),
            partition.times_us.map_or(Cell::Empty, |(first, _)| time(first).into()),
            partition.times_us.map_or(Cell::Empty, |(_, last)| time(last).into()),
            state.into(),
        ]
    });
    let columns = vec![
        Column::text("Stream/topic/partition"),
        Column::number("Segments", Unit::Count),
        Column::number("Messages", Unit::Count),
        Column::number("Size", Unit::Bytes),
        Column::text("First message"),
        Column::text("Last message"),
        Column::text("State"),
    ];
    Proof::table("Partitions", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::integrity::Defect;

    #[test]
    fn damage_fails_and_a_torn_tail_is_normal() {
        let whole = PartitionAudit { messages: 5, bytes: 500, ..PartitionAudit::default() };
        let torn = PartitionAudit { torn: Some((500, 20)), ..whole.clone() };
        let ahead =
            PartitionAudit { ahead: Some("groups/1 is at 9, and the newest message is 4".into()), ..whole.clone() };
        let defect = Defect { file: "streams/0/x.log".into(), position: 64, what: "offset 7 where 1 should be".into() };
        let damaged = PartitionAudit { defect: Some(defect), ..whole.clone() };
        for (partition, writer, segments_left, expected) in [
            (whole.clone(), Writer::None, 0, Verdict::Pass),
            (whole.clone(), Writer::None, 1, Verdict::Info),
            (torn.clone(), Writer::None, 0, Verdict::Info),
            (torn, Writer::Live, 0, Verdict::Pass),
            (ahead, Writer::None, 0, Verdict::Warn),
            (damaged, Writer::Live, 0, Verdict::Fail),
        ] {
            let found = Integrity { partitions: vec![whole.clone(), partition], writer, segments_left, bytes_read: 0 };
            let judged = judged(&found);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
