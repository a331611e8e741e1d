//! What a key may not see reads like what is not there, and what is no id is the id of nothing.

use serde_json::{Value, json};
use snapvisor::http::call::Access;
use snapvisor::http::routes::ROUTES;

use crate::appliance::{Appliance, now};
use crate::client::{Answer, Request};

/// An id that nothing has: they are random, so this is as likely as any.
const UNUSED: i64 = 4_611_686_018_427_387_905;

/// Places and things, with a row in the deployment.
#[derive(Debug, Clone, Copy)]
struct Things {
    division: i64,
    environment: i64,
    deployment: i64,
    snapshot: i64,
    role: i64,
    key: i64,
}

/// Everything in a division of its own; the role and the key are of its tenant.
fn things(appliance: &Appliance, tenant: i64, name: &str) -> Things {
    let tenant = tenant.to_string();
    let division = appliance.add(&["division", "add", name, "--tenant", &tenant]);
    let environment = appliance.add_environment(division, name);
    let deployment = appliance.add_deployment(environment, name);
    appliance.add_node(deployment, name);
    let role = appliance.add(&["role", "add", name, "--tenant", &tenant, "--allow", "deployment:read"]);
    let bound = division.to_string();
    let key =
        ["key", "add", name, "--tenant", &tenant, "--division", &bound, "--allow", "deployment:manage", "-o", "json"];
    let key: Value = serde_json::from_slice(&appliance.command(&key).stdout).unwrap();
    let list = format!("/deployments/{deployment}/snapshots");
    let with = |method: &str| Request::new(method, &list).header("ld-api-key", key["token"].as_str().unwrap());
    appliance.send(&with("POST")).nothing();
    let row = appliance.send(&with("GET")).good()["items"][0]["id"].as_i64().unwrap();
    Things { division, environment, deployment, snapshot: row, role, key: key["id"].as_i64().unwrap() }
}

/// All that differs between two answers for reasons of its own is taken out: the request's id and the id that was asked for.
fn comparable(answer: &Answer, asked: i64) -> (u16, Vec<(String, String)>, String) {
    let instance = answer.request_id().to_owned();
    let body = answer.text().replace(&instance, "REQUEST").replace(&asked.to_string(), "ASKED");
    let headers = answer.telling().into_iter().filter(|(name, _)| *name != "content-length");
    (answer.status, headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), body)
}

