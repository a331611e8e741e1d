//! Remedies made to fit the host: the names that are known stand in them, and commands that are for another kind of host
//! become comments under a word that says so. What cannot be known stays in capitals, for whoever pastes it to fill in.

use super::{Category, Check};
use crate::domain::finding::Judgement;
use crate::domain::gap::GapReason;
use crate::domain::shell::quoted;
use crate::domain::verdict::Verdict;
use crate::evidence::Evidence;
use crate::evidence::iggy::{IGGY_PLACE, IGGY_PROCESS, Program};
use crate::evidence::system::PLATFORM;
use crate::evidence::systemd::SYSTEMD;
use crate::evidence::units::IGGY_UNITS;

/// The server's unit, as remedies name it.
const UNIT: &str = "iggy-server.service";
/// The data directory, as remedies name it.
const DATA_DIRECTORY: &str = "'DATA_DIRECTORY'";
/// The programs that only a host with systemd has.
const OF_SYSTEMD: &[&str] = &["systemctl ", "journalctl "];

const IN_A_CONTAINER: &str =
    "# The server runs in a container: do to that what systemd would do to a service (docker restart, docker logs).";
const WITHOUT_SYSTEMD: &str =
    "# There is no systemd here: restart the server the way it is started on this host, and set its limits there.";
const NOT_HERE: &str = "# There is no systemd here: start and stop services the way it is done on this host.";

/// The remedy of a finding that needs attention, made to fit; `None` when it is right as it stands.
pub(super) fn fitted(check: &Check, judged: &Judgement, evidence: &Evidence) -> Option<String> {
    if judged.verdict < Verdict::Warn {
        return None;
    }
    let general = judged.remedy.as_deref().unwrap_or(check.remedy);
    let mut text = general.to_owned();
    let place = evidence.read(IGGY_PLACE).ok();
    if let Some(directory) = place.and_then(|place| place.data_dir.as_deref().or(place.named.as_deref())) {
        text = text.replace(DATA_DIRECTORY, &quoted(directory));
    }
    if let Some(unit) = unit(evidence) {
        text = text.lines().map(|line| renamed(line, unit)).collect::<Vec<_>>().join("\n");
    }
    // What is said of systemd itself was seen there, and this appliance's unit is no container's.
    if let Some(lack) = lack(evidence).filter(|_| !matches!(check.category, Category::Snapshot | Category::Systemd))
        && text.lines().any(|line| lack.hits(line))
    {
        let of_server = text.lines().any(|line| lack.hits(line) && line.contains("iggy"));
        let word = match lack {
            _ if !of_server => NOT_HERE,
            Lack::Unit | Lack::Host => IN_A_CONTAINER,
            Lack::Systemd => WITHOUT_SYSTEMD,
        };
        let lines = text.lines().map(|line| if lack.hits(line) { format!("#   {line}") } else { line.to_owned() });
        text = std::iter::once(word.to_owned()).chain(lines).collect::<Vec<_>>().join("\n");
    }
    (text != general).then_some(text)
}

/// Why commands of systemd's are not the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// The server alone runs in a container.
    Unit,
    /// Here is a container.
    Host,
    /// No systemd runs.
    Systemd,
}

impl Lack {
    /// Whether the line is a command that cannot work.
    fn hits(self, line: &str) -> bool {
        let of_systemd = of_systemd(line) && !line.starts_with('#');
        of_systemd && (self != Self::Unit || line.contains("iggy-server") || line.contains("daemon-reload"))
    }
}

/// Whether the line is about units of systemd's.
fn of_systemd(line: &str) -> bool {
    line.contains("/etc/systemd/") || OF_SYSTEMD.iter().any(|program| line.contains(program))
}

/// The unit that the server runs in, or would run in.
fn unit(evidence: &Evidence) -> Option<&str> {
    let group = evidence.read(IGGY_PROCESS).ok().and_then(|process| process.figures.cgroup.as_deref());
    let running = group.and_then(|group| group.rsplit('/').next()).filter(|name| name.ends_with(".service"));
    let installed = || {
        let units = evidence.read(IGGY_UNITS).ok()?.iter();
        let server = Program::Server.name();
        let mut named = units.filter(|unit| unit.program.as_deref().is_some_and(|path| path.ends_with(server)));
        named.next().map(|unit| unit.name.as_str())
    };
    let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.@-".contains(&byte));
    running.or_else(installed).filter(plain)
}

