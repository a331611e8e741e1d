//! How long certificates are still valid.

use super::super::{Case, Category, Check, Setting, Tier};
use crate::domain::finding::{Cell, ChartKind, Column, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Severity, Verdict};
use crate::evidence::tls::{Certificate, TLS_FILES, TlsFile, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.files",
    title: "Certificate files: validity",
    category: Category::Tls,
    tier: Tier::Core,
    severity: Severity::Critical,
    needs: &[TLS_FILES.source()],
    rule: "Fails when a certificate of the files that Iggy's configuration names is expired, not yet valid, or ends within 7 days (fail_days); warns within 30 days (warn_days), information within 60 (info_days); \
           half of each for certificates that were issued for 100 days or less. Fails when a file cannot be understood. Information when no listener uses TLS with a certificate of its own; passes otherwise.",
    threshold_source: "testssl.sh: 60 and 30 days, halved for short-lived certificates; the 7 days are our own.",
    why: "An expired certificate locks out every client at the same second.",
    remedy: "openssl x509 -noout -subject -enddate -in CERTIFICATE_FILE\n# Renew it, put the new file in its place, and\nsystemctl restart iggy-server",
    references: &["testssl.sh: certificate expiration"],
    privilege: "CAP_DAC_READ_SEARCH",
    settings: &[
        Setting { name: "fail_days", default: 7.0, min: 0.0, max: 3650.0, help: "days left that fail" },
        Setting { name: "warn_days", default: 30.0, min: 0.0, max: 3650.0, help: "days left that warn" },
        Setting { name: "info_days", default: 60.0, min: 0.0, max: 3650.0, help: "days left that are worth a word" },
    ],
    evaluate: files,
};

const DAY_S: f64 = 86_400.0;
/// Certificates that are issued for at most this long are renewed by a program, shortly before their end.
const SHORT_LIVED_DAYS: f64 = 100.0;

/// A certificate with what is said of it.
struct Dated<'a> {
    file: &'a TlsFile,
    certificate: &'a Certificate,
    days_left: f64,
    verdict: Verdict,
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a few hundred years")]
fn days(from_unix: i64, to_unix: i64) -> f64 {
    (to_unix - from_unix) as f64 / DAY_S
}

fn files(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(TLS_FILES)?;
    let mut dated = Vec::new();
    let mut gaps = Vec::new();
    for file in files.iter().filter(|file| file.role != TlsRole::Key) {
        match &file.certificates {
            Ok(certificates) => dated.extend(certificates.iter().map(|certificate| date(case, file, certificate))),
            Err(gap) => gaps.push((file, gap.clone())),
        }
    }
    let broken = gaps.iter().find(|(_, gap)| gap.reason == crate::domain::gap::GapReason::Broken);
    let absent = gaps.iter().find(|(_, gap)| gap.reason == crate::domain::gap::GapReason::Absent);
    if let Some((file, gap)) = broken.or(absent) {
        return Ok(Judgement::fail(format!("The file of {}: {}.", file.section, gap.detail))
            .remedy(format!(
                "ls -lL {0}\nopenssl x509 -noout -subject -enddate -in {0}\n# Put the right file there, or name it in {1}, then\nsystemctl restart iggy-server   # in a maintenance window",
                quoted(&file.path),
                file.section
            ))
            .proof(table(&dated)));
    }
    let worst = dated.iter().max_by(|a, b| a.verdict.cmp(&b.verdict).then(b.days_left.total_cmp(&a.days_left)));
    let Some(worst) = worst else {
        return match gaps.into_iter().next() {
            Some((_, gap)) => Err(gap),
            None => Ok(Judgement::info("No listener of Iggy's uses TLS with a certificate from a file.")),
        };
    };
    let left = worst.days_left;
    let whose = format!("The certificate of {} ({})", worst.certificate.subject, worst.file.path);
    let judged = match worst.verdict {
        _ if case.now.unix() < worst.certificate.not_before_unix => Judgement::fail(format!(
            "{whose} is not valid before {}.",
            Timestamp::from_unix(worst.certificate.not_before_unix)
        )),
        Verdict::Fail if left <= 0.0 => {
            Judgement::fail(format!("{whose} expired on {}.", Timestamp::from_unix(worst.certificate.not_after_unix)))
        }
        Verdict::Fail => Judgement::fail(format!("{whose} expires in {left:.1} days.")),
        Verdict::Warn => Judgement::warn(format!("{whose} expires in {left:.0} days.")),
        Verdict::Info => Judgement::info(format!("{whose} expires in {left:.0} days.")),
        _ => Judgement::pass(format!("{whose} is the next to expire, in {left:.0} days.")),
    };
    let judged = match judged.verdict {
        Verdict::Fail | Verdict::Warn => {
            judged.remedy(CHECK.remedy.replace("CERTIFICATE_FILE", &quoted(&worst.file.path)))
        }
        _ => judged,
    };
    let half = if days(worst.certificate.not_before_unix, worst.certificate.not_after_unix) <= SHORT_LIVED_DAYS {
        0.5
    } else {
        1.0
    };
    let bars = dated.iter().map(|dated| (dated.certificate.subject.clone(), dated.days_left.floor() * 86_400.0));
    let judged = judged
        .measured(left, Unit::Count, format!("{left:.1} days"))
        .expected(format!("≥ {} days", case.setting("warn_days") * half))
        .proof(table(&dated))
        .proof(Proof::chart("Time until it expires", ChartKind::Bars, Unit::Seconds, bars, None));
    Ok(gaps.into_iter().map(|(_, gap)| gap).fold(judged, Judgement::gap))
}

