//! Every error has one shape, also where no handler was reached.

use serde_json::json;

use crate::appliance::Appliance;
use crate::client::Request;

#[test]
fn an_unknown_path_is_a_problem_with_or_without_a_key() {
    let appliance = Appliance::start();
    for path in [
        "/",
        "/x",
        "/tenants/",
        "/healthz/x",
        "/deployments",
        "/deployments/1",
        "/tenants/1/members",
        "//",
        "/openapi.yaml",
    ] {
        let answer = Request::new("GET", path).send(appliance.address);
        answer.problem(404, "not_found");
        let length = answer.body.len().to_string();
        let told =
            [("cache-control", "no-store"), ("content-length", &*length), ("content-type", "application/problem+json")];
        assert_eq!(answer.telling(), told);
        appliance.get(path).problem(404, "not_found");
    }
}

#[test]
fn a_method_that_a_path_does_not_know_is_a_405_with_allow() {
    let appliance = Appliance::start();
    let cases = [
        ("PUT", appliance.snapshots(""), "POST, GET, HEAD"),
        ("POST", appliance.snapshots("/1"), "GET, HEAD, DELETE"),
        ("DELETE", appliance.snapshots("/1/download"), "GET, HEAD"),
        ("PATCH", appliance.tenant("/roles/1"), "GET, HEAD, PUT, DELETE"),
        ("GET", appliance.tenant("/api_keys/1/security"), "PUT"),
        ("POST", "/healthz".to_owned(), "GET, HEAD"),
        ("BREW", "/healthz".to_owned(), "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        let answer = appliance.send(&appliance.request(method, &path));
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[test]
fn a_body_over_its_limit_is_a_413_and_one_of_another_type_a_415() {
    let appliance = Appliance::with(&[("limits.body_bytes", "1024")]);
    let request = appliance.request("POST", &appliance.snapshots("")).header("content-type", "application/json");
    appliance.send(&request.clone().body(&[b' '; 1025])).problem(413, "payload_too_large");
    let mut bytes = Vec::new();
    for _ in 0..103 {
        bytes.extend_from_slice(b"a\r\n          \r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let answer = crate::sockets::exchange(
        appliance.address,
        &[
            format!(
                "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nld-api-key: {}\r\ncontent-type: \
                 application/json\r\ntransfer-encoding: chunked\r\n\r\n",
                appliance.snapshots(""),
                appliance.key
            )
            .as_bytes(),
            &bytes,
        ]
        .concat(),
    );
    crate::client::Answer::parse(&answer).problem(413, "payload_too_large");
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "application/jsonp"),
    ] {
        let request = appliance.request("POST", &appliance.snapshots("")).header(name, value).body(b"{}");
        appliance.send(&request).problem(415, "unsupported_media_type");
    }
    let bare = appliance.request("POST", &appliance.snapshots("")).body(b"{}");
    appliance.send(&bare).problem(415, "unsupported_media_type");
    let packed = request.header("content-encoding", "gzip").body(b"{}");
    appliance.send(&packed).problem(415, "unsupported_media_type");
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 0);
}

#[test]
fn every_request_has_an_id_of_its_own() {
    let appliance = Appliance::start();
    let mut ids: Vec<String> = Vec::new();
    for path in ["/healthz", "/x", "/tenants"] {
        for _ in 0..3 {
            let given = "0123456789abcdef0123456789abcdef";
            let answer = Request::new("GET", path).header("ld-request", given).send(appliance.address);
            assert_ne!(answer.request_id(), given, "a client does not choose it");
            ids.push(answer.request_id().to_owned());
        }
    }
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}

#[test]
fn health_is_told_without_a_key() {
    let appliance = Appliance::start();
    assert_eq!(Request::new("GET", "/healthz").send(appliance.address).good(), json!({"status": "ok"}));
    assert_eq!(Request::new("GET", "/readyz").send(appliance.address).good(), json!({"status": "ready"}));
    let head = Request::new("HEAD", "/healthz").send(appliance.address);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("15"), 0));
}

#[test]
fn metrics_are_text_for_this_host_and_for_a_key_alone() {
    let appliance = Appliance::start();
    appliance.trigger();
    let answer = Request::new("GET", "/metrics").send(appliance.address);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let series = "snapvisor_http_requests_total{method=\"POST\",route=\"/deployments/{deployment_id}/snapshots\",status=\"204\"}";
    assert_eq!(appliance.metric(series), Some(1.0));
    let proxied = Request::new("GET", "/metrics").header("x-forwarded-for", "203.0.113.9");
    proxied.send(appliance.address).problem(401, "unauthorized");
    let with_key = appliance.request("GET", "/metrics").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(appliance.send(&with_key).status, 200);
}

#[test]
fn a_database_that_is_gone_is_a_500_without_a_word_of_why() {
    let appliance = Appliance::start();
    appliance.database().execute_batch("ALTER TABLE triggers RENAME TO hidden;").unwrap();
    let answer = appliance.get(&appliance.snapshots(""));
    let reason = answer.problem(500, "internal_error");
    assert!(!reason.to_lowercase().contains("table") && !reason.contains("trigger"), "{reason}");
}

#[test]
fn a_database_that_is_busy_for_too_long_is_a_503_that_passes() {
    let appliance = Appliance::start();
    let role = json!({"name": "r", "permissions": {}});
    let database = appliance.database();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = appliance.post(&appliance.tenant("/roles"), &role);
    answer.problem(503, "service_unavailable");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    // Reading goes on meanwhile.
    appliance.get("/tenants").good();
    database.execute_batch("ROLLBACK").unwrap();
    assert_eq!(appliance.post(&appliance.tenant("/roles"), &role).status, 201);
}

#[test]
fn a_head_is_answered_as_a_get_without_its_body() {
    let appliance = Appliance::start();
    appliance.taken();
    for path in
        ["/healthz", "/tenants", &appliance.snapshots(""), &appliance.snapshots("/1"), &appliance.tenant("/x"), "/x"]
    {
        let (get, head) = (appliance.get(path), appliance.send(&appliance.request("HEAD", path)));
        assert_eq!((head.status, head.telling(), head.body.len()), (get.status, get.telling(), 0), "{path}");
        assert_ne!(head.request_id(), get.request_id());
    }
}
