//! Free space and free inodes of the file systems that Iggy and the system need.

use super::super::figures::{float, percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{ChartKind, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::size::{GIB, human};
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{IGGY_PROCESS, ProcessRoot};
use crate::evidence::mounts::{DATA_VOLUME, MOUNTS, Mount, Space, holding};

/// Paths whose file systems a server needs besides its data.
const SYSTEM_PATHS: &[&str] = &["/", "/var", "/var/log", "/tmp"];
/// A file system that is built full and never written to.
const IMAGES: &[&str] = &["squashfs", "erofs", "iso9660", "udf"];

pub(super) const SPACE: Check = Check {
    id: "disk.space",
    title: "Free space on Iggy's file systems",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[MOUNTS.source(), DATA_VOLUME.source(), IGGY_CONFIG.source(), IGGY_PROCESS.source()],
    rule: "Fails when less than 5 % (fail_percent) of a file system that Iggy or the system writes to is available, or less than 2 GiB (fail_gib) of the one with the data; \
           warns below 15 % (warn_percent), or 10 GiB (warn_gib) of the one with the data; passes otherwise. Read-only file systems and images do not count.",
    threshold_source: "Redpanda asks for 10 GB, node_exporter's mixin for 5 % and 3 %, ClickHouse warns below 1 GiB; these limits stand between.",
    why: "A server that cannot write its log stops taking messages, and a segment that was cut short by a full disk is the usual beginning of a long night.",
    remedy: "df -h\ndu -xh --max-depth=2 'DATA_DIRECTORY' | sort -h | tail -20\n# Then shorten the retention of the largest topics (here 7 days and 10 GiB), or grow the volume:\niggy topic update -m 10GiB STREAM TOPIC NAME none 7days\n# and in Iggy's configuration: [data_maintenance.messages] cleaner_enabled = true\n# Do not delete segments by hand: the server does not start on what is left.",
    references: &["Apache Iggy: server configuration, retention", "node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "fail_percent",
            default: 5.0,
            min: 0.0,
            max: 100.0,
            help: "available space that fails, percent",
        },
        Setting {
            name: "warn_percent",
            default: 15.0,
            min: 0.0,
            max: 100.0,
            help: "available space that warns, percent",
        },
        Setting {
            name: "fail_gib",
            default: 2.0,
            min: 0.0,
            max: 1e6,
            help: "available space of the data's file system that fails, GiB",
        },
        Setting {
            name: "warn_gib",
            default: 10.0,
            min: 0.0,
            max: 1e6,
            help: "available space of the data's file system that warns, GiB",
        },
    ],
    evaluate: space,
};

pub(super) const INODES: Check = Check {
    id: "disk.inodes",
    title: "Free inodes on Iggy's file systems",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[MOUNTS.source(), DATA_VOLUME.source(), IGGY_CONFIG.source(), IGGY_PROCESS.source()],
    rule: "Fails when less than 3 % (fail_percent) of the inodes of a file system that Iggy or the system writes to are available, warns below 5 % (warn_percent); passes otherwise, also where inodes are made as needed.",
    threshold_source: "node_exporter's mixin: 5 % and 3 %.",
    why: "Each segment is two files; without a free inode the next one cannot be made, however much space there is.",
    remedy: "df -i\nfor d in /var /tmp 'DATA_DIRECTORY'; do echo \"$(find \"$d\" -xdev | wc -l) $d\"; done\n# Delete what made the many small files, or make the file system again with more inodes.",
    references: &["node_exporter: docs/node-mixin"],
    privilege: "any user",
    settings: &[
        Setting {
            name: "fail_percent",
            default: 3.0,
            min: 0.0,
            max: 100.0,
            help: "available inodes that fail, percent",
        },
        Setting {
            name: "warn_percent",
            default: 5.0,
            min: 0.0,
            max: 100.0,
            help: "available inodes that warn, percent",
        },
    ],
    evaluate: inodes,
};

/// What takes space where Iggy's data is not.
const OF_SYSTEM: &str = "df -h MOUNT_POINT\ndu -xh --max-depth=2 MOUNT_POINT | sort -h | tail -20\njournalctl --disk-usage; journalctl --vacuum-size=500M\n# Then what the list shows: old logs, caches of packages (apt clean), images of containers (docker system df); or grow the volume.";

/// A file system that matters, and what for.
struct Volume<'a> {
    use_of: Use,
    mount: &'a Mount,
    space: Space,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Data,
    System,
}

impl Volume<'_> {
    fn named(&self) -> String {
        match self.use_of {
            Use::Data => format!("{} (Iggy's data)", self.mount.point),
            Use::System => self.mount.point.clone(),
        }
    }
}

