//! Iggy's data and configuration: damage to the byte, settings that lose messages.

use std::fs;
use std::path::Path;

use super::{Fault, fails, warns};
use crate::Outcome;
use crate::volume::{self, first_partition, segment};

/// Offset at which the second of the three segments begins.
const SECOND: usize = 1_500;

pub(super) const FAULTS: &[Fault] = &[
    fails("iggy.integrity", "a flipped bit in a message", |planting| {
        let [log, index] = segment(&first_partition(&planting.lab.data), SECOND);
        let mut bytes = fs::read(&log)?;
        // In the payload of message 700 of the segment; what is named is where that message begins.
        let (begins, ends) = message(&index, 700)?;
        bytes[ends - 1] ^= 0x10;
        planting.names(name(&log));
        planting.names(begins);
        planting.write(&log, &bytes)
    }),
    fails("iggy.integrity", "a torn closed segment", |planting| {
        let [log, index] = segment(&first_partition(&planting.lab.data), SECOND);
        let bytes = fs::read(&log)?;
        let (begins, _) = message(&index, SECOND - 1)?;
        planting.names(name(&log));
        planting.names(begins);
        planting.write(&log, &bytes[..bytes.len() - 10])
    }),
    fails("iggy.integrity", "the index of a closed segment cut", |planting| {
        let [_, index] = segment(&first_partition(&planting.lab.data), SECOND);
        let bytes = fs::read(&index)?;
        planting.names(name(&index));
        planting.names(bytes.len() - 1_600);
        planting.write(&index, &bytes[..bytes.len() - 1_600])
    }),
    fails("iggy.integrity", "an index entry that points nowhere", |planting| {
        let [_, index] = segment(&first_partition(&planting.lab.data), SECOND);
        let mut bytes = fs::read(&index)?;
        bytes[16 * 300 + 4] ^= 1;
        planting.names(name(&index));
        planting.names(16 * 300);
        planting.write(&index, &bytes)
    }),
    fails("iggy.integrity", "a segment in the middle removed", |planting| {
        let partition = first_partition(&planting.lab.data);
        for path in segment(&partition, SECOND) {
            planting.remove(&path)?;
        }
        // The hole is named by its edges.
        planting.names(name(&segment(&partition, 0)[0]));
        planting.names(fs::metadata(&segment(&partition, 0)[0])?.len());
        planting.names(format!("ends before offset {SECOND}, and the next segment starts at {}", 2 * SECOND));
        Ok(())
    }),
    fails("iggy.integrity", "a segment swapped with another partition's", |planting| {
        let [log, _] = segment(&first_partition(&planting.lab.data), SECOND);
        let other = planting.lab.data.join("streams/0/topics/0/partitions/1");
        let foreign = fs::read(&segment(&other, 0)[0])?;
        planting.names(name(&log));
        planting.write(&log, &foreign)
    }),
    warns("iggy.config", "nothing is ever fsynced", |planting| {
        planting.config(|config| {
            volume::set(config, "message_saver.enabled", false);
            volume::set(config, "system.partition.enforce_fsync", false);
        })
    }),
];

/// Where a message of a segment begins and ends.
fn message(index: &Path, number: usize) -> Outcome<(usize, usize)> {
    let entries = fs::read(index)?;
    let end = |number: usize| -> Outcome<usize> {
        let at = 16 * number + 4;
        let bytes = entries.get(at..at + 4).ok_or("the index is too short")?;
        Ok(u32::from_le_bytes(bytes.try_into()?) as usize)
    };
    Ok((end(number - 1)?, end(number)?))
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
