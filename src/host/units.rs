//! The unit files of Iggy's services, read from disk.
//!
//! A unit file may set secrets, so its text is never evidence: what leaves this module is a closed list of settings and
//! the names of variables. Specifiers (`%h`) are left as they stand.

use std::collections::BTreeMap;

use super::collector::{Collect, Collector, Stage};
use super::iggy::environment::{flag, is_secret_name};
use super::root::Host;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::StartFlag;
use crate::evidence::units::{IGGY_UNITS, UnitFile, Wanted};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(IGGY_UNITS, Stage::Discovery, units)];

/// Where systemd looks for units, the first that has one wins.
const FOLDERS: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Targets of a boot that a service is installed into.
const TARGETS: &[&str] = &["multi-user.target", "default.target", "graphical.target"];
/// Units that are read.
const UNITS_MAX: usize = 16;
/// Drop-ins of one unit that are read.
const DROP_INS_MAX: usize = 32;

/// Settings that are kept; none of them holds a secret.
const SETTINGS: &[&str] = &[
    "AllowedCPUs",
    "AmbientCapabilities",
    "CPUQuota",
    "DynamicUser",
    "Group",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "MemoryMax",
    "NoNewPrivileges",
    "OOMScoreAdjust",
    "Restart",
    "RestartSec",
    "StartLimitBurst",
    "StartLimitIntervalSec",
    "StateDirectory",
    "TasksMax",
    "TimeoutSec",
    "TimeoutStopSec",
    "Type",
    "User",
    "WatchdogSec",
    "WorkingDirectory",
];

fn units(scene: &Scene) -> Observed<Vec<UnitFile>> {
    let host = &scene.host;
    host.call("iggy-unit-files", || {
        let found = paths(host)?;
        Ok(found
            .into_iter()
            .map(|(name, paths)| UnitFile { wanted: wanted(host, &name), ..read(host, name, paths) })
            .collect())
    })
}

/// The bytes of each unit file of Iggy's, for the table of secrets.
pub(super) fn seeds(host: &Host) -> Vec<zeroize::Zeroizing<Vec<u8>>> {
    let found = paths(host).unwrap_or_default();
    found.into_values().flatten().filter_map(|path| host.seed(&path).ok()).collect()
}

/// Name of each unit of Iggy's → its file and drop-ins.
fn paths(host: &Host) -> Observed<BTreeMap<String, Vec<String>>> {
    let listed: Vec<(&str, Observed<Vec<String>>)> =
        FOLDERS.iter().map(|folder| (*folder, host.list(folder))).collect();
    if listed.iter().all(|(_, names)| names.is_err()) {
        return Err(Gap::absent("no folder of systemd's units exists on this host"));
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (folder, names) in &listed {
        let units = names.iter().flatten().filter(|name| name.contains("iggy") && name.ends_with(".service"));
        for name in units {
            if found.len() < UNITS_MAX && !found.contains_key(name) {
                found.insert(name.clone(), vec![format!("{folder}/{name}")]);
            }
        }
    }
    for (name, paths) in &mut found {
        // Drop-ins count in the order of their own names, whichever folder they stand in; the first folder wins.
        let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
        for (folder, names) in &listed {
            let drop_in_folder = format!("{name}.d");
            if !names.iter().flatten().any(|listed| *listed == drop_in_folder) {
                continue;
            }
            for file in host.list(&format!("{folder}/{drop_in_folder}")).unwrap_or_default() {
                if file.strip_suffix(".conf").is_some() && drop_ins.len() < DROP_INS_MAX {
                    let path = format!("{folder}/{drop_in_folder}/{file}");
                    drop_ins.entry(file).or_insert(path);
                }
            }
        }
        paths.extend(drop_ins.into_values());
    }
    Ok(found)
}

/// Whether a target wants this unit at boot: the link that `systemctl enable` makes.
fn wanted(host: &Host, name: &str) -> Wanted {
    let linked = |target: &&str| host.link(&format!("/etc/systemd/system/{target}.wants/{name}")).is_ok();
    if TARGETS.iter().any(linked) { Wanted::AtBoot } else { Wanted::ByHand }
}

fn read(host: &Host, name: String, paths: Vec<String>) -> UnitFile {
    let mut unit = UnitFile { name, ..UnitFile::default() };
    for path in paths {
        // Whatever cannot be read does not count, and is not listed.
        if let Ok(bytes) = host.seed(&path) {
            merge(&mut unit, &String::from_utf8_lossy(&bytes));
            unit.paths.push(path);
        }
    }
    unit.variables.sort();
    unit.variables.dedup();
    unit.secrets.sort();
    unit.secrets.dedup();
    unit
}

/// Adds what a file says to what those before it said.
fn merge(unit: &mut UnitFile, text: &str) {
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim) {
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';'])) else { continue };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "ExecStart" => exec_start(unit, value),
            "Environment" => variables(unit, value),
            "EnvironmentFile" if value.is_empty() => unit.environment_files.clear(),
            "EnvironmentFile" => unit.environment_files.push(value.trim_start_matches('-').to_owned()),
            _ if SETTINGS.contains(&key) => {
                unit.settings.retain(|(known, _)| known != key);
                // An empty value takes the setting back.
                if !value.is_empty() {
                    unit.settings.push((key.to_owned(), value.to_owned()));
                }
            }
            _ => {}
        }
    }
}

