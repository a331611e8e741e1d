//! Only real changes show.

use super::*;
use crate::domain::finding::{Column, Finding, Judgement, Proof, Unit};
use crate::domain::gap::Gap;
use crate::domain::verdict::Severity;
use crate::report::fixtures;
use crate::report::model::{CheckWords, Tier};

fn check(id: &'static str, outcome: Result<Judgement, Gap>) -> Check<String> {
    let words = CheckWords {
        id,
        category: "system",
        title: id,
        tier: Tier::Core,
        severity: Severity::High,
        rule: "",
        source: "",
        why: "",
        remedy: "",
        references: &[],
    };
    Check::new(&words, Finding { check: id, outcome, wall_us: 1, settings_changed: Vec::new() })
}

fn report(checks: Vec<Check<String>>) -> Report {
    let mut document = fixtures::empty();
    document.checks = checks;
    fixtures::redacted(document)
}

fn parameters(swappiness: &str, somaxconn: &str, free: u64) -> Judgement {
    Judgement::info("150 parameters.")
        .proof(Proof::facts(
            "Parameters",
            [("vm.swappiness", swappiness), ("net.core.somaxconn", somaxconn), ("fs.file-nr", &free.to_string())],
        ))
        .proof(Proof::table(
            "Counters",
            vec![Column::text("What"), Column::number("Value", Unit::Count)],
            vec![vec!["fs.file-nr".into(), free.into()]],
        ))
}

#[test]
fn verdicts_are_grouped_by_how_they_moved() {
    let before = report(vec![
        check("a.worse", Ok(Judgement::pass(""))),
        check("a.better", Ok(Judgement::fail(""))),
        check("a.same", Ok(Judgement::warn(""))),
        check("a.lost", Ok(Judgement::pass(""))),
        check("a.gone", Ok(Judgement::pass(""))),
        check("a.seen", Err(Gap::absent(""))),
        check("a.seen-bad", Err(Gap::absent(""))),
    ]);
    let after = report(vec![
        check("a.worse", Ok(Judgement::warn(""))),
        check("a.better", Ok(Judgement::pass(""))),
        check("a.same", Ok(Judgement::warn(""))),
        check("a.lost", Err(Gap::absent(""))),
        check("a.seen", Ok(Judgement::pass(""))),
        check("a.seen-bad", Ok(Judgement::fail(""))),
        check("a.new", Ok(Judgement::pass(""))),
    ]);
    let comparison = compare(&before, &after);
    let moves: Vec<(Move, &str)> =
        comparison.checks.iter().map(|change| (Move::of(change), change.id.as_str())).collect();
    assert_eq!(
        moves,
        [
            (Move::New, "a.seen-bad"),
            (Move::New, "a.worse"),
            (Move::Unseen, "a.lost"),
            (Move::Unseen, "a.gone"),
            (Move::Resolved, "a.better"),
            (Move::Other, "a.new"),
            (Move::Other, "a.seen"),
        ]
    );
    assert_eq!(comparison.unchanged, 1);
    assert_eq!(comparison.headline(), "2 new, 2 no longer seen, 1 resolved, 2 otherwise different.");
}

#[test]
fn settings_show_and_counters_do_not() {
    let before = report(vec![
        check("sys.params", Ok(parameters("60", "4096", 1200))),
        check("proc.top", Ok(parameters("1", "1", 1))),
    ]);
    let after = report(vec![
        check("sys.params", Ok(parameters("10", "4096", 9900))),
        check("proc.top", Ok(parameters("2", "2", 2))),
    ]);
    let comparison = compare(&before, &after);
    let settings: Vec<_> = comparison
        .settings
        .iter()
        .map(|change| (change.name.as_str(), change.column, change.before.as_deref(), change.after.as_deref()))
        .collect();
    assert_eq!(settings, [("vm.swappiness", None, Some("60"), Some("10"))]);
    assert_eq!(comparison.headline(), "No verdict changed, 1 setting differs.");
    assert_eq!(
        comparison.text(),
        "- iggy-09, snapshot-20261124-031240, taken 2026-11-24T03:12:40Z\n\
         + iggy-09, snapshot-20261124-031240, taken 2026-11-24T03:12:40Z\n\n\
         No verdict changed, 1 setting differs.\n\n\
         Settings\n  vm.swappiness (sys.params)\n    - 60\n    + 10\n"
    );
}

