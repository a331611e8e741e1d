//! Collector of what trims file systems.

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use crate::evidence::Observed;
use crate::evidence::trim::{TRIM, Trim};

pub(super) const COLLECTORS: &[&dyn Collect] = &[&Collector::new(TRIM, Stage::Facts, trim)];

/// Links of timers that systemd starts at boot.
const TIMERS: &[&str] = &[
    "/etc/systemd/system/timers.target.wants/fstrim.timer",
    "/run/systemd/system/timers.target.wants/fstrim.timer",
    "/usr/lib/systemd/system/timers.target.wants/fstrim.timer",
    "/lib/systemd/system/timers.target.wants/fstrim.timer",
];
/// A link to nothing here forbids the timer.
const MASK: &str = "/etc/systemd/system/fstrim.timer";
/// Jobs of cron.
const CRON: &[&str] =
    &["/etc/cron.weekly/fstrim", "/etc/cron.daily/fstrim", "/etc/periodic/weekly/fstrim", "/etc/cron.monthly/fstrim"];

fn trim(scene: &Scene) -> Observed<Trim> {
    let host = &scene.host;
    host.list("/etc")?;
    let runs = host.metadata("/run/systemd/system").is_ok();
    let masked = host.link(MASK).is_ok_and(|target| target == "/dev/null");
    let timer = TIMERS.iter().find(|link| runs && !masked && host.link(link).is_ok());
    let cron = CRON.iter().find(|job| host.metadata(job).is_ok());
    Ok(Trim { timer: timer.map(|link| (*link).to_owned()), cron: cron.map(|job| (*job).to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::super::root::Host;
    use super::super::scene::testing::scene;
    use super::*;

    #[test]
    fn a_timer_counts_where_systemd_runs_and_does_not_hide_it() {
        let tree = tempfile::tempdir().unwrap();
        let wants = tree.path().join("etc/systemd/system/timers.target.wants");
        std::fs::create_dir_all(&wants).unwrap();
        std::os::unix::fs::symlink("/lib/systemd/system/fstrim.timer", wants.join("fstrim.timer")).unwrap();
        let seen = || trim(&scene(Host::recorded(tree.path()).unwrap())).unwrap();
        assert_eq!(seen(), Trim::default());
        std::fs::create_dir_all(tree.path().join("run/systemd/system")).unwrap();
        assert_eq!(seen().timer.as_deref(), Some(TIMERS[0]));
        std::os::unix::fs::symlink("/dev/null", tree.path().join("etc/systemd/system/fstrim.timer")).unwrap();
        std::fs::create_dir_all(tree.path().join("etc/cron.weekly")).unwrap();
        std::fs::write(tree.path().join("etc/cron.weekly/fstrim"), "").unwrap();
        assert_eq!(seen(), Trim { timer: None, cron: Some(CRON[0].to_owned()) });
    }
}