/// Where the server keeps its log, when that is not below its data and the path means the same to us as to the server.
fn log_path<'a>(case: &'a Case<'_>) -> Option<&'a str> {
    let ours = case.read(IGGY_PROCESS).is_ok_and(|process| process.root == ProcessRoot::Ours);
    let path = case.read(IGGY_CONFIG).ok()?.server.logging.path.as_ref()?.to_str()?;
    (ours && path.starts_with('/')).then_some(path)
}

/// The file systems that matter, Iggy's first, each once; and why others could not be asked.
fn volumes<'a>(case: &'a Case<'_>) -> Result<(Vec<Volume<'a>>, Vec<Gap>), Gap> {
    let mounts = case.read(MOUNTS)?;
    let data = case.read(DATA_VOLUME).ok().map(|mount| (Use::Data, mount));
    let system = SYSTEM_PATHS.iter().copied().chain(log_path(case));
    let system = system.filter_map(|path| Some((Use::System, holding(mounts, path)?)));
    let (mut found, mut gaps): (Vec<Volume<'_>>, Vec<Gap>) = (Vec::new(), Vec::new());
    let mut seen: Vec<(u32, u32)> = Vec::new();
    for (use_of, mount) in data.into_iter().chain(system) {
        if seen.contains(&mount.device) || mount.has("ro") || IMAGES.contains(&mount.kind.as_str()) {
            continue;
        }
        seen.push(mount.device);
        match &mount.space {
            Ok(space) if space.total_bytes > 0 => found.push(Volume { use_of, mount, space: *space }),
            Ok(_) => {}
            Err(gap) => gaps.push(Gap { detail: format!("{}: {}", mount.point, gap.detail), ..gap.clone() }),
        }
    }
    match (found.is_empty(), gaps.first()) {
        (true, Some(gap)) => Err(gap.clone()),
        (true, None) => Err(Gap::absent("no file system that is written to was found")),
        (false, _) => Ok((found, gaps)),
    }
}

fn space(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (volumes, gaps) = volumes(case)?;
    let verdict = |volume: &Volume<'_>| {
        let left = share(volume.space.available_bytes, volume.space.total_bytes);
        let gib = float(volume.space.available_bytes) / float(GIB);
        let below = |percent_name, gib_name| {
            left < case.setting(percent_name) || (volume.use_of == Use::Data && gib < case.setting(gib_name))
        };
        if below("fail_percent", "fail_gib") {
            Verdict::Fail
        } else if below("warn_percent", "warn_gib") {
            Verdict::Warn
        } else {
            Verdict::Pass
        }
    };
    let worst = worst(&volumes, verdict, |volume| share(volume.space.available_bytes, volume.space.total_bytes));
    let left = share(worst.space.available_bytes, worst.space.total_bytes);
    let worst_verdict = verdict(worst);
    let (percent_limit, gib_limit) = match worst_verdict {
        Verdict::Fail => (case.setting("fail_percent"), case.setting("fail_gib")),
        _ => (case.setting("warn_percent"), case.setting("warn_gib")),
    };
    let limit = match worst.use_of {
        Use::Data => format!("{percent_limit} % and {gib_limit} GiB"),
        Use::System => format!("{percent_limit} %"),
    };
    let fact = format!(
        "{} has {} available of {} ({})",
        worst.named(),
        human(worst.space.available_bytes),
        human(worst.space.total_bytes),
        percent(left)
    );
    let others = volumes.iter().filter(|volume| !std::ptr::eq(*volume, worst) && verdict(volume) >= Verdict::Warn);
    let others: Vec<&str> = others.map(|volume| volume.mount.point.as_str()).collect();
    let others = if others.is_empty() { String::new() } else { format!(" Short as well: {}.", others.join(", ")) };
    let judged = match worst_verdict {
        Verdict::Fail => Judgement::fail(format!("{fact}; at least {limit} are needed.{others}")),
        Verdict::Warn => Judgement::warn(format!("{fact}; at least {limit} should be.{others}")),
        _ => Judgement::pass(format!("{fact}; no other that matters has a smaller share.")),
    };
    let judged = match worst.use_of {
        Use::System if worst_verdict >= Verdict::Warn => {
            judged.remedy(OF_SYSTEM.replace("MOUNT_POINT", &quoted(&worst.mount.point)))
        }
        _ => judged,
    };
    let rows = volumes.iter().map(|volume| {
        vec![
            volume.named().into(),
            volume.mount.kind.as_str().into(),
            volume.mount.source.as_str().into(),
            volume.space.total_bytes.into(),
            volume.space.available_bytes.into(),
            crate::domain::finding::Cell::Number(share(volume.space.available_bytes, volume.space.total_bytes)),
        ]
    });
    let columns = vec![
        Column::text("Mounted on"),
        Column::text("Type"),
        Column::text("Device"),
        Column::number("Size", Unit::Bytes),
        Column::number("Available", Unit::Bytes),
        Column::number("Share", Unit::Percent),
    ];
    let used = volumes
        .iter()
        .map(|volume| (volume.named(), 100.0 - share(volume.space.available_bytes, volume.space.total_bytes)));
    let judged = judged
        .measured(left, Unit::Percent, percent(left))
        .expected(format!("≥ {limit}"))
        .proof(Proof::table("File systems", columns, rows.collect()))
        .proof(Proof::chart("Space that is not available", ChartKind::Bars, Unit::Percent, used, Some(100.0)));
    Ok(gaps.into_iter().fold(judged, Judgement::gap))
}