#[test]
fn a_measurement_that_is_well_at_both_times_is_no_change_and_a_setting_is() {
    let quiet = || Ok(Judgement::info("Only 20 segments were sent during the window."));
    let busy = || Ok(Judgement::pass("0.1 % of the segments were sent again."));
    let before = report(vec![check("net.retrans", quiet()), check("net.firewall", quiet())]);
    let after = report(vec![check("net.retrans", busy()), check("net.firewall", busy())]);
    for (before, after) in [(&before, &after), (&after, &before)] {
        let comparison = compare(before, after);
        let changed: Vec<&str> = comparison.checks.iter().map(|change| change.id.as_str()).collect();
        assert_eq!((changed, comparison.unchanged), (vec!["net.firewall"], 1));
    }
    let worse = report(vec![check("net.retrans", Ok(Judgement::warn("")))]);
    assert_eq!(compare(&before, &worse).checks[0].id.as_str(), "net.retrans");
}

#[test]
fn every_pair_of_verdicts_has_its_move() {
    use Verdict::{Fail, Info, Pass, Skip, Warn};
    let expected = |before: Option<Verdict>, after: Option<Verdict>| match (before, after) {
        (Some(Warn), Some(Fail)) => Move::Worse,
        (Some(Fail), Some(Warn)) => Move::Better,
        (_, Some(Fail | Warn)) => Move::New,
        (Some(Fail | Warn), Some(Pass | Info)) => Move::Resolved,
        (Some(Pass | Info | Warn | Fail), None | Some(Skip)) => Move::Unseen,
        _ => Move::Other,
    };
    let all = [None, Some(Fail), Some(Warn), Some(Info), Some(Pass), Some(Skip)];
    for before in all {
        for after in all.into_iter().filter(|after| *after != before) {
            let (id, title) = ("a".into(), "a".into());
            let change = CheckChange { id, title, severity: Severity::High, before, after };
            assert_eq!(Move::of(&change), expected(before, after), "{before:?} -> {after:?}");
        }
    }
}

#[test]
fn two_nodes_are_compared_as_nodes_and_their_own_names_are_no_difference() {
    let sysctl = |name: &str, value: &str| {
        Ok(Judgement::info("")
            .proof(Proof::facts("Parameters", [("kernel.hostname", name), ("vm.max_map_count", value)])))
    };
    let first = report(vec![check("sys.params", sysctl("iggy-01", "65530")), check("a", Ok(Judgement::warn("")))]);
    let mut second =
        report(vec![check("sys.params", sysctl("iggy-02", "262144")), check("a", Ok(Judgement::pass("")))]);
    second.snapshot.node = fixtures::redacted(fixtures::all_pass()).snapshot.node;
    second.snapshot.ids.node = None;
    assert_ne!(first.snapshot.node, second.snapshot.node);
    let comparison = compare(&first, &second);
    assert_eq!(comparison.headline(), "1 on the first node alone; 1 setting differs.");
    assert_eq!(comparison.settings[0].name, "vm.max_map_count");
}

#[test]
fn rows_that_begin_alike_are_told_apart_by_their_second_cell() {
    let listeners = |rows: &[[&str; 4]]| {
        let columns = ["Transport", "Address", "Process", "Scope"].map(Column::text).to_vec();
        let rows = rows.iter().map(|row| row.map(Into::into).to_vec()).collect();
        Ok(Judgement::info("").proof(Proof::table("Listeners", columns, rows)))
    };
    let before = report(vec![check(
        "net.listeners",
        listeners(&[
            ["tcp", "0.0.0.0:8090", "iggy-server (17)", "all"],
            ["tcp", "127.0.0.1:3000", "iggy-server (17)", "loopback"],
        ]),
    )]);
    let after = report(vec![check(
        "net.listeners",
        listeners(&[
            ["tcp", "0.0.0.0:8090", "iggy-server (99)", "all"],
            ["tcp", "0.0.0.0:3000", "iggy-server (99)", "all"],
        ]),
    )]);
    let settings = compare(&before, &after).settings;
    let settings: Vec<_> =
        settings.iter().map(|s| (s.name.as_str(), s.column, s.before.as_deref(), s.after.as_deref())).collect();
    assert_eq!(
        settings,
        [("tcp 0.0.0.0:3000", None, None, Some("all")), ("tcp 127.0.0.1:3000", None, Some("loopback"), None),]
    );
}

