//! What listeners really serve.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Column, Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::chains::{Served, TLS_LISTENERS, TlsListener};
use crate::evidence::tls::{TLS_FILES, TlsFile, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.listener",
    title: "What listeners really serve",
    category: Category::Tls,
    tier: Tier::Extended,
    severity: Severity::High,
    needs: &[TLS_LISTENERS.source()],
    rule: "Shakes hands with each listener that speaks TLS over TCP, at this host's own address and only where the server's own process holds the socket. Fails when there is no handshake within two seconds or the certificate that is served has expired; warns when it is another than the one in its file; passes otherwise. The certificate that QUIC serves is not seen: its handshake is another protocol, and a client for it alone was not worth its size; tls.files judges the file that it serves from.",
    threshold_source: "What the configuration names must be what clients get; the two seconds are our own.",
    why: "A certificate that was renewed on disk is not the one that clients see until the server has been restarted.",
    remedy: "openssl s_client -connect ADDRESS </dev/null 2>/dev/null | openssl x509 -noout -subject -enddate -fingerprint -sha256\nopenssl x509 -noout -subject -enddate -fingerprint -sha256 -in CERTIFICATE_FILE\nsystemctl restart iggy-server   # in a maintenance window",
    references: &["Apache Iggy: tcp.tls, http.tls, websocket.tls"],
    privilege: "any user; CAP_SYS_PTRACE to see who holds a socket",
    settings: &[],
    evaluate: listener,
};

fn listener(case: &Case<'_>) -> Result<Judgement, Gap> {
    let listeners = case.read(TLS_LISTENERS)?;
    let mut gaps = Vec::new();
    let mut judgements = Vec::new();
    for listener in listeners {
        match &listener.address {
            Ok(address) => {
                let judged = judged(listener, address, case.now);
                let remedy = (judged.verdict >= Verdict::Warn).then(|| remedy(case, listener, address));
                judgements.push(match remedy {
                    Some(remedy) => judged.remedy(remedy),
                    None => judged,
                });
            }
            Err(gap) => gaps.push(gap.clone()),
        }
    }
    let Some(worst) = judgements.into_iter().max_by_key(|judged| judged.verdict) else {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's speaks TLS over TCP")),
        };
    };
    Ok(gaps.into_iter().fold(worst.proof(table(listeners)), Judgement::gap))
}

/// The questions to this listener, and to the file that it should serve.
fn remedy(case: &Case<'_>, listener: &TlsListener, address: &str) -> String {
    let of_section = |file: &&TlsFile| file.section == listener.section && file.role == TlsRole::Chain;
    let file = case.read(TLS_FILES).ok().and_then(|files| files.iter().find(of_section));
    let file = file.map_or_else(|| "CERTIFICATE_FILE".to_owned(), |file| quoted(&file.path));
    CHECK.remedy.replace("ADDRESS", address).replace("CERTIFICATE_FILE", &file)
}

fn judged(listener: &TlsListener, address: &str, now: Timestamp) -> Judgement {
    let section = &listener.section;
    let served = match &listener.handshake {
        Ok(served) => served,
        Err(why) => return Judgement::fail(format!("{section}: no TLS handshake with {address}: {why}.")),
    };
    let leaf = served.certificates.first();
    if let Some(leaf) = leaf.filter(|leaf| leaf.not_after_unix <= now.unix()) {
        let until = Timestamp::from_unix(leaf.not_after_unix);
        return Judgement::fail(format!(
            "{section}: {address} serves the certificate of {}, which expired on {until}.",
            leaf.subject
        ));
    }
    match (&served.leaf, leaf) {
        (Served::Another, Some(leaf)) => Judgement::warn(format!(
            "{section}: {address} serves the certificate of {} until {}, and its file holds another one: the server was not restarted since.",
            leaf.subject,
            Timestamp::from_unix(leaf.not_after_unix)
        )),
        (_, None) => Judgement::fail(format!("{section}: {address} serves no certificate.")),
        (Served::AsInFile, Some(_)) => {
            Judgement::pass(format!("{section}: {address} speaks {} and serves its file.", served.version))
        }
        (Served::NotCompared(why), Some(leaf)) => Judgement::pass(format!(
            "{section}: {address} speaks {} and serves the certificate of {}; it is compared with no file: {why}.",
            served.version, leaf.subject
        )),
    }
}

fn table(listeners: &[TlsListener]) -> Proof {
    let rows = listeners.iter().map(|listener| {
        let address = listener.address.as_ref().map_or_else(|gap| gap.detail.clone(), Clone::clone);
        let (version, alpn, leaf, until) = match &listener.handshake {
            Ok(served) => {
                let leaf = served.certificates.first();
                (
                    served.version.clone(),
                    served.alpn.clone().unwrap_or_default(),
                    leaf.map(|leaf| leaf.subject.clone()).unwrap_or_default(),
                    leaf.map(|leaf| Timestamp::from_unix(leaf.not_after_unix).to_string()).unwrap_or_default(),
                )
            }
            Err(why) => (why.clone(), String::new(), String::new(), String::new()),
        };
        [listener.section.clone(), address, version, alpn, leaf, until].map(Into::into).to_vec()
    });
    let columns = ["Section", "Address", "Version", "Protocol", "Certificate", "Until"].map(Column::text).to_vec();
    Proof::table("Handshakes", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::chains::Handshake;
    use crate::evidence::tls::testing::certificate;

    fn judge(address: Result<String, Gap>, handshake: Result<Handshake, String>, now: i64) -> Option<Verdict> {
        let mut evidence = Evidence::default();
        evidence.put(TLS_LISTENERS, Ok(vec![TlsListener { section: "tcp.tls".into(), address, handshake }]));
        let check = find("tls.listener").unwrap();
        let settings = Settings::default();
        let now = Timestamp::from_unix(now);
        let case = Case { evidence: &evidence, now, findings: &[], check, settings: &settings };
        listener(&case).ok().map(|judged| judged.verdict)
    }

    #[test]
    fn what_is_served_is_compared_with_its_file() {
        let address = || Ok("127.0.0.1:8090".to_owned());
        let end = certificate().not_after_unix;
        let served =
            |leaf| Ok(Handshake { version: "TLS 1.3".into(), alpn: None, certificates: vec![certificate()], leaf });
        let nothing = Handshake { certificates: Vec::new(), ..served(Served::AsInFile).unwrap() };
        for (address, handshake, now, expected) in [
            (address(), served(Served::AsInFile), end - 1, Some(Verdict::Pass)),
            (address(), served(Served::AsInFile), end, Some(Verdict::Fail)),
            (address(), served(Served::Another), end - 1, Some(Verdict::Warn)),
            (address(), served(Served::NotCompared("no file".into())), end - 1, Some(Verdict::Pass)),
            (address(), Err("it speaks no TLS".into()), 0, Some(Verdict::Fail)),
            (address(), Ok(nothing), 0, Some(Verdict::Fail)),
            (Err(Gap::denied("who holds port 8090 may not be seen", "root")), Err("no".into()), 0, None),
        ] {
            assert_eq!(judge(address.clone(), handshake.clone(), now), expected, "{address:?} {handshake:?}");
        }
    }
}
