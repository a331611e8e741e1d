//! Topics that grow without a limit.

use super::super::figures::{percent, share};
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::size::human;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::api::IGGY_API;
use crate::evidence::config::IGGY_CONFIG;
use crate::iggy::answers::Topic;

pub(super) const CHECK: Check = Check {
    id: "iggy.retention",
    title: "Topics without a limit",
    category: Category::Iggy,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[IGGY_API.source()],
    rule: "Warns when topics that neither expire nor have a largest size hold more than half (unbounded_warn_percent) of all data while disk.space warns or fails, and when topics have a limit and the cleaner that enforces it is off. Information when there are such topics otherwise; passes when there are none.",
    threshold_source: "Iggy's own defaults are no limit and no cleaner, so their presence alone is information; the share is our own.",
    why: "Data without a limit ends with the disk.",
    remedy: "# A largest size, and an age: the order of the arguments counts (STREAM TOPIC NAME COMPRESSION AGE)\niggy topic update -m 10GiB STREAM TOPIC NAME none 7days\n# and in Iggy's configuration, then restart the server in a window:\n#   [data_maintenance.messages]\n#   cleaner_enabled = true",
    references: &["Apache Iggy: topics, message_expiry and max_topic_size"],
    privilege: "a credential of Iggy's",
    settings: &[Setting {
        name: "unbounded_warn_percent",
        default: 50.0,
        min: 0.0,
        max: 100.0,
        help: "share of data without a limit that warns while space is short, percent",
    }],
    evaluate: retention,
};

fn retention(case: &Case<'_>) -> Result<Judgement, Gap> {
    let api = case.read(IGGY_API)?;
    let all = api.topics.as_ref().map_err(Gap::clone)?;
    let topics: Vec<&Topic> = all.iter().map(|(_, topic)| topic).collect();
    let cleaner = case.read(IGGY_CONFIG).ok().and_then(|config| config.server.cleaner_enabled);
    let space = case.findings.iter().find(|finding| finding.check == "disk.space");
    let short = space.is_some_and(|finding| finding.verdict() >= Verdict::Warn);
    let mut unbounded: Vec<&&Topic> = topics.iter().filter(|topic| is_unbounded(topic)).collect();
    unbounded.sort_by_key(|topic| std::cmp::Reverse(topic.size_bytes));
    let rows = unbounded
        .iter()
        .map(|topic| vec![topic.name.as_str().into(), Cell::from(topic.size_bytes.0), topic.messages_count.into()]);
    let columns =
        vec![Column::text("Topic"), Column::number("Size", Unit::Bytes), Column::number("Messages", Unit::Count)];
    let proof = Proof::table("Topics without a limit", columns, rows.collect());
    let space = if short { Space::Short } else { Space::Enough };
    let judged = judged(&topics, cleaner, space, case.setting("unbounded_warn_percent")).proof(proof);
    let largest = all.iter().filter(|(_, topic)| is_unbounded(topic)).max_by_key(|(_, topic)| topic.size_bytes);
    Ok(match largest.filter(|_| judged.verdict >= Verdict::Warn) {
        Some((stream, topic)) => {
            let named = format!("{stream} {} {}", topic.id, quoted(&topic.name));
            judged.remedy(CHECK.remedy.replace("10GiB STREAM TOPIC NAME", &format!("10GiB {named}")))
        }
        None => judged,
    })
}

/// Whether disk.space is satisfied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Enough,
    Short,
}

/// Neither an age nor a size ends its messages. 0 is the server's default, which is none.
fn is_unbounded(topic: &Topic) -> bool {
    let none = |limit: u64| limit == u64::MAX || limit == 0;
    none(topic.message_expiry) && none(topic.max_topic_size)
}

fn judged(topics: &[&Topic], cleaner: Option<bool>, space: Space, warn_percent: f64) -> Judgement {
    let all: u64 = topics.iter().map(|topic| topic.size_bytes.0).sum();
    let without: Vec<_> = topics.iter().filter(|topic| is_unbounded(topic)).collect();
    let held: u64 = without.iter().map(|topic| topic.size_bytes.0).sum();
    let held_percent = share(held, all);
    let fact = format!(
        "{} of {} topics have no limit and hold {} ({})",
        without.len(),
        topics.len(),
        human(held),
        percent(held_percent)
    );
    if space == Space::Short && held_percent > warn_percent {
        return Judgement::warn(format!("{fact}, and space is short."))
            .measured(held_percent, Unit::Percent, percent(held_percent))
            .expected(format!("≤ {warn_percent} %"));
    }
    let limited = topics.len() - without.len();
    if cleaner == Some(false) && limited > 0 {
        return Judgement::warn(format!(
            "{limited} topics have a limit, and the cleaner that enforces it is off (data_maintenance.messages.cleaner_enabled)."
        ));
    }
    if without.is_empty() {
        Judgement::pass(format!("Each of {} topics has a limit of age or size.", topics.len()))
    } else {
        Judgement::info(format!("{fact}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iggy::answers::Bytes;

    fn topic(size_bytes: u64, message_expiry: u64, max_topic_size: u64) -> Topic {
        Topic {
            id: 1,
            name: "t".into(),
            size_bytes: Bytes(size_bytes),
            message_expiry,
            max_topic_size,
            messages_count: 1,
            partitions_count: 1,
        }
    }

    #[test]
    fn topics_without_a_limit_warn_only_when_space_is_short() {
        const NEVER: u64 = u64::MAX;
        let (free, limited) = (topic(51, NEVER, NEVER), topic(49, 1000, NEVER));
        let half = topic(49, NEVER, 0);
        for (topics, cleaner, space, expected) in [
            (vec![&free, &limited], Some(true), Space::Enough, Verdict::Info),
            (vec![&free, &limited], Some(true), Space::Short, Verdict::Warn),
            (vec![&half, &limited], Some(true), Space::Short, Verdict::Info),
            (vec![&limited], Some(true), Space::Short, Verdict::Pass),
            (vec![&limited], Some(false), Space::Enough, Verdict::Warn),
            (vec![&free], Some(false), Space::Enough, Verdict::Info),
            (vec![], Some(false), Space::Short, Verdict::Pass),
        ] {
            assert_eq!(judged(&topics, cleaner, space, 50.0).verdict, expected, "{topics:?} {cleaner:?} {space:?}");
        }
    }
}