fn routes(rows: &[[&str; 3]]) -> Judgement {
    let mut columns = ["To", "By", "Interface"].map(Column::text).to_vec();
    columns.push(Column::number("Metric", Unit::Count));
    let rows = rows.iter().map(|row| row.map(Into::into).into_iter().chain([0_u64.into()]).collect());
    Judgement::pass("").proof(Proof::table("Routes", columns, rows.collect()))
}

#[test]
fn a_route_is_told_by_where_it_leads_and_by_which_interface() {
    const EVERYWHERE: [&str; 3] = ["everywhere", "10.20.0.1", "eth0"];
    const NEAR: [&str; 3] = ["fe80::/64", "directly", "eth0"];
    const WIRE: [&str; 3] = ["fe80::/64", "directly", "wire0"];
    let differ = |before: &[[&str; 3]], after: &[[&str; 3]]| {
        let [before, after] = [before, after].map(|rows| report(vec![check("net.routes", Ok(routes(rows)))]));
        differing(&before, &after)
    };
    let nothing: Vec<String> = Vec::new();
    assert_eq!(differ(&[EVERYWHERE, NEAR], &[NEAR, EVERYWHERE]), nothing);
    assert_eq!(differ(&[EVERYWHERE, NEAR], &[EVERYWHERE, WIRE, NEAR]), ["fe80::/64 wire0:  -> directly"]);
    assert_eq!(
        differ(&[EVERYWHERE, NEAR], &[["everywhere", "10.20.0.9", "eth0"], NEAR]),
        ["everywhere eth0: 10.20.0.1 -> 10.20.0.9"]
    );
    let two = ["everywhere", "10.20.0.2", "eth0"];
    assert_eq!(differ(&[EVERYWHERE], &[two, EVERYWHERE]), ["everywhere eth0: 10.20.0.1 -> 10.20.0.1, 10.20.0.2"]);
}

#[test]
fn a_row_that_only_one_table_has_twice_does_not_rename_the_others() {
    let parameters = |rows: &[[&str; 3]]| {
        let columns = ["Device", "Scheduler", "Rotates"].map(Column::text).to_vec();
        let rows = rows.iter().map(|row| row.map(Into::into).to_vec()).collect();
        Ok(Judgement::pass("").proof(Proof::table("Drives", columns, rows)))
    };
    let before = report(vec![check("disk.queue", parameters(&[["vda", "none", "no"]]))]);
    let after = report(vec![check(
        "disk.queue",
        parameters(&[["vda", "none", "no"], ["sda", "none", "no"], ["sda", "bfq", "yes"]]),
    )]);
    let names: Vec<String> = compare(&before, &after).settings.into_iter().map(|setting| setting.name).collect();
    assert_eq!(names, ["sda bfq", "sda none"]);
}

#[test]
fn a_row_that_is_all_name_shows_when_it_comes() {
    let listeners = |rows: &[[&str; 3]]| {
        let columns = ["Transport", "Address", "Process"].map(Column::text).to_vec();
        let rows = rows.iter().map(|row| row.map(Into::into).to_vec()).collect();
        Ok(Judgement::info("").proof(Proof::table("Listening sockets", columns, rows)))
    };
    let before = report(vec![check("net.listeners", listeners(&[["tcp", "0.0.0.0:8090", "iggy-server (7)"]]))]);
    let after = report(vec![check(
        "net.listeners",
        listeners(&[["tcp", "0.0.0.0:8090", "iggy-server (9)"], ["tcp", "0.0.0.0:22", "sshd (1)"]]),
    )]);
    let settings = compare(&before, &after).settings;
    let settings: Vec<_> =
        settings.iter().map(|s| (s.name.as_str(), s.before.as_deref(), s.after.as_deref())).collect();
    assert_eq!(settings, [("tcp 0.0.0.0:22", None, Some("listed"))]);
}

fn facts(rows: &[(&str, &str)]) -> Judgement {
    let rows = rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Judgement::info("").proof(Proof::facts("Facts", rows))
}

fn differing(before: &Report, after: &Report) -> Vec<String> {
    let shown = |side: &Option<String>| side.clone().unwrap_or_default();
    let settings = compare(before, after).settings;
    settings.iter().map(|one| format!("{}: {} -> {}", one.name, shown(&one.before), shown(&one.after))).collect()
}

