//! Collectors of damage that the kernel counts.

use super::collector::{Collect, Collector, Stage};
use super::scalar::optional;
use super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::damage::{ARRAYS, Array, FILE_SYSTEM_ERRORS, FileSystemErrors};

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(FILE_SYSTEM_ERRORS, Stage::Facts, file_systems), &Collector::new(ARRAYS, Stage::Facts, arrays)];

/// Devices of one type that are looked at.
const DEVICES_MAX: usize = 256;

fn file_systems(scene: &Scene) -> Observed<Vec<FileSystemErrors>> {
    let host = &scene.host;
    let mut found = Vec::new();
    for device in optional(host.list("/sys/fs/ext4"))?.unwrap_or_default().into_iter().take(DEVICES_MAX) {
        let at = |file: &str| format!("/sys/fs/ext4/{device}/{file}");
        // `features` stands beside the devices.
        let Ok(errors) = host.value::<u64>(&at("errors_count")) else { continue };
        let last_unix = host.value::<i64>(&at("last_error_time")).ok().filter(|time| *time > 0);
        found.push(FileSystemErrors { kind: "ext4".to_owned(), device, errors, last_unix });
    }
    for volume in optional(host.list("/sys/fs/btrfs"))?.unwrap_or_default().into_iter().take(DEVICES_MAX) {
        let folder = format!("/sys/fs/btrfs/{volume}/devinfo");
        for device in host.list(&folder).unwrap_or_default() {
            let Ok(text) = host.text(&format!("{folder}/{device}/error_stats")) else { continue };
            let numbers = text.lines().filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
            let errors = numbers.sum();
            found.push(FileSystemErrors {
                kind: "btrfs".to_owned(),
                device: format!("{volume}, device {device}"),
                errors,
                last_unix: None,
            });
        }
    }
    Ok(found)
}

fn arrays(scene: &Scene) -> Observed<Vec<Array>> {
    let host = &scene.host;
    let names = host.list("/sys/block")?;
    let array = |name: &String| -> Option<Array> {
        let at = |file: &str| format!("/sys/block/{name}/md/{file}");
        let level = host.trimmed(&at("level")).ok()?;
        let members = host.list(&at("")).unwrap_or_default();
        let state = |member: &str| host.trimmed(&at(&format!("{member}/state"))).unwrap_or_default();
        Some(Array {
            name: name.clone(),
            level,
            degraded: host.value(&at("degraded")).unwrap_or(0),
            action: host.trimmed(&at("sync_action")).unwrap_or_default(),
            mismatches: host.value(&at("mismatch_cnt")).unwrap_or(0),
            failed: members
                .iter()
                .filter_map(|member| member.strip_prefix("dev-").filter(|_| state(member).contains("faulty")))
                .map(str::to_owned)
                .collect(),
            stripe_cache: host.value(&at("stripe_cache_size")).ok(),
        })
    };
    Ok(names.iter().filter(|name| name.starts_with("md")).take(DEVICES_MAX).filter_map(array).collect())
}
