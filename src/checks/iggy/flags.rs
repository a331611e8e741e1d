//! Flags with which the server was or will be started.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::{IGGY_PROCESS, IggyProcess, StartFlag};
use crate::evidence::units::{IGGY_UNITS, UnitFile};

pub(super) const CHECK: Check = Check {
    id: "iggy.flags",
    title: "Dangerous start flags",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[IGGY_PROCESS.source(), IGGY_UNITS.source()],
    rule: "Fails on --fresh in a unit file (it wipes the data at each start) and on --with-default-root-credentials; warns on --fresh on the command line of the running server alone, and on RUST_LOG with debug or trace; passes otherwise.",
    threshold_source: "The warnings of Iggy's own source (bootstrap.rs).",
    why: "A unit that starts with --fresh loses all messages at the next restart, whoever causes it.",
    remedy: "systemctl cat iggy-server | grep -n ExecStart\n# Take the flag away in the file that is named there, and do not restart the server before:\nsystemctl edit --full iggy-server\nsystemctl daemon-reload\n# In a container: its command in the compose file or the pod's manifest.",
    references: &["Apache Iggy: server command line"],
    privilege: "any user; CAP_SYS_PTRACE for the environment",
    settings: &[],
    evaluate: flags,
};

fn flags(case: &Case<'_>) -> Result<Judgement, Gap> {
    let process = case.read(IGGY_PROCESS);
    let units = case.read(IGGY_UNITS);
    if let (Err(gap), true) = (&process, units.as_ref().map_or(true, |units| units.is_empty())) {
        return Err(gap.clone());
    }
    let judged = judged(process.as_ref().ok().copied(), units.as_ref().map_or(&[][..], |units| units.as_slice()));
    let hidden = process.as_ref().ok().and_then(|process| process.flags.as_ref().err().cloned());
    let facts = units.iter().flat_map(|units| units.iter()).map(|unit| (unit.name.clone(), words(&unit.flags)));
    let running = process
        .iter()
        .filter_map(|process| Some((format!("process {}", process.pid), words(process.flags.as_ref().ok()?))));
    let judged = judged.proof(Proof::facts("Flags that matter", facts.chain(running)));
    Ok(hidden.into_iter().fold(judged, Judgement::gap))
}

fn words(flags: &[StartFlag]) -> String {
    if flags.is_empty() {
        "none".to_owned()
    } else {
        flags.iter().map(|flag| flag.text()).collect::<Vec<_>>().join(" ")
    }
}

fn judged(process: Option<&IggyProcess>, units: &[UnitFile]) -> Judgement {
    let in_unit = |flag| units.iter().find(|unit| unit.flags.contains(&flag));
    let running =
        |flag| process.and_then(|process| process.flags.as_ref().ok()).is_some_and(|flags| flags.contains(&flag));
    if let Some(unit) = in_unit(StartFlag::Fresh) {
        return Judgement::fail(format!("{} starts the server with --fresh: each start wipes all data.", unit.name));
    }
    if running(StartFlag::DefaultRootCredentials) || in_unit(StartFlag::DefaultRootCredentials).is_some() {
        return Judgement::fail(
            "The server is started with --with-default-root-credentials: everybody knows its root password.",
        );
    }
    if running(StartFlag::Fresh) {
        return Judgement::warn(
            "The running server was started by hand with --fresh; started so again, it wipes all data.",
        );
    }
    let level = process
        .and_then(|process| process.environment.as_ref().ok())
        .and_then(|environment| environment.rust_log.as_deref());
    if let Some(level) =
        level.filter(|level| ["debug", "trace"].iter().any(|loud| level.to_ascii_lowercase().contains(loud)))
    {
        return Judgement::warn(format!("RUST_LOG is {level}: the log costs throughput and fills its volume.")).remedy(
            "mkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nUnsetEnvironment=RUST_LOG\\n' > /etc/systemd/system/iggy-server.service.d/rust-log.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window",
        );
    }
    Judgement::pass("No flag that loses data or opens the server.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::iggy::testing::process;

    const FRESH: StartFlag = StartFlag::Fresh;
    const DEFAULT: StartFlag = StartFlag::DefaultRootCredentials;

    #[test]
    fn a_wipe_in_a_unit_fails_and_by_hand_warns() {
        let run = |flags: &[StartFlag], rust_log: Option<&str>| {
            let mut process = process(1);
            process.flags = Ok(flags.to_vec());
            process.environment.as_mut().unwrap().rust_log = rust_log.map(Into::into);
            process
        };
        let unit = |flags: &[StartFlag]| UnitFile { flags: flags.to_vec(), ..UnitFile::default() };
        for (process, unit, expected) in [
            (run(&[], None), unit(&[]), Verdict::Pass),
            (run(&[FRESH], None), unit(&[FRESH]), Verdict::Fail),
            (run(&[FRESH], None), unit(&[]), Verdict::Warn),
            (run(&[DEFAULT], None), unit(&[]), Verdict::Fail),
            (run(&[], None), unit(&[DEFAULT]), Verdict::Fail),
            (run(&[], Some("iggy=DEBUG")), unit(&[]), Verdict::Warn),
            (run(&[], Some("info")), unit(&[]), Verdict::Pass),
        ] {
            assert_eq!(judged(Some(&process), &[unit]).verdict, expected);
        }
    }
}