#[test]
fn what_two_checks_show_is_one_difference_and_a_row_that_says_none_is_none() {
    let both = |mount: &str| {
        vec![
            check("disk.fstype", Ok(facts(&[("Mounted on", mount)]))),
            check("disk.mount-opts", Ok(facts(&[("Mounted on", mount)]))),
        ]
    };
    assert_eq!(differing(&report(both("/")), &report(both("/var"))), ["Mounted on: / -> /var"]);
    let flags = |rows: &[(&str, &str)]| report(vec![check("iggy.flags", Ok(facts(rows)))]);
    let (unit, process) = (("iggy-server.service", "none"), ("process 7", "none"));
    assert_eq!(differing(&flags(&[process]), &flags(&[process, unit])), [""; 0]);
    let set = ("iggy-server.service", "IGGY_FRESH");
    assert_eq!(differing(&flags(&[process]), &flags(&[process, set])), ["iggy-server.service:  -> IGGY_FRESH"]);
}

#[test]
fn a_table_that_only_one_report_has_is_one_difference_unless_the_verdict_says_it() {
    let with = |judgement: Judgement| {
        let rows = (0..7).map(|port| (format!("tcp {port}"), "let in".to_owned()));
        report(vec![check("net.firewall", Ok(judgement.proof(Proof::facts("Ports", rows))))])
    };
    let without = report(vec![check("net.firewall", Ok(Judgement::pass("")))]);
    let ports = ["Ports:  -> tcp 0, tcp 1, tcp 2, tcp 3, tcp 4, and 2 more"];
    assert_eq!(differing(&without, &with(Judgement::pass(""))), ports);
    assert_eq!(differing(&without, &with(Judgement::warn(""))), [""; 0]);
}

#[test]
fn what_a_node_has_of_its_own_is_no_difference_between_nodes_and_one_in_time() {
    let node = |name: &str, address: &str, threads: &str, node: &str| {
        let columns = ["Interface", "State", "Addresses"].map(Column::text).to_vec();
        let links = vec![["eth0", "up", address].map(Into::into).to_vec()];
        let mut document = report(vec![
            check("net.links", Ok(Judgement::pass("").proof(Proof::table("Interfaces", columns, links)))),
            check(
                "iggy.config",
                Ok(facts(&[("TCP listener", &format!("on, {address}:8090")), ("Log", &format!("/log/{name}.log"))])),
            ),
            check("sys.params", Ok(facts(&[("kernel.threads-max", threads), ("kernel.pid_max", "10")]))),
        ]);
        let named: Document<String> = serde_json::from_value(serde_json::to_value(&document).unwrap()).unwrap();
        let mut named = named;
        (named.snapshot.node, named.snapshot.ids.node) = (node.to_owned(), None);
        document.snapshot = fixtures::redacted(named).snapshot;
        document
    };
    let (first, second) = (node("n1", "10.0.0.1", "1000", "n1"), node("n2", "10.0.0.12", "1020", "n2"));
    assert_eq!(differing(&first, &second), [""; 0]);
    let moved = node("n1", "10.0.0.12", "1020", "n1");
    assert_eq!(
        differing(&first, &moved),
        [
            "TCP listener: on, 10.0.0.1:8090 -> on, 10.0.0.12:8090",
            "eth0: 10.0.0.1 -> 10.0.0.12",
            "kernel.threads-max: 1000 -> 1020"
        ]
    );
}

#[test]
fn each_certificate_of_a_file_is_compared() {
    let chain = |leaf: &str| {
        let columns = ["Section", "File", "Subject", "Until"].map(Column::text).to_vec();
        let row = |subject: &str, until: &str| ["tcp.tls", "/etc/chain.pem", subject, until].map(Into::into).to_vec();
        let rows = vec![row("CN=n1", leaf), row("CN=CA", "2029-05-12T14:57:43Z")];
        Ok(Judgement::pass("").proof(Proof::table("Certificates", columns, rows)))
    };
    let before = report(vec![check("tls.files", chain("2026-12-01T00:00:00Z"))]);
    let after = report(vec![check("tls.files", chain("2027-12-01T00:00:00Z"))]);
    let settings = compare(&before, &after).settings;
    assert_eq!(
        settings.iter().map(|setting| setting.name.as_str()).collect::<Vec<_>>(),
        ["tcp.tls /etc/chain.pem CN=n1"]
    );
}

