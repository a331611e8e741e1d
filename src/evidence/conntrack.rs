//! The kernel's table of connections that pass its firewall.

use super::Key;

/// The table, early and late in the snapshot.
pub const CONNTRACK: Key<Conntrack> = Key::new("net.conntrack");

/// The table of connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conntrack {
    /// Connections in it.
    pub count: u64,
    /// The most that it holds.
    pub max: u64,
    /// Connections that found no room, since boot.
    pub dropped: u64,
    /// Connections that made room for others before their time, since boot.
    pub dropped_early: u64,
    /// Connections that could not be entered, since boot.
    pub insert_failed: u64,
}

/// The columns of `/proc/net/stat/nf_conntrack`, added up over the processors: a line of names, then hexadecimal numbers.
#[must_use]
pub fn totals(text: &str, names: [&str; 3]) -> [u64; 3] {
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    let columns = names.map(|name| heading.iter().position(|known| *known == name));
    let mut totals = [0_u64; 3];
    for line in lines {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        for (total, column) in totals.iter_mut().zip(columns) {
            let value = column.and_then(|column| u64::from_str_radix(words.get(column)?, 16).ok());
            *total = total.saturating_add(value.unwrap_or(0));
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names() {
        let text = "entries  found insert_failed drop early_drop\n00000010 00000001 00000002 0000000a 00000000\n00000010 00000000 00000000 00000001 00000003\n";
        assert_eq!(totals(text, ["drop", "early_drop", "insert_failed"]), [11, 3, 2]);
        assert_eq!(totals(text, ["gone", "early_drop", "x"]), [0, 3, 0]);
        assert_eq!(totals("", ["drop", "a", "b"]), [0; 3]);
    }
}
