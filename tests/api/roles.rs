//! Roles: made, changed, deleted; nobody grants more than they have.

use serde_json::{Value, json};

use crate::appliance::Appliance;
use crate::client::Request;
use crate::shape::{Id, OneOf, Shape, Text, by_id, list, object, page};

const KINDS: &[&str] = &["system", "custom", "api_key"];

pub fn resolved() -> Shape {
    let environment = object(&[("name", Text), ("permissions", list(Text))]);
    let division = object(&[
        ("name", Text),
        ("permissions", list(Text)),
        ("environment", list(Text)),
        ("environments", by_id(environment)),
    ]);
    object(&[
        ("tenant", list(Text)),
        ("division", list(Text)),
        ("environment", list(Text)),
        ("divisions", by_id(division)),
    ])
}

fn item() -> Shape {
    object(&[("id", Id), ("name", Text), ("kind", OneOf(KINDS))])
}

/// Makes a role and gives its path.
fn made(appliance: &Appliance, name: &str, permissions: &Value) -> String {
    let answer = appliance.post(&appliance.tenant("/roles"), &json!({"name": name, "permissions": permissions}));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let id = answer.header("ld-role").unwrap();
    assert_eq!(answer.json()["id"].to_string(), id);
    appliance.tenant(&format!("/roles/{id}"))
}

#[test]
fn a_fresh_appliance_has_its_system_role() {
    let appliance = Appliance::start();
    let body = appliance.get(&appliance.tenant("/roles")).good();
    page(item()).check(&body);
    let system: Vec<&Value> =
        body["items"].as_array().unwrap().iter().filter(|role| role["kind"] == "system").collect();
    assert_eq!(system.len(), 1);
    let path = appliance.tenant(&format!("/roles/{}", system[0]["id"]));
    item().and(&[("permissions", resolved())]).check(&appliance.get(&path).good());
    appliance.put(&path, &json!({"name": "mine"})).problem(403, "role_protected");
    appliance.delete(&path).problem(403, "role_protected");
}

#[test]
fn a_role_is_answered_resolved_with_manage_expanded_to_read() {
    let appliance = Appliance::start();
    let (d, e) = (appliance.division.to_string(), appliance.environment.to_string());
    let tree = json!({
        "tenant": ["role:manage"],
        "environment": ["deployment:read"],
        "divisions": {&d: {"permissions": ["x:read"], "environments": {&e: ["deployment:manage"]}}},
    });
    let path = made(&appliance, "ops", &tree);
    let body = appliance.get(&path).good();
    item().and(&[("permissions", resolved())]).check(&body);
    assert_eq!((&body["name"], &body["kind"]), (&"ops".into(), &"custom".into()));
    let expected = json!({
        "tenant": ["role:manage", "role:read"],
        "division": [],
        "environment": ["deployment:read"],
        "divisions": {&d: {
            "name": "default",
            "permissions": ["x:read"],
            "environment": ["deployment:read"],
            "environments": {&e: {"name": "default", "permissions": ["deployment:manage", "deployment:read"]}},
        }},
    });
    assert_eq!(body["permissions"], expected);
    let empty = appliance.get(&made(&appliance, "nothing", &json!({}))).good();
    assert_eq!(empty["permissions"], json!({"tenant": [], "division": [], "environment": [], "divisions": {}}));
}

#[test]
fn a_bad_role_is_refused_with_the_path_of_each_issue() {
    let appliance = Appliance::start();
    for (body, expected) in [
        (json!({}), vec![("required", "name"), ("required", "permissions")]),
        (json!({"name": "", "permissions": {}}), vec![("invalid_value", "name")]),
        (json!({"name": 5, "permissions": []}), vec![("invalid_type", "name"), ("invalid_type", "permissions")]),
        (json!({"name": "r", "permissions": {"tenants": []}}), vec![("unknown_field", "permissions.tenants")]),
        (
            json!({"name": "r", "permissions": {"tenant": ["Bad Name"]}}),
            vec![("invalid_value", "permissions.tenant[0]")],
        ),
        (
            json!({"name": "r", "permissions": {"divisions": {"1": {}}}}),
            vec![("invalid_value", "permissions.divisions.1")],
        ),
        (json!({"name": "r", "permissions": {}, "kind": "system"}), vec![("unknown_field", "kind")]),
    ] {
        let issues = appliance.post(&appliance.tenant("/roles"), &body).issues();
        let issues: Vec<(&str, &str)> = issues.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
        assert_eq!(issues, expected, "{body}");
    }
    let division = appliance.division.to_string();
    let tree = json!({"divisions": {&division: {"environments": {"7": []}}}});
    let issues = appliance.post(&appliance.tenant("/roles"), &json!({"name": "r", "permissions": tree})).issues();
    assert_eq!(issues[0].1, format!("permissions.divisions.{division}.environments.7"));
}

