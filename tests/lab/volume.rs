//! What stands on the lab's disk: a file system of its own, the server's data, configuration, log and certificates.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use toml::{Table, Value};

use crate::{Outcome, run};

/// The user that the server runs as; no name belongs to it.
pub(crate) const USER: u32 = 20_001;
/// The address that the server's TCP listener has.
pub(crate) const ADDRESS: &str = "10.77.0.1";
/// Size of the file system: above every threshold of free space, and sparse.
const DISK_BYTES: u64 = 24 << 30;
/// Its inodes: enough for Iggy, few enough to be used up.
const DISK_INODES: &str = "8192";
/// What real servers left, here in the repository.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iggy-0.8.0-clean");
/// Messages of each of the two closed segments that one partition is cut into.
const CLOSED_SEGMENT_MESSAGES: usize = 1_500;
/// Bytes of an index entry.
const ENTRY_BYTES: usize = 16;

/// Mounts a fresh ext4 file system from a sparse file.
pub(crate) fn disk(image: &Path, point: &Path, options: &str) -> Outcome<()> {
    fs::File::create(image)?.set_len(DISK_BYTES)?;
    let image = text(image);
    run(
        "mkfs.ext4",
        &[
            "-q",
            "-F",
            "-m",
            "0",
            "-N",
            DISK_INODES,
            "-E",
            "lazy_itable_init=1,lazy_journal_init=1",
            "-J",
            "size=8",
            image,
        ],
    )?;
    fs::create_dir_all(point)?;
    run("mount", &["-o", &format!("loop,noatime,noinit_itable,{options}"), image, text(point)])
}

/// A path of ours as text; they are all ASCII.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the lab's own paths are ASCII")
}

/// Iggy's data below `data`, as the server left it, one partition cut into three segments; configuration and log fresh.
pub(crate) fn data(data: &Path) -> Outcome<()> {
    for part in ["state", "streams", "runtime"] {
        copy(&Path::new(DATA).join(part), &data.join(part))?;
    }
    split(&first_partition(data))?;
    fs::create_dir_all(data.join("logs"))?;
    log(data, &["INFO shard-0 server::bootstrap: Server has started"])?;
    own(data)
}

/// The partition that has closed segments.
pub(crate) fn first_partition(data: &Path) -> PathBuf {
    data.join("streams/0/topics/0/partitions/0")
}

