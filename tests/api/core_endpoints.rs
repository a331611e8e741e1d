//! The read side of Core: every answer is checked for each required field, its type and its closed list.

use serde_json::{Value, json};

use crate::appliance::{Appliance, environment};
use crate::shape::{Bool, Count, Id, OneOf, Shape, Text, Time, list, object, page};

const CLOUDS: &[&str] = &["aws", "gcp"];
const VARIANTS: &[&str] = &["managed", "byoc", "on_premise"];

fn tenant_item() -> Shape {
    object(&[("id", Id), ("name", Text), ("protected", Bool), ("created_at", Time), ("updated_at", Time)])
        .maybe(&[("remarks", Text)])
}

fn features() -> Shape {
    let counts = [
        "invitations_limit",
        "members_limit",
        "roles_limit",
        "divisions_limit",
        "environments_limit",
        "deployment_access_rules_limit",
        "deployment_configs_limit",
        "deployment_backups_limit",
        "private_connections_limit",
        "private_endpoints_limit",
        "audit_retention_days",
        "api_keys_limit",
        "cloud_accounts_limit",
        "notification_channels_limit",
        "notification_subscriptions_limit",
        "deployment_snapshots_limit",
        "custom_domains_limit",
        "backup_regions_limit",
        "nodes_per_deployment_limit",
        "backup_retention_days",
        "snapshot_retention_days",
        "pending_invitations_limit",
        "api_key_allowed_ips_limit",
        "divisions_per_role_limit",
        "environments_per_division_limit",
        "concurrent_deployments_limit",
        "verified_domains_limit",
    ];
    let switches = [
        "byoc_enabled",
        "cluster_enabled",
        "on_premise_enabled",
        "private_networking_enabled",
        "multi_az_enabled",
        "dedicated_enabled",
        "backup_enabled",
        "cross_region_dr_enabled",
        "audit_export_enabled",
        "advanced_connectors_enabled",
        "custom_idp_enabled",
        "customer_managed_keys_enabled",
        "advanced_notification_channels_enabled",
        "scim_enabled",
    ];
    let fields: Vec<(&'static str, Shape)> = counts
        .into_iter()
        .map(|name| (name, Count))
        .chain(switches.into_iter().map(|name| (name, Bool)))
        .chain([("deployment_tiers", list(object(&[("tier", Text), ("limit", Count)])))])
        .collect();
    object(&fields)
}

fn deployment() -> Shape {
    object(&[
        ("id", Id),
        ("name", Text),
        ("code", Text),
        ("variant", OneOf(VARIANTS)),
        ("domain", Text),
        ("cloud", OneOf(CLOUDS)),
        ("area", OneOf(&["us", "eu", "ap", "ca", "sa"])),
        ("cluster", OneOf(&["standalone", "cluster"])),
        ("runtimes", list(OneOf(&["warden", "iggy", "connectors", "plane", "mcp"]))),
        ("nodes_count", Count),
        ("protected", Bool),
        ("encrypted", Bool),
        ("dedicated", Bool),
        ("shared", Bool),
        ("storage_type", OneOf(&["local_ssd", "network_balanced", "network_optimized", "network_extreme"])),
        ("storage_size", Count),
        ("availability_mode", OneOf(&["single_az", "multi_az"])),
        (
            "retention",
            object(&[(
                "telemetry",
                object(&[("logs_days", Count), ("metrics_days", Count), ("heartbeats_days", Count)]),
            )]),
        ),
        ("can_upgrade", Bool),
        ("created_at", Time),
        ("updated_at", Time),
        ("supervisor_url", Text),
    ])
    .maybe(&[
        ("region", Text),
        ("tier", Text),
        ("rate_limit", Count),
        ("target_network_tput", Count),
        ("upgraded_at", Time),
        ("description", Text),
    ])
}

/// Division and environment by position: a second of each, with a deployment of two nodes.
fn grown() -> (Appliance, i64, i64, i64) {
    let appliance = Appliance::start();
    let division = appliance.add_division("second");
    let environment = appliance.add_environment(division, "staging");
    let place = environment.to_string();
    let new = ["deployment", "add", "events", "--environment", &place, "--region", "eu-central-1"];
    let deployment = appliance.add(&new);
    for name in ["a", "b"] {
        appliance.add_node(deployment, name);
    }
    (appliance, division, environment, deployment)
}

#[test]
fn tenants_are_a_plain_array_with_the_keys_own() {
    let appliance = Appliance::start();
    let body = appliance.get("/tenants").good();
    list(tenant_item()).check(&body);
    assert_eq!(body.as_array().unwrap().len(), 1);
    assert_eq!((&body[0]["id"], &body[0]["name"]), (&appliance.tenant.get().into(), &"default".into()));
}

#[test]
fn a_tenant_has_its_plan_and_the_limits_that_are_enforced() {
    let appliance = Appliance::start();
    let subscription = object(&[
        ("id", Id),
        ("plan", OneOf(&["basic", "pro", "enterprise"])),
        ("active", Bool),
        ("created_at", Time),
        ("valid_from", Time),
        ("valid_to", Time),
    ]);
    let body = appliance.get(&appliance.tenant("")).good();
    tenant_item()
        .and(&[
            ("description", Text),
            ("email", Text),
            ("features", features()),
            ("starter_available", Bool),
            ("has_payment_method", Bool),
            ("has_custom_email_domain", Bool),
        ])
        .maybe(&[("status", OneOf(&["inactive", "active", "locked", "deleted"])), ("subscription", subscription)])
        .check(&body);
    assert_eq!(body["subscription"]["plan"], "enterprise");
    let features = &body["features"];
    assert_eq!(
        (&features["deployment_snapshots_limit"], &features["snapshot_retention_days"]),
        (&20.into(), &90.into())
    );
    assert_eq!((&features["api_keys_limit"], &features["api_key_allowed_ips_limit"]), (&1000.into(), &100.into()));
    appliance.set_plan("basic");
    let features = appliance.get(&appliance.tenant("")).good()["features"].clone();
    assert_eq!((&features["deployment_snapshots_limit"], &features["snapshot_retention_days"]), (&3.into(), &7.into()));
}

#[test]
fn the_structure_is_a_tree_of_what_the_key_sees() {
    let (appliance, division, environment_id, deployment) = grown();
    let shape = object(&[
        ("id", Id),
        ("name", Text),
        (
            "divisions",
            list(object(&[
                ("id", Id),
                ("name", Text),
                (
                    "environments",
                    list(object(&[
                        ("id", Id),
                        ("name", Text),
                        (
                            "deployments",
                            list(
                                object(&[
                                    ("id", Id),
                                    ("name", Text),
                                    ("cloud", OneOf(CLOUDS)),
                                    ("variant", OneOf(VARIANTS)),
                                ])
                                .maybe(&[
                                    ("region", Text),
                                    ("tier", Text),
                                    ("supervisor_url", Text),
                                ]),
                            ),
                        ),
                    ])),
                ),
            ])),
        ),
    ]);
    let body = appliance.get(&appliance.tenant("/structure")).good();
    shape.check(&body);
    let url = appliance.url.as_str();
    let local = json!({"id": appliance.deployment.get(), "name": "local", "cloud": "aws", "variant": "on_premise", "supervisor_url": url});
    let second = json!({
        "id": deployment, "name": "events", "cloud": "aws", "variant": "on_premise", "region": "eu-central-1",
        "supervisor_url": url,
    });
    let expected = json!({"id": appliance.tenant.get(), "name": "default", "divisions": [
        {"id": appliance.division.get(), "name": "default", "environments": [
            {"id": appliance.environment.get(), "name": "default", "deployments": [local]}]},
        {"id": division, "name": "second", "environments": [
            {"id": environment_id, "name": "staging", "deployments": [second]}]},
    ]});
    assert_eq!(body, expected);
    let narrow =
        json!({"tenant": ["info:read"], "divisions": {division.to_string(): {"environment": ["deployment:read"]}}});
    let key = appliance.key_with(&narrow, None);
    let body = appliance.get_with(&key, &appliance.tenant("/structure")).good();
    assert_eq!(body["divisions"], json!([expected["divisions"][1]]));
    let summary = appliance.get_with(&key, &appliance.tenant("/summary")).good();
    assert_eq!(summary, json!({"total_divisions": 1, "total_environments": 1, "total_deployments": 1}));
}

#[test]
fn the_summary_counts_what_the_key_sees() {
    let (appliance, ..) = grown();
    let body = appliance.get(&appliance.tenant("/summary")).good();
    assert_eq!(body, json!({"total_divisions": 2, "total_environments": 2, "total_deployments": 2}));
    let nothing = appliance.key_with(&json!({}), None);
    let body = appliance.get_with(&nothing, &appliance.tenant("/summary")).good();
    assert_eq!(body, json!({"total_divisions": 0, "total_environments": 0, "total_deployments": 0}));
}

#[test]
fn divisions_and_one_division_have_their_fields() {
    let (appliance, division, ..) = grown();
    let item = object(&[("id", Id), ("name", Text), ("protected", Bool), ("created_at", Time), ("updated_at", Time)]);
    let body = appliance.get(&appliance.tenant("/divisions?results=1&page=2")).good();
    page(item.clone()).check(&body);
    assert_eq!((&body["total_results"], &body["total_pages"]), (&2.into(), &2.into()));
    assert_eq!(body["items"][0]["id"], division);
    let one = appliance.get(&appliance.tenant(&format!("/divisions/{division}"))).good();
    item.and(&[("description", Text), ("email", Text), ("has_payment_method", Bool)]).check(&one);
    for none in ["/divisions/1", "/divisions/x", "/divisions/0", "/divisions/-5"] {
        appliance.get(&appliance.tenant(none)).problem(404, "division_not_found");
    }
}

#[test]
fn environments_and_one_environment_have_their_fields() {
    let (appliance, division, environment_id, _) = grown();
    let item = object(&[
        ("id", Id),
        ("name", Text),
        ("deployments_count", Count),
        ("protected", Bool),
        ("created_at", Time),
        ("updated_at", Time),
    ]);
    let body = appliance.get(&appliance.tenant(&format!("/divisions/{division}/environments"))).good();
    page(item.clone()).check(&body);
    assert_eq!((&body["items"][0]["id"], &body["items"][0]["deployments_count"]), (&environment_id.into(), &1.into()));
    let one = appliance.get(&appliance.tenant(&format!("/divisions/{division}/environments/{environment_id}"))).good();
    item.and(&[("description", Text)]).check(&one);
    let elsewhere = format!("/divisions/{}/environments/{environment_id}", appliance.division);
    appliance.get(&appliance.tenant(&elsewhere)).problem(404, "environment_not_found");
    appliance.get(&appliance.tenant("/divisions/1/environments")).problem(404, "division_not_found");
}

#[test]
fn deployments_and_one_deployment_have_their_fields_and_the_supervisors_url() {
    let (appliance, division, environment_id, id) = grown();
    let path = appliance.tenant(&format!("/divisions/{division}/environments/{environment_id}/deployments"));
    let body = appliance.get(&path).good();
    page(deployment()).check(&body);
    let item = &body["items"][0];
    assert_eq!((&item["id"], &item["nodes_count"], &item["cluster"]), (&id.into(), &2.into(), &"cluster".into()));
    assert_eq!((&item["variant"], &item["can_upgrade"]), (&"on_premise".into(), &false.into()));
    assert_eq!(item["supervisor_url"], appliance.url.as_str());
    let one = appliance.get(&format!("{path}/{id}")).good();
    deployment().and(&[("upgrades", list(Text))]).check(&one);
    assert_eq!(one["upgrades"], json!([]));
    let code = one["code"].as_str().unwrap();
    assert!(code.len() == 7 && code.as_bytes()[3] == b'-', "{code}");
    appliance.get(&format!("{path}/{}", appliance.deployment)).problem(404, "deployment_not_found");
    let first = appliance.tenant(&format!(
        "/divisions/{}/environments/{}/deployments/{}",
        appliance.division, appliance.environment, appliance.deployment
    ));
    assert_eq!(appliance.get(&first).good()["cluster"], "standalone");
}

#[test]
fn what_is_out_of_scope_is_a_404() {
    let appliance = Appliance::start();
    for rest in ["/members", "/invitations", "/billing", "/cloud_accounts", "/notifications", "/audit"] {
        appliance.get(&appliance.tenant(rest)).problem(404, "not_found");
    }
    let deployments = appliance
        .tenant(&format!("/divisions/{}/environments/{}/deployments", appliance.division, appliance.environment));
    appliance.post(&deployments, &json!({})).problem(405, "method_not_allowed");
}

#[test]
fn another_tenants_path_is_a_401_and_its_deployment_a_404() {
    let appliance = Appliance::start();
    let tenant = appliance.add(&["tenant", "add", "other"]);
    let division = appliance.add(&["division", "add", "d", "--tenant", &tenant.to_string()]);
    let other = (tenant, appliance.add_deployment(appliance.add_environment(division, "e"), "x"));
    for rest in ["", "/structure", "/summary", "/divisions", "/roles", "/api_keys", "/api_keys/context"] {
        for tenant in [other.0.to_string(), "1".to_owned(), "x".to_owned()] {
            appliance.get(&format!("/tenants/{tenant}{rest}")).problem(401, "unauthorized");
        }
    }
    appliance.get(&format!("/deployments/{}/snapshots", other.1)).problem(404, "deployment_not_found");
    let tenants: Value = appliance.get("/tenants").good();
    assert_eq!(tenants.as_array().unwrap().len(), 1);
    let key = appliance.key_with(&environment(&["deployment:read"]), None);
    assert_eq!(appliance.get_with(&key, "/tenants").good()[0]["id"], appliance.tenant.get());
}
