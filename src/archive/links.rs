//! Signed download links: whoever has one may fetch one archive, for a while, without a key.
//!
//! A link carries when it expires, which key signed it, the archive's SHA-256, and an HMAC-SHA256 over all of these and
//! the row's id. So it is verified before anybody looks for the row: who has no link learns nothing of which rows there
//! are. It dies with its snapshot: whoever opens it must find the row, with this very archive.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::ArchiveError;
use crate::domain::hex::hex;
use crate::domain::id::SnapshotId;
use crate::domain::time::Timestamp;
use crate::durable;

/// The longest that a link lives.
pub const LINK_TTL_MAX_S: u32 = 3600;

/// The signing keys' file in the data directory: one key a line in hexadecimal, the first one signs, all verify.
const KEY_FILE: &str = "link-signing.key";
/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Keys in the file: the present one and those of links that still live.
const KEYS_MAX: usize = 8;
/// What the signature is for, so that it is good for nothing else.
const PURPOSE: &str = "snapvisor download v1";

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not as it was signed, or was not signed by us, or for another archive.
    #[error("link is not valid")]
    Tampered,
    /// Its time is over.
    #[error("link has expired")]
    Expired,
}

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The row.
    pub id: SnapshotId,
    /// SHA-256 of its archive, in hexadecimal, as the row has it.
    pub sha256: &'a str,
}

/// Signs and verifies links.
pub struct Links {
    keys: Vec<Key>,
}

struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("Links").field("keys", &ids).finish()
    }
}

impl Links {
    /// The links of the appliance with this data directory; makes its signing key on the first start.
    ///
    /// # Errors
    /// The key cannot be made or read, others can read it, or it is malformed.
    pub fn open(data_dir: &Path) -> Result<Self, ArchiveError> {
        let path = data_dir.join(KEY_FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(data_dir, &path)?;
                File::open(&path)
            }
            opened => opened,
        }
        .map_err(ArchiveError::io("opening", &path))?;
        let metadata = file.metadata().map_err(ArchiveError::io("reading", &path))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(ArchiveError::KeyExposed(path));
        }
        let mut text = Zeroizing::new(String::new());
        let limit = (KEYS_MAX * (2 * KEY_BYTES + 1)) as u64;
        file.take(limit + 1).read_to_string(&mut text).map_err(ArchiveError::io("reading", &path))?;
        let keys: Option<Vec<Key>> = text.lines().map(Key::parse).collect();
        match keys {
            Some(keys) if !keys.is_empty() && keys.len() <= KEYS_MAX => Ok(Self { keys }),
            _ => Err(ArchiveError::KeyMalformed(path)),
        }
    }

    /// The query of a link that opens `subject` for `ttl_s` seconds, at most [`LINK_TTL_MAX_S`], and when it expires.
    #[must_use]
    pub fn sign(&self, subject: Subject<'_>, now: Timestamp, ttl_s: u32) -> (String, Timestamp) {
        let key = self.keys.first().expect("a key file without keys is refused");
        let expires_at = now.plus_s(i64::from(ttl_s.min(LINK_TTL_MAX_S)));
        let signature = key.mac(subject, expires_at).finalize().into_bytes();
        let query = format!(
            "expires={}&key={}&sha256={}&signature={}",
            expires_at.unix(),
            key.id,
            subject.sha256,
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        );
        (query, expires_at)
    }

    /// What the link with this query opens in row `id`; the comparison takes the same time whatever differs.
    ///
    /// # Errors
    /// The link opens nothing. Who cannot sign learns nothing from it: expiry is looked at after the signature.
    pub fn verify<'q>(&self, query: &'q str, id: SnapshotId, now: Timestamp) -> Result<Subject<'q>, LinkError> {
        let parts = Parts::parse(query).ok_or(LinkError::Tampered)?;
        let key = self.keys.iter().find(|key| key.id == parts.key).ok_or(LinkError::Tampered)?;
        let expires_at = Timestamp::from_unix(parts.expires);
        let subject = Subject { id, sha256: parts.sha256 };
        key.mac(subject, expires_at).verify_slice(&parts.signature).map_err(|_| LinkError::Tampered)?;
        // One that lives longer than any may was signed before the clock was set back.
        let left_s = expires_at.since_s(now);
        if left_s <= 0 || left_s > i64::from(LINK_TTL_MAX_S) { Err(LinkError::Expired) } else { Ok(subject) }
    }
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let (digits, rest) = line.as_bytes().as_chunks::<2>();
        if !rest.is_empty() || digits.len() != KEY_BYTES {
            return None;
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        let mut sha = Sha256::new();
        sha.update(PURPOSE);
        sha.update(*bytes);
        Some(Self { id: hex(&sha.finalize()[..4]), bytes })
    }

    fn mac(&self, subject: Subject<'_>, expires_at: Timestamp) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&*self.bytes).expect("HMAC takes keys of any length");
        let text = format!("{PURPOSE}\n{}\n{}\n{}\n{}", subject.id, subject.sha256, expires_at.unix(), self.id);
        mac.update(text.as_bytes());
        mac
    }
}

