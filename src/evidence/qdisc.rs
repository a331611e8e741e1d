//! Queueing disciplines: how packets that leave are ordered, delayed and dropped.

use serde::{Deserialize, Serialize};

use super::Key;

/// The queueing disciplines of this host's interfaces, early and late in the snapshot.
pub const QDISCS: Key<Vec<Qdisc>> = Key::new("net.qdiscs");
/// The same after the sampling window.
pub const QDISCS_LATER: Key<Vec<Qdisc>> = Key::new("net.qdiscs-later");

/// A queueing discipline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qdisc {
    /// The interface's number.
    pub link: u32,
    /// Its kind: `fq_codel`, `netem`.
    pub kind: String,
    /// Its handle, major and minor number in one.
    pub handle: u32,
    /// What it hangs below.
    pub parent: u32,
    /// Packets that it sent.
    pub packets: u64,
    /// Packets that it dropped.
    pub dropped: u64,
    /// Packets that the device gave back.
    pub requeued: u64,
    /// Packets that wait in it.
    pub waiting: u64,
}

impl Qdisc {
    /// What it does to traffic, if that is more than ordering it.
    #[must_use]
    pub fn shapes(&self) -> Option<&'static str> {
        match self.kind.as_str() {
            "netem" => Some("delays, loses or reorders packets on purpose"),
            "tbf" => Some("holds traffic below a rate"),
            "htb" | "hfsc" | "cbq" => Some("divides a rate among classes of traffic"),
            _ => None,
        }
    }

    /// What was sent, dropped and given back since an earlier reading of the same discipline.
    #[must_use]
    pub fn since(&self, earlier: &[Self]) -> (u64, u64, u64) {
        let same = |other: &&Self| {
            (other.link, other.handle, other.parent, &other.kind) == (self.link, self.handle, self.parent, &self.kind)
        };
        let Some(first) = earlier.iter().find(same) else { return (0, 0, 0) };
        (
            self.packets.saturating_sub(first.packets),
            self.dropped.saturating_sub(first.dropped),
            self.requeued.saturating_sub(first.requeued),
        )
    }
}
