//! Changes by functions over one transaction: what they refuse, and that a refusal changes nothing.

use super::*;
use crate::domain::deployment::NodeKind;
use crate::domain::id::{DivisionId, EnvironmentId, KeyId, RoleId};
use crate::domain::permission::{Permissions, RoleKind};
use crate::store::{KeyRow, Scope, Security};

fn tree(json: &str) -> Permissions {
    serde_json::from_str(json).unwrap()
}

fn request(name: &str, role: KeyRole) -> KeyRequest {
    let expires_at = NOW.plus_s(60);
    KeyRequest { name: name.into(), expires_at, security: Security::default(), division_id: None, role }
}

struct Places {
    division: DivisionId,
    environment: EnvironmentId,
    other: DivisionId,
    elsewhere: EnvironmentId,
}

/// The first division and a second one beside it.
fn places(f: &Fixture) -> Places {
    let tenant = f.tenant;
    f.store
        .write_blocking(move |w| -> Result<_, ChangeError> {
            let division = w.divisions(tenant)?[0].id;
            let environment = w.environments(division)?[0].id;
            let other = create_division(w, &Actor::command_line(), tenant, "other", NOW)?;
            let elsewhere = create_environment(w, &Actor::command_line(), other, "elsewhere", NOW)?;
            Ok(Places { division, environment, other, elsewhere })
        })
        .unwrap()
}

fn change<T: Send + 'static>(
    f: &Fixture,
    change: impl FnOnce(&Writer) -> Result<T, ChangeError> + Send + 'static,
) -> Result<T, ChangeError> {
    f.store.write_blocking(change)
}

fn make_key(f: &Fixture, actor: &Actor, request: KeyRequest) -> Result<(KeyId, Token), ChangeError> {
    let (tenant, actor) = (f.tenant, actor.clone());
    change(f, move |w| create_key(w, &actor, tenant, request, NOW))
}

fn key(f: &Fixture, id: KeyId) -> KeyRow {
    f.store.read_blocking(move |r| r.key(id)).unwrap().unwrap()
}

/// An actor with a key of these permissions, bound to this division.
fn holder(f: &Fixture, name: &str, permissions: &str, division_id: Option<DivisionId>) -> (Actor, KeyId) {
    let request = KeyRequest { division_id, ..request(name, KeyRole::Inline(tree(permissions))) };
    let (id, _) = make_key(f, &Actor::command_line(), request).unwrap();
    (Actor::key(&key(f, id), [127, 0, 0, 1].into(), "0".repeat(32)), id)
}

