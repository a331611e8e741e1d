//! The settings of Iggy's unit, from its files.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::units::{IGGY_UNITS, UnitFile};

pub(super) const CHECK: Check = Check {
    id: "systemd.unit",
    title: "Settings of Iggy's unit",
    category: Category::Systemd,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_UNITS.source()],
    rule: "Warns when the server's unit does not restart it after a failure, or gives it less than 40 s to stop. Information when it sets no LimitMEMLOCK, no LimitNOFILE or no User; passes otherwise. Read from the unit's files and drop-ins; limits.memlock and limits.nofile judge the running process.",
    threshold_source: "Iggy's shutdown_join_timeout is 30 s; systemd's default is 90 s, so only a unit that shortens it warns. ScyllaDB's unit as a model.",
    why: "A server that is killed while it writes leaves a torn tail, and one that is not restarted stays down until somebody looks.",
    remedy: "# Take the lines that the verdict asks for:\nmkdir -p /etc/systemd/system/iggy-server.service.d\nprintf '[Service]\\nUser=iggy\\nRestart=on-failure\\nRestartSec=2\\nTimeoutStopSec=60\\nLimitMEMLOCK=infinity\\nLimitNOFILE=1048576\\n' > /etc/systemd/system/iggy-server.service.d/service.conf\nsystemctl daemon-reload\n# They count from the next start on.",
    references: &["systemd: systemd.service(5), systemd.exec(5)"],
    privilege: "any user",
    settings: &[],
    evaluate: unit,
};

/// Seconds that a stop must be given: Iggy's shards take up to 30, and there is something around them.
const STOP_S_MIN: u64 = 40;

fn unit(case: &Case<'_>) -> Result<Judgement, Gap> {
    let units = case.read(IGGY_UNITS)?;
    let server =
        units.iter().find(|unit| unit.program.as_deref().is_some_and(|program| program.ends_with("iggy-server")));
    let unit = server.ok_or_else(|| Gap::not_applicable("no unit of systemd starts iggy-server"))?;
    let settings = unit.settings.iter().map(|(key, value)| (key.clone(), value.clone()));
    let files = unit.paths.iter().map(|path| ("File".to_owned(), path.clone()));
    Ok(judged(unit).proof(Proof::facts("The unit", files.chain(settings))))
}

fn judged(unit: &UnitFile) -> Judgement {
    let name = &unit.name;
    let restart = unit.setting("Restart").unwrap_or("no");
    if restart == "no" {
        return Judgement::warn(format!(
            "{name} is not started again after a failure (Restart=no, systemd's default)."
        ))
        .expected("Restart=on-failure");
    }
    let stop = unit.setting("TimeoutStopSec").or_else(|| unit.setting("TimeoutSec"));
    if let Some(seconds) = stop.and_then(seconds).filter(|seconds| *seconds < STOP_S_MIN) {
        return Judgement::warn(format!(
            "{name} gives the server {seconds} s to stop, less than {STOP_S_MIN}: its shards alone may take 30."
        ))
        .expected(format!("≥ {STOP_S_MIN} s"));
    }
    let missing: Vec<&str> = ["LimitMEMLOCK", "LimitNOFILE", "User"]
        .into_iter()
        .filter(|key| unit.setting(key).is_none() && !(*key == "User" && unit.setting("DynamicUser").is_some()))
        .collect();
    if missing.is_empty() {
        Judgement::pass(format!("{name} restarts the server ({restart}) and sets its limits and user."))
    } else {
        Judgement::info(format!("{name} leaves {} to systemd's defaults.", missing.join(", ")))
    }
}

/// Seconds of a time span as systemd writes it, in one unit; `None` for others and for no limit.
fn seconds(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    match text[end..].trim() {
        // 0 is no limit.
        "" | "s" | "sec" => (number > 0).then_some(number),
        "ms" => Some(number / 1000),
        "m" | "min" => Some(number * 60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn restart_and_stop_warn_and_defaults_are_worth_a_word() {
        let unit = |settings: &[(&str, &str)]| UnitFile {
            name: "iggy-server.service".into(),
            settings: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..UnitFile::default()
        };
        let whole =
            [("Restart", "on-failure"), ("LimitMEMLOCK", "infinity"), ("LimitNOFILE", "1048576"), ("User", "iggy")];
        for (more, expected) in [
            (&[][..], Verdict::Pass),
            (&[("TimeoutStopSec", "40")], Verdict::Pass),
            (&[("TimeoutStopSec", "39s")], Verdict::Warn),
            (&[("TimeoutStopSec", "1min")], Verdict::Pass),
            (&[("TimeoutStopSec", "0")], Verdict::Pass),
            (&[("TimeoutSec", "10")], Verdict::Warn),
        ] {
            let settings: Vec<_> = whole.iter().chain(more).copied().collect();
            assert_eq!(judged(&unit(&settings)).verdict, expected, "{more:?}");
        }
        assert_eq!(judged(&unit(&whole[..3])).verdict, Verdict::Info);
        assert_eq!(judged(&unit(&whole[1..])).verdict, Verdict::Warn);
    }
}
