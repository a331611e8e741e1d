//! Whose Iggy's data directory is, and whether the server can write to it.

use super::super::figures::counted;
use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof};
use crate::domain::gap::{Gap, GapReason};
use crate::domain::shell::quoted;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::data_dir::{DATA_DIR, DataDirectory, DataEntry, User};
use crate::evidence::iggy::{FoundBy, IGGY_PLACE, IGGY_PROCESS, IggyPlace, Standing};

pub(super) const CHECK: Check = Check {
    id: "disk.data-dir",
    title: "Ownership of the data directory",
    category: Category::Disk,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_PLACE.source(), DATA_DIR.source()],
    rule: "Fails when the data directory is missing, is no directory, or something on its first two levels cannot be written by the user that the server runs as, or can be written by everybody. \
           Warns when its owner is neither root nor that user, or it has no layout of Iggy's. \
           Information when everybody may read it, and when it is the default below the server's working directory; passes otherwise.",
    threshold_source: "Redpanda and TiUP test the same and call it fatal. A data directory that everybody may read, and the default place, are Iggy's own defaults: information.",
    why: "A server that was once started as root leaves files that the service cannot write to, and dies at the first of them.",
    remedy: "systemctl stop iggy-server\n# Its user is `iggy` here; the verdict names the number of the one that the server runs as\nchown -R iggy: 'DATA_DIRECTORY'\nchmod 0750 'DATA_DIRECTORY'\nsystemctl start iggy-server\n# A volume of a container: chown -R UID:GID of its folder on the host, with the numbers of the user in the image.",
    references: &["Apache Iggy: server configuration, system.path"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: data_dir,
};

fn data_dir(case: &Case<'_>) -> Result<Judgement, Gap> {
    let place = case.read(IGGY_PLACE)?;
    let named = place.named.as_deref().unwrap_or("the data directory");
    match &place.standing {
        Standing::Unseen(gap) if gap.reason == GapReason::Absent && place.found != FoundBy::WellKnownPath => {
            return Ok(Judgement::fail(format!("{named} does not exist; Iggy was found {}.", place.found.text()))
                .remedy(format!(
                    "# Is its volume mounted?\nfindmnt --fstab; findmnt -T {0}\n# It was never there: its user is `iggy` here\ninstall -d -o iggy -g iggy -m 0750 {0}\nsystemctl start iggy-server",
                    quoted(named)
                )));
        }
        Standing::Unseen(gap) => return Err(gap.clone()),
        Standing::Doubted(doubt) => {
            return Ok(Judgement::warn(format!("{named}: {}.", doubt.text()))
                .remedy("Set iggy.data_dir in snapvisor's configuration if this is Iggy's data all the same."));
        }
        Standing::Believed(_) => {}
    }
    let seen = case.read(DATA_DIR)?;
    let server = case.read(IGGY_PROCESS).ok();
    let user = server.map(|process| User { uid: process.uid, groups: &process.groups });
    Ok(judged(place, seen, user))
}

/// What gives the directory to the user that the server runs as.
fn owned_by(uid: u32) -> String {
    let named = "# Its user is `iggy` here; the verdict names the number of the one that the server runs as\n";
    CHECK.remedy.replace(named, "").replace("chown -R iggy:", &format!("chown -R {uid}"))
}

