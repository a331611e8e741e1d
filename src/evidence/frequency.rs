//! How fast the processors are allowed to run.

use super::{Key, Observed};

/// Governors, boost, and throttling so far.
pub const FREQUENCY: Key<Frequency> = Key::new("cpu.frequency");
/// How often each processor was throttled, after the sampling window.
pub const THROTTLED_LATER: Key<Vec<(u32, u64)>> = Key::new("cpu.throttled-later");

/// How fast the processors are allowed to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frequency {
    /// A policy for each group of processors that share a clock; absent where the firmware or a hypervisor decides.
    pub policies: Observed<Vec<FrequencyPolicy>>,
    /// Whether the processors may run above their base frequency, where the kernel knows.
    pub boost: Option<Boost>,
    /// How often each processor was slowed down for its temperature since boot; empty where it does not count.
    pub throttled: Vec<(u32, u64)>,
}

/// Whether processors may run above their base frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boost {
    /// They may.
    On,
    /// They may not.
    Off,
}

/// The policy of a group of processors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrequencyPolicy {
    /// Its name: `policy0`.
    pub name: String,
    /// The driver: `intel_pstate`, `acpi-cpufreq`.
    pub driver: String,
    /// The governor: `performance`, `schedutil`.
    pub governor: String,
    /// What the processor itself is told to prefer, where it chooses its own frequency.
    pub preference: Option<String>,
}

/// What a policy costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// As fast as it can at all times.
    Full,
    /// Slower when idle, and up again in less than a millisecond or so: the kernel's and the distributions' default.
    Adaptive,
    /// Slow to rise, or never as fast as it could.
    Saving,
}

impl FrequencyPolicy {
    /// What it costs.
    #[must_use]
    pub fn pace(&self) -> Pace {
        // The processor chooses: the governor only says whether it must not save at all.
        if let Some(preference) = &self.preference {
            return match (self.governor.as_str(), preference.as_str()) {
                ("performance", _) | (_, "performance") => Pace::Full,
                (_, "balance_power" | "power") => Pace::Saving,
                _ => Pace::Adaptive,
            };
        }
        match self.governor.as_str() {
            "performance" => Pace::Full,
            "schedutil" | "ondemand" => Pace::Adaptive,
            // Of these drivers `powersave` is what others call `schedutil`.
            "powersave" if self.driver.starts_with("intel_pstate") || self.driver.starts_with("amd-pstate-epp") => {
                Pace::Adaptive
            }
            _ => Pace::Saving,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_known_by_governor_driver_and_preference() {
        for (driver, governor, preference, pace) in [
            ("acpi-cpufreq", "performance", None, Pace::Full),
            ("acpi-cpufreq", "schedutil", None, Pace::Adaptive),
            ("acpi-cpufreq", "ondemand", None, Pace::Adaptive),
            ("acpi-cpufreq", "powersave", None, Pace::Saving),
            ("acpi-cpufreq", "conservative", None, Pace::Saving),
            ("intel_pstate", "performance", Some("performance"), Pace::Full),
            ("intel_pstate", "powersave", Some("performance"), Pace::Full),
            ("intel_pstate", "powersave", Some("balance_performance"), Pace::Adaptive),
            ("intel_pstate", "powersave", Some("balance_power"), Pace::Saving),
            ("amd-pstate-epp", "powersave", Some("power"), Pace::Saving),
            ("intel_pstate", "powersave", None, Pace::Adaptive),
        ] {
            let policy = FrequencyPolicy {
                name: "policy0".into(),
                driver: driver.into(),
                governor: governor.into(),
                preference: preference.map(str::to_owned),
            };
            assert_eq!(policy.pace(), pace, "{policy:?}");
        }
    }
}