#[test]
fn a_keys_token_is_shown_once_and_only_its_hash_is_kept() {
    let f = fixture();
    let (id, token) = make_key(&f, &Actor::command_line(), request("ci", KeyRole::Inline(tree("{}")))).unwrap();
    let secret = token.expose().strip_prefix("ld_pk_").unwrap();
    assert!(secret.len() == 40 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let hash = token_sha256(token.expose());
    assert_eq!(f.store.read_blocking(move |r| r.key_by_token(hash)).unwrap().unwrap().id, id);
    assert_eq!(format!("{token:?}"), "Token(…)");
    let row = key(&f, id);
    assert_eq!((row.role_kind, row.role_name.as_str()), (RoleKind::ApiKey, "ci"));
    let (tenant, role) = (f.tenant, row.role_id);
    change(&f, move |w| revoke_key(w, &Actor::command_line(), tenant, id, NOW)).unwrap();
    assert!(f.store.read_blocking(move |r| r.key_by_token(hash)).unwrap().is_none());
    assert_eq!(f.store.read_blocking(move |r| r.role(role)).unwrap(), None, "its own role goes with it");
}

#[test]
fn tokens_do_not_repeat_and_use_every_character() {
    let tokens: Vec<Token> = (0..1000).map(|_| Token::generate()).collect();
    let texts: std::collections::BTreeSet<&str> = tokens.iter().map(Token::expose).collect();
    assert_eq!(texts.len(), 1000);
    let used: std::collections::BTreeSet<char> = texts.iter().flat_map(|text| text[6..].chars()).collect();
    assert_eq!(used.len(), 62);
}

#[test]
fn a_key_that_is_wrong_is_refused_with_what_is_wrong() {
    let f = fixture();
    let role = KeyRole::Inline(tree("{}"));
    let good = request("ci", role.clone());
    let listed = |validate_ip, list: &[&str]| Security {
        validate_ip,
        allowed_ips: list.iter().map(|entry| (*entry).to_owned()).collect(),
    };
    for (expires_s, message) in [
        (0, Some("it would expire in the past")),
        (-1, Some("it would expire in the past")),
        (1, None),
        (365 * 86_400, None),
        (365 * 86_400 + 1, Some("it would expire after 2027-06-01T10:30:00Z")),
    ] {
        let name = format!("after {expires_s}");
        let made = make_key(
            &f,
            &Actor::command_line(),
            KeyRequest { expires_at: NOW.plus_s(expires_s), name, ..good.clone() },
        );
        assert_eq!(made.err().map(|error| error.to_string()).as_deref(), message, "{expires_s}");
    }
    let too_many: Vec<String> = (0..101).map(|n| format!("10.0.0.{n}")).collect();
    for (security, message) in [
        (listed(true, &[]), Some("the allowlist counts and is empty")),
        (listed(false, &[]), None),
        (listed(true, &["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"]), None),
        (listed(false, &["10.0.0.1", "10.0.0.0/33"]), Some("\"10.0.0.0/33\" is neither an address nor a CIDR block")),
        (listed(true, &["example.org"]), Some("\"example.org\" is neither an address nor a CIDR block")),
        (Security { validate_ip: true, allowed_ips: too_many }, Some("the allowlist has more than 100 entries")),
    ] {
        let name = format!("{security:?}").chars().take(60).collect();
        let made =
            make_key(&f, &Actor::command_line(), KeyRequest { security: security.clone(), name, ..good.clone() });
        assert_eq!(made.err().map(|error| error.to_string()).as_deref(), message, "{security:?}");
    }
    make_key(&f, &Actor::command_line(), good.clone()).unwrap();
    let again = make_key(&f, &Actor::command_line(), good.clone()).unwrap_err();
    assert_eq!(again.to_string(), "another API key is named \"ci\"");
    let nobody = make_key(&f, &Actor::command_line(), request("x", KeyRole::Role(RoleId::new(5).unwrap())));
    assert!(matches!(nobody, Err(ChangeError::NotFound(Noun::Role))));
    let nowhere = KeyRequest { division_id: Some(DivisionId::new(5).unwrap()), ..request("x", role) };
    assert!(matches!(make_key(&f, &Actor::command_line(), nowhere), Err(ChangeError::UnknownDivision(_))));
    // The role of one key is not another's to take.
    let own = key(&f, make_key(&f, &Actor::command_line(), request("own", KeyRole::Inline(tree("{}")))).unwrap().0);
    let taken = make_key(&f, &Actor::command_line(), request("taken", KeyRole::Role(own.role_id)));
    assert!(matches!(taken, Err(ChangeError::NotFound(Noun::Role))));
}

#[test]
fn a_key_makes_no_key_beyond_itself() {
    let f = fixture();
    let p = places(&f);
    let manager = r#"{"tenant": ["api_key:manage", "division:read"], "environment": ["deployment:read"]}"#;
    let (unbound, _) = holder(&f, "unbound", manager, None);
    let (bound, _) = holder(&f, "bound", manager, Some(p.division));
    let reader = r#"{"environment": ["deployment:read"]}"#;
    let writer = r#"{"environment": ["deployment:manage"]}"#;
    for (actor, permissions, division_id, allowed) in [
        (&unbound, reader, None, true),
        (&unbound, reader, Some(p.other), true),
        (&unbound, writer, None, false),
        (&unbound, r#"{"tenant": ["role:read"]}"#, None, false),
        (&bound, reader, Some(p.division), true),
        (&bound, reader, Some(p.other), false),
        (&bound, reader, None, false),
        (&bound, "{}", None, false),
        (&bound, writer, Some(p.division), false),
    ] {
        let name = format!("{permissions} {division_id:?} {}", actor == &bound).chars().take(64).collect::<String>();
        let request = KeyRequest { division_id, ..request(name.trim(), KeyRole::Inline(tree(permissions))) };
        match make_key(&f, actor, request) {
            Ok(_) => assert!(allowed, "{name}"),
            Err(ChangeError::Exceeds) => assert!(!allowed, "{name}"),
            Err(other) => panic!("{name}: {other}"),
        }
    }
    // The system role goes beyond both.
    let administrator = key(&f, f.store.read_blocking(Reader::appliance).unwrap().unwrap().bootstrap_key_id.unwrap());
    let made = make_key(&f, &unbound, request("admin", KeyRole::Role(administrator.role_id)));
    assert!(matches!(made, Err(ChangeError::Exceeds)));
}

#[test]
fn a_key_changes_no_key_beyond_itself_and_sees_only_those_of_its_division() {
    let f = fixture();
    let p = places(&f);
    let tenant = f.tenant;
    let manager = r#"{"tenant": ["api_key:manage"], "environment": ["deployment:read"]}"#;
    let (bound, own) = holder(&f, "bound", manager, Some(p.division));
    let (_, weaker) = holder(&f, "weaker", "{}", Some(p.division));
    let (_, stronger) = holder(&f, "stronger", r#"{"environment": ["deployment:manage"]}"#, Some(p.division));
    let (_, other) = holder(&f, "other", "{}", Some(p.other));
    let (_, general) = holder(&f, "general", "{}", None);
    let local = SecurityChange { validate_ip: Some(true), allowed_ips: Some(vec!["127.0.0.1".into()]) };
    for (id, expected) in [(own, "ok"), (weaker, "ok"), (stronger, "exceeds"), (other, "absent"), (general, "absent")] {
        let (actor, change_to) = (bound.clone(), local.clone());
        let answer = match change(&f, move |w| change_security(w, &actor, tenant, id, change_to, NOW)) {
            Ok(()) => "ok",
            Err(ChangeError::Exceeds) => "exceeds",
            Err(ChangeError::NotFound(Noun::Key)) => "absent",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(answer, expected);
        let actor = bound.clone();
        let revoked = change(&f, move |w| revoke_key(w, &actor, tenant, id, NOW));
        assert_eq!(revoked.is_ok(), expected != "absent", "who sees a key may stop it");
    }
    // Turned on alone, the list that is there counts; an empty one cannot.
    let (unbound, id) = holder(&f, "unbound", manager, None);
    let on = SecurityChange { validate_ip: Some(true), allowed_ips: None };
    let (actor, change_to) = (unbound.clone(), on.clone());
    let refused = change(&f, move |w| change_security(w, &actor, tenant, id, change_to, NOW));
    assert!(matches!(refused, Err(ChangeError::AllowlistEmpty)));
    for change_to in [SecurityChange { validate_ip: None, ..local.clone() }, on] {
        let actor = unbound.clone();
        change(&f, move |w| change_security(w, &actor, tenant, id, change_to, NOW)).unwrap();
    }
    let security = Security { validate_ip: true, allowed_ips: vec!["127.0.0.1".into()] };
    assert_eq!(key(&f, id).security, security);
}

#[test]
fn roles_are_made_changed_and_removed_within_ones_own() {
    let f = fixture();
    let p = places(&f);
    let tenant = f.tenant;
    let (manager, _) = holder(
        &f,
        "manager",
        r#"{"tenant": ["role:manage", "division:read"], "environment": ["deployment:read"]}"#,
        None,
    );
    let make = |actor: &Actor, name: &str, permissions: &str| {
        let (actor, name, permissions) = (actor.clone(), name.to_owned(), tree(permissions));
        change(&f, move |w| create_role(w, &actor, tenant, &name, permissions, NOW))
    };
    let role = make(&manager, "readers", r#"{"environment": ["deployment:read"]}"#).unwrap();
    assert!(matches!(make(&manager, "readers", "{}"), Err(ChangeError::NameUsed { noun: Noun::Role, .. })));
    assert!(matches!(make(&manager, "administrator", "{}"), Err(ChangeError::NameUsed { .. })));
    assert!(matches!(make(&manager, "", "{}"), Err(ChangeError::BadName { .. })));
    assert!(matches!(make(&manager, "w", r#"{"environment": ["deployment:manage"]}"#), Err(ChangeError::Exceeds)));
    let in_division = |id: i64, environment: i64| {
        format!(r#"{{"divisions": {{"{id}": {{"environments": {{"{environment}": []}}}}}}}}"#)
    };
    assert!(make(&manager, "there", &in_division(p.division.get(), p.environment.get())).is_ok());
    let unknown = make(&manager, "nowhere", &in_division(5, 6));
    assert!(matches!(unknown, Err(ChangeError::UnknownDivision(_))));
    let crossed = make(&manager, "crossed", &in_division(p.division.get(), p.elsewhere.get()));
    assert!(matches!(crossed, Err(ChangeError::UnknownEnvironment { .. })));

    let alter = |actor: &Actor, id: RoleId, name: Option<&str>, permissions: Option<&str>| {
        let change_to = RoleChange { name: name.map(str::to_owned), permissions: permissions.map(tree) };
        let actor = actor.clone();
        change(&f, move |w| change_role(w, &actor, tenant, id, change_to, NOW))
    };
    alter(&manager, role, Some("viewers"), None).unwrap();
    alter(&manager, role, None, Some(r#"{"tenant": ["role:manage"]}"#)).unwrap();
    let found = f.store.read_blocking(move |r| r.role(role)).unwrap().unwrap();
    assert_eq!(found.name, "viewers");
    assert_eq!(
        found.permissions,
        tree(r#"{"tenant": ["role:manage", "role:read"]}"#),
        "the tree is replaced, expanded"
    );
    let strong = make(&Actor::command_line(), "strong", r#"{"environment": ["deployment:manage"]}"#).unwrap();
    assert!(matches!(alter(&manager, strong, None, Some("{}")), Err(ChangeError::Exceeds)));
    assert!(matches!(alter(&manager, role, None, Some(r#"{"tenant": ["info:read"]}"#)), Err(ChangeError::Exceeds)));
    let system = f.store.read_blocking(move |r| r.system_role(tenant)).unwrap().unwrap();
    assert!(matches!(alter(&Actor::command_line(), system, Some("x"), None), Err(ChangeError::RoleNotCustom)));
    assert!(matches!(alter(&manager, RoleId::new(5).unwrap(), None, None), Err(ChangeError::NotFound(Noun::Role))));

    let drop_role = |actor: &Actor, id: RoleId| {
        let actor = actor.clone();
        change(&f, move |w| remove_role(w, &actor, tenant, id, NOW))
    };
    let (user, _) = make_key(&f, &Actor::command_line(), request("user", KeyRole::Role(role))).unwrap();
    assert!(matches!(drop_role(&manager, role), Err(ChangeError::RoleInUse { keys: 1 })));
    change(&f, move |w| revoke_key(w, &Actor::command_line(), tenant, user, NOW)).unwrap();
    drop_role(&manager, role).unwrap();
    assert!(matches!(drop_role(&manager, role), Err(ChangeError::NotFound(Noun::Role))));
    assert!(matches!(drop_role(&manager, strong), Err(ChangeError::Exceeds)));
    assert!(matches!(drop_role(&Actor::command_line(), system), Err(ChangeError::RoleNotCustom)));
}

#[test]
fn a_bound_key_speaks_in_its_roles_of_its_division_alone() {
    let f = fixture();
    let p = places(&f);
    let tenant = f.tenant;
    let manager = r#"{"tenant": ["role:manage"], "environment": ["deployment:read"]}"#;
    let (bound, _) = holder(&f, "bound", manager, Some(p.division));
    let entry = |id: DivisionId, list: &str| format!(r#"{{"divisions": {{"{id}": {{"environment": [{list}]}}}}}}"#);
    for (name, permissions, expected) in [
        ("own", entry(p.division, r#""deployment:read""#), "ok"),
        ("other", entry(p.other, r#""deployment:read""#), "exceeds"),
        // Whether a division that it may not see is there, an empty list must not tell.
        ("empty", entry(p.other, ""), "unknown"),
        ("nowhere", entry(DivisionId::new(5).unwrap(), ""), "unknown"),
        ("general", r#"{"environment": ["deployment:read"]}"#.to_owned(), "exceeds"),
    ] {
        let (actor, permissions) = (bound.clone(), tree(&permissions));
        let answer = match change(&f, move |w| create_role(w, &actor, tenant, name, permissions, NOW)) {
            Ok(_) => "ok",
            Err(ChangeError::Exceeds) => "exceeds",
            Err(ChangeError::UnknownDivision(_)) => "unknown",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(answer, expected, "{name}");
    }
}

#[test]
fn the_hierarchy_has_limits_names_and_places() {
    let f = fixture();
    let tenant = f.tenant;
    let operator = Actor::command_line();
    for n in 1..100 {
        let actor = operator.clone();
        change(&f, move |w| create_division(w, &actor, tenant, &format!("d{n}"), NOW)).unwrap();
    }
    let actor = operator.clone();
    let error = change(&f, move |w| create_division(w, &actor, tenant, "one more", NOW)).unwrap_err();
    assert_eq!(error.to_string(), "there may be 100 at most of the kind division");
    let (actor, deployment) = (operator.clone(), f.deployment);
    let twice = change(&f, move |w| create_node(w, &actor, deployment, "again", NodeKind::Local, NOW));
    assert!(matches!(twice, Err(ChangeError::LocalNodeUsed)));
    let actor = operator.clone();
    let unknown = change(&f, move |w| set_plan(w, &actor, &Config::default(), tenant, "gold", NOW)).unwrap_err();
    assert_eq!(unknown.to_string(), "no plan is named \"gold\"; there are basic, pro, enterprise");
    let actor = operator.clone();
    let tenant = change(&f, move |w| create_tenant(w, &actor, "second", NOW)).unwrap();
    let found = f.store.read_blocking(move |r| r.tenant(tenant)).unwrap().unwrap();
    assert_eq!((found.plan.as_str(), found.created_at), ("enterprise", NOW));
    // A tenant with nothing but the role it came with goes without a question.
    change(&f, move |w| remove(w, &operator, Scope::Tenant(tenant), Confirmation::Missing, NOW)).unwrap();
}

#[tokio::test]
async fn nothing_goes_silently_with_what_is_removed() {
    let f = fixture();
    let (tenant, deployment) = (f.tenant, f.deployment);
    let id = f.over(f.trigger().await.unwrap().rows[0]).await.item.id;
    let division = f.store.read(move |r| r.divisions(tenant)).await.unwrap()[0].id;
    let take = |scope, confirmation| {
        f.orchestrator.change(move |w, now| remove(w, &Actor::command_line(), scope, confirmation, now))
    };
    for (scope, message) in [
        (Scope::Node(f.node), "1 stored report would go with it"),
        (Scope::Deployment(deployment), "1 node and 1 stored report would go with it"),
        (Scope::Division(division), "1 environment, 1 deployment, 1 node and 1 stored report would go with it"),
        (
            Scope::Tenant(tenant),
            "1 division, 1 environment, 1 deployment, 1 node, 1 stored report and 1 API key would go with it",
        ),
    ] {
        assert_eq!(take(scope, Confirmation::Missing).await.unwrap_err().to_string(), message);
    }
    assert_eq!(f.list().await.len(), 1);
    assert_eq!(take(Scope::Deployment(deployment), Confirmation::Given).await.unwrap(), [id]);
    let gone = take(Scope::Deployment(deployment), Confirmation::Given).await;
    assert!(matches!(gone, Err(ChangeError::NotFound(Noun::Deployment))));
    take(Scope::Division(division), Confirmation::Given).await.unwrap();
}

#[test]
fn a_refused_change_changes_nothing_not_even_the_log() {
    let f = fixture();
    let dump = || {
        let database = rusqlite::Connection::open(f.store.path()).unwrap();
        let count = |table: &str| -> i64 {
            database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        ["tenants", "divisions", "roles", "keys", "audit"].map(count)
    };
    let before = dump();
    let tenant = f.tenant;
    let late = change(&f, move |w| -> Result<(), ChangeError> {
        create_key(w, &Actor::command_line(), tenant, request("a", KeyRole::Inline(tree("{}"))), NOW)?;
        create_key(w, &Actor::command_line(), tenant, request("a", KeyRole::Inline(tree("{}"))), NOW)?;
        Ok(())
    });
    assert!(matches!(late, Err(ChangeError::NameUsed { .. })));
    assert_eq!(dump(), before);
}
