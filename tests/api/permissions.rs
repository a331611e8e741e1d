//! Who may do what where: 401, 403 and 404 in their order.

use serde_json::{Value, json};

use crate::appliance::{Appliance, environment};
use crate::client::Request;

#[test]
fn a_key_that_is_missing_malformed_or_unknown_is_a_401() {
    let appliance = Appliance::with(&[("limits.failed_logins_per_minute", "0")]);
    let unknown = format!("ld_pk_{}", "a".repeat(40));
    for path in [appliance.snapshots(""), "/tenants".to_owned(), appliance.tenant("/api_keys/context")] {
        Request::new("GET", &path).send(appliance.address).problem(401, "unauthorized");
        for key in ["", "x", "ld_pk_short", "Bearer x", unknown.as_str(), &appliance.key[..20]] {
            appliance.get_with(key, &path).problem(401, "unauthorized");
        }
        let twice = appliance.request("GET", &path).header("ld-api-key", &appliance.key);
        appliance.send(&twice).problem(401, "unauthorized");
        let bearer = Request::new("GET", &path).header("authorization", &format!("Bearer {}", appliance.key));
        appliance.send(&bearer).problem(401, "unauthorized");
        let cookie = Request::new("GET", &path).header("cookie", &format!("ld-api-key={}", appliance.key));
        appliance.send(&cookie).problem(401, "unauthorized");
    }
}

#[test]
fn an_expired_key_and_a_revoked_one_are_a_401_at_their_next_request() {
    let appliance = Appliance::start();
    let key = appliance.key_with(&environment(&["deployment:read"]), None);
    appliance.get_with(&key, &appliance.snapshots("")).good();
    let database = appliance.database();
    // Another process may write meanwhile.
    let expired = database.execute(
        "UPDATE keys SET created_at = created_at - 7200, expires_at = created_at - 3600 WHERE name LIKE 'key-%'",
        [],
    );
    assert_eq!(expired.unwrap(), 1);
    let reason = appliance.get_with(&key, &appliance.snapshots("")).problem(401, "unauthorized");
    assert!(reason.contains("expired"), "{reason}");
    let key = appliance.key_with(&environment(&["deployment:read"]), None);
    appliance.get_with(&key, &appliance.snapshots("")).good();
    database.execute("DELETE FROM keys WHERE name LIKE 'key-%'", []).unwrap();
    appliance.get_with(&key, &appliance.snapshots("")).problem(401, "unauthorized");
}

#[test]
fn a_visible_deployment_without_the_permission_is_a_403_and_an_invisible_one_a_404() {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let (d, e) = (appliance.division.to_string(), appliance.environment.to_string());
    let (list, row, create) =
        (appliance.snapshots(""), appliance.snapshots(&format!("/{id}")), appliance.snapshots(""));
    // What each tree answers to: list, show, download, create, delete of a row that is not there.
    let (no, unseen) = ([403; 5], [404; 5]);
    let reads = [200, 200, 200, 403, 403];
    for (tree, expected) in [
        (json!({}), unseen),
        (json!({"environment": []}), unseen),
        (json!({"tenant": ["info:read", "division:read"]}), unseen),
        (json!({"environment": ["logs:read"]}), no),
        (json!({"environment": ["deployment:read"]}), reads),
        (json!({"environment": ["deployment:manage"]}), [200, 200, 200, 204, 404]),
        (json!({"environment": ["deployment:manage"], "divisions": {&d: {"environment": ["deployment:read"]}}}), reads),
        (json!({"environment": ["deployment:manage"], "divisions": {&d: {"environment": []}}}), unseen),
        (json!({"divisions": {&d: {"environment": ["deployment:read"]}}}), reads),
        (json!({"divisions": {&d: {"environments": {&e: ["deployment:read"]}}}}), reads),
        (json!({"divisions": {&d: {"environment": ["deployment:read"], "environments": {&e: []}}}}), unseen),
        (json!({"divisions": {&d: {"environment": [], "environments": {&e: ["x:read"]}}}}), no),
        (json!({"divisions": {&d: {"permissions": ["deployment:read"]}}}), unseen),
    ] {
        let key = appliance.key_with(&tree, None);
        let status = |method: &str, path: &str| {
            let answer = Request::new(method, path).header("ld-api-key", &key).send(appliance.address);
            match answer.status {
                403 => drop(answer.problem(403, "forbidden")),
                404 if expected == unseen => drop(answer.problem(404, "deployment_not_found")),
                _ => {}
            }
            answer.status
        };
        let got = [
            status("GET", &list),
            status("GET", &row),
            status("GET", &format!("{row}/download")),
            status("POST", &create),
            status("DELETE", &appliance.snapshots("/999")),
        ];
        assert_eq!(got, expected, "{tree}");
        if got[3] == 204 {
            let id = appliance.newest()["id"].clone();
            appliance.delete(&appliance.snapshots(&format!("/{id}"))).nothing();
        }
    }
}

