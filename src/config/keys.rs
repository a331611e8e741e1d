//! The table of keys: parsing, names of environment variables, `config show` and `docs/configuration.md` read it.
//!
//! The tables `[checks."ID"]`, `[plans.NAME]` and `[redaction]` are open: their keys are not here, see [`super::open`].

use super::kind::{BYTES_MAX, Kind};
use super::value::{DEADLINE_S_MAX, LINK_TTL_S_MAX};
use crate::domain::size::{GIB, KIB, MIB};

/// One thing that can be set.
#[derive(Debug)]
pub struct Key {
    /// Its path in the file: `snapshot.deadline_s`.
    pub path: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// The default as a file would say it; empty: not set.
    pub default: &'static str,
    /// What it decides, in a sentence or two.
    pub help: &'static str,
}

impl Key {
    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.path.replace('.', "_").to_uppercase())
    }

    /// The table that it stands in; empty for the top of the file.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(section, _)| section)
    }

    /// Its name within that table.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }
}

/// The key of this path.
#[must_use]
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// How the names of our environment variables begin.
pub const VARIABLE_PREFIX: &str = "SNAPVISOR_";

/// The least memory in which a snapshot was seen to work, with room for a large host.
const MEMORY_MIN: u64 = 64 * MIB;

const fn key(path: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { path, kind, default, help }
}

/// Every key, in the order of `config show` and of the documentation.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        Kind::Address,
        "127.0.0.1:8787",
        "Address and port to listen on; port 0 takes a free one. An address that stands for all (0.0.0.0, ::) needs \
         `public_url`, since download links must lead somewhere.",
    ),
    key(
        "data_dir",
        Kind::Path,
        "./snapvisor-data",
        "Directory of the database, the signing key and the archives. Never a directory of Iggy's.",
    ),
    key(
        "public_url",
        Kind::Url,
        "",
        "What clients reach the appliance by; download links and `supervisor_url` begin with it. Not set: the \
         address it listens on.",
    ),
    key(
        "trusted_proxies",
        Kind::Networks,
        "",
        "Addresses or CIDR blocks of reverse proxies. Only from these is a forwarded client address believed, for \
         allowlists, rate limits and the audit log.",
    ),
    key(
        "log_format",
        Kind::Word(&["auto", "text", "json"]),
        "auto",
        "How log lines look: `text`, `json`, or `auto` (text on a terminal, JSON otherwise).",
    ),
    key("log_file", Kind::OptionalPath, "", "File that log lines are appended to, besides standard error."),
    key(
        "iggy.data_dir",
        Kind::AbsolutePath,
        "",
        "Iggy's data directory. Not set: found by its process, its systemd unit or well-known paths.",
    ),
    key(
        "iggy.config_file",
        Kind::AbsolutePath,
        "",
        "Iggy's configuration file. Not set: found like the data directory.",
    ),
    key(
        "iggy.http_url",
        Kind::Url,
        "",
        "Iggy's HTTP API. Not set: asked only at this host's own address, on a socket that the server's process holds.",
    ),
    key(
        "iggy.credential_file",
        Kind::AbsolutePath,
        "",
        "File with the credential for Iggy's HTTP API: one line with a personal access token, or two lines \
         `username = …` and `password = …`. Only its owner may be able to read it (mode 0600).",
    ),
    key(
        "snapshot.deadline_s",
        Kind::Integer { min: 1, max: DEADLINE_S_MAX, unit: "seconds" },
        "540",
        "After this long a node's snapshot is over, whatever its state. Clients stop polling after 600 seconds.",
    ),
    key(
        "snapshot.sampling_ms",
        Kind::Integer { min: 10, max: 60_000, unit: "milliseconds" },
        "1000",
        "Time between the two samples from which rates are computed.",
    ),
    key(
        "snapshot.memory_max_bytes",
        Kind::Bytes { min: MEMORY_MIN, max: 64 * GIB },
        "256 MiB",
        "Memory that the examining child process may hold; past it that snapshot fails, never the appliance.",
    ),
    key(
        "snapshot.allow_unredacted",
        Kind::Switch,
        "true",
        "Whether this node may be asked for clear text (`redact_secrets: false`).",
    ),
    key(
        "snapshot.allow_iggy_data",
        Kind::Switch,
        "true",
        "Whether this node may be asked for Iggy's data directory (`include_iggy: true`).",
    ),
    key(
        "snapshot.contact_peers",
        Kind::Switch,
        "false",
        "Whether roster peers may be connected to and names looked up beyond /etc/hosts.",
    ),
    key(
        "bundle.max_bytes",
        Kind::Bytes { min: 0, max: BYTES_MAX },
        "0",
        "Size that `iggy-data.zip` may have; 0: only the deadline and free space limit it.",
    ),
    key(
        "bundle.payloads",
        Kind::Word(&["all", "none"]),
        "all",
        "`all` copies segments byte for byte, messages included; `none` replaces them by their headers.",
    ),
    key(
        "archive.reserve_bytes",
        Kind::OptionalBytes { min: 0, max: BYTES_MAX },
        "",
        "Free space below which no snapshot starts. Not set: 1 GiB, or 5 % of the file system if that is less.",
    ),
    key(
        "archive.max_bytes",
        Kind::Bytes { min: 0, max: BYTES_MAX },
        "0",
        "Size that all stored archives may have together; 0: no limit. Once reached a new snapshot is refused (507), \
         and a running bundle is cut to stay within it.",
    ),
    key(
        "archive.link_ttl_s",
        Kind::Integer { min: 1, max: LINK_TTL_S_MAX, unit: "seconds" },
        "300",
        "How long a download link lives.",
    ),
    key(
        "limits.requests_per_minute",
        Kind::Integer { min: 0, max: 1_000_000, unit: "requests" },
        "600",
        "Requests of one API key, a token bucket; 0: no limit.",
    ),
    key(
        "limits.failed_logins_per_minute",
        Kind::Integer { min: 0, max: 1_000_000, unit: "requests" },
        "20",
        "Failed logins of one address; past it failing requests become 429, never one with a valid key. 0: no limit.",
    ),
    key(
        "limits.connections",
        Kind::Integer { min: 1, max: 1_000_000, unit: "connections" },
        "4096",
        "Connections at a time.",
    ),
    key("limits.body_bytes", Kind::Bytes { min: KIB, max: 16 * MIB }, "64 KiB", "Size of a request's body."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_has_a_variable_of_its_own_and_a_legal_default() {
        let mut seen = BTreeSet::new();
        for key in KEYS {
            assert!(seen.insert(key.variable()), "{} stands twice", key.variable());
            assert!(key.kind.of_text(key.default).is_ok(), "{}: its default is refused", key.path);
            assert!(key.help.ends_with('.'), "{}: its help is not a sentence", key.path);
        }
        assert_eq!(find("iggy.data_dir").unwrap().variable(), "SNAPVISOR_IGGY_DATA_DIR");
    }
}