fn date<'a>(case: &Case<'_>, file: &'a TlsFile, certificate: &'a Certificate) -> Dated<'a> {
    let days_left = days(case.now.unix(), certificate.not_after_unix);
    let short = days(certificate.not_before_unix, certificate.not_after_unix) <= SHORT_LIVED_DAYS;
    let limit = |name| case.setting(name) * if short { 0.5 } else { 1.0 };
    let verdict = if case.now.unix() < certificate.not_before_unix || days_left <= 0.0 || days_left < limit("fail_days")
    {
        Verdict::Fail
    } else if days_left < limit("warn_days") {
        Verdict::Warn
    } else if days_left < limit("info_days") {
        Verdict::Info
    } else {
        Verdict::Pass
    };
    Dated { file, certificate, days_left, verdict }
}

fn table(dated: &[Dated<'_>]) -> Proof {
    let rows = dated.iter().map(|dated| {
        vec![
            dated.file.section.as_str().into(),
            dated.file.path.as_str().into(),
            dated.certificate.subject.as_str().into(),
            dated.certificate.issuer.as_str().into(),
            dated.certificate.names.join(" ").into(),
            Timestamp::from_unix(dated.certificate.not_before_unix).to_string().into(),
            Timestamp::from_unix(dated.certificate.not_after_unix).to_string().into(),
            Cell::Number((dated.days_left * 10.0).round() / 10.0),
        ]
    });
    let columns = vec![
        Column::text("Section"),
        Column::text("File"),
        Column::text("Subject"),
        Column::text("Issuer"),
        Column::text("Names"),
        Column::text("From"),
        Column::text("Until"),
        Column::number("Days left", Unit::Count),
    ];
    Proof::table("Certificates", columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::{Settings, find};
    use super::*;
    use crate::evidence::Evidence;
    use crate::evidence::tls::testing::certificate;

    const DAY: i64 = 86_400;

    fn judge(certificates: Result<Vec<Certificate>, Gap>, now_unix: i64) -> Result<Judgement, Gap> {
        let file = TlsFile {
            section: "tcp.tls".into(),
            role: TlsRole::Chain,
            path: "/etc/iggy/cert.pem".into(),
            certificates,
            access: Err(Gap::absent("x")),
        };
        let mut evidence = Evidence::default();
        evidence.put(TLS_FILES, Ok(vec![file]));
        let check = find("tls.files").unwrap();
        let now = Timestamp::from_unix(now_unix);
        files(&Case { evidence: &evidence, now, findings: &[], check, settings: &Settings::default() })
    }

    #[test]
    fn days_are_counted_and_halved_for_short_lived_certificates() {
        const START: i64 = 1000 * DAY;
        for (lived_days, left_s, expected) in [
            (365, 60 * DAY, Verdict::Pass),
            (365, 60 * DAY - 1, Verdict::Info),
            (365, 30 * DAY, Verdict::Info),
            (365, 30 * DAY - 1, Verdict::Warn),
            (365, 7 * DAY, Verdict::Warn),
            (365, 7 * DAY - 1, Verdict::Fail),
            (365, 0, Verdict::Fail),
            (365, -DAY, Verdict::Fail),
            (365, 366 * DAY, Verdict::Fail),
            (100, 30 * DAY, Verdict::Pass),
            (100, 15 * DAY, Verdict::Info),
            (100, 15 * DAY - 1, Verdict::Warn),
            (100, 7 * DAY / 2 - 1, Verdict::Fail),
            (101, 30 * DAY - 1, Verdict::Warn),
        ] {
            let not_after_unix = START + lived_days * DAY;
            let certificate = Certificate { not_before_unix: START, not_after_unix, ..certificate() };
            let judged = judge(Ok(vec![certificate]), not_after_unix - left_s).unwrap();
            assert_eq!(judged.verdict, expected, "{lived_days} {left_s}: {}", judged.summary);
        }
    }

    #[test]
    fn a_file_that_is_broken_or_missing_fails_and_one_that_is_denied_is_a_skip() {
        assert_eq!(judge(Err(Gap::broken("x holds no certificate")), 0).unwrap().verdict, Verdict::Fail);
        assert_eq!(judge(Err(Gap::absent("x does not exist")), 0).unwrap().verdict, Verdict::Fail);
        assert!(judge(Err(Gap::denied("no", "root")), 0).is_err());
        assert_eq!(judge(Ok(Vec::new()), 0).unwrap().verdict, Verdict::Info);
    }
}