/// The line, for a server in this unit. Only systemd knows it by that name.
fn renamed(line: &str, unit: &str) -> String {
    if unit == UNIT || !of_systemd(line) {
        return line.to_owned();
    }
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    let word = |word: &str| match word {
        "iggy-server" => stem.to_owned(),
        _ => word.replace(UNIT, unit),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn lack(evidence: &Evidence) -> Option<Lack> {
    if evidence.read(PLATFORM).is_ok_and(|platform| platform.container.is_some()) {
        return Some(Lack::Host);
    }
    if matches!(evidence.read(SYSTEMD), Err(gap) if gap.reason == GapReason::NotApplicable) {
        return Some(Lack::Systemd);
    }
    let contained = evidence.read(IGGY_PROCESS).is_ok_and(|process| process.confinement.pid_namespaces > 1);
    contained.then_some(Lack::Unit)
}

#[cfg(test)]
mod tests {
    use super::super::{catalogue, find};
    use super::*;
    use crate::domain::gap::Gap;
    use crate::evidence::iggy::FoundBy;
    use crate::evidence::iggy::testing::{place, process};
    use crate::evidence::system::Platform;
    use crate::evidence::systemd::Systemd;

    const RESTART: &str = "mkdir -p /etc/systemd/system/iggy-server.service.d\nsystemctl restart iggy-server   # now\npidof iggy-server\ndu 'DATA_DIRECTORY'";

    /// A host with systemd.
    fn with_systemd() -> Evidence {
        let mut evidence = Evidence::default();
        evidence.put(SYSTEMD, Ok(Systemd::default()));
        evidence
    }

    fn fit(text: &str, evidence: &Evidence) -> Option<String> {
        fitted(find("limits.memlock").unwrap(), &Judgement::warn("x").remedy(text), evidence)
    }

    #[test]
    fn known_names_stand_in_a_remedy() {
        let mut evidence = with_systemd();
        let mut server = process(1);
        server.figures.cgroup = Some("/system.slice/broker@1.service".into());
        evidence.put(IGGY_PROCESS, Ok(server));
        let mut known = place(FoundBy::Process);
        known.data_dir = Some("/mnt/it's".into());
        evidence.put(IGGY_PLACE, Ok(known));
        let expected = "mkdir -p /etc/systemd/system/broker@1.service.d\nsystemctl restart broker@1   # now\npidof iggy-server\ndu '/mnt/it'\\''s'";
        assert_eq!(fit(RESTART, &evidence).as_deref(), Some(expected));
        assert_eq!(fit("uname -r", &evidence), None);
        let passes = Judgement::pass("x").remedy(RESTART);
        assert_eq!(fitted(find("limits.memlock").unwrap(), &passes, &evidence), None);
    }

    #[test]
    fn commands_for_another_kind_of_host_become_comments() {
        let text = "systemctl restart iggy-server\nsystemctl set-property OTHER.service MemoryMax=2G\nuname -r";
        let commented = |word: &str, lines: [&str; 3]| Some(format!("{word}\n{}", lines.join("\n")));
        let (server, other) =
            ("#   systemctl restart iggy-server", "systemctl set-property OTHER.service MemoryMax=2G");
        let mut process = process(1);
        process.confinement.pid_namespaces = 2;
        let mut evidence = with_systemd();
        evidence.put(IGGY_PROCESS, Ok(process));
        assert_eq!(fit(text, &evidence), commented(IN_A_CONTAINER, [server, other, "uname -r"]));
        let all = [server, &format!("#   {other}"), "uname -r"];
        evidence.put(PLATFORM, Ok(Platform { container: Some("docker".into()), ..Platform::default() }));
        assert_eq!(fit(text, &evidence), commented(IN_A_CONTAINER, all));
        let mut evidence = Evidence::default();
        evidence.put(SYSTEMD, Err(Gap::not_applicable("process 1 is not systemd")));
        assert_eq!(fit(text, &evidence), commented(WITHOUT_SYSTEMD, all));
        assert_eq!(fit("# systemctl restart iggy-server\nuname -r", &evidence), None);
        assert_eq!(fit(text, &with_systemd()), None);
        assert!(fit("systemctl enable chrony", &evidence).unwrap().starts_with(NOT_HERE));
        let of_systemd = Judgement::warn("x").remedy(text);
        assert_eq!(fitted(find("self.coverage").unwrap(), &of_systemd, &evidence), None);
    }

    /// What one remedy writes down, the next one must not overwrite; and a shell takes what stands there.
    #[test]
    fn remedies_can_be_pasted_one_after_the_other() {
        let mut written = std::collections::BTreeMap::new();
        for check in catalogue() {
            for line in check.remedy.lines() {
                assert!(!line.starts_with('['), "{}: no shell takes {line}", check.id);
                let commands = line.split('#').next().unwrap_or_default();
                assert!(!commands.contains("systemctl edit iggy-server"), "{}: a drop-in can be pasted", check.id);
                if let Some((text, file)) = commands.split_once("> /etc/").filter(|(text, _)| !text.ends_with('>')) {
                    let file = file.trim();
                    let before = written.insert(file, text);
                    assert!(before.is_none_or(|before| before == text), "{}: /etc/{file} was written before", check.id);
                }
            }
        }
        assert!(written.len() > 10, "{written:?}");
    }
}