/// The worst; among equally bad ones Iggy's own, then the one with the least left.
fn worst<'a, 'b>(
    volumes: &'a [Volume<'b>],
    verdict: impl Fn(&Volume<'_>) -> Verdict,
    left: impl Fn(&Volume<'_>) -> f64,
) -> &'a Volume<'b> {
    let order = |a: &&Volume<'_>, b: &&Volume<'_>| {
        let whose = if verdict(a) >= Verdict::Warn { a.use_of.cmp(&b.use_of) } else { std::cmp::Ordering::Equal };
        verdict(b).cmp(&verdict(a)).then(whose).then(left(a).total_cmp(&left(b)))
    };
    volumes.iter().min_by(order).expect("there is at least one volume")
}

fn inodes(case: &Case<'_>) -> Result<Judgement, Gap> {
    let (volumes, gaps) = volumes(case)?;
    let left = |volume: &Volume<'_>| match volume.space.inodes {
        0 => 100.0,
        inodes => share(volume.space.inodes_available, inodes),
    };
    let (fail, warn) = (case.setting("fail_percent"), case.setting("warn_percent"));
    let verdict = |volume: &Volume<'_>| match left(volume) {
        left if left < fail => Verdict::Fail,
        left if left < warn => Verdict::Warn,
        _ => Verdict::Pass,
    };
    let worst = worst(&volumes, verdict, left);
    let fact = if worst.space.inodes == 0 {
        format!("{} makes inodes as needed", worst.named())
    } else {
        format!(
            "{} has {} of {} inodes available ({})",
            worst.named(),
            worst.space.inodes_available,
            worst.space.inodes,
            percent(left(worst))
        )
    };
    let (judged, limit) = match verdict(worst) {
        Verdict::Fail => (Judgement::fail(format!("{fact}, less than {fail} %.")), fail),
        Verdict::Warn => (Judgement::warn(format!("{fact}, less than {warn} %.")), warn),
        _ => (Judgement::pass(format!("{fact}; no other that matters has a smaller share.")), warn),
    };
    let rows = volumes.iter().map(|volume| {
        vec![
            volume.named().into(),
            volume.mount.kind.as_str().into(),
            volume.space.inodes.into(),
            volume.space.inodes_available.into(),
        ]
    });
    let columns = vec![
        Column::text("Mounted on"),
        Column::text("Type"),
        Column::number("Inodes", Unit::Count),
        Column::number("Available", Unit::Count),
    ];
    let judged = judged
        .measured(left(worst), Unit::Percent, percent(left(worst)))
        .expected(format!("≥ {limit} %"))
        .proof(Proof::table("Inodes", columns, rows.collect()));
    Ok(gaps.into_iter().fold(judged, Judgement::gap))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::evidence::iggy::testing::process;
    use crate::evidence::mounts::parse;
    use crate::iggy::config::ServerConfig;

    fn evidence(data: Space, root: Space) -> Evidence {
        let mut mounts = parse(
            "1 2 8:1 / / rw - ext4 /dev/sda1 rw\n1 2 8:2 / /srv rw - xfs /dev/sda2 rw\n1 2 7:1 / /tmp ro - squashfs x ro\n",
        );
        mounts[0].space = Ok(root);
        mounts[1].space = Ok(data);
        mounts[2].space = Ok(Space { total_bytes: 100, available_bytes: 0, inodes: 1, inodes_available: 0 });
        let mut evidence = Evidence::default();
        evidence.put(DATA_VOLUME, Ok(mounts[1].clone()));
        evidence.put(MOUNTS, Ok(mounts));
        evidence
    }

    const fn bytes(total_bytes: u64, available_bytes: u64) -> Space {
        Space { total_bytes, available_bytes, inodes: 0, inodes_available: 0 }
    }

    const WIDE: Space = bytes(1000 * GIB, 900 * GIB);

    #[test]
    fn space_is_judged_by_share_and_for_the_data_by_size_too() {
        for (data, root, verdict) in [
            (WIDE, WIDE, Verdict::Pass),
            (bytes(1000 * GIB, 150 * GIB), WIDE, Verdict::Pass),
            (bytes(1000 * GIB, 150 * GIB - 1), WIDE, Verdict::Warn),
            (bytes(1000 * GIB, 50 * GIB), WIDE, Verdict::Warn),
            (bytes(1000 * GIB, 50 * GIB - 1), WIDE, Verdict::Fail),
            (bytes(20 * GIB, 10 * GIB), WIDE, Verdict::Pass),
            (bytes(20 * GIB, 10 * GIB - 1), WIDE, Verdict::Warn),
            (bytes(4 * GIB, 2 * GIB), WIDE, Verdict::Warn),
            (bytes(4 * GIB, 2 * GIB - 1), WIDE, Verdict::Fail),
            (WIDE, bytes(4 * GIB, GIB), Verdict::Pass),
            (WIDE, bytes(100 * GIB, 14 * GIB), Verdict::Warn),
            (WIDE, bytes(100 * GIB, 4 * GIB), Verdict::Fail),
        ] {
            let judged = judge_one("disk.space", &evidence(data, root)).unwrap();
            assert_eq!(judged.verdict, verdict, "{data:?} {root:?}: {}", judged.summary);
        }
    }

    #[test]
    fn the_sentence_names_the_worst_file_system_and_its_limit() {
        let judged = judge_one("disk.space", &evidence(bytes(20 * GIB, 5 * GIB), WIDE)).unwrap();
        assert_eq!(
            judged.summary,
            "/srv (Iggy's data) has 5.00 GiB available of 20.0 GiB (25.0 %); at least 15 % and 10 GiB should be."
        );
        let both = evidence(bytes(20 * GIB, 5 * GIB), bytes(100 * GIB, 14 * GIB));
        assert_eq!(
            judge_one("disk.space", &both).unwrap().summary,
            "/srv (Iggy's data) has 5.00 GiB available of 20.0 GiB (25.0 %); at least 15 % and 10 GiB should be. \
             Short as well: /."
        );
    }

    #[test]
    fn a_log_on_a_volume_of_its_own_counts_and_a_remedy_is_for_the_volume() {
        let mut evidence = evidence(WIDE, bytes(100 * GIB, 80 * GIB));
        let mut mounts = evidence.read(MOUNTS).unwrap().clone();
        let mut log = parse("1 2 8:3 / /logs rw - xfs /dev/sda3 rw\n").remove(0);
        log.space = Ok(bytes(100 * GIB, 4 * GIB));
        mounts.push(log);
        evidence.put(MOUNTS, Ok(mounts));
        assert_eq!(judge_one("disk.space", &evidence).unwrap().verdict, Verdict::Pass);
        let text = "[tcp]\nenabled = true\n[system.logging]\npath = \"/logs/iggy\"\n";
        let server = ServerConfig::parse(text).unwrap();
        evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        evidence.put(IGGY_PROCESS, Ok(process(1)));
        let judged = judge_one("disk.space", &evidence).unwrap();
        assert_eq!(judged.verdict, Verdict::Fail);
        assert!(judged.remedy.unwrap().contains("\ndu -xh --max-depth=2 '/logs' | "));
    }

    #[test]
    fn inodes_are_judged_where_there_is_a_number_of_them() {
        let inodes = |inodes, inodes_available| Space { inodes, inodes_available, ..WIDE };
        for (data, verdict) in [
            (inodes(0, 0), Verdict::Pass),
            (inodes(1000, 50), Verdict::Pass),
            (inodes(1000, 49), Verdict::Warn),
            (inodes(1000, 30), Verdict::Warn),
            (inodes(1000, 29), Verdict::Fail),
        ] {
            assert_eq!(judge_one("disk.inodes", &evidence(data, WIDE)).unwrap().verdict, verdict, "{data:?}");
        }
    }

    #[test]
    fn a_file_system_that_does_not_answer_is_a_gap_beside_the_others() {
        let mut evidence = evidence(WIDE, WIDE);
        let mut mounts = evidence.read(MOUNTS).unwrap().clone();
        mounts[0].space = Err(Gap::timeout("silent"));
        evidence.put(MOUNTS, Ok(mounts));
        let judged = judge_one("disk.space", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.gaps), (Verdict::Pass, vec![Gap::timeout("/: silent")]));
    }
}
