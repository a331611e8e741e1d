//! Whether the messages on disk are whole.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::size::human;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::IGGY_PLACE;
use crate::evidence::integrity::{INTEGRITY, Integrity, PartitionAudit, Writer};
use crate::iggy::Layout;

pub(super) const CHECK: Check = Check {
    id: "iggy.integrity",
    title: "The messages on disk are whole",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[INTEGRITY.source(), IGGY_PLACE.source(), IGGY_CONFIG.source()],
    rule: "Reads segments through, the newest first, for ten seconds at most: checksums, header fields, offsets within and across segments, and index entries. Fails at the first thing that is wrong in a partition, with file and byte. \
           Warns when the newest segment of a stopped 0.8 server holds whole messages that its index does not have, or ends inside a message, as a kill leaves it: 0.8 starts from the index and writes behind the end of the log, so it gives those messages' offsets away and can never read the first new one. \
           Of a 0.8 server that drops duplicates it warns instead of failing, since that leaves gaps in the offsets. \
           Information when that is so in another layout, when a consumer is further than the newest message of a stopped server (servers set it back at their start), when a segment could not be read, or when time ran out; passes otherwise. The end of a running server's newest segment is not judged.",
    threshold_source: "The layout of Iggy's segments: what the server wrote is what must be read. What 0.8 makes of a log that is ahead of its index was tried with a server of 0.8.0 that was killed and started again.",
    why: "A flipped bit or a lost segment is found by the first consumer that reaches it, possibly months later; replicas and backups are still there today.",
    remedy: "# Keep the files as they are, and do not restart the server yet: what it writes next may stand behind the damage.\n# Copy the partition's folder, compare it with a replica or a backup, and open a ticket with this table.",
    references: &["Apache Iggy: storage layout"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: integrity,
};

/// What brings log and index of a segment of 0.8 together: the index gets an entry for each whole message, and the log
/// loses the message that is not whole. 0.8.0's own way, to remove the index and let the server make it anew, writes one
/// that it cannot read.
const MEND: &str = r#"# The server must stay stopped until this is done. Keep a copy first, outside the data directory:
tar -cf /var/tmp/before-repair-$(date +%s).tar FOLDER
python3 - SEGMENT <<'END'
import os, struct, sys
log, index, start = sys.argv[1] + ".log", sys.argv[1] + ".index", int(os.path.basename(sys.argv[1]))
open(index, "ab").close()
os.chown(index, os.stat(log).st_uid, os.stat(log).st_gid)
os.truncate(index, os.path.getsize(index) // 16 * 16)
data, done = open(log, "rb").read(), open(index, "rb").read()
end = struct.unpack_from("<I", done, len(done) - 12)[0] if done else 0
with open(index, "ab") as out:
    while end + 64 <= len(data):
        offset, time, headers, payload = struct.unpack_from("<QQ8xII", data, end + 24)
        if end + 64 + headers + payload > len(data): break
        end += 64 + headers + payload
        out.write(struct.pack("<IIQ", offset - start, end, time))
os.truncate(log, end)
END
# Then take a snapshot again, and start the server when this check passes."#;

/// Gaps that are worth a line each.
const GAPS_MAX: usize = 8;

fn integrity(case: &Case<'_>) -> Result<Judgement, Gap> {
    let found = case.read(INTEGRITY)?;
    let unread = found.partitions.iter().filter_map(|partition| partition.unread.clone());
    let unread = found.unlisted.iter().cloned().chain(unread);
    let place = case.read(IGGY_PLACE).ok().and_then(|place| place.believed());
    let layout = place.map_or(Layout::Unknown, |(_, directory)| directory.layout);
    let root = place.map_or("", |(root, _)| root.trim_end_matches('/'));
    let deduplicates = case.read(IGGY_CONFIG).is_ok_and(|config| config.server.durability.deduplicates == Some(true));
    let judged = softened(judged(found, layout, root), layout, deduplicates);
    Ok(unread.take(GAPS_MAX).fold(judged.proof(table(found)), Judgement::gap))
}

/// What 0.8 leaves of a batch from which it dropped duplicates has gaps in its offsets and entries of its index that point
/// nowhere: by the files alone that looks like damage.
fn softened(judged: Judgement, layout: Layout, deduplicates: bool) -> Judgement {
    if !(deduplicates && layout == Layout::V0_8 && judged.verdict == Verdict::Fail) {
        return judged;
    }
    Judgement::warn(format!(
        "{} This server drops duplicates (system.message_deduplication), which leaves such traces in 0.8: it may be no damage.",
        judged.summary
    ))
    .remedy("# Read the partition through with a consumer from its first offset: what it reads to the end is whole.")
}

fn name(partition: &PartitionAudit) -> String {
    format!("stream {}, topic {}, partition {}", partition.stream, partition.topic, partition.partition)
}

fn judged(found: &Integrity, layout: Layout, root: &str) -> Judgement {
    let messages: u64 = found.partitions.iter().map(|partition| partition.messages).sum();
    let bytes: u64 = found.partitions.iter().map(|partition| partition.bytes).sum();
    let read = format!(
        "{messages} messages ({}) in {}",
        human(bytes),
        counted(found.partitions.iter().filter(|partition| seen(partition)).count(), "partition", "partitions")
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
    let killed: Vec<_> = found.partitions.iter().filter(|partition| left_by_a_kill(partition).is_some()).collect();
    if found.writer == Writer::None
        && let Some((partition, left)) = killed.first().and_then(|first| Some((first, left_by_a_kill(first)?)))
    {
        let others = killed.len() - 1;
        let others = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        let (name, file) = (name(partition), &partition.newest);
        return if layout == Layout::V0_8 {
            let segment = format!("{root}/{file}");
            let folder = segment.rsplit_once('/').map_or(".", |(folder, _)| folder);
            Judgement::warn(format!(
                "{read} are whole, but {name}{others} was left by a kill: {left} in {file}.log. A server that starts on \
                 this gives the offsets of what is not indexed away, and cannot read the first message that it writes."
            ))
            .remedy(MEND.replace("FOLDER", &quoted(folder)).replace("SEGMENT", &quoted(&segment)))
        } else {
            Judgement::info(format!("{read} are whole; {name}{others} was left by a kill: {left} in {file}.log."))
        };
    }
    let unread = found.partitions.iter().filter(|partition| partition.unread.is_some()).count();
    if unread > 0 {
        let unread = counted(unread, "partition", "partitions");
        return Judgement::info(format!("{read} are whole; {unread} could not be read through."));
    }
    if let Some(gap) = found.unlisted.first() {
        return Judgement::info(format!("{read} are whole; others were not seen: {}.", gap.detail));
    }
    if let Some(partition) = found.partitions.iter().find(|partition| partition.ahead.is_some()) {
        let ahead = partition.ahead.as_deref().unwrap_or_default();
        return Judgement::info(format!("{read} are whole; {}: {ahead}; the server sets it back.", name(partition)));
    }
    if found.segments_left > 0 {
        let left = counted(usize::try_from(found.segments_left).unwrap_or(usize::MAX), "segment was", "segments were");
        return Judgement::info(format!("{read} are whole; {left} not read in the time there was."));
    }
    Judgement::pass(format!("{read} are whole."))
}

/// Whether any of it was read, or there was nothing to read.
fn seen(partition: &PartitionAudit) -> bool {
    partition.segments > 0 || partition.unread.is_none()
}

/// What a kill left at the end of a partition: whole messages that no index has, and a message that is not whole.
fn left_by_a_kill(partition: &PartitionAudit) -> Option<String> {
    let behind = partition.unindexed_from.map(|from| {
        let messages =
            counted(usize::try_from(partition.unindexed).unwrap_or(usize::MAX), "whole message", "whole messages");
        format!("{messages} from byte {from} on that the index does not have")
    });
    let torn =
        partition.torn.map(|(position, bytes)| format!("{bytes} bytes of an unfinished message at byte {position}"));
    match (behind, torn) {
        (Some(behind), Some(torn)) => Some(format!("{behind}, and {torn}")),
        (left, None) | (None, left) => left,
    }
}

fn table(found: &Integrity) -> Proof {
    let time = |us: u64| Timestamp::from_unix(i64::try_from(us / 1_000_000).unwrap_or(i64::MAX)).to_string();
    let mut sorted: Vec<&PartitionAudit> = found.partitions.iter().collect();
    sorted.sort_by_key(|partition| {
        (partition.defect.is_none(), left_by_a_kill(partition).is_none(), std::cmp::Reverse(partition.bytes))
    });
    let rows = sorted.iter().map(|partition| {
        let left = left_by_a_kill(partition);
        let state = match (&partition.defect, left, &partition.ahead, &partition.unread) {
            (Some(defect), ..) => format!("{} at byte {} of {}", defect.what, defect.position, defect.file),
            (_, Some(left), ..) if found.writer == Writer::None => left,
            (_, Some(left), ..) => format!("being written: {left}"),
            (_, None, Some(ahead), _) => ahead.clone(),
            (.., Some(unread)) => unread.detail.clone(),
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
    use crate::evidence::integrity::Defect;

    #[test]
    fn damage_fails_and_what_a_kill_left_warns_where_a_start_makes_damage_of_it() {
        let whole = PartitionAudit { messages: 5, bytes: 500, newest: "p/0".into(), ..PartitionAudit::default() };
        let torn = PartitionAudit { torn: Some((500, 20)), ..whole.clone() };
        let behind = PartitionAudit { unindexed: 2, unindexed_from: Some(300), ..whole.clone() };
        let ahead =
            PartitionAudit { ahead: Some("groups/1 is at 9, and the newest message is 4".into()), ..whole.clone() };
        let defect = Defect { file: "streams/0/x.log".into(), position: 64, what: "offset 7 where 1 should be".into() };
        let unread = PartitionAudit { unread: Some(Gap::broken("p/0.log: input/output error")), ..whole.clone() };
        let damaged = PartitionAudit { defect: Some(defect), ..whole.clone() };
        let (old, edge) = (Layout::V0_8, Layout::Edge);
        for (partition, writer, layout, segments_left, expected) in [
            (whole.clone(), Writer::None, old, 0, Verdict::Pass),
            (whole.clone(), Writer::None, old, 1, Verdict::Info),
            (torn.clone(), Writer::None, old, 0, Verdict::Warn),
            (torn.clone(), Writer::None, edge, 0, Verdict::Info),
            (behind.clone(), Writer::None, old, 0, Verdict::Warn),
            (behind, Writer::Live, old, 0, Verdict::Pass),
            (torn, Writer::Live, old, 0, Verdict::Pass),
            (ahead, Writer::None, old, 0, Verdict::Info),
            (unread, Writer::None, old, 0, Verdict::Info),
            (damaged, Writer::Live, old, 0, Verdict::Fail),
        ] {
            let partitions = vec![whole.clone(), partition];
            let found = Integrity { partitions, segments_left, writer, ..Integrity::default() };
            let judged = judged(&found, layout, "/data");
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }

    #[test]
    fn what_may_be_dropped_duplicates_is_no_certain_damage() {
        let fail = || Judgement::fail("stream 0, topic 0, partition 1: offset 7 where 5 should be.");
        for (judged, layout, deduplicates, expected) in [
            (fail(), Layout::V0_8, true, Verdict::Warn),
            (fail(), Layout::V0_8, false, Verdict::Fail),
            (fail(), Layout::Edge, true, Verdict::Fail),
            (Judgement::pass("5 messages are whole."), Layout::V0_8, true, Verdict::Pass),
        ] {
            assert_eq!(softened(judged, layout, deduplicates).verdict, expected);
        }
    }

    #[test]
    fn a_folder_that_was_not_listed_is_no_pass() {
        let unlisted = vec![Gap::denied("streams/1/topics may not be read", "CAP_DAC_READ_SEARCH")];
        let judged = judged(&Integrity { unlisted, ..Integrity::default() }, Layout::V0_8, "/data");
        assert_eq!(judged.verdict, Verdict::Info, "{}", judged.summary);
    }

    #[test]
    fn what_a_kill_left_is_named_to_the_byte_with_what_mends_it() {
        let partition = PartitionAudit {
            partition: 1,
            messages: 75_508,
            newest: "streams/0/topics/0/partitions/1/00000000000000000000".into(),
            unindexed: 1_508,
            unindexed_from: Some(13_616_000),
            torn: Some((13_893_472, 160)),
            ..PartitionAudit::default()
        };
        let found = Integrity { partitions: vec![partition], ..Integrity::default() };
        let judged = judged(&found, Layout::V0_8, "/var/lib/it's iggy");
        let named = "1508 whole messages from byte 13616000 on that the index does not have, and 160 bytes of an \
                     unfinished message at byte 13893472 in streams/0/topics/0/partitions/1/00000000000000000000.log";
        assert!(judged.summary.contains(named), "{}", judged.summary);
        let remedy = judged.remedy.unwrap();
        let folder = r"'/var/lib/it'\''s iggy/streams/0/topics/0/partitions/1";
        assert!(remedy.contains(&format!("before-repair-$(date +%s).tar {folder}'\n")), "{remedy}");
        assert!(remedy.contains(&format!("python3 - {folder}/00000000000000000000' <<")), "{remedy}");
    }
}