#[test]
fn a_server_that_was_started_again_is_the_same_server() {
    let version =
        |process: &str, version: &str| Ok(Judgement::info("").proof(Proof::facts("Server", [(process, version)])));
    let before = report(vec![check("iggy.version", version("iggy-server (17)", "0.8.0"))]);
    let again = report(vec![check("iggy.version", version("iggy-server (4711)", "0.8.0"))]);
    assert_eq!(compare(&before, &again).settings, []);
    let newer = report(vec![check("iggy.version", version("iggy-server (4711)", "0.8.1"))]);
    assert_eq!(compare(&before, &newer).settings.len(), 1);
}

#[test]
fn a_process_that_was_started_again_is_the_same_process() {
    let flags = |place: &str, of: &str| {
        Ok(Judgement::info("").proof(Proof::facts("Flags", [(place, "IGGY_FRESH"), ("Read from", of)])))
    };
    let before = report(vec![check("iggy.flags", flags("process 22", "the environment of process 22, as root"))]);
    let again = report(vec![check("iggy.flags", flags("process 4711", "the environment of process 4711, as root"))]);
    assert_eq!(compare(&before, &again).settings, []);
    let gone = report(vec![check("iggy.flags", flags("process 4711", "a file"))]);
    assert_eq!(compare(&before, &gone).settings.len(), 1);
}

#[test]
fn what_was_skipped_in_either_report_is_no_difference_in_settings() {
    let before = report(vec![check("sys.params", Err(Gap::absent("")))]);
    let after = report(vec![check("sys.params", Ok(parameters("10", "4096", 1)))]);
    assert_eq!(compare(&before, &after).settings, []);
}

#[test]
fn a_report_does_not_differ_from_itself() {
    let document = fixtures::redacted(fixtures::everything());
    let comparison = compare(&document, &document);
    assert_eq!(comparison.headline(), "Nothing changed.");
    assert_eq!(comparison.unchanged, document.checks.len());
}

#[test]
fn what_a_node_remembers_gives_its_next_report_the_changes() {
    let before = report(vec![check("a", Ok(Judgement::pass(""))), check("b", Ok(Judgement::warn("")))]);
    let remembered: Previous = serde_json::from_str(&serde_json::to_string(&Previous::of(&before)).unwrap()).unwrap();
    let now = [check("a", Ok(Judgement::fail(""))), check("b", Ok(Judgement::warn("")))];
    let changes = remembered.changes(&now);
    assert_eq!(changes.since, "snapshot-20261124-031240");
    assert_eq!(changes.checks.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_finding_is_as_old_as_the_first_of_the_snapshots_in_a_row_that_say_the_same() {
    let days = ["2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"];
    let verdicts = [Judgement::pass, Judgement::warn, Judgement::warn, Judgement::fail];
    let mut remembered: Option<Previous> = None;
    let mut told = Vec::new();
    for (day, verdict) in days.iter().zip(verdicts) {
        let mut today = report(vec![check("a", Ok(verdict(""))), check("b", Ok(Judgement::warn("")))]);
        today.snapshot.taken_at = day.parse().unwrap();
        let changes = remembered.take().map(|previous| previous.changes(&today.checks));
        let lasting = changes.iter().flat_map(|changes| &changes.lasting);
        told.push(lasting.map(|check| format!("{} since {}", check.id, check.since)).collect::<Vec<_>>().join(", "));
        let document: Document<String> = serde_json::from_value(serde_json::to_value(&today).unwrap()).unwrap();
        remembered = Some(Previous::of(&fixtures::redacted(Document { changes, ..document })));
    }
    let b = "b since 2026-11-20T00:00:00Z";
    assert_eq!(told, ["", b, &format!("a since 2026-11-21T00:00:00Z, {b}"), b]);
}

#[test]
fn a_page_of_changes_has_no_script_and_a_terminal_gets_no_escapes() {
    let (before, after) = (fixtures::redacted(fixtures::hostile()), fixtures::redacted(fixtures::mixed()));
    let comparison = compare(&before, &after);
    let page = crate::report::html::comparison(&comparison);
    assert!(!page.contains("<script") && page.contains("script-src 'none'"));
    assert!(!comparison.text().contains(|c: char| c.is_control() && c != '\n'));
}
