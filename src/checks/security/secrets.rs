//! Secrets where others can read them: names and places, never values.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::iggy::{IGGY_PROCESSES, IggyProcess, StartFlag};
use crate::evidence::logs::{RUNTIME_LOGS, RuntimeLog};
use crate::evidence::secret_files::{Readers, SECRET_FILES, SecretFile};
use crate::evidence::system::PLATFORM;
use crate::evidence::units::{IGGY_UNITS, UnitFile};

pub(super) const CHECK: Check = Check {
    id: "sec.secrets",
    title: "Secrets in readable places",
    category: Category::Security,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[
        IGGY_PROCESSES.source(),
        IGGY_UNITS.source(),
        RUNTIME_LOGS.source(),
        SECRET_FILES.source(),
        PLATFORM.source(),
    ],
    rule: "Fails when a secret stands on a command line (a unit's or a process's), in a configuration or a file of variables that everybody on the host can read (in a container, where nobody else is, it is information), or the root password that a first start generates is still in the server's log; warns when a unit's Environment= sets a secret, which any user can ask systemd for; information when a secret is in a process's environment alone; passes otherwise. Names and places are shown, never values.",
    threshold_source: "Iggy's own source logs the generated password (bootstrap.rs) and asks for environment variables.",
    why: "Every user of the host reads command lines and open files; logs travel into tickets and archives.",
    remedy: "# A unit's secrets, into a file that root alone reads (paste the lines NAME=VALUE, then Ctrl-D):\ninstall -D -m 0600 /dev/stdin /etc/iggy/secrets.env\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nEnvironmentFile=/etc/iggy/secrets.env\\n' > /etc/systemd/system/iggy-server.service.d/secrets.conf\nsystemctl daemon-reload && systemctl restart iggy-server   # in a maintenance window\n# then take them out of the unit (systemctl edit --full iggy-server) or off the command line\n# A password that was logged or shown is burnt; this asks for the old and the new one:\niggy user password iggy",
    references: &["systemd: LoadCredential=, EnvironmentFile="],
    privilege: "CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE",
    settings: &[],
    evaluate: secrets,
};

/// What 0.8 logs at a first start without a root password.
const GENERATED: &str = "generated root user password";

/// A place where a secret stands.
struct Spot {
    verdict: Verdict,
    place: String,
    name: String,
    remedy: Option<String>,
}

fn secrets(case: &Case<'_>) -> Result<Judgement, Gap> {
    let processes = case.read(IGGY_PROCESSES);
    let units = case.read(IGGY_UNITS);
    let logs = case.read(RUNTIME_LOGS);
    if let (true, Err(gap), Err(_)) = (processes.as_ref().map_or(true, |found| found.is_empty()), &logs, &units) {
        return Err(gap.clone());
    }
    let files = case.read(SECRET_FILES);
    let contained = case.read(PLATFORM).is_ok_and(|platform| platform.container.is_some());
    let open = if contained { Verdict::Info } else { Verdict::Fail };
    let mut found = places(
        processes.as_ref().map_or(&[][..], |found| found.as_slice()),
        units.as_ref().map_or(&[][..], |found| found.as_slice()),
        logs.as_ref().map_or(&[][..], |found| found.as_slice()),
    );
    found.extend(files.iter().flat_map(|files| files.iter()).filter_map(|file| in_file(file, open)));
    found.sort_by_key(|spot| std::cmp::Reverse(spot.verdict));
    let hidden = processes
        .iter()
        .flat_map(|found| found.iter())
        .filter_map(|process| process.environment.as_ref().err().cloned());
    let gaps: Vec<Gap> = hidden.chain(logs.as_ref().err().cloned()).chain(files.err()).collect();
    let judged = match gaps.len() {
        // Not to have seen one is no proof where part of the places is closed.
        1.. if found.is_empty() => Judgement::info("No secret was seen, but not every place could be looked at."),
        _ => judged(&found),
    };
    Ok(gaps.into_iter().fold(judged, Judgement::gap))
}

