//! What becomes of a file: decided by its role first, its name and content second. Pure.

use std::path::Path;

use crate::iggy::{EDGE_ENTRY_BYTES, ENTRY_BYTES, EdgeIndexEntry, IndexEntry, Layout, Packing, Role};
use crate::redact::wide::Order;
use crate::redact::{Carrier, Wrapping};

use super::keys;
use super::manifest::Label;

/// Why what is in a file cannot be masked.
const UNREADABLE: &str = "it is compressed in a form that is not read here";

/// What the bundle holds of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// Segments byte for byte.
    Copied,
    /// Offsets, times, sizes and checksums of messages; no payload.
    LeftOut,
}

/// Whether secrets are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// They are.
    Masked,
    /// The snapshot asked for clear text and the node allows it.
    Clear,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Byte for byte.
    Copy(Label),
    /// Through the redactor.
    Mask(Carrier),
    /// Unpacked, through the redactor, packed again.
    MaskPacked,
    /// Narrowed, through the redactor, widened again.
    MaskWide(Order),
    /// Password hashes overwritten at equal length.
    Overwrite,
    /// Searched; byte for byte if nothing is found.
    Scan,
    /// The headers of its messages as a table.
    Headers,
    /// Left out: a secret as a whole.
    Exclude(&'static str),
    /// Left out: payloads that are not to be copied.
    WithoutPayloads,
    /// Cannot be redacted.
    Refuse(&'static str),
}

/// What is decided upon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The directory's layout.
    pub(super) layout: Layout,
    /// The file's role.
    pub(super) role: &'a Role,
    /// Its path below the directory.
    pub(super) path: &'a Path,
    /// Its size.
    pub(super) size_bytes: u64,
    /// Its first [`keys::HEAD_BYTES`], or all of it.
    pub(super) head: &'a [u8],
}

/// Whether the head of a file with this role matters.
pub(super) fn needs_head(role: &Role) -> bool {
    !matches!(role, Role::Segment { .. })
}

impl Case<'_> {
    /// What becomes of the file.
    pub(super) fn treatment(&self, secrets: Secrets, payloads: Payloads) -> Treatment {
        if payloads == Payloads::LeftOut
            && let Some(treatment) = self.without_payloads()
        {
            return treatment;
        }
        if *self.role == Role::Unknown
            && let Some(why) = keys::secret_by_name(self.path).or_else(|| keys::secret_by_content(self.head))
        {
            return Treatment::Exclude(why);
        }
        match secrets {
            Secrets::Clear => Treatment::Copy(Label::NotRedacted),
            Secrets::Masked => self.masked(),
        }
    }

    /// Segments become tables; whatever else lies beside them and is not known may hold payloads too.
    fn without_payloads(&self) -> Option<Treatment> {
        match self.role {
            Role::Segment { .. } if self.layout == Layout::V0_8 => Some(Treatment::Headers),
            Role::Segment { .. } => Some(Treatment::WithoutPayloads),
            Role::Unknown if self.path.starts_with("streams") => Some(Treatment::WithoutPayloads),
            _ => None,
        }
    }

    fn masked(&self) -> Treatment {
        match self.role {
            Role::Segment { .. } => Treatment::Copy(Label::NotRedacted),
            Role::Index { .. } if self.is_index() => Treatment::Copy(Label::Full),
            Role::ConsumerOffset(_) if self.size_bytes == 8 || self.size_bytes == 0 => Treatment::Copy(Label::Full),
            Role::StateLog | Role::Metadata => Treatment::Overwrite,
            Role::RuntimeConfig => Treatment::Mask(Carrier::IggyConfig),
            Role::ServerLog(log) => match log.packing {
                Packing::Plain => Treatment::Mask(Carrier::Text),
                Packing::Gzip => Treatment::MaskPacked,
                Packing::Zstd | Packing::Xz => Treatment::Refuse(UNREADABLE),
            },
            Role::Unknown => self.unknown(),
            Role::StateInfo | Role::StateTokens | Role::Index { .. } | Role::ConsumerOffset(_) => Treatment::Scan,
        }
    }

    fn unknown(&self) -> Treatment {
        match Wrapping::of(self.head) {
            Wrapping::Unreadable(why) => Treatment::Refuse(why),
            Wrapping::Gzip => Treatment::MaskPacked,
            Wrapping::Wide(order) => Treatment::MaskWide(order),
            Wrapping::None if is_text(self.head) || self.is_log() => {
                Treatment::Mask(Carrier::of_path(&self.path.to_string_lossy()))
            }
            Wrapping::None => Treatment::Scan,
        }
    }

    /// Whether it lies among the logs and is called one: after a crash such a file may begin with a hole, which is no text.
    fn is_log(&self) -> bool {
        let name = self.path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let mut parts = name.split('.').skip(1);
        self.path.starts_with("logs") && parts.any(|part| matches!(part, "log" | "txt" | "out" | "err"))
    }

    /// Whether the head is that of an index: numbers that rise.
    fn is_index(&self) -> bool {
        match self.layout {
            Layout::V0_8 => {
                let (entries, _) = self.head.as_chunks::<ENTRY_BYTES>();
                entries
                    .iter()
                    .map(IndexEntry::decode)
                    .is_sorted_by(|a, b| a.relative_offset < b.relative_offset && a.end_position < b.end_position)
            }
            Layout::Edge => {
                let (entries, _) = self.head.as_chunks::<EDGE_ENTRY_BYTES>();
                entries
                    .iter()
                    .map(EdgeIndexEntry::decode)
                    .is_sorted_by(|a, b| a.offset < b.offset && a.position < b.position)
            }
            Layout::Unknown => false,
        }
    }
}

