//! rpm's list of packages, read without rpm: names and versions of those that matter, from its SQLite file.
//!
//! The file is another program's and is opened as one that cannot change: nothing is locked, no journal is looked at and
//! nothing is written beside it. What a transaction under way has not written back yet is not seen.

use std::os::fd::AsRawFd;

use rusqlite::{Connection, OpenFlags};

use super::super::root::Host;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;
use crate::evidence::installed::Package;

/// Where rpm 4.16 and later keep it.
const SQLITE: &[&str] = &["/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"];
/// The forms before and beside it: Berkeley DB and ndb.
const OTHERS: &[&str] = &["/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db", "/usr/lib/sysimage/rpm/Packages.db"];
/// Packages that are looked at.
const ROWS_MAX: i64 = 256;
/// Bytes of one package's header: a kernel's list of files has some megabytes.
const HEADER_BYTES_MAX: i64 = 16 << 20;
/// Entries of a header; those of real packages have under a hundred.
const ENTRIES_MAX: usize = 4_096;

/// The packages whose names matter; `None` when there is no trace of rpm.
pub(super) fn packages(host: &Host, matters: fn(&str) -> bool) -> Option<Observed<Vec<Package>>> {
    for path in SQLITE {
        match host.open(path) {
            Err(gap) if gap.reason == GapReason::Absent => {}
            Err(gap) => return Some(Err(gap)),
            Ok(file) => {
                // By the descriptor: the path may stand in a recorded tree.
                let uri = format!("file:/proc/self/fd/{}?immutable=1", file.as_raw_fd());
                let broken = |error: rusqlite::Error| Gap::broken(format!("{path}: {error}"));
                return Some(read(&uri, matters).map_err(broken));
            }
        }
    }
    let other = OTHERS.iter().find(|path| host.metadata(path).is_ok())?;
    let detail = format!("{other} is rpm's database in an older form, which is not read; `rpm -q` tells the versions");
    Some(Err(Gap::new(GapReason::Tool, detail)))
}

fn read(uri: &str, matters: fn(&str) -> bool) -> rusqlite::Result<Vec<Package>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(uri, flags)?;
    let mut names = database.prepare("SELECT DISTINCT CAST(key AS TEXT), hnum FROM Name")?;
    let mut header = database.prepare("SELECT blob FROM Packages WHERE hnum = ?1 AND length(blob) <= ?2")?;
    let wanted = names.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let wanted = wanted.filter(|row| row.as_ref().map_or(true, |(name, _)| matters(name)));
    let mut found = Vec::new();
    for row in wanted.take(usize::try_from(ROWS_MAX).unwrap_or(usize::MAX)) {
        let (name, number) = row?;
        let version = header.query_row([number, HEADER_BYTES_MAX], |row| Ok(version(row.get_ref(0)?.as_blob()?)));
        if let Some(version) = version? {
            found.push(Package { name, version });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Epoch, version and release in a package's header: a count of entries, a count of bytes, entries of tag, type, offset and
/// count, then the bytes; all big-endian.
fn version(header: &[u8]) -> Option<String> {
    const VERSION: u32 = 1001;
    const RELEASE: u32 = 1002;
    const EPOCH: u32 = 1003;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let entries = usize::try_from(number(0)?).ok().filter(|entries| *entries <= ENTRIES_MAX)?;
    let data = header.get(8 + 16 * entries..)?;
    let value = |tag: u32| {
        let at = (0..entries).map(|entry| 8 + 16 * entry).find(|at| number(*at) == Some(tag))?;
        data.get(usize::try_from(number(at + 8)?).ok()?..)
    };
    let text = |tag| {
        let bytes: &[u8] = value(tag)?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    };
    let epoch = value(EPOCH).and_then(|bytes| Some(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?)));
    let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    Some(format!("{epoch}{}-{}", text(VERSION)?, text(RELEASE)?))
}

#[cfg(test)]
mod tests {
    use super::super::super::scene::testing::{recorded, write};
    use super::*;

    /// A header of these texts, and of an epoch.
    fn header(texts: &[(u32, &str)], epoch: Option<u32>) -> Vec<u8> {
        let (mut entries, mut data) = (Vec::new(), Vec::new());
        let mut entry = |tag: u32, kind: u32, offset: usize| {
            for word in [tag, kind, u32::try_from(offset).unwrap(), 1] {
                entries.extend(word.to_be_bytes());
            }
        };
        if let Some(epoch) = epoch {
            entry(1003, 4, 0);
            data.extend(epoch.to_be_bytes());
        }
        for (tag, text) in texts {
            entry(*tag, 6, data.len());
            data.extend(text.bytes().chain([0]));
        }
        let counts = [entries.len() / 16, data.len()].map(|count| u32::try_from(count).unwrap().to_be_bytes());
        [counts.concat(), entries, data].concat()
    }

    #[test]
    fn versions_are_read_from_the_database_of_rpm() {
        let (tree, host) = recorded(&[("var/lib/rpm/.keep", "")]);
        let path = tree.path().join("var/lib/rpm/rpmdb.sqlite");
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
                 CREATE TABLE Name (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);",
            )
            .unwrap();
        let all = [
            ("iggy-server", header(&[(1000, "iggy-server"), (1001, "0.8.0"), (1002, "1.el9")], None)),
            ("podman", header(&[(1001, "5.2.2"), (1002, "9.el9")], Some(6))),
            ("bash", header(&[(1001, "5.1.8"), (1002, "9.el9")], None)),
            ("iggy-broken", b"\0\0\0\x01".to_vec()),
        ];
        for (number, (name, blob)) in (1_i64..).zip(all) {
            database.execute("INSERT INTO Packages VALUES (?1, ?2)", (number, blob)).unwrap();
            database.execute("INSERT INTO Name VALUES (?1, ?2, 0)", (name, number)).unwrap();
        }
        drop(database);
        let before: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().path()).collect();
        let found = packages(&host, |name| name.contains("iggy") || name == "podman").unwrap().unwrap();
        let package = |name: &str, version: &str| Package { name: name.into(), version: version.into() };
        assert_eq!(found, [package("iggy-server", "0.8.0-1.el9"), package("podman", "6:5.2.2-9.el9")]);
        let after: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().path()).collect();
        assert_eq!(after, before, "nothing was written beside it");
    }

    #[test]
    fn what_is_no_database_and_what_is_an_older_one_are_gaps() {
        let (tree, host) = recorded(&[("etc/x", "")]);
        assert!(packages(&host, |_| true).is_none());
        write(tree.path(), "var/lib/rpm/Packages", "Berkeley");
        assert_eq!(packages(&host, |_| true).unwrap().unwrap_err().reason, GapReason::Tool);
        write(tree.path(), "var/lib/rpm/rpmdb.sqlite", "no database, but long enough to have a header of some kind");
        assert_eq!(packages(&host, |_| true).unwrap().unwrap_err().reason, GapReason::Broken);
    }
}
