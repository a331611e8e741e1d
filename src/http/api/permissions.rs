//! Permission trees on the wire: read from a request with the path of each issue, answered in their resolved form.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use crate::domain::id::{EnvironmentId, TenantId};
use crate::domain::permission::{
    DIVISIONS_PER_ROLE_MAX, DivisionEntry, ENVIRONMENTS_PER_ENTRY_MAX, LIST_NAMES_MAX, List, Permission, Permissions,
    Reach,
};
use crate::http::fields::{self, Fields, Wrong};
use crate::http::problem::{Issue, Problem};
use crate::store::Reader;

/// A tree with names, and with the list that counts at each place: all four keys are always there.
#[derive(Debug, Serialize)]
pub(super) struct Resolved {
    tenant: List,
    division: List,
    environment: List,
    divisions: BTreeMap<String, ResolvedDivision>,
}

#[derive(Debug, Serialize)]
struct ResolvedDivision {
    name: String,
    permissions: List,
    environment: List,
    environments: BTreeMap<String, ResolvedEnvironment>,
}

#[derive(Debug, Serialize)]
struct ResolvedEnvironment {
    name: String,
    permissions: List,
}

impl Resolved {
    /// The tree of a tenant's role, as far as who asks may see: a key that is bound to a division is told of no other. An
    /// entry for what is no more is left out: it has no effect, and never will have.
    pub(super) fn of(reader: &Reader, tenant: TenantId, tree: &Permissions, reach: Reach) -> Result<Self, Problem> {
        let mut divisions = BTreeMap::new();
        if !tree.divisions.is_empty() {
            let names: HashMap<_, _> = reader.divisions(tenant)?.into_iter().map(|row| (row.id, row.name)).collect();
            let environments = reader.environments_of_tenant(tenant)?;
            let within: HashMap<_, _> =
                environments.into_iter().map(|row| ((row.division_id, row.id), row.name)).collect();
            for (id, entry) in tree.divisions.iter().filter(|(id, _)| reach.includes(**id)) {
                let Some(name) = names.get(id) else { continue };
                let environment = |(place, list): (&EnvironmentId, &List)| {
                    let name = within.get(&(*id, *place))?.clone();
                    Some((place.to_string(), ResolvedEnvironment { name, permissions: list.clone() }))
                };
                let resolved = ResolvedDivision {
                    name: name.clone(),
                    permissions: tree.of_division(*id).clone(),
                    environment: tree.in_division(*id).clone(),
                    environments: entry.environments.iter().filter_map(environment).collect(),
                };
                divisions.insert(id.to_string(), resolved);
            }
        }
        Ok(Self {
            tenant: tree.tenant.clone(),
            division: tree.division.clone(),
            environment: tree.environment.clone(),
            divisions,
        })
    }
}

/// Reads a tree that stands at `path`; every key of it is optional.
pub(super) fn tree(path: &str) -> impl FnOnce(&Value) -> Result<Permissions, Wrong> {
    move |value| {
        let mut fields = Fields::at(path, fields::object(value)?);
        let tenant = optional_list(&mut fields, "tenant");
        let division = optional_list(&mut fields, "division");
        let environment = optional_list(&mut fields, "environment");
        let at = fields.path("divisions");
        let divisions = fields.optional("divisions", by_id(&at, DIVISIONS_PER_ROLE_MAX, entry));
        let issues = fields.into_issues();
        if !issues.is_empty() {
            return Err(Wrong::Within(issues));
        }
        Ok(Permissions {
            tenant: tenant.unwrap_or_default(),
            division: division.unwrap_or_default(),
            environment: environment.unwrap_or_default(),
            divisions: divisions.unwrap_or_default(),
        })
    }
}

fn optional_list(fields: &mut Fields, name: &str) -> Option<List> {
    let at = fields.path(name);
    fields.optional(name, |value| list(&at, value))
}

fn list(path: &str, value: &Value) -> Result<List, Wrong> {
    let permission = |value: &Value| {
        let name: Permission = fields::text(value)?
            .parse()
            .map_err(|_| Wrong::Value("a permission's name, such as deployment:read, in lower case".to_owned()))?;
        Ok(name)
    };
    let names = fields::list(path, LIST_NAMES_MAX, permission)(value)?;
    Ok(names.into_iter().collect())
}

