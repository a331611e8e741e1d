//! The contract's sentences about permissions, one by one.

use super::*;

fn division(id: i64) -> DivisionId {
    DivisionId::new(id).unwrap()
}

fn environment(id: i64) -> EnvironmentId {
    EnvironmentId::new(id).unwrap()
}

fn tree(json: &str) -> Permissions {
    serde_json::from_str::<Permissions>(json).unwrap().expanded().unwrap()
}

fn grant(json: &str, bound: Option<i64>) -> Grant {
    Grant { permissions: tree(json), reach: Reach::of(bound.map(division)) }
}

#[test]
fn the_most_specific_list_that_is_present_counts() {
    const READ: &str = r#""deployment:read""#;
    for (json, counts) in [
        // General alone, then each override present, narrowing and widening.
        (format!(r#"{{"environment": [{READ}]}}"#), true),
        (format!(r#"{{"environment": [{READ}], "divisions": {{"7": {{}}}}}}"#), true),
        (format!(r#"{{"environment": [{READ}], "divisions": {{"7": {{"environment": []}}}}}}"#), false),
        (format!(r#"{{"environment": [], "divisions": {{"7": {{"environment": [{READ}]}}}}}}"#), true),
        (format!(r#"{{"divisions": {{"7": {{"environment": [{READ}], "environments": {{"70": []}}}}}}}}"#), false),
        (format!(r#"{{"divisions": {{"7": {{"environment": [], "environments": {{"70": [{READ}]}}}}}}}}"#), true),
        (format!(r#"{{"divisions": {{"7": {{"environments": {{"70": [{READ}]}}}}}}}}"#), true),
        (format!(r#"{{"environment": [{READ}], "divisions": {{"7": {{"environments": {{"71": []}}}}}}}}"#), true),
        (format!(r#"{{"environment": [{READ}], "divisions": {{"8": {{"environment": []}}}}}}"#), true),
        // What is in the tenant's, the divisions' or a division's own list says nothing about deployments.
        (format!(r#"{{"tenant": [{READ}]}}"#), false),
        (format!(r#"{{"division": [{READ}]}}"#), false),
        (format!(r#"{{"divisions": {{"7": {{"permissions": [{READ}]}}}}}}"#), false),
    ] {
        let grant = grant(&json, None);
        assert_eq!(grant.allows(InEnvironment::DeploymentRead, division(7), environment(70)), counts, "{json}");
        assert_eq!(grant.sees_environment(division(7), environment(70)), counts, "{json}");
        assert!(!grant.allows(InEnvironment::DeploymentManage, division(7), environment(70)), "{json}");
    }
}

#[test]
fn manage_brings_read_in_every_list() {
    let tree = tree(
        r#"{"tenant": ["role:manage"], "division": ["thing:manage"], "environment": ["deployment:manage"],
            "divisions": {"7": {"permissions": ["a:manage"], "environment": ["deployment:manage"],
                                "environments": {"70": ["deployment:manage"]}}}}"#,
    );
    assert_eq!(
        serde_json::to_value(&tree).unwrap(),
        serde_json::json!({
            "tenant": ["role:manage", "role:read"],
            "division": ["thing:manage", "thing:read"],
            "environment": ["deployment:manage", "deployment:read"],
            "divisions": {"7": {
                "permissions": ["a:manage", "a:read"],
                "environment": ["deployment:manage", "deployment:read"],
                "environments": {"70": ["deployment:manage", "deployment:read"]}
            }}
        })
    );
}

#[test]
fn a_bound_key_has_and_sees_nothing_outside_its_division() {
    let grant = grant(r#"{"tenant": ["division:read"], "environment": ["deployment:manage"]}"#, Some(7));
    for (id, inside) in [(7, true), (8, false)] {
        assert_eq!(grant.allows(InEnvironment::DeploymentManage, division(id), environment(70)), inside);
        assert_eq!(grant.sees_environment(division(id), environment(70)), inside);
        assert_eq!(grant.sees_division(division(id)), inside);
    }
}

#[test]
fn a_division_is_visible_by_any_list_in_it_or_by_division_read() {
    for (json, visible) in [
        ("{}", false),
        (r#"{"tenant": ["division:read"]}"#, true),
        (r#"{"tenant": ["division:manage"]}"#, true),
        (r#"{"tenant": ["info:read"]}"#, false),
        (r#"{"division": ["division:read"]}"#, false),
        (r#"{"divisions": {"7": {"permissions": ["division:read"]}}}"#, false),
        (r#"{"environment": ["deployment:read"]}"#, true),
        (r#"{"environment": ["unknown:thing"]}"#, true),
        (r#"{"environment": ["deployment:read"], "divisions": {"7": {"environment": []}}}"#, false),
        (r#"{"divisions": {"7": {"environments": {"70": ["deployment:read"]}}}}"#, true),
        (r#"{"divisions": {"7": {"environments": {"70": []}}}}"#, false),
        (r#"{"divisions": {"8": {"environment": ["deployment:read"]}}}"#, false),
    ] {
        assert_eq!(grant(json, None).sees_division(division(7)), visible, "{json}");
    }
}

#[test]
fn visible_and_allowed_are_two_things() {
    let grant = grant(r#"{"environment": ["unknown:thing"]}"#, None);
    assert!(grant.sees_environment(division(7), environment(70)));
    assert!(!grant.allows(InEnvironment::DeploymentRead, division(7), environment(70)));
}

#[test]
fn nobody_makes_a_role_that_exceeds_their_own_permissions() {
    const ADMIN: &str = r#"{"tenant": ["api_key:manage", "role:manage", "info:read", "division:manage"],
                            "environment": ["deployment:manage"]}"#;
    const READER: &str = r#"{"tenant": ["role:manage"], "environment": ["deployment:read"]}"#;
    const NARROWED: &str = r#"{"tenant": ["role:manage"], "environment": ["deployment:manage"],
                               "divisions": {"7": {"environment": ["deployment:read"]}}}"#;
    const WIDENED: &str = r#"{"tenant": ["role:manage"],
                              "divisions": {"7": {"environment": ["deployment:manage"], "environments": {"70": []}}}}"#;
    let general = r#"{"environment": ["deployment:read"]}"#;
    let in_7 = r#"{"divisions": {"7": {"environment": ["deployment:manage"]}}}"#;
    let in_8 = r#"{"divisions": {"8": {"environment": ["deployment:manage"]}}}"#;
    let in_70 = r#"{"divisions": {"7": {"environments": {"70": ["deployment:read"]}}}}"#;
    let in_71 = r#"{"divisions": {"7": {"environments": {"71": ["deployment:manage"]}}}}"#;
    for (own, bound, wanted, exceeds) in [
        (ADMIN, None, ADMIN, false),
        (ADMIN, None, READER, false),
        (READER, None, ADMIN, true),
        (READER, None, READER, false),
        (READER, None, r#"{"tenant": ["info:read"]}"#, true),
        (READER, None, in_7, true),
        // Names without an effect, in lists where they have none, escalate nothing.
        (READER, None, r#"{"tenant": ["x:y", "deployment:manage"], "division": ["division:manage"]}"#, false),
        (READER, None, r#"{"environment": ["role:manage", "info:read"]}"#, false),
        (READER, None, r#"{"divisions": {"7": {"permissions": ["deployment:manage", "role:manage"]}}}"#, false),
        // One's own general list does not hold where an entry narrows it, not even by leaving the entry out.
        (NARROWED, None, r#"{"environment": ["deployment:manage"]}"#, true),
        (NARROWED, None, general, false),
        (NARROWED, None, in_7, true),
        (NARROWED, None, in_8, false),
        (NARROWED, None, in_71, true),
        (WIDENED, None, general, true),
        (WIDENED, None, in_7, true),
        (
            WIDENED,
            None,
            r#"{"divisions": {"7": {"environment": ["deployment:read"], "environments": {"70": []}}}}"#,
            false,
        ),
        (WIDENED, None, in_70, true),
        (WIDENED, None, in_71, false),
        (WIDENED, None, in_8, true),
        // A role is bound to no division: in general terms it would leave that of its maker.
        (ADMIN, Some(7), general, true),
        (ADMIN, Some(7), in_7, false),
        (ADMIN, Some(7), in_71, false),
        (ADMIN, Some(7), in_8, true),
        (ADMIN, Some(7), r#"{"tenant": ["info:read"]}"#, false),
        (ADMIN, Some(7), "{}", false),
    ] {
        assert_eq!(tree(wanted).exceeds(&grant(own, bound)), exceeds, "{own} bound to {bound:?} makes {wanted}");
    }
}

#[test]
fn nobody_makes_a_key_that_exceeds_their_own_or_leaves_their_division() {
    const ADMIN: &str = r#"{"tenant": ["api_key:manage"], "environment": ["deployment:manage"]}"#;
    const NARROWED: &str = r#"{"tenant": ["api_key:manage"], "environment": ["deployment:manage"],
                               "divisions": {"7": {"environment": []}}}"#;
    const IN_7: &str = r#"{"tenant": ["api_key:manage"], "divisions": {"7": {"environment": ["deployment:read"]}}}"#;
    let manage = r#"{"environment": ["deployment:manage"]}"#;
    let read = r#"{"environment": ["deployment:read"]}"#;
    for (own, own_bound, wanted, bound, exceeds) in [
        (ADMIN, None, manage, None, false),
        (ADMIN, None, manage, Some(7), false),
        (ADMIN, None, r#"{"tenant": ["role:read"]}"#, Some(7), true),
        (ADMIN, Some(7), manage, Some(7), false),
        (ADMIN, Some(7), manage, Some(8), true),
        (ADMIN, Some(7), manage, None, true),
        (ADMIN, Some(7), "{}", None, true),
        (ADMIN, Some(7), "{}", Some(8), true),
        (NARROWED, None, manage, None, true),
        (NARROWED, None, manage, Some(7), true),
        (NARROWED, None, manage, Some(8), false),
        // Within its division a key may come from general lists, even where its maker has none.
        (IN_7, None, read, Some(7), false),
        (IN_7, None, manage, Some(7), true),
        (IN_7, None, read, None, true),
        (IN_7, None, read, Some(8), true),
        // Entries for divisions out of the new key's reach do nothing.
        (IN_7, None, r#"{"divisions": {"8": {"environment": ["deployment:manage"]}}}"#, Some(7), false),
    ] {
        assert_eq!(
            grant(wanted, bound).exceeds(&grant(own, own_bound)),
            exceeds,
            "{own} bound to {own_bound:?} makes {wanted} bound to {bound:?}"
        );
    }
}

#[test]
fn a_tree_with_a_typo_or_over_its_limits_is_refused() {
    for json in [
        r#"{"environments": []}"#,
        r#"{"environment": ["Deployment:Read"]}"#,
        r#"{"environment": [""]}"#,
        r#"{"environment": "deployment:read"}"#,
        r#"{"divisions": {"x": {}}}"#,
        r#"{"divisions": {"0": {}}}"#,
        r#"{"divisions": {"7": {"environment": null, "more": []}}}"#,
        r#"{"divisions": {"7": {"environments": {"70": {}}}}}"#,
    ] {
        assert!(serde_json::from_str::<Permissions>(json).is_err(), "{json}");
    }
    let names = |count: usize| (0..count).map(|n| format!("n{n}:read").parse().unwrap()).collect::<List>();
    for (count, refused) in [(LIST_NAMES_MAX, false), (LIST_NAMES_MAX + 1, true)] {
        let tree = Permissions { environment: names(count), ..Permissions::default() };
        assert_eq!(tree.expanded().is_err(), refused);
    }
    for (count, refused) in [(100, false), (101, true)] {
        let divisions = (1..=count).map(|id| (division(id), DivisionEntry::default())).collect();
        assert_eq!(Permissions { divisions, ..Permissions::default() }.expanded().is_err(), refused);
        let environments = (1..=count).map(|id| (environment(id), List::new())).collect();
        let entry = DivisionEntry { environments, ..DivisionEntry::default() };
        let divisions = BTreeMap::from([(division(7), entry)]);
        assert_eq!(Permissions { divisions, ..Permissions::default() }.expanded().is_err(), refused);
    }
}

#[test]
fn a_tree_survives_the_database() {
    let text = r#"{"tenant":["info:read"],"division":[],"environment":["deployment:read"],"divisions":{"611298765432109056":{"environment":[],"environments":{"9":[]}}}}"#;
    let tree: Permissions = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&tree).unwrap(), text);
}

#[test]
fn the_administrator_has_all_that_counts() {
    let all = Permissions::all();
    assert_eq!(all.clone().expanded().unwrap(), all);
    let grant = Grant { permissions: all, reach: Reach::Tenant };
    for permission in [InEnvironment::DeploymentRead, InEnvironment::DeploymentManage] {
        assert!(grant.allows(permission, division(7), environment(70)));
    }
    for permission in [
        InTenant::InfoRead,
        InTenant::RoleRead,
        InTenant::RoleManage,
        InTenant::KeyRead,
        InTenant::KeyManage,
        InTenant::DivisionRead,
        InTenant::AuditRead,
    ] {
        assert!(grant.allows_in_tenant(permission));
    }
}
