//! Collectors of the operating system, the kernel and the hardware.

use super::collector::{Collect, Collector, Stage};
use super::scene::Scene;
use super::sys;
use crate::evidence::Observed;
use crate::evidence::boot::BOOT;
use crate::evidence::crash::CRASHES;
use crate::evidence::sysctl::SYSCTL_FILES;
use crate::evidence::system::{KERNEL, Kernel, OS_RELEASE, OsRelease, PARAMETERS, PLATFORM, TAINT, Taint};

mod boot;
mod crashes;
mod parameters;
mod platform;
mod sysctl_files;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(OS_RELEASE, Stage::Facts, os_release),
    &Collector::new(KERNEL, Stage::Facts, kernel),
    &Collector::new(TAINT, Stage::Facts, taint),
    &Collector::new(PLATFORM, Stage::Facts, platform::platform),
    &Collector::new(PARAMETERS, Stage::Facts, parameters::parameters),
    &Collector::new(BOOT, Stage::Facts, boot::boot),
    &Collector::new(SYSCTL_FILES, Stage::Facts, sysctl_files::sysctl_files),
    &Collector::new(CRASHES, Stage::Facts, crashes::crashes),
];

/// The one of the administrator, then the one of the distribution.
fn os_release(scene: &Scene) -> Observed<OsRelease> {
    let text = scene.host.text("/etc/os-release").or_else(|_| scene.host.text("/usr/lib/os-release"))?;
    Ok(OsRelease::parse(&text))
}

fn kernel(scene: &Scene) -> Observed<Kernel> {
    let host = &scene.host;
    let machine = || Ok(rustix::system::uname().machine().to_string_lossy().into_owned());
    Ok(Kernel {
        release: host.trimmed("/proc/sys/kernel/osrelease")?,
        banner: host.trimmed("/proc/version").unwrap_or_default(),
        architecture: host.call("machine", machine).unwrap_or_default(),
        host_name: host.trimmed("/proc/sys/kernel/hostname").unwrap_or_default(),
    })
}

fn taint(scene: &Scene) -> Observed<Taint> {
    scene.host.value("/proc/sys/kernel/tainted").map(Taint)
}
