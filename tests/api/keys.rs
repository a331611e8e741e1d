//! API keys: made, shown without their token, bound to addresses, revoked.

use serde_json::{Value, json};

use crate::appliance::{Appliance, environment, now};
use crate::client::{Answer, Request};
use crate::roles::resolved;
use crate::shape::{Bool, Id, Shape, Text, Time, list, object, page};

fn item() -> Shape {
    object(&[
        ("id", Id),
        ("user_id", Id),
        ("role_id", Id),
        ("role_name", Text),
        ("name", Text),
        ("validate_ip", Bool),
        ("allowed_ips", list(Text)),
        ("expiry_at", Time),
        ("created_at", Time),
    ])
    .maybe(&[("division_id", Id), ("division_name", Text)])
}

fn asked(name: &str) -> Value {
    json!({"name": name, "expiry_at": now().plus_s(3600), "permissions": {"environment": ["deployment:read"]}})
}

/// The same body with one field set.
fn but(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn create(appliance: &Appliance, body: &Value) -> Answer {
    appliance.post(&appliance.tenant("/api_keys"), body)
}

#[test]
fn a_keys_token_is_shown_once_and_works() {
    let appliance = Appliance::start();
    let answer = create(&appliance, &asked("ci"));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let body = answer.json();
    object(&[("id", Id), ("token", Text)]).check(&body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let token = body["token"].as_str().unwrap();
    let secret = token.strip_prefix("ld_pk_").unwrap();
    assert!(secret.len() >= 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    appliance.get_with(token, &appliance.snapshots("")).good();
    let path = appliance.tenant(&format!("/api_keys/{}", body["id"]));
    let shown = appliance.get(&path);
    item().and(&[("permissions", resolved())]).check(&shown.good());
    let listed = appliance.get(&appliance.tenant("/api_keys"));
    page(item()).check(&listed.good());
    for answer in [shown, listed] {
        assert!(!answer.text().contains(secret) && !answer.text().contains("token"));
    }
    let database = std::fs::read(appliance.store.path()).unwrap();
    let journal = std::fs::read(appliance.store.path().with_extension("db-wal")).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds(&database) && !holds(&journal), "only a hash is stored");
}

#[test]
fn the_context_is_the_calling_key() {
    let appliance = Appliance::start();
    let context = appliance.get(&appliance.tenant("/api_keys/context")).good();
    item().and(&[("permissions", resolved())]).check(&context);
    let one = appliance.get(&appliance.tenant(&format!("/api_keys/{}", context["id"]))).good();
    assert_eq!(one, context);
    let key = appliance.key_with(&environment(&["deployment:read"]), None);
    let own = appliance.get_with(&key, &appliance.tenant("/api_keys/context")).good();
    assert_eq!(own["permissions"]["environment"], json!(["deployment:read"]));
    assert_ne!(own["id"], context["id"]);
    assert_eq!(own["user_id"], context["user_id"], "the appliance has one operator");
}

#[test]
fn a_bad_key_is_refused_with_the_path_of_each_issue() {
    let appliance = Appliance::start();
    let role = appliance.get(&appliance.tenant("/roles")).good()["items"][0]["id"].clone();
    let year = 365 * 86_400;
    for (body, expected) in [
        (json!({}), vec![("required", "name"), ("required", "expiry_at"), ("required", "role_id")]),
        (but(asked("k"), "name", json!(" k")), vec![("invalid_value", "name")]),
        (but(asked("k"), "expiry_at", json!("tomorrow")), vec![("invalid_value", "expiry_at")]),
        (but(asked("k"), "expiry_at", json!(1_700_000_000)), vec![("invalid_type", "expiry_at")]),
        (but(asked("k"), "expiry_at", json!(now().plus_s(year + 60))), vec![("invalid_value", "expiry_at")]),
        (but(asked("k"), "expiry_at", json!(now().plus_s(-1))), vec![("invalid_value", "expiry_at")]),
        (but(asked("k"), "role_id", role.clone()), vec![("invalid_value", "role_id")]),
        (but(asked("k"), "validate_ip", json!("yes")), vec![("invalid_type", "validate_ip")]),
        (but(asked("k"), "validate_ip", json!(true)), vec![("invalid_value", "allowed_ips")]),
        (but(asked("k"), "allowed_ips", json!(["10.0.0.0/8", "x"])), vec![("invalid_value", "allowed_ips[1]")]),
        (but(asked("k"), "allowed_ips", json!(["10.0.0.0/33"])), vec![("invalid_value", "allowed_ips[0]")]),
        (but(asked("k"), "allowed_ips", json!([1])), vec![("invalid_type", "allowed_ips[0]")]),
        (but(asked("k"), "allowed_ips", json!(vec!["10.0.0.1"; 101])), vec![("invalid_value", "allowed_ips")]),
        (but(asked("k"), "division_id", json!("1")), vec![("invalid_type", "division_id")]),
        (but(asked("k"), "division_id", json!(1)), vec![("invalid_value", "division_id")]),
        (but(asked("k"), "expires_at", json!(1)), vec![("unknown_field", "expires_at")]),
    ] {
        let issues = create(&appliance, &body).issues();
        let issues: Vec<(&str, &str)> = issues.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
        assert_eq!(issues, expected, "{body}");
    }
    let unknown = json!({"name": "k", "expiry_at": now().plus_s(3600), "role_id": 7});
    create(&appliance, &unknown).problem(404, "role_not_found");
    assert_eq!(appliance.get(&appliance.tenant("/api_keys")).good()["total_results"], 1);
}

#[test]
fn a_key_may_live_for_365_days_and_null_is_absent() {
    let appliance = Appliance::start();
    let body = json!({
        "name": "long", "expiry_at": now().plus_s(365 * 86_400), "permissions": {}, "role_id": null, "division_id": null,
        "allowed_ips": null, "validate_ip": false,
    });
    assert_eq!(create(&appliance, &body).status, 201);
    create(&appliance, &body).problem(409, "name_taken");
}

#[test]
fn the_list_is_filtered_by_name_and_its_links_keep_the_filter() {
    let appliance = Appliance::start();
    for name in ["ci one", "ci two", "laptop"] {
        assert_eq!(create(&appliance, &asked(name)).status, 201);
    }
    let answer = appliance.get(&appliance.tenant("/api_keys?name=ci%20&results=1"));
    let body = answer.good();
    assert_eq!(body["total_results"], 2);
    // Made within one second, they stand in no order.
    let name = body["items"][0]["name"].as_str().unwrap();
    assert!(["ci one", "ci two"].contains(&name), "{name}");
    assert!(answer.header("link").unwrap().contains("?name=ci%20&page=2&results=1>; rel=\"next\""));
    assert_eq!(appliance.get(&appliance.tenant("/api_keys?name=nobody")).good()["items"], json!([]));
    let twice = appliance.get(&appliance.tenant("/api_keys?name=a&name=b")).issues();
    assert_eq!(twice, [("duplicate".to_owned(), "name".to_owned())]);
}

#[test]
fn a_key_works_from_the_addresses_on_its_list_alone() {
    let appliance = Appliance::with(&[("trusted_proxies", "127.0.0.1/32")]);
    let list = json!(["192.0.2.7", "2001:db8::/32"]);
    let body = but(but(asked("bound"), "validate_ip", json!(true)), "allowed_ips", list.clone());
    let answer = create(&appliance, &body);
    let (token, id) = (answer.json()["token"].as_str().unwrap().to_owned(), answer.json()["id"].clone());
    let from = |address: &str| {
        let request = Request::new("GET", &appliance.snapshots("")).header("ld-api-key", &token);
        request.header("x-forwarded-for", address).send(appliance.address)
    };
    for (address, allowed) in [
        ("192.0.2.7", true),
        ("192.0.2.8", false),
        ("2001:db8::5", true),
        ("2001:db9::5", false),
        ("192.0.2.7, 203.0.113.9", false),
        ("203.0.113.9, 192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("::ffff:c000:207", true),
        ("[2001:db8::5]:4711", true),
        ("192.0.2.7:4711", true),
        ("nonsense, 192.0.2.7", true),
        ("192.0.2.7, nonsense", false),
        ("192.0.2.007", false),
        ("127.0.0.1", false),
        ("", false),
    ] {
        if allowed {
            from(address).good();
        } else {
            from(address).problem(403, "address_not_allowed");
        }
    }
    let path = appliance.tenant(&format!("/api_keys/{id}/security"));
    assert_eq!(appliance.put(&path, &json!({"allowed_ips": []})).issues()[0].1, "allowed_ips");
    assert_eq!(appliance.put(&path, &json!({"allowed_ips": ["nowhere"]})).issues()[0].1, "allowed_ips[0]");
    appliance.put(&path, &json!({"validate_ip": false})).nothing();
    from("203.0.113.9").good();
    let shown = appliance.get(&appliance.tenant(&format!("/api_keys/{id}"))).good();
    assert_eq!((&shown["validate_ip"], &shown["allowed_ips"]), (&false.into(), &list));
    appliance.put(&path, &json!({"allowed_ips": ["203.0.113.0/24"], "validate_ip": true})).nothing();
    from("203.0.113.9").good();
    from("192.0.2.7").problem(403, "address_not_allowed");
}

#[test]
fn a_forwarded_address_counts_from_a_trusted_proxy_alone() {
    let appliance = Appliance::start();
    let body = but(but(asked("bound"), "validate_ip", json!(true)), "allowed_ips", json!(["192.0.2.7"]));
    let token = create(&appliance, &body).json()["token"].as_str().unwrap().to_owned();
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-for", "127.0.0.1, 192.0.2.7"),
        ("x-real-ip", "192.0.2.7"),
        ("forwarded", "for=192.0.2.7"),
        ("true-client-ip", "192.0.2.7"),
    ] {
        let request = Request::new("GET", &appliance.snapshots("")).header("ld-api-key", &token);
        request.header(name, value).send(appliance.address).problem(403, "address_not_allowed");
    }
}

#[test]
fn a_revoked_key_is_a_401_at_its_next_request() {
    let appliance = Appliance::start();
    let answer = create(&appliance, &asked("gone"));
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let path = appliance.tenant(&format!("/api_keys/{}", answer.json()["id"]));
    appliance.get_with(&token, &appliance.snapshots("")).good();
    appliance.delete(&path).nothing();
    appliance.get_with(&token, &appliance.snapshots("")).problem(401, "unauthorized");
    appliance.get(&path).problem(404, "api_key_not_found");
    appliance.delete(&path).problem(404, "api_key_not_found");
    appliance.put(&format!("{path}/security"), &json!({})).problem(404, "api_key_not_found");
}

#[test]
fn nobody_makes_a_key_beyond_their_own_permissions_or_division() {
    let appliance = Appliance::start();
    let own = json!({"tenant": ["api_key:manage", "role:read"], "environment": ["deployment:read"]});
    let bound = appliance.division.get();
    for division in [None, Some(bound)] {
        let key = appliance.key_with(&own, division);
        let send = |body: &Value| {
            let request = Request::new("POST", &appliance.tenant("/api_keys")).header("ld-api-key", &key);
            request.json(body).send(appliance.address)
        };
        let name = |suffix: &str| format!("{suffix}-{}", division.is_some());
        let wider = json!({"environment": ["deployment:manage"]});
        send(&but(asked(&name("wide")), "permissions", wider)).problem(403, "permission_escalation");
        let tenant = json!({"tenant": ["info:read"]});
        send(&but(asked(&name("tenant")), "permissions", tenant)).problem(403, "permission_escalation");
        let roles = appliance.get(&appliance.tenant("/roles")).good()["items"].as_array().unwrap().clone();
        let system = roles.iter().find(|role| role["kind"] == "system").unwrap()["id"].clone();
        let body = json!({"name": name("system"), "expiry_at": now().plus_s(3600), "role_id": system});
        send(&body).problem(403, "permission_escalation");
        let inside = but(asked(&name("inside")), "division_id", json!(bound));
        assert_eq!(send(&inside).status, 201);
        let unbound = send(&asked(&name("unbound")));
        match division {
            None => assert_eq!(unbound.status, 201, "{}", unbound.text()),
            Some(_) => drop(unbound.problem(403, "permission_escalation")),
        }
    }
    let reader = appliance.key_with(&json!({"tenant": ["api_key:read"]}), None);
    let request = Request::new("POST", &appliance.tenant("/api_keys")).header("ld-api-key", &reader);
    request.json(&asked("x")).send(appliance.address).problem(403, "forbidden");
}

#[test]
fn there_are_as_many_keys_and_roles_as_the_tenant_may_have() {
    use snapvisor::orchestrator::{Actor, KeyRequest, KeyRole, create_key, create_role};
    let appliance = Appliance::start();
    let features = appliance.get(&appliance.tenant("")).good()["features"].clone();
    let (keys, roles) = (features["api_keys_limit"].as_i64().unwrap(), features["roles_limit"].as_i64().unwrap());
    let tenant = appliance.tenant;
    appliance.change(move |w| {
        let actor = Actor::command_line();
        // The first key and the system role are there.
        for number in 1..keys {
            let request = KeyRequest {
                name: format!("key-{number}"),
                expires_at: now().plus_s(3600),
                security: snapvisor::store::Security::default(),
                division_id: None,
                role: KeyRole::Inline(snapvisor::domain::permission::Permissions::default()),
            };
            create_key(w, &actor, tenant, request, now())?;
        }
        for number in 1..roles {
            let nothing = snapvisor::domain::permission::Permissions::default();
            create_role(w, &actor, tenant, &format!("role-{number}"), nothing, now())?;
        }
        Ok(())
    });
    create(&appliance, &asked("one more")).problem(409, "api_keys_limit_reached");
    let role = json!({"name": "one more", "permissions": {}});
    appliance.post(&appliance.tenant("/roles"), &role).problem(409, "roles_limit_reached");
}