fn places(processes: &[IggyProcess], units: &[UnitFile], logs: &[RuntimeLog]) -> Vec<Spot> {
    let mut found = Vec::new();
    let mut add = |verdict, place: String, name: &str| {
        found.push(Spot { verdict, place, name: name.to_owned(), remedy: None });
    };
    for process in processes {
        if process.flags.as_ref().is_ok_and(|flags| flags.contains(&StartFlag::SecretArgument)) {
            add(Verdict::Fail, format!("command line of process {}", process.pid), "an argument");
        }
        let names = process.environment.iter().flat_map(|environment| &environment.names);
        for name in names
            .filter(|name| name.contains("PASSWORD") || name.contains("SECRET") || name.ends_with("ENCRYPTION_KEY"))
        {
            add(Verdict::Info, format!("environment of process {}", process.pid), name);
        }
    }
    for unit in units {
        if unit.flags.contains(&StartFlag::SecretArgument) {
            add(Verdict::Fail, format!("ExecStart of {}", unit.name), "an argument");
        }
        for name in &unit.secrets {
            add(Verdict::Warn, format!("Environment of {}", unit.name), name);
        }
    }
    for log in logs {
        let lines = log.lines.iter().filter(|line| line.to_ascii_lowercase().contains(GENERATED)).count();
        if lines > 0 {
            add(
                Verdict::Fail,
                format!("log of {}, {lines} of the newest lines", log.runtime),
                "the generated root password",
            );
        }
    }
    found.sort_by_key(|spot| std::cmp::Reverse(spot.verdict));
    found
}

/// What the server writes down of its configuration at each start, in a folder that it makes open.
const WRITTEN_BY_SERVER: &str = "/runtime/current_config.toml";

fn in_file(file: &SecretFile, open: Verdict) -> Option<Spot> {
    let (first, others) = file.names.split_first().filter(|_| file.readers == Readers::Everybody)?;
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let close = match file.path.strip_suffix(WRITTEN_BY_SERVER) {
        Some(data_dir) => format!(
            "# The server writes this file anew at each start; closing the folder above it lasts:\nchmod 0750 {}",
            quoted(data_dir)
        ),
        None => format!(
            "# systemd reads it as root; a program that reads it itself needs its group: chgrp iggy, chmod 0640\nchmod 0600 {}",
            quoted(&file.path)
        ),
    };
    Some(Spot {
        verdict: open,
        place: format!("file {}, which everybody on this host can read (mode {:04o})", file.path, file.mode),
        name: format!("{first}{more}"),
        remedy: Some(format!(
            "{close}\n# It was open: change the password or the secret itself, too. This asks for the old and the new one:\niggy user password iggy"
        )),
    })
}