/// A query, each of its four parts once and nothing else.
struct Parts<'a> {
    expires: i64,
    key: &'a str,
    sha256: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn parse(query: &'a str) -> Option<Self> {
        let (mut expires, mut key, mut sha256, mut signature) = (None, None, None, None);
        for part in query.split('&') {
            let (name, value) = part.split_once('=')?;
            let slot = match name {
                "expires" => &mut expires,
                "key" => &mut key,
                "sha256" => &mut sha256,
                "signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let expires_text = expires?;
        let expires: i64 = expires_text.parse().ok()?;
        // One number has one spelling: `+5` and `05` are none of ours.
        let canonical = expires.to_string() == expires_text;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature?).ok()?;
        canonical.then_some(Self { expires, key: key?, sha256: sha256?, signature })
    }
}

/// Makes the key file: write, fsync, rename without replacing, fsync of the directory. Of two that race, one wins.
fn make_key(data_dir: &Path, path: &Path) -> Result<(), ArchiveError> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *bytes).map_err(ArchiveError::Random)?;
    let text = Zeroizing::new(hex(&*bytes) + "\n");
    let partial = data_dir.join(format!("{KEY_FILE}.{}.partial", std::process::id()));
    let _ = std::fs::remove_file(&partial);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(ArchiveError::io("making", &partial))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(ArchiveError::io("writing", &partial))?;
    let linked = std::fs::hard_link(&partial, path);
    let _ = std::fs::remove_file(&partial);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(ArchiveError::io("making", path)(error));
        }
        _ => {}
    }
    durable::sync_directory(path).map_err(ArchiveError::io("syncing", data_dir))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SHA256: &str = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";

    fn subject(id: i64, sha256: &str) -> Subject<'_> {
        Subject { id: SnapshotId::new(id).unwrap(), sha256 }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(1_795_494_426 + second)
    }

    #[test]
    fn a_link_opens_its_own_archive_until_it_expires() {
        let data_dir = tempfile::tempdir().unwrap();
        let links = Links::open(data_dir.path()).unwrap();
        let (query, expires_at) = links.sign(subject(7, SHA256), at(0), 300);
        assert_eq!(expires_at, at(300));
        let opened = subject(7, SHA256);
        for (now, expected) in [
            (0, Ok(opened)),
            (299, Ok(opened)),
            (300, Err(LinkError::Expired)),
            (1_000_000, Err(LinkError::Expired)),
            (-3301, Err(LinkError::Expired)),
        ] {
            assert_eq!(links.verify(&query, opened.id, at(now)), expected, "{now}");
        }
        assert_eq!(links.verify(&query, subject(8, SHA256).id, at(0)), Err(LinkError::Tampered));
    }

    #[test]
    fn a_link_that_was_changed_anywhere_opens_nothing() {
        let data_dir = tempfile::tempdir().unwrap();
        let links = Links::open(data_dir.path()).unwrap();
        let (query, _) = links.sign(subject(7, SHA256), at(0), 300);
        for place in 0..query.len() {
            let mut changed = query.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(links.verify(&changed, subject(7, SHA256).id, at(0)), Err(LinkError::Tampered), "{changed}");
        }
        for changed in [
            String::new(),
            query.replace("expires=", "expires=+"),
            query.replace("expires=", "expires=0"),
            query.replace(SHA256, &SHA256.replace('e', "f")),
            format!("{query}&expires=9999999999"),
            format!("{query}&sha256={SHA256}"),
            format!("{query}&x=1"),
            format!("{query}A"),
            query.rsplit_once('&').unwrap().0.to_owned(),
        ] {
            assert_eq!(links.verify(&changed, subject(7, SHA256).id, at(0)), Err(LinkError::Tampered), "{changed}");
        }
    }

    #[test]
    fn no_link_lives_longer_than_an_hour() {
        let data_dir = tempfile::tempdir().unwrap();
        let links = Links::open(data_dir.path()).unwrap();
        assert_eq!(links.sign(subject(1, SHA256), at(0), u32::MAX).1, at(3600));
    }

    #[test]
    fn the_key_survives_a_restart_and_an_old_one_still_verifies() {
        let data_dir = tempfile::tempdir().unwrap();
        let before = Links::open(data_dir.path()).unwrap();
        let opened = subject(7, SHA256);
        let (query, _) = before.sign(opened, at(0), 300);
        let again = Links::open(data_dir.path()).unwrap();
        assert_eq!(again.verify(&query, opened.id, at(0)), Ok(opened));
        let path = data_dir.path().join(KEY_FILE);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{}\n{old}", "ab".repeat(KEY_BYTES))).unwrap();
        let rotated = Links::open(data_dir.path()).unwrap();
        assert_eq!(rotated.verify(&query, opened.id, at(0)), Ok(opened));
        let (query, _) = rotated.sign(opened, at(0), 300);
        assert_eq!(before.verify(&query, opened.id, at(0)), Err(LinkError::Tampered));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let data_dir = tempfile::tempdir().unwrap();
        let path = data_dir.path().join(KEY_FILE);
        Links::open(data_dir.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(data_dir.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Links::open(data_dir.path()), Err(ArchiveError::KeyExposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "xyz\n", &"ab".repeat(31), &format!("{}\n", "ab".repeat(32)).repeat(9)] {
            fs::write(&path, text).unwrap();
            assert!(matches!(Links::open(data_dir.path()), Err(ArchiveError::KeyMalformed(_))), "{text}");
        }
    }

    #[test]
    fn no_key_is_shown() {
        let data_dir = tempfile::tempdir().unwrap();
        let links = Links::open(data_dir.path()).unwrap();
        let key = fs::read_to_string(data_dir.path().join(KEY_FILE)).unwrap();
        assert!(!format!("{links:?}").contains(key.trim()));
    }
}
