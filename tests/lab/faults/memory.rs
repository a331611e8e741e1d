//! Memory: limits, budgets, huge pages, swap.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::limits::Group;
use super::{Fault, fails, warns};
use crate::ledger::{self, Undo};
use crate::planting::Planting;
use crate::volume::{self, text};
use crate::{Outcome, run};

const MIB: u64 = 1 << 20;

pub(super) const FAULTS: &[Fault] = &[
    fails("mem.budget", "memory pool of 900 GiB", |planting| {
        planting.names("900");
        planting.config(|config| volume::set(config, "system.memory_pool.size", "900 GiB"))
    }),
    fails("mem.available", "control group nearly full", |planting| {
        let group = Group::new(planting, "memory")?;
        group.memory(700 * MIB)?;
        group.take_server(planting)?;
        planting.names("700");
        planting.tell("memory 675")
    })
    .and(&["mem.budget"]),
    warns("mem.thp", "THP with defrag = always", |planting| {
        planting.names("always");
        planting.kernel("/sys/kernel/mm/transparent_hugepage/defrag", "always")
    }),
    warns("mem.hugepages", "huge pages reserved for nobody", |planting| {
        planting.names("8");
        planting.kernel("/proc/sys/vm/nr_hugepages", "8")
    }),
    warns("mem.swap", "server swapped out", swapped_out),
];

/// A swap file for a moment, and a control group that leaves the server less memory than it uses.
fn swapped_out(planting: &mut Planting<'_>) -> Outcome<()> {
    let file = planting.lab.folder.join("swap");
    fs::write(&file, vec![0; usize::try_from(128 * MIB)?])?;
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600))?;
    let kept = file.clone();
    planting.later(move |_| Ok(fs::remove_file(kept)?));
    run("mkswap", &[text(&file)])?;
    ledger::note(&Undo::SwapOff(text(&file).to_owned()))?;
    planting.run(&format!("swapon {}", file.display()), &format!("swapoff {}", file.display()))?;
    let group = Group::new(planting, "memory")?;
    group.take_server(planting)?;
    planting.tell("memory 64")?;
    group.memory(24 * MIB)?;
    group.memory(2048 * MIB)?;
    planting.names("iggy-server");
    Ok(())
}
