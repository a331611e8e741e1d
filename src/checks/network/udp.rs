//! Buffers of QUIC.

use super::super::figures::float;
use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::network::{NET_COUNTERS, NET_SETTINGS, NetCounters, NetSettings};

pub(super) const CHECK: Check = Check {
    id: "net.udp",
    title: "UDP buffers for QUIC",
    category: Category::Network,
    tier: Tier::Core,
    severity: Severity::High,
    needs: &[IGGY_CONFIG.source(), NET_SETTINGS.source(), NET_COUNTERS.source()],
    rule: "Warns when UDP packets found no room during the window. Information when QUIC is on and net.core.rmem_max or wmem_max is below 7,500,000 bytes (buffer_min_bytes), the kernel's default; passes otherwise, also when QUIC is off.",
    threshold_source: "quic-go's wiki: 7,500,000 bytes. The kernel's own default is far lower, so it warns only when packets are lost.",
    why: "QUIC packets that find no room are sent again, and look like a slow network.",
    remedy: "sysctl -w net.core.rmem_max=7500000 net.core.wmem_max=7500000\nprintf 'net.core.rmem_max = 7500000\\nnet.core.wmem_max = 7500000\\n' > /etc/sysctl.d/90-iggy-udp.conf\n# and in Iggy's configuration: [quic.socket] override_defaults = true with larger buffers",
    references: &["quic-go: UDP Buffer Sizes", "Linux documentation: admin-guide/sysctl/net"],
    privilege: "any user",
    settings: &[Setting {
        name: "buffer_min_bytes",
        default: 7_500_000.0,
        min: 0.0,
        max: 1e12,
        help: "the least buffer limits that pass, bytes",
    }],
    evaluate: udp,
};

const LOSSES: &[(&str, &str)] = &[
    ("Udp.RcvbufErrors", "received UDP packets found no room"),
    ("Udp.SndbufErrors", "UDP packets could not be queued for sending"),
];

fn udp(case: &Case<'_>) -> Result<Judgement, Gap> {
    let config = case.read(IGGY_CONFIG)?;
    if !config.server.quic.is_on() {
        return Ok(Judgement::pass("QUIC is off."));
    }
    let (settings, counters) = (case.read(NET_SETTINGS)?, case.read(NET_COUNTERS)?);
    let known = |value: Option<u64>| value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
    let limits = [
        ("net.core.rmem_max", settings.receive_buffer_max_bytes),
        ("net.core.wmem_max", settings.send_buffer_max_bytes),
    ];
    let facts = limits.into_iter().map(|(name, value)| (name.to_owned(), known(value)));
    let losses = LOSSES.iter().map(|(name, _)| {
        (
            format!("{name}, in the window and since boot"),
            format!("{} and {}", known(counters.grown(name)), known(counters.total(name))),
        )
    });
    Ok(judged(settings, counters, case.setting("buffer_min_bytes")).proof(Proof::facts("UDP", facts.chain(losses))))
}

fn judged(settings: &NetSettings, counters: &NetCounters, bytes_min: f64) -> Judgement {
    for (name, meaning) in LOSSES {
        let grown = counters.grown(name).unwrap_or(0);
        if grown > 0 {
            return Judgement::warn(format!("{grown} {meaning} during the window."))
                .measured(float(grown), Unit::Count, grown.to_string())
                .expected("0");
        }
    }
    let least = [settings.receive_buffer_max_bytes, settings.send_buffer_max_bytes].into_iter().flatten().min();
    match least {
        Some(least) if float(least) < bytes_min => {
            Judgement::info(format!("A UDP socket may have a buffer of {least} bytes at most, and QUIC asks for {bytes_min}; no packet was lost during the window."))
                .measured(float(least), Unit::Bytes, least.to_string())
                .expected(format!("≥ {bytes_min} bytes"))
        }
        _ => Judgement::pass("UDP sockets may have the buffers that QUIC asks for, and no packet was lost during the window."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;
    use crate::evidence::config::IggyConfig;
    use crate::iggy::config::ServerConfig;

    #[test]
    fn losses_warn_and_small_buffers_are_worth_a_word() {
        for (buffer, lost, expected) in
            [(7_500_000, 0, Verdict::Pass), (7_499_999, 0, Verdict::Info), (7_500_000, 1, Verdict::Warn)]
        {
            let settings = NetSettings { receive_buffer_max_bytes: Some(buffer), ..NetSettings::default() };
            let values = [("Udp.RcvbufErrors".to_owned(), (7, 7 + lost))].into();
            let counters = NetCounters { values, ..NetCounters::default() };
            assert_eq!(judged(&settings, &counters, 7_500_000.0).verdict, expected, "{buffer} {lost}");
        }
    }

    #[test]
    fn quic_that_is_off_needs_no_buffers() {
        let server = ServerConfig::parse("[quic]\nenabled = false\n").unwrap();
        let mut evidence = Evidence::default();
        evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server }));
        let judged = judge_one("net.udp", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.summary.as_str()), (Verdict::Pass, "QUIC is off."));
    }
}