/// Asks for both with the key, in the path or in the body, and expects the same refusal.
fn same(appliance: &Appliance, key: &str, method: &str, hidden: i64, request: impl Fn(i64) -> (String, Option<Value>)) {
    let answers = [hidden, UNUSED].map(|id| {
        let (path, body) = request(id);
        let asked = Request::new(method, &path).header("ld-api-key", key);
        let asked = body.map_or(asked.clone(), |body| asked.json(&body));
        let answer = asked.send(appliance.address);
        assert!([400, 403, 404].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        comparable(&answer, id)
    });
    assert_eq!(answers[0], answers[1], "{method} {:?}", request(hidden));
}

fn compare(appliance: &Appliance, key: &str, own: Things, hidden: Things) {
    let tenant = |rest: String| appliance.tenant(&rest);
    for (method, rest) in [("POST", ""), ("GET", ""), ("GET", "/1"), ("GET", "/1/download"), ("DELETE", "/1")] {
        same(appliance, key, method, hidden.deployment, |id| (format!("/deployments/{id}/snapshots{rest}"), None));
    }
    let rows = format!("/deployments/{}/snapshots", own.deployment);
    for (method, rest) in [("GET", ""), ("GET", "/download"), ("DELETE", "")] {
        same(appliance, key, method, hidden.snapshot, |id| (format!("{rows}/{id}{rest}"), None));
    }
    let division = tenant(format!("/divisions/{}", own.division));
    let environment = format!("{division}/environments/{}", own.environment);
    same(appliance, key, "GET", hidden.division, |id| (tenant(format!("/divisions/{id}")), None));
    same(appliance, key, "GET", hidden.division, |id| (tenant(format!("/divisions/{id}/environments")), None));
    for rest in ["", "/deployments"] {
        same(appliance, key, "GET", hidden.environment, |id| (format!("{division}/environments/{id}{rest}"), None));
        same(appliance, key, "GET", hidden.division, |id| {
            (tenant(format!("/divisions/{id}/environments/{}{rest}", hidden.environment)), None)
        });
    }
    same(appliance, key, "GET", hidden.deployment, |id| (format!("{environment}/deployments/{id}"), None));
    for (method, rest, body) in
        [("GET", "", None), ("DELETE", "", None), ("PUT", "/security", Some(json!({"validate_ip": false})))]
    {
        same(appliance, key, method, hidden.key, |id| (tenant(format!("/api_keys/{id}{rest}")), body.clone()));
    }
    let with_role =
        |permissions: Value| (tenant("/roles".to_owned()), Some(json!({"name": "r", "permissions": permissions})));
    let with_key = |name: &str, value: Value| {
        let mut body = json!({"name": "k", "expiry_at": now().plus_s(3600)});
        body[name] = value;
        if name == "division_id" {
            body["permissions"] = json!({});
        }
        (tenant("/api_keys".to_owned()), Some(body))
    };
    for list in [json!([]), json!(["x:read"]), json!(["deployment:read"])] {
        let tree = |id: i64| json!({"divisions": {id.to_string(): {"environment": list}}});
        same(appliance, key, "POST", hidden.division, |id| with_role(tree(id)));
        same(appliance, key, "POST", hidden.division, |id| with_key("permissions", tree(id)));
        let tree = |id: i64| json!({"divisions": {own.division.to_string(): {"environments": {id.to_string(): list}}}});
        same(appliance, key, "POST", hidden.environment, |id| with_role(tree(id)));
        same(appliance, key, "POST", hidden.environment, |id| with_key("permissions", tree(id)));
    }
    same(appliance, key, "POST", hidden.division, |id| with_key("division_id", json!(id)));
}

#[test]
fn another_tenants_things_read_like_things_that_are_not_there() {
    let appliance = Appliance::start();
    let own = things(&appliance, appliance.tenant.get(), "own");
    let tenant = appliance.add(&["tenant", "add", "other"]);
    let other = things(&appliance, tenant, "other");
    compare(&appliance, &appliance.key, own, other);
    for (method, body) in [("GET", None), ("PUT", Some(json!({}))), ("DELETE", None)] {
        same(&appliance, &appliance.key, method, other.role, |id| {
            (appliance.tenant(&format!("/roles/{id}")), body.clone())
        });
    }
    same(&appliance, &appliance.key, "POST", other.role, |id| {
        let body = json!({"name": "k", "expiry_at": now().plus_s(3600), "role_id": id});
        (appliance.tenant("/api_keys"), Some(body))
    });
    // A name that is used elsewhere is free here.
    let role = json!({"name": "other", "permissions": {}});
    assert_eq!(appliance.post(&appliance.tenant("/roles"), &role).status, 201);
    for rest in ["/divisions", "/roles", "/api_keys", "/structure"] {
        let text = appliance.get(&appliance.tenant(&format!("{rest}?results=100"))).text().to_owned();
        for id in [tenant, other.division, other.environment, other.deployment, other.role, other.key] {
            assert!(!text.contains(&id.to_string()), "{rest} tells of {id}");
        }
    }
}

#[test]
fn what_lies_outside_a_keys_division_reads_like_what_is_not_there() {
    let appliance = Appliance::start();
    let own = things(&appliance, appliance.tenant.get(), "own");
    let beside = things(&appliance, appliance.tenant.get(), "beside");
    let everything = json!({
        "tenant": ["info:read", "division:manage", "role:manage", "api_key:manage"], "environment": ["deployment:manage"],
    });
    let key = appliance.key_with(&everything, Some(own.division));
    compare(&appliance, &key, own, beside);
    // A role that speaks of both divisions is shown as far as the key sees.
    let tree = json!({"divisions": {
        own.division.to_string(): {"environment": ["deployment:read"]},
        beside.division.to_string(): {"environments": {beside.environment.to_string(): ["deployment:read"]}},
    }});
    let role = appliance.post(&appliance.tenant("/roles"), &json!({"name": "both", "permissions": tree}));
    let role = appliance.tenant(&format!("/roles/{}", role.header("ld-role").unwrap()));
    assert_eq!(appliance.get(&role).good()["permissions"]["divisions"].as_object().unwrap().len(), 2);
    let told = appliance.get_with(&key, &role);
    assert_eq!(
        told.good()["permissions"]["divisions"].as_object().unwrap().keys().collect::<Vec<_>>(),
        [&own.division.to_string()]
    );
    for rest in ["/divisions", "/api_keys", "/structure", "/api_keys/context"] {
        let text = appliance.get_with(&key, &appliance.tenant(&format!("{rest}?results=100"))).text().to_owned();
        for id in [beside.division, beside.environment, beside.deployment, beside.key] {
            assert!(!text.contains(&id.to_string()), "{rest} tells of {id}");
        }
    }
}

/// A pattern of the route table with the id of something that is there in each place.
fn filled(appliance: &Appliance, pattern: &str, things: Things) -> String {
    [
        ("tenant_id", appliance.tenant.get()),
        ("division_id", things.division),
        ("environment_id", things.environment),
        ("deployment_id", things.deployment),
        ("snapshot_id", things.snapshot),
        ("role_id", things.role),
        ("api_key_id", things.key),
    ]
    .iter()
    .fold(pattern.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), &id.to_string()))
}