/// The files of the segment that begins at this offset: messages, index.
pub(crate) fn segment(partition: &Path, offset: usize) -> [PathBuf; 2] {
    ["log", "index"].map(|kind| partition.join(format!("{offset:020}.{kind}")))
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::write(&target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Cuts the only segment of a partition into three, where messages end.
fn split(partition: &Path) -> Outcome<()> {
    let [log, index] = segment(partition, 0);
    let (messages, entries) = (fs::read(log)?, fs::read(index)?);
    let entries: Vec<&[u8]> = entries.chunks_exact(ENTRY_BYTES).collect();
    let end = |message: usize| -> usize {
        let bytes = message.checked_sub(1).map_or([0; 4], |last| [4, 5, 6, 7].map(|at| entries[last][at]));
        u32::from_le_bytes(bytes) as usize
    };
    let cuts = [0, CLOSED_SEGMENT_MESSAGES, 2 * CLOSED_SEGMENT_MESSAGES, entries.len()];
    for pair in cuts.windows(2) {
        let (first, next) = (pair[0], pair[1]);
        let [log, index] = segment(partition, first);
        fs::write(log, &messages[end(first)..end(next)])?;
        let mut relative = Vec::new();
        for (number, entry) in entries[first..next].iter().enumerate() {
            relative.extend(u32::try_from(number)?.to_le_bytes());
            relative.extend(u32::try_from(end(first + number + 1) - end(first))?.to_le_bytes());
            relative.extend(&entry[8..]);
        }
        fs::write(index, relative)?;
    }
    Ok(())
}

/// A log with these lines, each written just now.
pub(crate) fn log(data: &Path, lines: &[&str]) -> Outcome<()> {
    let now = jiff::Timestamp::now();
    let text = lines.iter().fold(String::new(), |text, line| text + &format!("{now}  {line}\n"));
    Ok(fs::write(data.join("logs/iggy-server.log"), text)?)
}

/// Everything below a folder belongs to the server's user, and to nobody else.
pub(crate) fn own(path: &Path) -> Outcome<()> {
    chown(path, Some(USER), Some(USER))?;
    if path.is_dir() {
        fs::set_permissions(path, PermissionsExt::from_mode(0o750))?;
        for entry in fs::read_dir(path)? {
            own(&entry?.path())?;
        }
    } else {
        fs::set_permissions(path, PermissionsExt::from_mode(0o600))?;
    }
    Ok(())
}

/// Where a server's effective configuration stands.
pub(crate) fn config_path(data: &Path) -> PathBuf {
    data.join("runtime/current_config.toml")
}

/// Sets a value of a configuration, its sections joined by dots.
pub(crate) fn set(config: &mut Table, path: &str, value: impl Into<Value>) {
    let mut table = config;
    let (sections, key) = path.rsplit_once('.').unwrap_or(("", path));
    for section in sections.split('.').filter(|section| !section.is_empty()) {
        let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().expect("the path leads through sections");
    }
    table.insert(key.to_owned(), value.into());
}

/// The configuration of a server that nobody would complain about.
pub(crate) fn healthy(data: &Path, tls: &Path) -> Outcome<Table> {
    let mut config: Table = fs::read_to_string(Path::new(DATA).join("runtime/current_config.toml"))?.parse()?;
    set(&mut config, "system.path", text(data));
    set(&mut config, "tcp.address", format!("{ADDRESS}:8090"));
    set(&mut config, "tcp.tls.enabled", true);
    set(&mut config, "tcp.tls.self_signed", false);
    set(&mut config, "tcp.tls.cert_file", text(&tls.join("chain.pem")));
    set(&mut config, "tcp.tls.key_file", text(&tls.join("key.pem")));
    set(&mut config, "http.address", "127.0.0.1:3000");
    set(&mut config, "quic.enabled", true);
    set(&mut config, "websocket.enabled", true);
    Ok(config)
}

/// An authority, an intermediate of its, and what they sign.
pub(crate) struct Authority {
    pub(crate) root: Certificate,
    pub(crate) intermediate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Outcome<Self> {
        let authority = |name: &str| -> Outcome<CertificateParams> {
            let mut params = CertificateParams::new(Vec::new())?;
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name = named(name);
            Ok(params)
        };
        let (root_key, key) = (KeyPair::generate()?, KeyPair::generate()?);
        let root_params = authority("lab root")?;
        let root = root_params.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root_params, root_key);
        let params = authority("lab intermediate")?;
        let intermediate = params.signed_by(&key, &root_issuer)?;
        Ok(Self { root, intermediate, issuer: Issuer::new(params, key) })
    }

    /// A certificate for these names, valid over these days from today.
    pub(crate) fn identity(&self, names: &[&str], days: std::ops::Range<i64>) -> Outcome<Identity> {
        let key = KeyPair::generate()?;
        let certificate = leaf(names, days)?.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A certificate that signs itself.
pub(crate) fn self_signed(names: &[&str]) -> Outcome<Identity> {
    let key = KeyPair::generate()?;
    let certificate = leaf(names, -1..300)?.self_signed(&key)?;
    Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn leaf(names: &[&str], days: std::ops::Range<i64>) -> Outcome<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.distinguished_name = named("lab node");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let day = |days: i64| -> Outcome<_> {
        let time = jiff::Timestamp::now().as_second() + days * 86_400;
        let date = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(time)?).date();
        let (year, month, day) = (i32::from(date.year()), u8::try_from(date.month())?, u8::try_from(date.day())?);
        Ok(rcgen::date_time_ymd(year, month, day))
    };
    (params.not_before, params.not_after) = (day(days.start)?, day(days.end)?);
    Ok(params)
}
