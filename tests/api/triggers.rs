//! Triggers: what a POST takes, what it makes, and when it is refused.

use serde_json::{Value, json};

use crate::appliance::{Appliance, now};
use crate::client::Request;
use crate::seed::Entered;

#[test]
fn a_trigger_answers_204_and_names_its_snapshot() {
    let appliance = Appliance::start();
    let answer = appliance.send(&appliance.request("POST", &appliance.snapshots("")));
    answer.nothing();
    let name = answer.header("ld-snapshot").unwrap();
    let digits = name.strip_prefix("snapshot-").unwrap().replace('-', "");
    assert!(digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
    assert_eq!(answer.telling(), [("cache-control", "no-store"), ("ld-snapshot", name)]);
}

#[test]
fn an_absent_or_empty_body_means_the_defaults_and_each_option_is_kept() {
    let appliance = Appliance::start();
    for (body, redact_secrets, include_iggy) in [
        (None, true, true),
        (Some(json!({})), true, true),
        (Some(json!({"redact_secrets": false})), false, true),
        (Some(json!({"include_iggy": false})), true, false),
        (Some(json!({"redact_secrets": true, "include_iggy": true})), true, true),
    ] {
        let request = appliance.request("POST", &appliance.snapshots(""));
        let request = body.as_ref().map_or(request.clone(), |body| request.json(body));
        appliance.send(&request).nothing();
        let id = appliance.newest()["id"].clone();
        let detail = appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
        assert_eq!(
            (&detail["redact_secrets"], &detail["include_iggy"]),
            (&redact_secrets.into(), &include_iggy.into())
        );
        appliance.clear();
    }
}

#[test]
fn a_wrong_type_and_an_unknown_field_are_refused_and_trigger_nothing() {
    let appliance = Appliance::start();
    for (body, expected) in [
        (json!({"redact_secret": true}), ("unknown_field", "redact_secret")),
        (json!({"redact_secrets": "true"}), ("invalid_type", "redact_secrets")),
        (json!({"redact_secrets": 1}), ("invalid_type", "redact_secrets")),
        (json!({"redact_secrets": null}), ("invalid_type", "redact_secrets")),
        (json!({"include_iggy": []}), ("invalid_type", "include_iggy")),
    ] {
        let issues = appliance.post(&appliance.snapshots(""), &body).issues();
        assert_eq!(issues, [(expected.0.to_owned(), expected.1.to_owned())], "{body}");
    }
    let both = appliance.post(&appliance.snapshots(""), &json!({"include_iggy": 1, "x": 2})).issues();
    assert_eq!(both.len(), 2);
    for body in ["[]", "null", "{", "{\"redact_secrets\":true,\"redact_secrets\":false}"] {
        let request = appliance.request("POST", &appliance.snapshots("")).header("content-type", "application/json");
        appliance.send(&request.body(body.as_bytes())).problem(400, "malformed_body");
    }
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 0);
}

#[test]
fn a_second_trigger_while_one_is_in_progress_is_refused() {
    let appliance = Appliance::start();
    let (id, name) = appliance.at_work();
    let answer = appliance.send(&appliance.request("POST", &appliance.snapshots("")));
    let reason = answer.problem(409, "snapshot_in_progress");
    assert!(reason.contains(&name), "{reason}");
    let retry: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&retry));
    let elsewhere = appliance.add_deployment(appliance.environment.get(), "other");
    appliance.add_node(elsewhere, "b");
    appliance.post(&format!("/deployments/{elsewhere}/snapshots"), &json!({})).nothing();
    appliance.complete(id);
    appliance.trigger();
}

#[test]
fn the_later_of_two_in_one_second_has_another_name() {
    let appliance = Appliance::start();
    // Every second of the next while is taken, whichever the trigger falls into.
    let names: Vec<String> = (0..19).map(|second| name_of(&now().plus_s(second).to_string())).collect();
    for name in &names {
        let id = appliance.enter(Entered { name: name.clone(), ..appliance.next_entered() })[0];
        appliance.complete(id);
    }
    let name = appliance.trigger();
    assert!(name.strip_suffix("-2").is_some_and(|first| names.contains(&first.to_owned())), "{name}");
}

