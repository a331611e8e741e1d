//! Idempotency keys: the same request again gets the first answer again.

use std::thread;

use serde_json::json;

use crate::appliance::{Appliance, now};
use crate::client::{ANSWER_MAX, Answer, Request};

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
    let first = appliance.send(&trigger(&appliance, "a"));
    first.nothing();
    assert!(!is_replayed(&first));
    let again = appliance.send(&trigger(&appliance, "a"));
    again.nothing();
    assert!(is_replayed(&again));
    assert_eq!(again.header("ld-snapshot"), first.header("ld-snapshot"));
    assert_ne!(again.request_id(), first.request_id(), "a replay is a new answer");
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 1);
    // The real one may be over by now, on however fast a machine; one that is entered is not.
    appliance.clear();
    appliance.at_work();
    appliance.send(&trigger(&appliance, "b")).problem(409, "snapshot_in_progress");
    assert!(is_replayed(&appliance.send(&trigger(&appliance, "a"))), "a replay asks nobody");
}

#[test]
fn another_method_path_or_body_under_the_same_key_is_refused() {
    let appliance = Appliance::start();
    appliance.send(&trigger(&appliance, "a")).nothing();
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
    let (id, _) = appliance.at_work();
    appliance.send(&trigger(&appliance, "a")).problem(409, "snapshot_in_progress");
    appliance.complete(id);
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
    for entry in std::fs::read_dir(&appliance.data_dir).unwrap() {
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

#[test]
fn a_first_answer_outlives_the_server_unless_it_holds_a_secret() {
    let mut appliance = Appliance::start();
    let roles = appliance.tenant("/roles");
    let role = appliance.request("POST", &roles).header("idempotency-key", "r");
    let role = role.json(&json!({"name": "once", "permissions": {}}));
    let keys = appliance.tenant("/api_keys");
    let key = appliance.request("POST", &keys).header("idempotency-key", "k");
    let key = key.json(&json!({"name": "k", "expiry_at": now().plus_s(3600), "permissions": {}}));
    let (first, token) = (appliance.send(&role), appliance.send(&key));
    assert_eq!((first.status, token.status), (201, 201));
    appliance.restart();
    let again = appliance.send(&role);
    assert!(is_replayed(&again));
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("ld-role"), first.header("ld-role"));
    assert_ne!(again.request_id(), first.request_id());
    // The token was kept in memory alone, so the request runs again, and its name is used.
    appliance.send(&key).problem(409, "name_taken");
}

#[test]
fn a_first_answer_is_kept_for_ten_minutes() {
    let appliance = Appliance::start();
    let request = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "r");
    let request = request.json(&json!({"name": "once", "permissions": {}}));
    assert_eq!(appliance.send(&request).status, 201);
    let older = |seconds: i64| {
        appliance.database().execute("UPDATE idempotency SET created_at = created_at - ?1", [seconds]).unwrap();
    };
    older(590);
    assert!(is_replayed(&appliance.send(&request)));
    older(10);
    appliance.send(&request).problem(409, "name_taken");
}

#[test]
fn one_that_runs_is_told_apart_from_one_that_ran_and_a_crash_forgets_it() {
    let mut appliance = Appliance::start();
    let request = appliance.request("POST", &appliance.tenant("/roles")).header("idempotency-key", "r");
    let once = request.clone().json(&json!({"name": "once", "permissions": {}}));
    let other = request.json(&json!({"name": "other", "permissions": {}}));
    // While somebody else writes, whichever comes first waits, and the others are told so.
    let database = appliance.database();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (answered, answers) = std::sync::mpsc::channel();
    for _ in 0..3 {
        let (answered, bytes, address) = (answered.clone(), once.bytes(appliance.address), appliance.address);
        thread::spawn(move || answered.send(crate::sockets::exchange(address, &bytes)));
    }
    for _ in 0..2 {
        let again = Answer::parse(&answers.recv_timeout(ANSWER_MAX).unwrap());
        again.problem(409, "idempotent_request_in_progress");
        assert_eq!(again.header("retry-after"), Some("1"));
    }
    appliance.send(&other).problem(409, "idempotency_error");
    appliance.kill();
    assert_eq!(answers.recv_timeout(ANSWER_MAX).unwrap(), b"");
    database.execute_batch("ROLLBACK").unwrap();
    appliance.start_again();
    let answer = appliance.send(&once);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!is_replayed(&answer));
}
