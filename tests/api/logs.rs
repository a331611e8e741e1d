//! What the log may say: never a key, a token or a signature, wherever a client or the operator put it, in either form and
//! in the file as on standard error.

use std::fs;

use crate::appliance::Appliance;
use crate::client::Request;

/// A token of GitHub's form: the engine knows it wherever it stands.
const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

/// Every place of a request that a client may put a secret into.
fn plant(appliance: &Appliance, secret: &str) {
    let list = appliance.snapshots("");
    let mut requests = vec![
        Request::new("GET", &format!("{list}?api_key={secret}&token={secret}")),
        Request::new("GET", &format!("/{secret}")),
        Request::new("GET", &format!("/tenants/{secret}")),
        Request::new("GET", &format!("/deployments/{secret}/snapshots/{secret}")),
        Request::new("GET", &format!("/archives/1?signature={secret}")),
        Request::new("GET", &format!("http://user:{secret}@elsewhere/tenants")),
        Request::new(&secret.replace('_', "-"), "/tenants"),
        Request::new("POST", &list).header("ld-api-key", &appliance.key).header("idempotency-key", secret).body(b"x"),
        Request::new("POST", &list).header("content-type", secret).body(secret.as_bytes()),
        appliance.request("POST", &list).json(&serde_json::json!({ secret: secret })),
        appliance
            .request("POST", &appliance.tenant("/roles"))
            .json(&serde_json::json!({"name": secret, "permissions": {}})),
        appliance
            .request("POST", &appliance.tenant("/roles"))
            .json(&serde_json::json!({"name": secret, "permissions": {}})),
        Request::new("GET", "/tenants").header("ld-api-key", &appliance.key).header("ld-api-key", secret),
    ];
    for name in
        ["ld-api-key", "authorization", "cookie", "x-forwarded-for", "forwarded", "user-agent", "referer", "range"]
    {
        requests.push(Request::new("GET", "/tenants").header(name, secret));
    }
    for request in requests {
        appliance.send(&request);
    }
    // What breaks a connection may be logged, too.
    for bytes in [format!("GET /{secret} HTTP/1.1\r\nx{secret}\r\n\r\n"), format!("{secret}\r\n\r\n")] {
        crate::sockets::exchange(appliance.address, bytes.as_bytes());
    }
}

#[test]
fn no_secret_of_a_request_reaches_the_log_in_either_form() {
    for format in ["json", "text"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapvisor.log");
        let mut appliance = Appliance::with(&[
            ("log_format", format),
            ("log_file", file.to_str().unwrap()),
            ("trusted_proxies", "127.0.0.1"),
        ]);
        let link = appliance.link(appliance.taken());
        let answer = Request::new("GET", &link).send(appliance.address);
        assert_eq!(answer.status, 200);
        plant(&appliance, TOKEN);
        let unknown = format!("ld_pk_{}", "Zz9".repeat(14));
        for key in [appliance.key.clone(), unknown.clone()] {
            plant(&appliance, &key);
        }
        // Our own failure, whose whole chain is logged.
        appliance.database().execute_batch("ALTER TABLE triggers RENAME TO hidden").unwrap();
        appliance.get(&format!("{}?token={TOKEN}", appliance.snapshots(""))).problem(500, "internal_error");
        appliance.ask_to_stop();
        appliance.wait_for_end();
        let signature = link.split_once("signature=").unwrap().1;
        let (stderr, file) = (appliance.log(), fs::read_to_string(&file).unwrap());
        assert_eq!(stderr, file, "the same lines go to both");
        for (what, secret) in [
            ("a token", &TOKEN[4..]),
            ("a key", &appliance.key[6..]),
            ("a key that is none", &unknown[6..]),
            ("a signature", signature),
        ] {
            assert!(!stderr.contains(secret), "{what} is in the log: {stderr}");
        }
        let id = answer.request_id();
        let answered = stderr.lines().find(|line| line.contains(id)).expect("the request's id is in its line");
        assert!(answered.contains("/archives/{snapshot_id}"), "{answered}");
        assert!(stderr.contains("a request failed") && stderr.lines().count() > 50, "{stderr}");
        if format == "json" {
            assert!(stderr.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{stderr}");
        }
    }
}

#[test]
fn the_writer_masks_what_gets_into_a_line_all_the_same() {
    // The first line names the data directory, so a secret in its name is one in the log, were it not for the writer.
    let key = format!("ld_pk_{}", "Zz9".repeat(14));
    for (format, named) in [("json", TOKEN), ("text", TOKEN), ("json", key.as_str()), ("text", &key)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapvisor.log");
        let settings = [("log_format", format), ("log_file", file.to_str().unwrap())];
        let appliance = Appliance::named(named, &settings);
        let line = fs::read_to_string(&file).unwrap();
        assert!(line.contains("serving") && line.contains("data_dir"), "{line}");
        for text in [line, appliance.log()] {
            assert!(!text.contains(&named[6..]), "{format}: {text}");
        }
    }
}

#[test]
fn no_answer_says_where_anything_is_or_what_failed_within() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let link = appliance.link(id);
    let archives = appliance.data_dir.join("archives");
    // The archive cannot be read: not gone, and not ours to open.
    fs::remove_file(archives.join(format!("{id}.zip"))).unwrap();
    fs::create_dir(archives.join(format!("{id}.zip"))).unwrap();
    let mut answers = vec![
        Request::new("GET", &link).send(appliance.address),
        appliance.get(&appliance.snapshots(&format!("/{id}/download"))),
    ];
    let detail = |text: &str| format!("UPDATE snapshots SET left_out = '{text}'");
    appliance.database().execute_batch(&detail("[7]")).unwrap();
    answers.push(appliance.get(&appliance.snapshots(&format!("/{id}"))));
    appliance.database().execute_batch("PRAGMA legacy_alter_table = ON; ALTER TABLE roles RENAME TO hidden").unwrap();
    for (method, rest) in [("GET", "/roles"), ("GET", "/api_keys/context"), ("POST", "/roles"), ("DELETE", "/roles/7")]
    {
        let request = appliance.request(method, &appliance.tenant(rest));
        let body = serde_json::json!({"name": "x", "permissions": {}});
        answers.push(appliance.send(&if method == "POST" { request.json(&body) } else { request }));
    }
    for answer in answers {
        let text = answer.text().to_lowercase();
        assert!(answer.status == 404 || answer.status == 500, "{} {text}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let data_dir = appliance.data_dir.to_str().unwrap().to_lowercase();
        for word in
            [data_dir.as_str(), "sqlite", "select", "no such table", "hidden", "column", "os error", ".zip", "src/"]
        {
            assert!(!text.contains(word), "{word} is in {text}");
        }
    }
}