/// `2026-06-01T10:30:00Z` as the name of a snapshot: `snapshot-20260601-103000`.
fn name_of(time: &str) -> String {
    format!("snapshot-{}", time.trim_end_matches('Z').replace(['-', ':'], "").replace('T', "-"))
}

#[test]
fn the_plans_count_is_a_limit_that_names_the_oldest_and_its_end() {
    let appliance = Appliance::start();
    appliance.set_plan("basic");
    let ids: Vec<i64> = (0..3).map(|_| appliance.taken()).collect();
    let oldest = appliance.get(&appliance.snapshots(&format!("/{}", ids[0]))).good();
    let answer = appliance.send(&appliance.request("POST", &appliance.snapshots("")));
    let reason = answer.problem(409, "snapshots_limit_reached");
    for part in ["3 snapshots", oldest["name"].as_str().unwrap(), oldest["expires_at"].as_str().unwrap()] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    appliance.delete(&appliance.snapshots(&format!("/{}", ids[0]))).nothing();
    appliance.trigger();
}

#[test]
fn a_snapshot_counts_once_however_many_nodes_it_has_and_an_expired_one_not_at_all() {
    let appliance = Appliance::start();
    appliance.set_plan("basic");
    appliance.add_node(appliance.deployment.get(), "b");
    for _ in 0..2 {
        for id in appliance.enter(appliance.next_entered()) {
            appliance.complete(id);
        }
    }
    let entered = appliance.next_entered();
    for id in appliance.enter(Entered { expires_at: now(), ..entered }) {
        appliance.complete(id);
    }
    assert_eq!(appliance.rows(), 4);
    appliance.trigger();
}

#[test]
fn each_plan_keeps_what_it_says_for_as_long_as_it_says() {
    let appliance = Appliance::start();
    for (plan, count, days) in [("basic", 3, 7), ("pro", 5, 14), ("enterprise", 20, 90)] {
        appliance.set_plan(plan);
        let features = appliance.get(&appliance.tenant("")).good()["features"].clone();
        assert_eq!(
            (&features["deployment_snapshots_limit"], &features["snapshot_retention_days"]),
            (&count.into(), &days.into()),
            "{plan}"
        );
        appliance.trigger();
        let id = appliance.newest()["id"].clone();
        let detail = appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
        let time =
            |name: &str| -> snapvisor::domain::time::Timestamp { detail[name].as_str().unwrap().parse().unwrap() };
        assert_eq!(time("expires_at").since_s(time("created_at")), days * 86_400, "{plan}");
        // What is kept already is kept as long as was said when it was made.
        appliance.set_plan("basic");
        assert_eq!(appliance.get(&appliance.snapshots(&format!("/{id}"))).good()["expires_at"], detail["expires_at"]);
        appliance.clear();
        appliance.set_plan(plan);
        let kept: Vec<i64> = (0..count).map(|_| appliance.taken()).collect();
        appliance.post(&appliance.snapshots(""), &json!({})).problem(409, "snapshots_limit_reached");
        appliance.delete(&appliance.snapshots(&format!("/{}", kept[0]))).nothing();
        appliance.trigger();
        appliance.clear();
    }
}

#[test]
fn a_deployment_without_nodes_has_no_snapshot() {
    let appliance = Appliance::start();
    let empty = appliance.add_deployment(appliance.environment.get(), "empty");
    appliance.post(&format!("/deployments/{empty}/snapshots"), &json!({})).problem(409, "no_nodes");
}

