//! Who tells solid-state drives which blocks are free.

use super::Key;

/// What trims file systems from time to time.
pub const TRIM: Key<Trim> = Key::new("disk.trim");

/// What trims file systems from time to time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trim {
    /// The link by which systemd starts fstrim.timer; `None` if it does not, or systemd does not run.
    pub timer: Option<String>,
    /// A job of cron.
    pub cron: Option<String>,
}