#[test]
fn what_is_no_id_is_the_id_of_nothing() {
    let appliance = Appliance::with(&[("limits.requests_per_minute", "0"), ("limits.failed_logins_per_minute", "0")]);
    let things = things(&appliance, appliance.tenant.get(), "own");
    let long = "9".repeat(4000);
    for route in ROUTES {
        let params = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        for param in params {
            let (before, after) = route.path.split_once(&format!("{{{param}}}")).unwrap();
            let filled = |pattern: &str| filled(&appliance, pattern, things);
            let good = filled(&format!("{{{param}}}"));
            for bad in [
                "0",
                "-1",
                "9223372036854775808",
                "18446744073709551616",
                "1e3",
                "1.0",
                "0x10",
                "x",
                "null",
                "%31",
                "1%00",
                "..",
                "%2e%2e",
                "1;a=b",
                "1,2",
                "\u{663}",
                "' OR 1=1 --",
                &format!("0{good}"),
                &format!("+{good}"),
                &format!("{good}%20"),
                &long,
            ] {
                let bad = bad.replace(' ', "%20");
                let path = format!("{}{bad}{}", filled(before), filled(after));
                let answer = appliance.send(&appliance.request(route.method.as_str(), &path));
                let expected = match (param, route.access) {
                    ("tenant_id", _) => (401, "unauthorized".to_owned()),
                    (_, Access::Link) => (403, "link_invalid".to_owned()),
                    (param, _) => (404, format!("{}_not_found", param.trim_end_matches("_id"))),
                };
                answer.problem(expected.0, &expected.1);
            }
        }
    }
}

#[test]
fn a_key_with_every_permission_but_the_one_is_refused_at_every_endpoint() {
    let appliance = Appliance::start();
    let things = things(&appliance, appliance.tenant.get(), "own");
    let mut seen = 0;
    for route in ROUTES {
        let needed = match route.access {
            Access::Tenant(permission) => permission.name(),
            Access::Environment(permission) => permission.name(),
            Access::Public | Access::Link | Access::LoopbackOrKey | Access::Key | Access::Visible => continue,
        };
        // To manage is to read: who is not to read may not manage either.
        let implied = needed.replace(":read", ":manage");
        let others = |all: &[&str]| -> Vec<String> {
            all.iter().filter(|name| **name != needed && **name != implied).map(|name| (*name).to_owned()).collect()
        };
        let tenant = ["info:manage", "division:manage", "role:manage", "api_key:manage", "audit:read"];
        let tenant = [&tenant[..], &["info:read", "division:read", "role:read", "api_key:read"]].concat();
        let tree = json!({
            "tenant": others(&tenant), "environment": others(&["deployment:manage", "deployment:read", "logs:read"]),
        });
        let key = appliance.key_with(&tree, None);
        let request =
            Request::new(route.method.as_str(), &filled(&appliance, route.path, things)).header("ld-api-key", &key);
        let request = if route.method == "PUT" || route.method == "POST" { request.json(&json!({})) } else { request };
        let reason = request.send(appliance.address).problem(403, "forbidden");
        assert!(reason.contains(needed), "{} {}: {reason}", route.method, route.path);
        seen += 1;
    }
    assert!(seen > 15, "{seen} endpoints ask for a permission");
}