#[test]
fn below_the_reserve_or_at_its_limit_the_store_of_archives_takes_no_snapshot() {
    let appliance = Appliance::with(&[("archive.reserve_bytes", "1048576 GiB")]);
    appliance.post(&appliance.snapshots(""), &json!({})).problem(507, "insufficient_storage");
    assert_eq!(appliance.rows(), 0);
    let appliance = Appliance::with(&[("archive.max_bytes", "300000")]);
    appliance.taken();
    let reason = appliance.post(&appliance.snapshots(""), &json!({})).problem(507, "insufficient_storage");
    assert!(!reason.contains('/'), "{reason}");
    assert_eq!(appliance.rows(), 1);
}

#[test]
fn deleting_a_row_at_work_cancels_it_and_makes_room_for_the_next() {
    let appliance = Appliance::start();
    appliance.trigger();
    appliance.delete(&appliance.snapshots("/1")).nothing();
    assert_eq!(appliance.rows(), 0);
    appliance.trigger();
    assert_eq!(appliance.newest()["id"], 2, "an id is never used twice");
    appliance.clear();
    appliance.wait_for("nothing is left of what was cancelled", || {
        std::fs::read_dir(appliance.data_dir.join("archives")).unwrap().count() == 0
    });
}

#[test]
fn one_trigger_makes_a_row_per_node_and_one_that_cannot_be_reached_ends_with_a_report_that_says_so() {
    let appliance = Appliance::start();
    let deployment = appliance.add_deployment(appliance.environment.get(), "remote");
    let nodes: Vec<i64> = ["a", "b"].map(|name| appliance.add_node(deployment, name)).to_vec();
    let list = format!("/deployments/{deployment}/snapshots");
    let answer = appliance.post(&list, &json!({}));
    answer.nothing();
    let name = answer.header("ld-snapshot").unwrap().to_owned();
    appliance.wait_for("both rows are over", || {
        let items = appliance.get(&list).good()["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 2);
        items.iter().all(|item| item["status"] == "completed")
    });
    let items = appliance.get(&list).good()["items"].as_array().unwrap().clone();
    let mut seen: Vec<i64> = items.iter().map(|item| item["node_id"].as_i64().unwrap()).collect();
    seen.sort_unstable();
    let mut expected = nodes;
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for item in &items {
        assert_eq!(item["name"], name.as_str());
        let path = format!("{list}/{}", item["id"]);
        assert_eq!(appliance.get(&path).good()["outcome"], "failed");
        let url = appliance.get(&format!("{path}/download")).good()["url"].as_str().unwrap().to_owned();
        let zip = Request::new("GET", url.strip_prefix(&appliance.url).unwrap()).send(appliance.address).body;
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
        let report: Value = serde_json::from_reader(zip.by_name("report.json").unwrap()).unwrap();
        assert!(report.to_string().contains("No agent of this node is connected"), "{report}");
    }
}

#[test]
fn a_snapshot_is_over_when_every_row_of_it_is() {
    let appliance = Appliance::start();
    appliance.add_node(appliance.deployment.get(), "host-2");
    let rows = appliance.enter(appliance.next_entered());
    let post = || appliance.post(&appliance.snapshots(""), &json!({}));
    for id in rows {
        post().problem(409, "snapshot_in_progress");
        appliance.complete(id);
    }
    post().nothing();
}

#[test]
fn a_snapshot_is_over_by_its_deadline() {
    let appliance = Appliance::with(&[("snapshot.deadline_s", "2"), ("snapshot.sampling_ms", "1900")]);
    appliance.trigger();
    appliance.wait_until_over();
    let detail = appliance.get(&appliance.snapshots("/1")).good();
    let time = |name: &str| -> snapvisor::domain::time::Timestamp { detail[name].as_str().unwrap().parse().unwrap() };
    // The sample alone takes longer than a node may. Some seconds more are for a machine that has other things to do.
    assert!(time("completed_at").since_s(time("created_at")) < 30, "{detail}");
    assert_eq!(detail["outcome"], "failed", "{detail}");
    assert!(detail["size_bytes"].as_i64().unwrap() > 0, "there is a report: {detail}");
}