fn exec_start(unit: &mut UnitFile, value: &str) {
    let words = words(value);
    let mut words = words.iter().map(String::as_str);
    unit.program = words.next().map(|program| program.trim_start_matches(['@', '-', ':', '+', '!']).to_owned());
    unit.flags = words.filter_map(flag).collect::<Vec<StartFlag>>();
}

fn variables(unit: &mut UnitFile, value: &str) {
    for word in words(value) {
        let Some((name, value)) = word.split_once('=') else { continue };
        match name {
            "IGGY_SYSTEM_PATH" => unit.system_path = Some(value.to_owned()),
            "IGGY_CONFIG_PATH" => unit.config_path = Some(value.to_owned()),
            _ => {}
        }
        if is_secret_name(name) {
            unit.secrets.push(name.to_owned());
        }
        unit.variables.push(name.to_owned());
    }
}

/// Splits at white space outside quotes, as systemd does; the quotes go.
fn words(value: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in value.chars() {
        match (character, quote) {
            ('"' | '\'', None) => quote = Some(character),
            (end, Some(open)) if end == open => quote = None,
            (blank, None) if blank.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (other, _) => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::recorded;
    use super::*;

    #[test]
    fn a_unit_is_read_with_its_drop_ins_and_without_its_secrets() {
        let (_tree, host) = recorded(&[
            (
                "usr/lib/systemd/system/iggy-server.service",
                "[Service]\nUser=iggy\nWorkingDirectory=/opt/iggy\nLimitNOFILE=1024\n# LimitMEMLOCK=1\n\
                 ExecStart=-/opt/iggy/bin/iggy-server \\\n  --fresh --password=hunter2\n\
                 Environment=\"IGGY_SYSTEM_PATH=/srv/iggy data\" IGGY_ROOT_PASSWORD=hunter2\n",
            ),
            (
                "etc/systemd/system/iggy-server.service.d/90-limits.conf",
                "[Service]\nLimitNOFILE=1048576\nUser=\nEnvironmentFile=-/etc/iggy.env\n",
            ),
            ("usr/lib/systemd/system/other.service", "[Service]\nUser=x\n"),
        ]);
        let found = paths(&host).unwrap();
        let read: Vec<UnitFile> = found.into_iter().map(|(name, paths)| read(&host, name, paths)).collect();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            read,
            [UnitFile {
                name: "iggy-server.service".into(),
                paths: vec![
                    "/usr/lib/systemd/system/iggy-server.service".into(),
                    "/etc/systemd/system/iggy-server.service.d/90-limits.conf".into(),
                ],
                program: Some("/opt/iggy/bin/iggy-server".into()),
                flags: vec![StartFlag::Fresh, StartFlag::SecretArgument],
                settings: vec![pair("WorkingDirectory", "/opt/iggy"), pair("LimitNOFILE", "1048576")],
                variables: vec!["IGGY_ROOT_PASSWORD".into(), "IGGY_SYSTEM_PATH".into()],
                secrets: vec!["IGGY_ROOT_PASSWORD".into()],
                system_path: Some("/srv/iggy data".into()),
                config_path: None,
                environment_files: vec!["/etc/iggy.env".into()],
                wanted: Wanted::ByHand,
            }]
        );
        assert!(!format!("{read:?}").contains("hunter2"));
    }

    #[test]
    fn a_unit_that_a_target_wants_starts_at_boot() {
        let (tree, host) = recorded(&[("usr/lib/systemd/system/iggy.service", "[Service]\n")]);
        assert_eq!(wanted(&host, "iggy.service"), Wanted::ByHand);
        let wants = tree.path().join("etc/systemd/system/multi-user.target.wants");
        std::fs::create_dir_all(&wants).unwrap();
        std::os::unix::fs::symlink("/usr/lib/systemd/system/iggy.service", wants.join("iggy.service")).unwrap();
        assert_eq!(wanted(&host, "iggy.service"), Wanted::AtBoot);
    }

    #[test]
    fn the_first_folder_that_has_a_unit_wins() {
        let (_tree, host) = recorded(&[
            ("etc/systemd/system/iggy.service", "[Service]\nUser=mine\n"),
            ("lib/systemd/system/iggy.service", "[Service]\nUser=theirs\n"),
        ]);
        let found = paths(&host).unwrap();
        assert_eq!(found["iggy.service"], ["/etc/systemd/system/iggy.service"]);
    }
}