fn judged(found: &[Spot]) -> Judgement {
    let Some(worst) = found.first() else {
        return Judgement::pass("No secret of Iggy's was seen where others can read it.");
    };
    let summary = match found.len() {
        1 => format!("{} stands in the {}.", worst.name, worst.place),
        many => format!("{} stands in the {}; {many} such places in all.", worst.name, worst.place),
    };
    let judged = match worst.verdict {
        Verdict::Fail => Judgement::fail(summary),
        Verdict::Warn => Judgement::warn(summary),
        _ => Judgement::info(summary),
    };
    let judged = match &worst.remedy {
        Some(remedy) => judged.remedy(remedy.clone()),
        None => judged,
    };
    let rows = found
        .iter()
        .map(|place| vec![place.verdict.word().into(), place.place.as_str().into(), place.name.as_str().into()]);
    let columns = ["Verdict", "Where", "What"].map(Column::text).to_vec();
    judged.proof(Proof::table("Where secrets stand", columns, rows.collect()))
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::iggy::testing::process;
    use crate::evidence::system::Platform;

    #[test]
    fn the_worst_place_decides_and_no_value_is_shown() {
        let verdict = |processes: &[IggyProcess], units: &[UnitFile], lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            let log = RuntimeLog { runtime: "iggy-server".into(), lines, ..RuntimeLog::default() };
            let judged = judged(&places(processes, units, &[log]));
            assert!(!format!("{judged:?}").contains("hunter2"));
            judged.verdict
        };
        let mut named = process(1);
        named.environment.as_mut().unwrap().names = vec!["IGGY_ROOT_PASSWORD".into(), "IGGY_TCP_ADDRESS".into()];
        let mut argued = process(2);
        argued.flags = Ok(vec![StartFlag::SecretArgument]);
        let unit = |flags: &[StartFlag], secrets: &[&str]| UnitFile {
            name: "iggy.service".into(),
            flags: flags.to_vec(),
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
            ..UnitFile::default()
        };
        assert_eq!(verdict(&[process(1)], &[unit(&[], &[])], &["INFO started"]), Verdict::Pass);
        assert_eq!(verdict(&[named.clone()], &[], &[]), Verdict::Info);
        assert_eq!(verdict(&[named], &[unit(&[], &["IGGY_ROOT_PASSWORD"])], &[]), Verdict::Warn);
        assert_eq!(verdict(&[argued], &[], &[]), Verdict::Fail);
        assert_eq!(verdict(&[], &[unit(&[StartFlag::SecretArgument], &[])], &[]), Verdict::Fail);
        assert_eq!(verdict(&[], &[], &["WARN Generated root user password: hunter2"]), Verdict::Fail);
    }

    #[test]
    fn what_was_closed_makes_a_clean_look_information() {
        let mut hidden = process(1);
        hidden.environment = Err(Gap::denied("/proc/1/environ may not be read", "CAP_SYS_PTRACE"));
        let mut evidence = Evidence::default();
        evidence.put(IGGY_PROCESSES, Ok(vec![hidden]));
        evidence.put(IGGY_UNITS, Ok(Vec::new()));
        evidence.put(RUNTIME_LOGS, Ok(Vec::new()));
        evidence.put(SECRET_FILES, Ok(Vec::new()));
        let judged = judge_one("sec.secrets", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.gaps.len()), (Verdict::Info, 1));
    }

    #[test]
    fn a_secret_in_an_open_file_fails_on_a_host_and_is_told_in_a_container() {
        let file = |path: &str, readers| SecretFile {
            path: path.into(),
            names: vec!["IGGY_ROOT_PASSWORD".into(), "X_TOKEN".into()],
            mode: 0o644,
            readers,
        };
        let judge = |file: SecretFile, container: Option<&str>| {
            let mut evidence = Evidence::default();
            evidence.put(IGGY_PROCESSES, Ok(vec![process(1)]));
            evidence.put(IGGY_UNITS, Ok(Vec::new()));
            evidence.put(RUNTIME_LOGS, Ok(Vec::new()));
            evidence.put(SECRET_FILES, Ok(vec![file]));
            evidence.put(PLATFORM, Ok(Platform { container: container.map(str::to_owned), ..Platform::default() }));
            judge_one("sec.secrets", &evidence).unwrap()
        };
        let env = "/etc/iggy/iggy.env";
        assert_eq!(judge(file(env, Readers::Some), None).verdict, Verdict::Pass);
        assert_eq!(judge(file(env, Readers::Everybody), Some("docker")).verdict, Verdict::Info);
        let open = judge(file(env, Readers::Everybody), None);
        let sentence = "IGGY_ROOT_PASSWORD (and 1 more) stands in the file /etc/iggy/iggy.env, which everybody on this host can read (mode 0644).";
        assert_eq!((open.verdict, open.summary.as_str()), (Verdict::Fail, sentence));
        assert!(open.remedy.unwrap().contains("\nchmod 0600 '/etc/iggy/iggy.env'\n"));
        let written = judge(file("/srv/iggy/runtime/current_config.toml", Readers::Everybody), None);
        assert!(written.remedy.unwrap().contains("\nchmod 0750 '/srv/iggy'\n"));
    }
}