fn two_divisions(appliance: &Appliance) -> (i64, i64, i64) {
    let division = appliance.add_division("second");
    let environment = appliance.add_environment(division, "e");
    (division, environment, appliance.add_deployment(environment, "x"))
}

#[test]
fn a_division_bound_key_sees_that_division_alone() {
    let appliance = Appliance::start();
    let (second, environment_id, deployment) = two_divisions(&appliance);
    let all: Value = json!({
        "tenant": ["info:read", "division:read", "api_key:read", "role:read"], "environment": ["deployment:read"],
    });
    let key = appliance.key_with(&all, Some(second));
    let get = |path: &str| appliance.get_with(&key, path);
    assert_eq!(get(&appliance.tenant("/divisions")).good()["total_results"], 1);
    get(&format!("/deployments/{deployment}/snapshots")).good();
    get(&appliance.snapshots("")).problem(404, "deployment_not_found");
    get(&appliance.tenant(&format!("/divisions/{second}/environments/{environment_id}"))).good();
    let first = appliance.tenant(&format!("/divisions/{}", appliance.division));
    get(&first).problem(404, "division_not_found");
    get(&format!("{first}/environments")).problem(404, "division_not_found");
    let keys = get(&appliance.tenant("/api_keys")).good();
    assert_eq!(keys["total_results"], 1, "it sees the keys of its own division");
    assert_eq!(keys["items"][0]["division_id"], second);
    assert_eq!(keys["items"][0]["division_name"], "second");
    let context = get(&appliance.tenant("/api_keys/context")).good();
    assert_eq!(context["division_id"], second);
}

#[test]
fn a_division_is_visible_by_an_environment_in_it_and_readable_with_the_permission() {
    let appliance = Appliance::start();
    let (second, environment_id, _) = two_divisions(&appliance);
    let path = appliance.tenant(&format!("/divisions/{second}"));
    let tree =
        json!({"divisions": {second.to_string(): {"environments": {environment_id.to_string(): ["deployment:read"]}}}});
    let key = appliance.key_with(&tree, None);
    appliance.get_with(&key, &path).problem(403, "forbidden");
    appliance.get_with(&key, &appliance.tenant("/divisions")).problem(403, "forbidden");
    assert_eq!(appliance.get_with(&key, &format!("{path}/environments")).good()["total_results"], 1);
    appliance.get_with(&key, &format!("{path}/environments/{environment_id}")).good();
    let reader = appliance.key_with(&json!({"tenant": ["division:read"]}), None);
    appliance.get_with(&reader, &path).good();
    let environments = appliance.get_with(&reader, &format!("{path}/environments")).good();
    assert_eq!(environments["items"], json!([]), "the division is visible, no environment is");
    appliance.get_with(&reader, &format!("{path}/environments/{environment_id}")).problem(404, "environment_not_found");
}

#[test]
fn each_core_endpoint_asks_for_its_permission() {
    let appliance = Appliance::start();
    let division = format!("/divisions/{}", appliance.division);
    for (path, permission) in [
        (appliance.tenant(""), "info:read"),
        (appliance.tenant("/structure"), "info:read"),
        (appliance.tenant("/divisions"), "division:read"),
        (appliance.tenant(&division), "division:read"),
        (appliance.tenant("/roles"), "role:read"),
        (appliance.tenant("/api_keys"), "api_key:read"),
    ] {
        let others: Vec<&str> = ["info:read", "division:read", "role:read", "api_key:read", "audit:read"]
            .into_iter()
            .filter(|other| *other != permission)
            .collect();
        let without = appliance.key_with(&json!({"tenant": others, "environment": ["deployment:read"]}), None);
        let reason = appliance.get_with(&without, &path).problem(403, "forbidden");
        assert!(reason.contains(permission), "{reason}");
        let with = appliance.key_with(&json!({"tenant": [permission]}), None);
        appliance.get_with(&with, &path).good();
    }
    let none = appliance.key_with(&json!({}), None);
    for path in ["/tenants".to_owned(), appliance.tenant("/summary"), appliance.tenant("/api_keys/context")] {
        appliance.get_with(&none, &path).good();
    }
}
