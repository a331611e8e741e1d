//! The queue between the network cards and the kernel, for each processor.

use super::Key;

/// What happened in it during the sampling window.
pub const BACKLOG: Key<Backlog> = Key::new("net.backlog");

/// The counters of all processors together, at the start and the end of the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Packets that were taken off, start and end.
    pub processed: (u64, u64),
    /// Packets that found the queue full, start and end.
    pub dropped: (u64, u64),
    /// How often the kernel ran out of its share with work left, start and end.
    pub squeezed: (u64, u64),
    /// Processors that dropped during the window, with how many.
    pub dropping: Vec<(u32, u64)>,
    /// `net.core.netdev_max_backlog`.
    pub backlog_max: Option<u64>,
    /// `net.core.netdev_budget`.
    pub budget: Option<u64>,
}

/// One processor's line of `/proc/net/softnet_stat`: hexadecimal numbers, the processor's own in field 13 since 5.10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogLine {
    /// The processor; before 5.10 the line's place, which leaves out processors that are off.
    pub cpu: u32,
    /// Packets taken off.
    pub processed: u64,
    /// Packets that found the queue full.
    pub dropped: u64,
    /// How often the kernel's share ran out.
    pub squeezed: u64,
}

/// The lines of `/proc/net/softnet_stat`.
#[must_use]
pub fn lines(text: &str) -> Vec<BacklogLine> {
    let line = |(at, line): (usize, &str)| {
        let numbers: Option<Vec<u64>> =
            line.split_ascii_whitespace().map(|word| u64::from_str_radix(word, 16).ok()).collect();
        let numbers = numbers?;
        let cpu = numbers.get(12).copied().or(u64::try_from(at).ok());
        Some(BacklogLine {
            cpu: u32::try_from(cpu?).ok()?,
            processed: *numbers.first()?,
            dropped: *numbers.get(1)?,
            squeezed: *numbers.get(2)?,
        })
    };
    text.lines().enumerate().filter_map(line).collect()
}

/// What happened between two readings. The counters have 32 bits and wrap.
#[must_use]
pub fn between(first: &str, second: &str) -> Backlog {
    let (first, second) = (lines(first), lines(second));
    let sum = |lines: &[BacklogLine], value: fn(&BacklogLine) -> u64| lines.iter().map(value).sum::<u64>();
    let pair = |value: fn(&BacklogLine) -> u64| (sum(&first, value), sum(&second, value));
    let dropping = second.iter().filter_map(|line| {
        let before = first.iter().find(|before| before.cpu == line.cpu)?;
        let grown = line.dropped.saturating_sub(before.dropped);
        (grown > 0).then_some((line.cpu, grown))
    });
    Backlog {
        processed: pair(|line| line.processed),
        dropped: pair(|line| line.dropped),
        squeezed: pair(|line| line.squeezed),
        dropping: dropping.collect(),
        ..Backlog::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_added_up_and_those_that_drop_are_named() {
        let tail = "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000";
        let first = format!("0000000a 00000001 00000002 {tail} 00000000\n00000010 00000000 00000000 {tail} 00000003\n");
        let second =
            format!("0000001a 00000001 00000003 {tail} 00000000\n00000020 00000005 00000000 {tail} 00000003\n");
        let expected = Backlog {
            processed: (26, 58),
            dropped: (1, 6),
            squeezed: (2, 3),
            dropping: vec![(3, 5)],
            ..Backlog::default()
        };
        assert_eq!(between(&first, &second), expected);
        // Before 5.10 a line has fewer fields.
        assert_eq!(lines("0000000a 00000001 00000002 00000000\n")[0].cpu, 0);
        assert!(lines("x\n").is_empty());
    }
}
