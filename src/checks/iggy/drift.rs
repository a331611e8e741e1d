//! Whether the files that decide how the server starts were changed since it started.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Severity;
use crate::evidence::drift::{START_FILES, StartFile};
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::systemd::{SYSTEMD, Service, UnitFiles};

pub(super) const CHECK: Check = Check {
    id: "iggy.config-drift",
    title: "Changed since the start",
    category: Category::Iggy,
    tier: Tier::Extended,
    severity: Severity::Medium,
    needs: &[START_FILES.source(), IGGY_PROCESS.source(), SYSTEMD.source()],
    rule: "Warns when the server's configuration file, its unit, a drop-in or a file of variables was changed after the running server started, and when systemd says that a unit of Iggy's must be loaded again; passes otherwise.",
    threshold_source: "Our own: what was changed and not applied is applied by the next crash. NeedDaemonReload is systemd's own word.",
    why: "The next restart, planned or not, brings the change; whoever looks for the cause then has long forgotten it.",
    remedy: "systemctl daemon-reload\nsystemctl restart iggy-server   # in a maintenance window, or take the change back",
    references: &["systemd: NeedDaemonReload"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[],
    evaluate: drift,
};

/// A start is known to the second, and so is a change.
const SLACK_S: i64 = 1;

fn drift(case: &Case<'_>) -> Result<Judgement, Gap> {
    let services = case.read(SYSTEMD).map_or(&[][..], |systemd| systemd.services.as_slice());
    let files = case.read(START_FILES);
    let reload = services.iter().find(|service| service.files == UnitFiles::Changed && service.name.contains("iggy"));
    let files = match (files, reload) {
        (Ok(files), _) => files.as_slice(),
        (Err(_), Some(_)) => &[],
        (Err(gap), None) => return Err(gap),
    };
    let age_s = case.read(IGGY_PROCESS).ok().and_then(|process| process.age_s).map(|(age_s, _)| age_s);
    let started = age_s.and_then(|age_s| i64::try_from(age_s).ok()).map(|age_s| case.now.unix() - age_s);
    let judged = judged(files, started, reload);
    let gaps: Vec<Gap> = files.iter().filter_map(|file| file.modified_unix.as_ref().err().cloned()).collect();
    Ok(gaps.into_iter().fold(judged.proof(table(files, started)), Judgement::gap))
}

fn judged(files: &[StartFile], started_unix: Option<i64>, reload: Option<&Service>) -> Judgement {
    let after = |file: &&StartFile| {
        let changed = file.modified_unix.as_ref().ok();
        changed.zip(started_unix).is_some_and(|(changed, started)| *changed > started + SLACK_S)
    };
    if let Some(file) = files.iter().find(after) {
        let changed = file.modified_unix.as_ref().map_or(0, |changed| *changed);
        return Judgement::warn(format!(
            "The {} {} was changed at {}, after the running server started.",
            file.kind.word(),
            file.path,
            Timestamp::from_unix(changed)
        ));
    }
    if let Some(service) = reload {
        return Judgement::warn(format!("The files of {} were changed since systemd read them.", service.name));
    }
    match started_unix {
        Some(started) => Judgement::pass(format!(
            "Nothing that decides how the server starts was changed since it started at {}.",
            Timestamp::from_unix(started)
        )),
        None => Judgement::info("When the server started is not known, so nothing is compared with it."),
    }
}

fn table(files: &[StartFile], started_unix: Option<i64>) -> Proof {
    let time = |unix: i64| Timestamp::from_unix(unix).to_string();
    let mut rows: Vec<_> = started_unix
        .map(|started| vec!["the running server".into(), "started".into(), time(started).into()])
        .into_iter()
        .collect();
    rows.extend(files.iter().map(|file| {
        let changed = file.modified_unix.as_ref().map_or_else(|gap| gap.reason.label().to_owned(), |unix| time(*unix));
        vec![file.path.as_str().into(), file.kind.word().into(), changed.into()]
    }));
    Proof::table("Start and changes", ["What", "Kind", "Time"].map(Column::text).to_vec(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::drift::StartFileKind;

    #[test]
    fn what_was_changed_after_the_start_warns() {
        const STARTED: i64 = 1_800_000_000;
        let file = |modified_unix| StartFile {
            path: "/etc/iggy/server.toml".into(),
            kind: StartFileKind::Configuration,
            modified_unix,
        };
        let reload = Service { name: "iggy-server.service".into(), files: UnitFiles::Changed, ..Service::default() };
        for (modified, started, reload, expected) in [
            (Ok(STARTED - 1), Some(STARTED), None, Verdict::Pass),
            (Ok(STARTED + 1), Some(STARTED), None, Verdict::Pass),
            (Ok(STARTED + 2), Some(STARTED), None, Verdict::Warn),
            (Ok(STARTED + 2), None, None, Verdict::Info),
            (Err(Gap::denied("no", "root")), Some(STARTED), None, Verdict::Pass),
            (Ok(STARTED - 1), Some(STARTED), Some(&reload), Verdict::Warn),
        ] {
            let judged = judged(&[file(modified)], started, reload);
            assert_eq!(judged.verdict, expected, "{}", judged.summary);
        }
    }
}
