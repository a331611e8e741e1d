//! Idempotency keys: the same request again gets the first answer again.

use std::thread;

use serde_json::json;

use crate::appliance::{Appliance, Gate, now};
use crate::client::{Answer, Request};

fn trigger(appliance: &Appliance, key: &str) -> Request {
    appliance.request("POST", &appliance.snapshots("")).header("idempotency-key", key)
}

fn is_replayed(answer: &Answer) -> bool {
    match answer.header("idempotent-replayed") {
        None => false,
        Some(value) => {
            assert_eq!(value, "true");
            true
        }
    }
}

#[test]
fn the_same_trigger_again_is_the_same_snapshot() {
    let appliance = Appliance::start();
    appliance.gate(Gate::Closed);
    let first = appliance.send(&trigger(&appliance, "a"));
    first.nothing();
    assert!(!is_replayed(&first));
    let again = appliance.send(&trigger(&appliance, "a"));
    again.nothing();
    assert!(is_replayed(&again));
    assert_eq!(again.header("ld-snapshot"), first.header("ld-snapshot"));
    assert_ne!(again.request_id(), first.request_id(), "a replay is a new answer");
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 1);
    appliance.send(&trigger(&appliance, "b")).problem(409, "snapshot_in_progress");
}

#[test]
fn another_method_path_or_body_under_the_same_key_is_refused() {
    let appliance = Appliance::start();
    appliance.send(&trigger(&appliance, "a")).nothing();
    appliance.wait_until_over();
    let body = trigger(&appliance, "a").json(&json!({"include_iggy": false}));
    appliance.send(&body).problem(409, "idempotency_error");
    let path = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "a");
    appliance.send(&path.json(&json!({"name": "r", "permissions": {}}))).problem(409, "idempotency_error");
    let role = appliance.post(&appliance.tenant("/roles"), &json!({"name": "r", "permissions": {}}));
    let role = appliance.tenant(&format!("/roles/{}", role.header("ld-role").unwrap()));
    let put = appliance.request("PUT", &role).header("idempotency-key", "a").json(&json!({}));
    appliance.send(&put).problem(409, "idempotency_error");
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 1);
}

#[test]
fn an_error_is_not_kept() {
    let appliance = Appliance::start();
    appliance.gate(Gate::Closed);
    appliance.trigger();
    appliance.send(&trigger(&appliance, "a")).problem(409, "snapshot_in_progress");
    appliance.gate(Gate::Open);
    appliance.wait_until_over();
    let answer = appliance.send(&trigger(&appliance, "a"));
    answer.nothing();
    assert!(!is_replayed(&answer));
    let bad = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "r");
    appliance.send(&bad.clone().json(&json!({}))).issues();
    assert_eq!(appliance.send(&bad.json(&json!({"name": "r", "permissions": {}}))).status, 201);
}

#[test]
fn each_api_key_has_idempotency_keys_of_its_own_and_a_put_honours_them_too() {
    let appliance = Appliance::start();
    let made = |name: &str| {
        let request = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", name);
        appliance.send(&request.json(&json!({"name": name, "permissions": {}})))
    };
    let (first, again) = (made("one"), made("one"));
    assert_eq!((first.status, again.status), (201, 201));
    assert!(!is_replayed(&first) && is_replayed(&again));
    assert_eq!((first.header("ld-role"), first.text()), (again.header("ld-role"), again.text()));
    assert_eq!(again.header("content-type"), Some("application/json"));
    let role = appliance.tenant(&format!("/roles/{}", first.header("ld-role").unwrap()));
    let put = appliance.request("PUT", &role).header("idempotency-key", "put").json(&json!({"name": "two"}));
    assert!(!is_replayed(&appliance.send(&put)));
    let again = appliance.send(&put);
    again.nothing();
    assert!(is_replayed(&again));
    let other = appliance.key_with(&json!({"tenant": ["role:manage"]}), None);
    let request = Request::new("POST", &appliance.tenant("/roles")).header("ld-api-key", &other);
    let body = json!({"name": "three", "permissions": {}});
    let answer = request.header("idempotency-key", "one").json(&body).send(appliance.address);
    assert_eq!(answer.status, 201);
    assert!(!is_replayed(&answer));
}

#[test]
fn a_new_keys_token_is_replayed_and_never_written_down() {
    let appliance = Appliance::start();
    let body = json!({"name": "k", "expiry_at": now().plus_s(3600), "permissions": {}});
    let request = appliance.request("POST", &appliance.tenant("/api_keys")).header("idempotency-key", "k").json(&body);
    let (first, again) = (appliance.send(&request), appliance.send(&request));
    assert_eq!((first.status, first.text()), (201, again.text()));
    assert!(is_replayed(&again));
    let token = first.json()["token"].as_str().unwrap().to_owned();
    for entry in std::fs::read_dir(appliance.data_dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn an_idempotency_key_has_1_to_255_characters() {
    let appliance = Appliance::start();
    for key in [String::new(), "a".repeat(256)] {
        appliance.send(&trigger(&appliance, &key)).problem(400, "invalid_idempotency_key");
    }
    appliance.send(&trigger(&appliance, &"a".repeat(255))).nothing();
}

#[test]
fn two_at_once_make_one() {
    let appliance = Appliance::start();
    let answers: Vec<Answer> = thread::scope(|scope| {
        let sent: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let request = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "x");
                    appliance.send(&request.json(&json!({"name": "once", "permissions": {}})))
                })
            })
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    assert!(made.iter().all(|answer| answer.text() == made[0].text()));
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "idempotent_request_in_progress");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[test]
fn a_client_that_goes_away_does_not_stop_its_write() {
    use std::io::Write as _;
    let appliance = Appliance::start();
    let body = json!({"name": "left", "permissions": {}}).to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nld-api-key: {}\r\nidempotency-key: left\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        appliance.tenant("/roles"),
        appliance.key,
        body.len()
    );
    let mut stream = crate::sockets::connect(appliance.address);
    stream.write_all(request.as_bytes()).unwrap();
    drop(stream);
    let again = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "left");
    let again = again.json(&serde_json::from_str(&body).unwrap());
    // Either the first got as far as its handler, and this is its answer, or it did not, and this is the first.
    let mut answer = appliance.send(&again);
    while answer.status == 409 {
        answer.problem(409, "idempotent_request_in_progress");
        answer = appliance.send(&again);
    }
    assert_eq!(answer.status, 201);
}
