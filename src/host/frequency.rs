//! Collectors of the processors' frequencies.

use super::collector::{Collect, Collector, Stage};
use super::root::{Host, Reading};
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::frequency::{Boost, FREQUENCY, Frequency, FrequencyPolicy, THROTTLED_LATER};

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(FREQUENCY, Stage::Facts, frequency),
    &Collector::new(THROTTLED_LATER, Stage::Rates, throttled_later),
];

/// Where processors stand.
const FOLDER: &str = "/sys/devices/system/cpu";
/// Policies and processors that are looked at.
const CPUS_MAX: usize = 1_024;

fn frequency(scene: &Scene) -> Observed<Frequency> {
    let host = &scene.host;
    // Without this folder nothing is known of processors; without what is in it the host has no such thing.
    host.list(FOLDER)?;
    let flag = |path: &str| host.value::<u32>(&format!("{FOLDER}/{path}")).ok();
    let boost = match (flag("intel_pstate/no_turbo"), flag("cpufreq/boost")) {
        (Some(0), _) | (None, Some(1..)) => Some(Boost::On),
        (Some(_), _) | (None, Some(0)) => Some(Boost::Off),
        (None, None) => None,
    };
    Ok(Frequency { policies: policies(host), boost, throttled: throttled(host, Reading::First) })
}

fn policies(host: &Host) -> Observed<Vec<FrequencyPolicy>> {
    let names = host.list(&format!("{FOLDER}/cpufreq"))?;
    let policies: Vec<FrequencyPolicy> = names
        .iter()
        .filter(|name| name.starts_with("policy"))
        .take(CPUS_MAX)
        .filter_map(|name| {
            let read = |file: &str| host.trimmed(&format!("{FOLDER}/cpufreq/{name}/{file}")).ok();
            Some(FrequencyPolicy {
                name: name.clone(),
                driver: read("scaling_driver").unwrap_or_default(),
                governor: read("scaling_governor")?,
                preference: read("energy_performance_preference"),
            })
        })
        .collect();
    if policies.is_empty() { Err(Gap::absent("no frequency policy exists on this host")) } else { Ok(policies) }
}

fn throttled(host: &Host, reading: Reading) -> Vec<(u32, u64)> {
    let names = host.list(FOLDER).unwrap_or_default();
    let mut cpus: Vec<u32> = names.iter().filter_map(|name| name.strip_prefix("cpu")?.parse().ok()).collect();
    cpus.sort_unstable();
    let mut counts = Vec::new();
    for cpu in cpus.into_iter().take(CPUS_MAX) {
        match host.sample(reading, &format!("{FOLDER}/cpu{cpu}/thermal_throttle/core_throttle_count")) {
            Ok(text) => counts.extend(text.trim().parse().ok().map(|count| (cpu, count))),
            // A processor of a virtual machine does not count, and neither do the others.
            Err(_) => break,
        }
    }
    counts
}

fn throttled_later(scene: &Scene) -> Observed<Vec<(u32, u64)>> {
    scene.host.list(FOLDER)?;
    Ok(throttled(&scene.host, Reading::Second))
}

#[cfg(test)]
mod tests {
    use super::super::scene::testing::{recorded, scene};
    use super::*;
    use crate::domain::gap::GapReason;

    #[test]
    fn a_server_and_a_virtual_machine_are_told_apart() {
        let (_tree, server) = recorded(&[
            ("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "intel_pstate\n"),
            ("sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference", "performance\n"),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n"),
            (".snapvisor/second/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n"),
        ]);
        let policy = FrequencyPolicy {
            name: "policy0".into(),
            driver: "intel_pstate".into(),
            governor: "powersave".into(),
            preference: Some("performance".into()),
        };
        let expected = Frequency { policies: Ok(vec![policy]), boost: Some(Boost::Off), throttled: vec![(0, 3)] };
        let scene_of_server = scene(server);
        assert_eq!(frequency(&scene_of_server), Ok(expected));
        assert_eq!(throttled_later(&scene_of_server), Ok(vec![(0, 5)]));
        let (_tree, machine) = recorded(&[("sys/devices/system/cpu/online", "0-1\n")]);
        let seen = frequency(&scene(machine)).unwrap();
        assert_eq!(seen.policies.unwrap_err().reason, GapReason::Absent);
        let (_tree, nothing) = recorded(&[]);
        assert_eq!(frequency(&scene(nothing)).unwrap_err().reason, GapReason::Absent);
    }
}