fn judged(place: &IggyPlace, seen: &DataDirectory, user: Option<User<'_>>) -> Judgement {
    let named = place.named.as_deref().unwrap_or("the data directory");
    let at = |entry: &DataEntry| match entry.path.as_str() {
        "" => named.to_owned(),
        path => format!("{named}/{path}"),
    };
    let everybodys: Vec<&DataEntry> = seen.entries.iter().filter(|entry| entry.mode & 0o002 != 0).collect();
    let closed: Vec<&DataEntry> =
        user.map(|user| seen.entries.iter().filter(|entry| !entry.writable_by(user)).collect()).unwrap_or_default();
    let root = seen.entries.first();
    let root_owner = root.map_or(0, |entry| entry.uid);
    let (judged, shown) = if let Some(first) = closed.first() {
        let uid = user.map_or(0, |user| user.uid);
        let others = counted(closed.len(), "entry", "entries");
        (
            Judgement::fail(format!(
                "{} belongs to user {} and cannot be written by the server's user {uid}; {others} in all.",
                at(first),
                first.uid
            ))
            .remedy(owned_by(uid)),
            closed,
        )
    } else if let Some(first) = everybodys.first() {
        let others = counted(everybodys.len(), "entry", "entries");
        (
            Judgement::fail(format!(
                "{} can be written by everybody (mode {:04o}); {others} in all.",
                at(first),
                first.mode
            ))
            .remedy("# Neither Iggy nor systemd needs that\nchmod -R o-w 'DATA_DIRECTORY'"),
            everybodys,
        )
    } else if user.is_some_and(|user| root_owner != user.uid && root_owner != 0) {
        let uid = user.map_or(0, |user| user.uid);
        let judged = Judgement::warn(format!("{named} belongs to user {root_owner}, not to the server's user."));
        (judged.remedy(owned_by(uid)), Vec::new())
    } else if !place.believed().is_some_and(|(_, directory)| directory.layout.is_known()) {
        let judged = Judgement::warn(format!("{named} does not look like a data directory of Iggy's.")).remedy(
            "ls -la 'DATA_DIRECTORY'\n# Of another release than 0.8 and 0.9, or another directory: iggy.data_dir in snapvisor's configuration names the right one.",
        );
        (judged, Vec::new())
    } else if root.is_some_and(|entry| entry.mode & 0o005 != 0) {
        let mode = root.map_or(0, |entry| entry.mode);
        let remedy = format!("chmod 0750 {}", quoted(named));
        (
            Judgement::info(format!(
                "{named} can be read by everybody on this host (mode {mode:04o}): Iggy makes it so."
            ))
            .remedy(remedy),
            Vec::new(),
        )
    } else if named.ends_with("/local_data") {
        (
            Judgement::info(format!(
                "{named} is the default below the server's working directory; set system.path so that it does not move when that does."
            )),
            Vec::new(),
        )
    } else {
        (
            Judgement::pass(format!(
                "{named} belongs to user {root_owner}, and the server can write to what is in it."
            )),
            Vec::new(),
        )
    };
    let gaps = if user.is_none() && judged.verdict != Verdict::Fail {
        vec![Gap::absent("no server runs, so it is not known as which user it would write")]
    } else {
        Vec::new()
    };
    let rows = |entries: &[&DataEntry]| {
        let row = |entry: &&DataEntry| {
            vec![
                at(entry).into(),
                u64::from(entry.uid).into(),
                u64::from(entry.gid).into(),
                Cell::text(format!("{:04o}", entry.mode)),
            ]
        };
        entries.iter().map(row).collect()
    };
    let columns = || {
        let number = |label| Column::number(label, crate::domain::finding::Unit::Count);
        vec![Column::text("Path"), number("Owner"), number("Group"), Column::text("Mode")]
    };
    let top: Vec<&DataEntry> = seen.entries.iter().filter(|entry| !entry.path.contains('/')).collect();
    let mut judged = judged.proof(Proof::table("The first level", columns(), rows(&top)));
    if !shown.is_empty() {
        judged = judged.proof(Proof::table("What is wrong", columns(), rows(&shown)));
    }
    gaps.into_iter().fold(judged, Judgement::gap)
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::data_dir::DataKind;
    use crate::evidence::iggy::{Directory, Doubt};
    use crate::iggy::Layout;

    fn place(named: &str, layout: Layout) -> IggyPlace {
        let directory = Directory { layout, owner_uid: 10, group_gid: 10, mode: 0o750, identity: (1, 1) };
        IggyPlace {
            found: FoundBy::Process,
            named: Some(named.into()),
            data_dir: Some(named.into()),
            standing: Standing::Believed(directory),
            config_file: None,
            pid: None,
        }
    }

    fn entry(path: &str, uid: u32, mode: u32) -> DataEntry {
        DataEntry { path: path.into(), uid, gid: uid, mode, kind: DataKind::Folder }
    }

    #[test]
    fn owner_mode_and_place_are_judged() {
        let iggy = Some(User { uid: 10, groups: &[10] });
        for (named, entries, user, verdict) in [
            ("/srv/iggy", vec![entry("", 10, 0o750), entry("state", 10, 0o755)], iggy, Verdict::Pass),
            ("/srv/iggy", vec![entry("", 10, 0o750), entry("state", 0, 0o755)], iggy, Verdict::Fail),
            ("/srv/iggy", vec![entry("", 10, 0o750), entry("state", 10, 0o777)], iggy, Verdict::Fail),
            ("/srv/iggy", vec![entry("", 0, 0o750)], iggy, Verdict::Fail),
            ("/srv/iggy", vec![DataEntry { gid: 10, ..entry("", 0, 0o770) }], iggy, Verdict::Pass),
            ("/srv/iggy", vec![DataEntry { gid: 10, ..entry("", 7, 0o770) }], iggy, Verdict::Warn),
            ("/srv/iggy", vec![entry("", 10, 0o755)], iggy, Verdict::Info),
            ("/opt/iggy/local_data", vec![entry("", 10, 0o750)], iggy, Verdict::Info),
            ("/srv/iggy", vec![entry("", 10, 0o750)], None, Verdict::Pass),
        ] {
            let seen = DataDirectory { entries, ..DataDirectory::default() };
            let judged = judged(&place(named, Layout::V0_8), &seen, user);
            assert_eq!(judged.verdict, verdict, "{}", judged.summary);
        }
        let seen = DataDirectory { entries: vec![entry("", 10, 0o750)], ..DataDirectory::default() };
        assert_eq!(judged(&place("/srv", Layout::Unknown), &seen, iggy).verdict, Verdict::Warn);
    }

    #[test]
    fn a_remedy_gives_the_directory_to_the_servers_own_user() {
        let remedy = owned_by(20_001);
        assert!(remedy.contains("\nchown -R 20001 'DATA_DIRECTORY'\n") && !remedy.contains("iggy:"), "{remedy}");
    }

    #[test]
    fn a_directory_that_is_not_there_or_not_believed_is_told_apart() {
        let outcome = |found, standing| {
            let mut evidence = Evidence::default();
            evidence.put(IGGY_PLACE, Ok(IggyPlace { found, standing, ..place("/srv/iggy", Layout::V0_8) }));
            judge_one("disk.data-dir", &evidence)
        };
        let absent = || Standing::Unseen(Gap::absent("/srv/iggy does not exist"));
        let missing = outcome(FoundBy::Configuration, absent()).unwrap();
        let sentence = "/srv/iggy does not exist; Iggy was found by snapvisor's configuration.";
        assert_eq!((missing.verdict, missing.summary.as_str()), (Verdict::Fail, sentence));
        assert!(missing.remedy.unwrap().contains("\ninstall -d -o iggy -g iggy -m 0750 '/srv/iggy'\n"));
        assert_eq!(outcome(FoundBy::WellKnownPath, absent()).unwrap_err().reason, GapReason::Absent);
        let doubted = outcome(FoundBy::Process, Standing::Doubted(Doubt::NotADirectory)).unwrap();
        let sentence = "/srv/iggy: the data path is no directory.";
        assert_eq!((doubted.verdict, doubted.summary.as_str()), (Verdict::Warn, sentence));
    }
}