/// Whether this is text, also when it is not all UTF-8.
pub(super) fn is_text(head: &[u8]) -> bool {
    let odd = |byte: &u8| *byte < 0x20 && !b"\t\n\r\x0c\x1b\x08".contains(byte);
    !head.contains(&0) && head.iter().filter(|byte| odd(byte)).count() * 100 <= head.len()
}

/// A role in our words.
pub(super) fn role_word(role: &Role) -> &'static str {
    match role {
        Role::Segment { .. } => "segment",
        Role::Index { .. } => "index",
        Role::ConsumerOffset(_) => "consumer offset",
        Role::StateLog => "state journal",
        Role::StateInfo => "state version",
        Role::StateTokens => "revoked tokens",
        Role::Metadata => "metadata",
        Role::RuntimeConfig => "effective configuration",
        Role::ServerLog(_) => "server log",
        Role::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(layout: Layout, path: &str, head: &[u8], secrets: Secrets, payloads: Payloads) -> Treatment {
        let path = Path::new(path);
        let role = Role::of(path);
        Case { layout, role: &role, path, size_bytes: head.len() as u64, head }.treatment(secrets, payloads)
    }

    const SEGMENT: &str = "streams/0/topics/0/partitions/0/00000000000000000000.log";
    const INDEX: &str = "streams/0/topics/0/partitions/0/00000000000000000000.index";
    const OFFSET: &str = "streams/0/topics/0/partitions/0/offsets/groups/1";
    const WAL: &str = "streams/0/topics/0/partitions/0/journal.wal";
    const REAL_INDEX: &[u8] =
        include_bytes!("../../tests/data/iggy-0.8.0-clean/streams/2/topics/1/partitions/0/00000000000000000000.index");

    #[test]
    fn every_role_has_its_treatment() {
        use Treatment::*;
        let pem = b"-----BEGIN PRIVATE KEY-----\nMC4CAQ\n";
        for (path, head, expected) in [
            (SEGMENT, &b"anything"[..], Copy(Label::NotRedacted)),
            (INDEX, REAL_INDEX, Copy(Label::Full)),
            (INDEX, b"password=hunter2 password=hunter2 password=hunter2", Scan),
            (OFFSET, &[7; 8], Copy(Label::Full)),
            (OFFSET, &[7; 9], Scan),
            ("state/log", b"", Overwrite),
            ("metadata/snapshot.bin", b"", Overwrite),
            ("state/info", b"\x92", Scan),
            ("runtime/current_config.toml", b"[tcp]", Mask(Carrier::IggyConfig)),
            ("logs/iggy-server.log", b"INFO", Mask(Carrier::Text)),
            ("logs/iggy-server.log.3.gz", b"\x1f\x8b", MaskPacked),
            ("logs/iggy-server.log.3.zst", b"", Refuse(UNREADABLE)),
            (
                "logs/connectors.log.3.zst",
                b"\x28\xb5\x2f\xfd....",
                Refuse("it is packed in a form that is not read here"),
            ),
            ("backup.zip", b"PK\x03\x04....", Refuse("it is packed in a form that is not read here")),
            ("notes.txt", b"\xff\xfea\0=\x001\0", MaskWide(Order::LittleEnd)),
            ("notes.txt", b"hello", Mask(Carrier::Text)),
            ("extra.toml", b"a = 1", Mask(Carrier::Toml)),
            ("blob", b"\x00\x01\x02", Scan),
            ("logs/connectors.log.2", b"\x00\x00\x00", Mask(Carrier::Text)),
            ("logs/connectors.log.2.gz", b"\x1f\x8b\x08", MaskPacked),
            ("logs/blob", b"\x00\x00\x00", Scan),
            ("server.key", b"", Exclude("a key or secret store by its name")),
            ("server.pem", pem, Exclude("a private key")),
            (WAL, b"\x00", Scan),
        ] {
            assert_eq!(decided(Layout::V0_8, path, head, Secrets::Masked, Payloads::Copied), expected, "{path}");
        }
    }

    #[test]
    fn clear_text_still_holds_no_private_key() {
        let clear = |path, head: &[u8]| decided(Layout::V0_8, path, head, Secrets::Clear, Payloads::Copied);
        assert_eq!(clear("state/log", b""), Treatment::Copy(Label::NotRedacted));
        assert_eq!(clear("logs/iggy-server.log.3.zst", b""), Treatment::Copy(Label::NotRedacted));
        assert_eq!(clear("server.key", b""), Treatment::Exclude("a key or secret store by its name"));
    }

    #[test]
    fn without_payloads_nothing_beside_a_segment_slips_through() {
        for (layout, path, expected) in [
            (Layout::V0_8, SEGMENT, Treatment::Headers),
            (Layout::Edge, SEGMENT, Treatment::WithoutPayloads),
            (Layout::Unknown, SEGMENT, Treatment::WithoutPayloads),
            (Layout::Edge, WAL, Treatment::WithoutPayloads),
            (Layout::V0_8, "state/log", Treatment::Overwrite),
        ] {
            for secrets in [Secrets::Masked, Secrets::Clear] {
                let decided = decided(layout, path, b"\x00", secrets, Payloads::LeftOut);
                let expected = match expected {
                    Treatment::Overwrite if secrets == Secrets::Clear => Treatment::Copy(Label::NotRedacted),
                    other => other,
                };
                assert_eq!(decided, expected, "{path}");
            }
        }
    }
}
