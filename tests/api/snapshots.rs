//! Snapshots: trigger, list, show, download, delete.

use std::num::NonZeroI64;

use serde_json::{Value, json};
use snapvisor::domain::snapshot::SnapshotOptions;
use snapvisor::orchestrator::{Actor, Confirmation, create_deployment, create_node, remove, set_plan};
use snapvisor::store::{NewDeployment, NewTrigger, Scope};

use crate::appliance::{Appliance, Gate, archive, now};
use crate::client::Request;
use crate::shape::{Bool, Count, Id, OneOf, Text, Time, is_time, list, object, page};

const NOTHING_TOLD: [(&str, &str); 1] = [("cache-control", "no-store")];

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
        appliance.wait_until_over();
        let id = appliance.get(&appliance.snapshots("?results=1")).good()["items"][0]["id"].clone();
        let detail = appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
        assert_eq!(
            (&detail["redact_secrets"], &detail["include_iggy"]),
            (&redact_secrets.into(), &include_iggy.into())
        );
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
    appliance.gate(Gate::Closed);
    let name = appliance.trigger();
    let answer = appliance.send(&appliance.request("POST", &appliance.snapshots("")));
    let reason = answer.problem(409, "snapshot_in_progress");
    assert!(reason.contains(&name), "{reason}");
    let retry: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&retry));
    appliance.gate(Gate::Open);
    appliance.wait_until_over();
    appliance.trigger();
}

#[test]
fn two_of_one_second_have_different_names() {
    let appliance = Appliance::start();
    let mut names: Vec<String> = Vec::new();
    for _ in 0..4 {
        names.push(appliance.trigger());
        appliance.wait_until_over();
    }
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for name in names.iter().filter(|name| name.len() > "snapshot-20260601-103000".len()) {
        assert!(names.contains(&name[..24].to_owned()) && name[24..].starts_with('-'), "{names:?}");
    }
}

#[test]
fn the_plans_count_is_a_limit_that_names_the_oldest_and_its_end() {
    let appliance = Appliance::start();
    let tenant = appliance.tenant;
    appliance.change(move |w| {
        set_plan(w, &Actor::command_line(), &snapvisor::config::Config::default(), tenant, "basic", now())
    });
    let oldest = appliance.trigger();
    appliance.wait_until_over();
    for _ in 0..2 {
        appliance.trigger();
        appliance.wait_until_over();
    }
    let answer = appliance.send(&appliance.request("POST", &appliance.snapshots("")));
    let reason = answer.problem(409, "snapshots_limit_reached");
    let detail = appliance.get(&appliance.snapshots("?page=3&results=1")).good()["items"][0]["id"].clone();
    let expires_at = appliance.get(&appliance.snapshots(&format!("/{detail}"))).good()["expires_at"].clone();
    for part in ["3 snapshots", &oldest, expires_at.as_str().unwrap()] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    appliance.delete(&appliance.snapshots(&format!("/{detail}"))).nothing();
    appliance.trigger();
}

#[test]
fn a_deployment_without_nodes_has_no_snapshot() {
    let appliance = Appliance::start();
    let environment = appliance.environment;
    let empty = appliance.change(move |w| {
        create_deployment(w, &Actor::command_line(), environment, &NewDeployment::local("empty"), now())
    });
    appliance.post(&format!("/deployments/{empty}/snapshots"), &json!({})).problem(409, "no_nodes");
}

#[test]
fn below_the_reserve_there_is_no_snapshot() {
    let appliance = Appliance::with(|config| config.archive.reserve_bytes = Some(u64::MAX));
    appliance.post(&appliance.snapshots(""), &json!({})).problem(507, "insufficient_storage");
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 0);
}

