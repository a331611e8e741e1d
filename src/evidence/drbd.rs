//! DRBD: disks that are mirrored to another host.

use serde::{Deserialize, Serialize};

use super::Key;
use crate::domain::verdict::Verdict;

/// The mirrored disks of this host.
pub const DRBD: Key<Drbd> = Key::new("disk.drbd");

/// The mirrored disks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drbd {
    /// The driver's version.
    pub version: String,
    /// One for each disk and peer.
    pub disks: Vec<DrbdDisk>,
}

/// A disk towards one peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrbdDisk {
    /// `drbd0` or, in version 9, `RESOURCE/PEER/VOLUME`.
    pub name: String,
    /// The state of the connection (8) or of the replication (9): `Connected`, `Established`, `SyncSource`, `StandAlone`.
    pub connection: String,
    /// Roles, here and there: `Primary/Secondary`.
    pub roles: String,
    /// States of the disks, here and there: `UpToDate/UpToDate`.
    pub disks: String,
    /// Kibibytes that differ.
    pub out_of_sync_kib: u64,
}

impl DrbdDisk {
    /// How bad its state is, and why.
    #[must_use]
    pub fn judged(&self) -> (Verdict, String) {
        let (own, other) = self.disks.split_once('/').unwrap_or((self.disks.as_str(), ""));
        let name = &self.name;
        if own != "UpToDate" && !own.is_empty() {
            return (Verdict::Fail, format!("the disk of {name} here is {own}"));
        }
        match self.connection.as_str() {
            "StandAlone" => (Verdict::Fail, format!("{name} has given its peer up (StandAlone)")),
            "Connected" | "Established" if other == "UpToDate" && self.out_of_sync_kib == 0 => {
                (Verdict::Pass, format!("{name} is mirrored"))
            }
            "Connected" | "Established" if self.out_of_sync_kib > 0 => {
                (Verdict::Warn, format!("{} KiB of {name} are not the same on both sides", self.out_of_sync_kib))
            }
            "Connected" | "Established" => (Verdict::Warn, format!("the peer's disk of {name} is {other}")),
            state => (Verdict::Warn, format!("{name} is not mirrored now ({state})")),
        }
    }
}

/// Reads the form of /proc/drbd, which version 9 still uses in its debugging files: a line that begins with a number and a
/// colon, and a second one with counters.
#[must_use]
pub fn disks(text: &str, name: impl Fn(&str) -> String) -> Vec<DrbdDisk> {
    let mut found: Vec<DrbdDisk> = Vec::new();
    for line in text.lines() {
        let field =
            |key: &str| line.split_ascii_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
        let number = line.split_once(':').map(|(number, _)| number.trim());
        let number = number.filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        if let (Some(number), Some(connection)) = (number, field("cs")) {
            found.push(DrbdDisk {
                name: name(number),
                connection: connection.to_owned(),
                roles: field("ro").or_else(|| field("st")).unwrap_or_default().to_owned(),
                disks: field("ds").unwrap_or_default().to_owned(),
                out_of_sync_kib: 0,
            });
        }
        if let (Some(kib), Some(last)) = (field("oos").and_then(|kib| kib.parse().ok()), found.last_mut()) {
            last.out_of_sync_kib = kib;
        }
    }
    // A number that no disk has been given yet.
    found.retain(|disk| disk.connection != "Unconfigured");
    found
}

/// `8.4.11` of `version: 8.4.11 (api:1/proto:86-101)`.
#[must_use]
pub fn version(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("version:")?.split_ascii_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 8.4.11 (api:1/proto:86-101)\nsrcversion: X\n 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----\n    ns:1 nr:0 dw:2 dr:3 al:4 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n 1: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----\n    ns:0 nr:5 oos:1024\n\t[>....] sync'ed:  5.0%\n 2: cs:Unconfigured\n";

    #[test]
    fn the_table_of_the_driver_is_read() {
        let found = disks(TEXT, |number| format!("drbd{number}"));
        let names: Vec<_> =
            found.iter().map(|disk| (disk.name.as_str(), disk.connection.as_str(), disk.out_of_sync_kib)).collect();
        assert_eq!(names, [("drbd0", "Connected", 0), ("drbd1", "SyncTarget", 1024)]);
        assert_eq!((version(TEXT), version("x")), (Some("8.4.11"), None));
    }

    #[test]
    fn states_are_judged() {
        for (connection, states, out_of_sync_kib, expected) in [
            ("Connected", "UpToDate/UpToDate", 0, Verdict::Pass),
            ("Established", "UpToDate/UpToDate", 0, Verdict::Pass),
            ("Connected", "UpToDate/UpToDate", 4, Verdict::Warn),
            ("Connected", "UpToDate/Inconsistent", 0, Verdict::Warn),
            ("SyncSource", "UpToDate/Inconsistent", 9, Verdict::Warn),
            ("WFConnection", "UpToDate/DUnknown", 0, Verdict::Warn),
            ("StandAlone", "UpToDate/DUnknown", 0, Verdict::Fail),
            ("SyncTarget", "Inconsistent/UpToDate", 9, Verdict::Fail),
            ("Connected", "Diskless/UpToDate", 0, Verdict::Fail),
        ] {
            let disk = DrbdDisk {
                name: "drbd0".into(),
                connection: connection.into(),
                roles: "Primary/Secondary".into(),
                disks: states.into(),
                out_of_sync_kib,
            };
            assert_eq!(disk.judged().0, expected, "{connection} {states}");
        }
    }
}
