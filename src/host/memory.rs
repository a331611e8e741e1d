//! Collectors of memory.

use super::collector::{Collect, Collector, Stage};
use super::scalar::{counter, optional};
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::iggy::IGGY_PLACE;
use crate::evidence::memory::{
    HUGE_PAGES, MEMORY, MEMORY_NODES, MEMORY_POOL, Memory, MemoryNode, PAGING, Paging, SWAP, Swap, SwapArea,
    TransparentHugePages,
};
use crate::evidence::samples::SAMPLES;
use crate::iggy::config::ServerConfig;

pub(super) const COLLECTORS: &[&dyn Collect] = &[
    &Collector::new(MEMORY, Stage::Facts, memory),
    &Collector::new(SWAP, Stage::Facts, swap),
    &Collector::new(HUGE_PAGES, Stage::Facts, transparent_huge_pages),
    &Collector::new(MEMORY_NODES, Stage::Facts, nodes),
    &Collector::new(MEMORY_POOL, Stage::Detail, pool),
    &Collector::new(PAGING, Stage::Rates, paging),
];

/// Counter files of the sampling window.
pub(super) const SAMPLED: &[&str] = &["/proc/vmstat"];

fn memory(scene: &Scene) -> Observed<Memory> {
    const PATH: &str = "/proc/meminfo";
    let text = scene.host.text(PATH)?;
    let bytes = |name: &str| counter(&text, name).unwrap_or(0).saturating_mul(1024);
    let total_bytes = bytes("MemTotal");
    if total_bytes == 0 {
        return Err(Gap::broken(format!("{PATH} names no memory")));
    }
    Ok(Memory {
        total_bytes,
        free_bytes: bytes("MemFree"),
        available_bytes: bytes("MemAvailable"),
        cached_bytes: bytes("Cached") + bytes("Buffers"),
        dirty_bytes: bytes("Dirty") + bytes("Writeback"),
        anonymous_bytes: bytes("AnonPages"),
        shared_bytes: bytes("Shmem"),
        slab_bytes: bytes("SUnreclaim"),
        anonymous_huge_bytes: bytes("AnonHugePages"),
        swap_total_bytes: bytes("SwapTotal"),
        swap_free_bytes: bytes("SwapFree"),
        commit_max_bytes: bytes("CommitLimit"),
        committed_bytes: bytes("Committed_AS"),
        huge_pages: counter(&text, "HugePages_Total").unwrap_or(0),
        huge_pages_free: counter(&text, "HugePages_Free").unwrap_or(0),
        huge_pages_promised: counter(&text, "HugePages_Rsvd").unwrap_or(0),
        huge_page_bytes: bytes("Hugepagesize"),
    })
}

fn swap(scene: &Scene) -> Observed<Swap> {
    // A kernel without swap has no such file; but neither has a tree in which nothing was recorded.
    let areas = match optional(scene.host.text("/proc/swaps"))? {
        Some(areas) => areas,
        None => scene.host.text("/proc/meminfo").map(|_| String::new())?,
    };
    let swappiness = optional(scene.host.value("/proc/sys/vm/swappiness"))?;
    Ok(Swap { areas: areas.lines().skip(1).filter_map(swap_area).collect(), swappiness })
}

/// A line of /proc/swaps: path, kind, size and use in KiB, priority. Blanks of the path are written `\040`.
fn swap_area(line: &str) -> Option<SwapArea> {
    let mut words = line.split_ascii_whitespace();
    let (path, kind) = (words.next()?, words.next()?);
    let mut bytes = || words.next()?.parse::<u64>().ok().map(|kib| kib.saturating_mul(1024));
    Some(SwapArea {
        path: path.replace("\\040", " "),
        kind: kind.to_owned(),
        size_bytes: bytes()?,
        used_bytes: bytes()?,
    })
}

/// Memory nodes that are looked at at most.
const NODES_MAX: usize = 1_024;