#[test]
fn the_list_has_exactly_the_contracts_fields() {
    let appliance = Appliance::start();
    let empty = appliance.get(&appliance.snapshots(""));
    assert_eq!(empty.text(), r#"{"items":[],"page":1,"total_results":0,"total_pages":0}"#);
    assert_eq!(empty.header("link"), None);
    appliance.gate(Gate::Closed);
    let name = appliance.trigger();
    let at_work = appliance.get(&appliance.snapshots(""));
    let item = |status: &str, created: &str, completed: &str| {
        format!(
            r#"{{"items":[{{"id":1,"tenant_id":{},"division_id":{},"environment_id":{},"deployment_id":{},"node_id":{},"deployment_name":"local","name":"{name}","status":"{status}","created_at":{created},"completed_at":{completed}}}],"page":1,"total_results":1,"total_pages":1}}"#,
            appliance.tenant, appliance.division, appliance.environment, appliance.deployment, appliance.node
        )
    };
    let created = at_work.good()["items"][0]["created_at"].to_string();
    assert!(is_time(created.trim_matches('"')));
    assert_eq!(at_work.text(), item("processing", &created, "null"));
    appliance.gate(Gate::Open);
    appliance.wait_until_over();
    let over = appliance.get(&appliance.snapshots(""));
    let completed = over.good()["items"][0]["completed_at"].to_string();
    assert!(is_time(completed.trim_matches('"')));
    assert_eq!(over.text(), item("completed", &created, &completed));
    let link = format!(
        "<{0}{1}?page=1&results=10>; rel=\"first\", <{0}{1}?page=1&results=10>; rel=\"last\"",
        appliance.url,
        appliance.snapshots("")
    );
    let length = over.body.len().to_string();
    let told = [
        ("cache-control", "no-store"),
        ("content-length", &*length),
        ("content-type", "application/json"),
        ("link", &*link),
    ];
    assert_eq!(over.telling(), told);
}

#[test]
fn ids_beyond_two_to_the_53_are_numbers_to_the_last_digit() {
    let appliance = Appliance::start();
    appliance.taken();
    assert!(appliance.deployment.get() > 1 << 53);
    let text = appliance.get(&appliance.snapshots("")).text().to_owned();
    for (name, id) in [
        ("deployment_id", appliance.deployment.get()),
        ("tenant_id", appliance.tenant.get()),
        ("node_id", appliance.node),
    ] {
        assert!(text.contains(&format!("\"{name}\":{id},")), "{text}");
    }
}

/// Rows without work: entered by hand.
fn enter(appliance: &Appliance, triggers: i64) {
    let deployment = appliance.deployment;
    appliance.change(move |w| {
        let node = w.nodes(deployment)?.remove(0);
        for number in 0..triggers {
            let at = now().plus_s(-1000 + number);
            let id = w.insert_trigger(&NewTrigger {
                deployment_id: deployment,
                name: format!("snapshot-20260101-{number:06}"),
                options: SnapshotOptions::default(),
                created_at: at,
                expires_at: at.plus_s(86_400),
            })?;
            let row = w.insert_snapshot(id, &node)?;
            w.complete_snapshot(
                row,
                &snapvisor::store::Completion {
                    outcome: snapvisor::domain::snapshot::Outcome::Lost,
                    archive: None,
                    headline: "The disk was full.".to_owned(),
                    left_out: Vec::new(),
                    counts: snapvisor::domain::verdict::VerdictCounts::default(),
                },
                at,
            )?;
        }
        Ok(())
    });
}

#[test]
fn pages_follow_each_other_newest_first_and_links_lead_through_them() {
    let appliance = Appliance::start();
    enter(&appliance, 25);
    let url = format!("{}{}", appliance.url, appliance.snapshots(""));
    let (mut seen, mut next) = (Vec::new(), Some(format!("{url}?page=1&results=10")));
    let mut pages = 0;
    while let Some(at) = next {
        let answer = appliance.get(at.strip_prefix(&appliance.url).unwrap());
        let body = answer.good();
        pages += 1;
        assert_eq!(
            (&body["page"], &body["total_results"], &body["total_pages"]),
            (&pages.into(), &25.into(), &3.into())
        );
        seen.extend(body["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
        let links = answer.header("link").unwrap().to_owned();
        let relations: Vec<&str> = links.split(", ").map(|link| link.split("rel=").nth(1).unwrap()).collect();
        let expected: &[&str] = match pages {
            1 => &["\"first\"", "\"next\"", "\"last\""],
            2 => &["\"first\"", "\"prev\"", "\"next\"", "\"last\""],
            _ => &["\"first\"", "\"prev\"", "\"last\""],
        };
        assert_eq!(relations, expected);
        next = links
            .split(", ")
            .find(|link| link.ends_with("rel=\"next\""))
            .map(|link| link.split_once('>').unwrap().0.trim_start_matches('<').to_owned());
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<i64>>());
    let past = appliance.get(&appliance.snapshots("?page=99&results=1000"));
    let told = past.good();
    assert_eq!(told, json!({"items": [], "page": 99, "total_results": 25, "total_pages": 1}));
    assert!(past.header("link").unwrap().contains("?page=1&results=100>; rel=\"prev\""));
}

#[test]
fn a_page_or_a_count_of_results_that_is_none_is_refused() {
    let appliance = Appliance::start();
    for (query, path) in [
        ("?page=0", "page"),
        ("?page=-1", "page"),
        ("?page=one", "page"),
        ("?page=", "page"),
        ("?results=0", "results"),
        ("?results=1e3", "results"),
    ] {
        let issues = appliance.get(&appliance.snapshots(query)).issues();
        assert_eq!(issues, [("invalid_value".to_owned(), path.to_owned())], "{query}");
    }
    for query in ["?page=1&page=2", "?results=5&results=5"] {
        assert_eq!(appliance.get(&appliance.snapshots(query)).issues()[0].0, "duplicate", "{query}");
    }
    assert_eq!(appliance.get(&appliance.snapshots("?page=0&results=0")).issues().len(), 2);
    appliance.get(&appliance.snapshots("?unknown=1&unknown=2")).good();
}

#[test]
fn the_detail_shows_the_row_its_archive_and_the_rows_beside_it() {
    let appliance = Appliance::start();
    let deployment = appliance.deployment;
    appliance.change(move |w| {
        create_node(
            w,
            &Actor::command_line(),
            deployment,
            "host-2",
            snapvisor::domain::deployment::NodeKind::Remote,
            now(),
        )
    });
    appliance.gate(Gate::Closed);
    let name = appliance.trigger();
    let node =
        object(&[("id", Id), ("node_id", Id), ("node_name", Text), ("status", OneOf(&["processing", "completed"]))])
            .maybe(&[
                ("outcome", OneOf(&["examined", "failed", "interrupted", "lost"])),
                ("completed_at", Time),
                (
                    "progress",
                    object(&[
                        (
                            "stage",
                            OneOf(&["queued", "observing", "judging", "bundling", "rendering", "packing", "done"]),
                        ),
                        ("done", Count),
                        ("total", Count),
                    ]),
                ),
            ]);
    let counts = object(&[("fail", Count), ("warn", Count), ("pass", Count), ("info", Count), ("skip", Count)]);
    let detail = snapshot()
        .and(&[
            ("node_name", Text),
            ("redact_secrets", Bool),
            ("include_iggy", Bool),
            ("expires_at", Time),
            ("verdicts", counts),
            ("left_out", list(Text)),
            ("nodes", list(node)),
        ])
        .maybe(&[
            ("outcome", OneOf(&["examined", "failed", "interrupted", "lost"])),
            ("headline", Text),
            ("size_bytes", Count),
            ("sha256", Text),
        ]);
    let items = appliance.get(&appliance.snapshots("")).good()["items"].as_array().unwrap().clone();
    let ids: Vec<i64> = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 1]);
    assert!(items.iter().all(|item| item["name"] == name.as_str()));
    let local = items.iter().find(|item| item["node_id"] == appliance.node).unwrap()["id"].as_i64().unwrap();
    let at_work = appliance.get(&appliance.snapshots(&format!("/{local}"))).good();
    detail.check(&at_work);
    assert_eq!(
        (&at_work["size_bytes"], &at_work["sha256"], &at_work["outcome"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(at_work["nodes"].as_array().unwrap().len(), 2);
    appliance.gate(Gate::Open);
    appliance.wait_until_over();
    let over = appliance.get(&appliance.snapshots(&format!("/{local}"))).good();
    detail.check(&over);
    assert_eq!(over["size_bytes"], archive().len());
    assert_eq!(over["verdicts"], json!({"fail": 0, "warn": 2, "pass": 30, "info": 4, "skip": 3}));
    assert_eq!(over["headline"], "2 checks need a look");
    assert_eq!(over["left_out"], json!(["iggy-data.zip: no data directory was found"]));
    assert!(over["nodes"].as_array().unwrap().iter().all(|node| node["status"] == "completed"));
    appliance.get(&appliance.snapshots("/999")).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots("/x")).problem(404, "snapshot_not_found");
}

pub fn snapshot() -> crate::shape::Shape {
    object(&[
        ("id", Id),
        ("tenant_id", Id),
        ("division_id", Id),
        ("environment_id", Id),
        ("deployment_id", Id),
        ("node_id", Id),
        ("deployment_name", Text),
        ("name", Text),
        ("status", OneOf(&["processing", "completed"])),
        ("created_at", Time),
    ])
    .maybe(&[("completed_at", Time)])
}

#[test]
fn a_list_fits_the_shape_that_clients_decode() {
    let appliance = Appliance::start();
    appliance.taken();
    page(snapshot()).check(&appliance.get(&appliance.snapshots("")).good());
}

#[test]
fn a_download_is_a_url_once_the_row_is_completed() {
    let appliance = Appliance::start();
    appliance.gate(Gate::Closed);
    appliance.trigger();
    let early = appliance.get(&appliance.snapshots("/1/download"));
    early.problem(409, "snapshot_not_completed");
    assert!(early.header("retry-after").is_some());
    appliance.gate(Gate::Open);
    appliance.wait_until_over();
    let answer = appliance.get(&appliance.snapshots("/1/download"));
    let body = answer.good();
    object(&[("url", Text)]).check(&body);
    assert!(body["url"].as_str().unwrap().starts_with(&format!("{}/archives/1?expires=", appliance.url)), "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    appliance.get(&appliance.snapshots("/2/download")).problem(404, "snapshot_not_found");
}

#[test]
fn a_row_whose_archive_is_lost_says_why_it_cannot_be_downloaded() {
    let appliance = Appliance::start();
    enter(&appliance, 1);
    let reason = appliance.get(&appliance.snapshots("/1/download")).problem(404, "archive_not_found");
    assert!(reason.contains("The disk was full."), "{reason}");
}

#[test]
fn a_deleted_row_is_gone_with_its_archive_and_every_url_of_it() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let link = appliance.link(id);
    assert_eq!(Request::new("GET", &link).send(appliance.address).status, 200);
    let answer = appliance.delete(&appliance.snapshots(&format!("/{id}")));
    answer.nothing();
    assert_eq!(answer.telling(), NOTHING_TOLD);
    Request::new("GET", &link).send(appliance.address).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots(&format!("/{id}"))).problem(404, "snapshot_not_found");
    appliance.delete(&appliance.snapshots(&format!("/{id}"))).problem(404, "snapshot_not_found");
    let left = std::fs::read_dir(appliance.data_dir.path().join("archives")).unwrap().count();
    assert_eq!((left, &appliance.get(&appliance.snapshots("")).good()["total_results"]), (0, &0.into()));
    assert!(appliance.taken() > id, "an id is never used twice");
}

#[test]
fn deleting_a_row_at_work_cancels_it_and_makes_room_for_the_next() {
    let appliance = Appliance::start();
    appliance.gate(Gate::Closed);
    appliance.trigger();
    appliance.delete(&appliance.snapshots("/1")).nothing();
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 0);
    appliance.trigger();
}

#[test]
fn a_snapshot_of_another_deployment_is_not_found_under_this_one() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let environment = appliance.environment;
    let other = appliance.change(move |w| {
        create_deployment(w, &Actor::command_line(), environment, &NewDeployment::local("other"), now())
    });
    for rest in ["", "/download"] {
        appliance.get(&format!("/deployments/{other}/snapshots/{id}{rest}")).problem(404, "snapshot_not_found");
    }
    appliance.delete(&format!("/deployments/{other}/snapshots/{id}")).problem(404, "snapshot_not_found");
    appliance.get(&appliance.snapshots(&format!("/{id}"))).good();
}

#[test]
fn a_removed_deployment_is_not_found() {
    let appliance = Appliance::start();
    let deployment = appliance.deployment;
    appliance
        .change(move |w| remove(w, &Actor::command_line(), Scope::Deployment(deployment), Confirmation::Given, now()));
    appliance.get(&appliance.snapshots("")).problem(404, "deployment_not_found");
    let none = NonZeroI64::MAX;
    appliance.get(&format!("/deployments/{none}/snapshots")).problem(404, "deployment_not_found");
}