#[test]
fn a_name_is_used_once() {
    let appliance = Appliance::start();
    made(&appliance, "ops", &json!({}));
    let other = made(&appliance, "dev", &json!({}));
    let twice = appliance.post(&appliance.tenant("/roles"), &json!({"name": "ops", "permissions": {}}));
    twice.problem(409, "name_taken");
    appliance.put(&other, &json!({"name": "ops"})).problem(409, "name_taken");
    appliance.put(&other, &json!({"name": "dev"})).nothing();
}

#[test]
fn a_change_is_partial_and_replaces_the_tree_as_a_whole() {
    let appliance = Appliance::start();
    let path = made(&appliance, "ops", &json!({"tenant": ["info:read"], "environment": ["deployment:read"]}));
    appliance.put(&path, &json!({"name": "operators"})).nothing();
    let body = appliance.get(&path).good();
    assert_eq!((&body["name"], &body["permissions"]["tenant"]), (&"operators".into(), &json!(["info:read"])));
    appliance.put(&path, &json!({"permissions": {"environment": ["deployment:manage"]}})).nothing();
    let body = appliance.get(&path).good();
    assert_eq!(body["name"], "operators");
    let expected = json!({
        "tenant": [], "division": [], "environment": ["deployment:manage", "deployment:read"], "divisions": {},
    });
    assert_eq!(body["permissions"], expected);
    appliance.put(&path, &json!({})).nothing();
    assert_eq!(appliance.get(&path).good(), body);
    assert_eq!(appliance.put(&path, &json!({"x": 1})).issues()[0].0, "unknown_field");
}

#[test]
fn a_role_that_keys_have_stays() {
    let appliance = Appliance::start();
    let path = made(&appliance, "ops", &json!({"environment": ["deployment:read"]}));
    let id: i64 = path.rsplit('/').next().unwrap().parse().unwrap();
    let key = json!({"name": "k", "expiry_at": crate::appliance::now().plus_s(3600), "role_id": id});
    let answer = appliance.post(&appliance.tenant("/api_keys"), &key);
    let (token, key_id) = (answer.json()["token"].as_str().unwrap().to_owned(), answer.json()["id"].clone());
    appliance.get_with(&token, &appliance.snapshots("")).good();
    appliance.delete(&path).problem(409, "role_in_use");
    // A changed role changes what its keys may do, at their next request.
    appliance.put(&path, &json!({"permissions": {}})).nothing();
    appliance.get_with(&token, &appliance.snapshots("")).problem(404, "deployment_not_found");
    appliance.delete(&appliance.tenant(&format!("/api_keys/{key_id}"))).nothing();
    appliance.delete(&path).nothing();
    appliance.get(&path).problem(404, "role_not_found");
    appliance.delete(&path).problem(404, "role_not_found");
    appliance.put(&path, &json!({})).problem(404, "role_not_found");
}

#[test]
fn nobody_makes_changes_or_deletes_a_role_beyond_their_own_permissions() {
    let appliance = Appliance::start();
    let own = json!({"tenant": ["role:manage"], "environment": ["deployment:read"]});
    let key = appliance.key_with(&own, None);
    let send = |method: &str, path: &str, body: &Value| {
        Request::new(method, path).header("ld-api-key", &key).json(body).send(appliance.address)
    };
    let roles = appliance.tenant("/roles");
    for beyond in [
        json!({"tenant": ["api_key:manage"]}),
        json!({"environment": ["deployment:manage"]}),
        json!({"divisions": {appliance.division.to_string(): {"environment": ["deployment:manage"]}}}),
    ] {
        let answer = send("POST", &roles, &json!({"name": "x", "permissions": beyond}));
        answer.problem(403, "permission_escalation");
    }
    let answer = send("POST", &roles, &json!({"name": "mine", "permissions": {"environment": ["deployment:read"]}}));
    assert_eq!(answer.status, 201);
    let mine = appliance.tenant(&format!("/roles/{}", answer.header("ld-role").unwrap()));
    let wider = json!({"permissions": {"environment": ["deployment:manage"]}});
    send("PUT", &mine, &wider).problem(403, "permission_escalation");
    send("PUT", &mine, &json!({"name": "still mine"})).nothing();
    let wide = made(&appliance, "wide", &json!({"environment": ["deployment:manage"]}));
    send("PUT", &wide, &json!({"permissions": {}})).problem(403, "permission_escalation");
    send("DELETE", &wide, &json!({})).problem(403, "permission_escalation");
    let reader = appliance.key_with(&json!({"tenant": ["role:read"]}), None);
    let answer = Request::new("POST", &roles).header("ld-api-key", &reader).json(&json!({})).send(appliance.address);
    answer.problem(403, "forbidden");
}
