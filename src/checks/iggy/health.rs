//! Whether the server answers.

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::api::{IGGY_PING, Knock, Ping};

pub(super) const CHECK: Check = Check {
    id: "iggy.ping",
    title: "The server answers",
    category: Category::Iggy,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[IGGY_PING.source()],
    rule: "Fails when GET /ping (or a connection to the TCP listener, where HTTP is off) has no answer within two seconds, warns when it took more than 250 ms (wait_warn_ms); passes otherwise. A server whose socket is out of our reach is a skip.",
    threshold_source: "The path is Iggy's own; the times are our own.",
    why: "A process that is there and does not answer is the outage that supervisors miss.",
    remedy: "curl -sS -m 2 http://127.0.0.1:3000/ping; echo\njournalctl -u iggy-server -n 100 --no-pager\n# A server that hangs: keep its state for the ticket before the restart:\ncat /proc/$(pidof -s iggy-server)/task/*/wchan; echo",
    references: &["Apache Iggy: HTTP API, /ping"],
    privilege: "CAP_SYS_PTRACE, to see that the socket is the server's; or any user with iggy.http_url",
    settings: &[Setting { name: "wait_warn_ms", default: 250.0, min: 1.0, max: 2000.0, help: "answer that warns, ms" }],
    evaluate: ping,
};

fn ping(case: &Case<'_>) -> Result<Judgement, Gap> {
    let ping = case.read(IGGY_PING)?;
    let how = match ping.by {
        Knock::Http => "GET /ping",
        Knock::Tcp => "a connection to the TCP listener (HTTP is off)",
    };
    let facts = [("Where", ping.place.as_str()), ("How", how)];
    let mut judged = judged(ping, case.setting("wait_warn_ms")).proof(Proof::facts("The question", facts));
    if judged.verdict >= Verdict::Warn {
        let question = match ping.by {
            Knock::Http => format!("curl -sSk -m 2 {}; echo", quoted(&format!("{}/ping", ping.place))),
            Knock::Tcp => format!("nc -vz -w 2 {}", ping.place.replace(':', " ")),
        };
        let others = CHECK.remedy.split_once('\n').map_or("", |(_, others)| others);
        judged = judged.remedy(format!("{question}\n{others}"));
    }
    Ok(judged)
}

fn judged(ping: &Ping, warn_ms: f64) -> Judgement {
    let judged = match &ping.answer {
        Err(reason) => {
            return Judgement::fail(format!("{} gave no answer: {reason}.", ping.place))
                .expected("an answer within 2 s");
        }
        Ok(took_ms) if *took_ms > warn_ms => {
            Judgement::warn(format!("{} took {took_ms:.0} ms to answer, more than {warn_ms}.", ping.place))
        }
        Ok(took_ms) => Judgement::pass(format!("{} answered in {took_ms:.1} ms.", ping.place)),
    };
    let took_ms = ping.answer.as_ref().copied().unwrap_or_default();
    judged.measured(took_ms, Unit::Milliseconds, format!("{took_ms:.1} ms")).expected(format!("≤ {warn_ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_fails_and_slowness_warns() {
        for (answer, expected) in [
            (Ok(250.0), Verdict::Pass),
            (Ok(250.1), Verdict::Warn),
            (Err("no answer: it took too long".to_owned()), Verdict::Fail),
        ] {
            let ping = Ping { place: "http://127.0.0.1:3000".into(), by: Knock::Http, answer };
            assert_eq!(judged(&ping, 250.0).verdict, expected);
        }
    }
}