fn entry(path: &str, value: &Value) -> Result<DivisionEntry, Wrong> {
    let mut fields = Fields::at(path, fields::object(value)?);
    let permissions = optional_list(&mut fields, "permissions");
    let environment = optional_list(&mut fields, "environment");
    let at = fields.path("environments");
    let environments = fields.optional("environments", by_id(&at, ENVIRONMENTS_PER_ENTRY_MAX, list));
    let issues = fields.into_issues();
    if !issues.is_empty() {
        return Err(Wrong::Within(issues));
    }
    Ok(DivisionEntry { permissions, environment, environments: environments.unwrap_or_default() })
}

/// Reads an object whose names are ids.
fn by_id<K: std::str::FromStr + Ord, V>(
    path: &str,
    entries_max: usize,
    read: impl Fn(&str, &Value) -> Result<V, Wrong>,
) -> impl FnOnce(&Value) -> Result<BTreeMap<K, V>, Wrong> {
    move |value| {
        let members = fields::object(value)?;
        if members.len() > entries_max {
            return Err(Wrong::Value(format!("an object of at most {entries_max} entries")));
        }
        let (mut found, mut issues) = (BTreeMap::new(), Vec::new());
        for (name, value) in &members {
            let at = format!("{path}.{name}");
            let Ok(id) = name.parse() else {
                issues.push(Issue::new("invalid_value", path, format!("The names in {path} must be ids.")));
                continue;
            };
            match read(&at, value) {
                Ok(value) => {
                    found.insert(id, value);
                }
                Err(wrong) => issues.extend(wrong.into_issues(&at)),
            }
        }
        if issues.is_empty() { Ok(found) } else { Err(Wrong::Within(issues)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::id::DivisionId;

    fn issues(value: &Value) -> Vec<(&'static str, String)> {
        match tree("permissions")(value) {
            Ok(_) => Vec::new(),
            Err(wrong) => wrong.into_issues("permissions").into_iter().map(|issue| (issue.code, issue.path)).collect(),
        }
    }

    #[test]
    fn a_tree_is_read_whole_and_every_key_of_it_is_optional() {
        assert_eq!(tree("permissions")(&json!({})), Ok(Permissions::default()));
        let given = json!({
            "tenant": ["info:read"],
            "environment": ["deployment:read", "deployment:read"],
            "divisions": {"611298765432109057": {"environment": [], "environments": {"5": ["deployment:manage"]}}},
        });
        let read = tree("permissions")(&given).unwrap();
        assert_eq!(read.environment.len(), 1);
        let entry = &read.divisions[&"611298765432109057".parse::<DivisionId>().unwrap()];
        assert_eq!(entry.environment, Some(List::new()), "an empty list narrows, a missing one does not");
        assert_eq!(entry.permissions, None);
        assert_eq!(entry.environments[&"5".parse::<EnvironmentId>().unwrap()].len(), 1);
    }

    #[test]
    fn issues_in_a_tree_have_their_paths() {
        for (value, expected) in [
            (json!([]), vec![("invalid_type", "permissions")]),
            (json!({"typo": []}), vec![("unknown_field", "permissions.typo")]),
            (json!({"tenant": "info:read"}), vec![("invalid_type", "permissions.tenant")]),
            (json!({"tenant": ["Info"]}), vec![("invalid_value", "permissions.tenant[0]")]),
            (json!({"environment": ["a", 1]}), vec![("invalid_type", "permissions.environment[1]")]),
            (json!({"divisions": {"x": {}}}), vec![("invalid_value", "permissions.divisions")]),
            (json!({"divisions": {"1": []}}), vec![("invalid_type", "permissions.divisions.1")]),
            (
                json!({"divisions": {"1": {"environments": {"2": {"permissions": []}}}}}),
                vec![("invalid_type", "permissions.divisions.1.environments.2")],
            ),
            (
                json!({"divisions": {"1": {"permissions": [""], "more": 1}}}),
                vec![
                    ("invalid_value", "permissions.divisions.1.permissions[0]"),
                    ("unknown_field", "permissions.divisions.1.more"),
                ],
            ),
        ] {
            let told = issues(&value);
            let told: Vec<_> = told.iter().map(|(code, path)| (*code, path.as_str())).collect();
            assert_eq!(told, expected, "{value}");
        }
    }
}
