//! Secrets that stand around Iggy, read to be masked: environments, command lines, unit files, the credential.

use zeroize::Zeroizing;

use super::super::scene::Scene;
use super::super::units;
use super::credential;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::{IGGY_PROCESSES, SecretSeed, SecretSeeds, SeedKind};

/// All that can be read. What cannot be read by us cannot reach the report through us either.
pub(super) fn seeds(scene: &Scene) -> Observed<SecretSeeds> {
    let host = &scene.host;
    if !host.is_live() {
        return Err(Gap::not_applicable("a recorded tree holds no secrets"));
    }
    let mut seeds = Vec::new();
    let mut add = |kind, bytes: Zeroizing<Vec<u8>>| seeds.push(SecretSeed { kind, bytes });
    for process in scene.evidence.read(IGGY_PROCESSES).map_or(&[][..], Vec::as_slice) {
        for (kind, file) in [(SeedKind::Environment, "environ"), (SeedKind::CommandLine, "cmdline")] {
            if let Ok(bytes) = host.seed(&format!("/proc/{}/{file}", process.pid)) {
                add(kind, bytes);
            }
        }
    }
    if let Some(path) = &scene.request.iggy.credential_file
        && let Ok(owned) = credential::read(host, &path.to_string_lossy())
    {
        add(SeedKind::Secret, Zeroizing::new(owned.credential.secret().as_bytes().to_vec()));
    }
    for bytes in units::seeds(host) {
        add(SeedKind::Unit, bytes);
    }
    Ok(SecretSeeds(seeds))
}