fn nodes(scene: &Scene) -> Observed<Vec<MemoryNode>> {
    const FOLDER: &str = "/sys/devices/system/node";
    let names = scene.host.list(FOLDER)?;
    let numbers = names.iter().filter_map(|name| name.strip_prefix("node")?.parse().ok()).take(NODES_MAX);
    let node = |node: u32| {
        let text = scene.host.text(&format!("{FOLDER}/node{node}/meminfo")).ok()?;
        // `Node 0 MemTotal:       24684000 kB`
        let prefix = format!("Node {node} ");
        let text: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        let bytes = |name: &str| counter(&text.join("\n"), name).unwrap_or(0).saturating_mul(1024);
        let free_bytes = bytes("MemFree") + bytes("Inactive(file)");
        Some(MemoryNode { node, total_bytes: bytes("MemTotal"), free_bytes })
    };
    let mut nodes: Vec<MemoryNode> = numbers.filter_map(node).filter(|node| node.total_bytes > 0).collect();
    nodes.sort_by_key(|node| node.node);
    if nodes.is_empty() { Err(Gap::absent("the kernel shows no memory node")) } else { Ok(nodes) }
}

/// Bytes of a configuration file that are read.
const CONFIG_BYTES_MAX: usize = 256 * 1024;

fn pool(scene: &Scene) -> Observed<Option<u64>> {
    let place = scene.evidence.read(IGGY_PLACE)?;
    let path = place.config_file.as_deref().ok_or_else(|| {
        Gap::absent("no configuration of the server was found")
            .unlocked_by("iggy.config_file in snapvisor's configuration")
    })?;
    let read = scene.host.bounded(path, CONFIG_BYTES_MAX)?;
    let config = ServerConfig::parse(&String::from_utf8_lossy(&read.bytes))
        .map_err(|error| Gap::broken(format!("{path}: {error}")))?;
    Ok(config.memory_pool_bytes)
}

fn transparent_huge_pages(scene: &Scene) -> Observed<TransparentHugePages> {
    let chosen = |name: &str| {
        let text = scene.host.text(&format!("/sys/kernel/mm/transparent_hugepage/{name}"))?;
        let word = text.split_once('[').and_then(|(_, rest)| Some(rest.split_once(']')?.0.to_owned()));
        word.ok_or_else(|| Gap::broken(format!("transparent_hugepage/{name} marks no choice")))
    };
    Ok(TransparentHugePages { enabled: chosen("enabled")?, defrag: chosen("defrag")? })
}

fn paging(scene: &Scene) -> Observed<Paging> {
    let samples = scene.evidence.read(SAMPLES)?;
    let (first, second) = samples.pair("/proc/vmstat")?;
    let rise = |name: &str| {
        let (Some(before), Some(after)) = (counter(first, name), counter(second, name)) else { return 0 };
        after.saturating_sub(before)
    };
    let zones =
        ["", "_dma", "_dma32", "_normal", "_high", "_movable", "_device"].map(|zone| format!("allocstall{zone}"));
    Ok(Paging {
        window_s: samples.span_s("/proc/vmstat"),
        major_faults: rise("pgmajfault"),
        swapped_in: rise("pswpin"),
        swapped_out: rise("pswpout"),
        allocation_stalls: zones.iter().map(|name| rise(name)).sum(),
        compaction_stalls: rise("compact_stall"),
        huge_fallbacks: rise("thp_fault_fallback"),
        node_hits: rise("numa_hit"),
        node_misses: rise("numa_miss"),
        oom_kills: counter(second, "oom_kill"),
        pressure: super::pressure(&scene.host, "/proc/pressure/memory"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_areas_are_read_from_their_table() {
        let line = "/var/swap\\040file                       file\t\t1048572\t\t2048\t\t-2";
        let area = SwapArea {
            path: "/var/swap file".into(),
            kind: "file".into(),
            size_bytes: 1_073_737_728,
            used_bytes: 2 << 20,
        };
        assert_eq!(swap_area(line), Some(area));
        assert_eq!(swap_area("/dev/sda2 partition x"), None);
    }
}
