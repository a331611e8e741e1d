//! The router on one screen: one table of all paths, methods, what a caller needs, and who answers.
//!
//! The filters, the `allow` header of a 405, the labels of metrics and the log's route come from this table.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::Method;
use warp::reply::Response;

use super::answer::Reply;
use super::api::{archive, deployments, divisions, environments, health, keys, roles, snapshots, tenants};
use super::call::{Access, Handle, Matched, Params, Route};
use super::dispatch;
use super::problem::Problem;
use super::state::Api;
use crate::domain::permission::{InEnvironment, InTenant};

macro_rules! rows {
    ($($method:ident $path:literal, $access:expr, $kind:ident $handler:path, $summary:literal;)*) => {
        /// Every route.
        pub static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            access: $access,
            summary: $summary,
            handle: Handle::$kind(|api, call| Box::pin(async move { $handler(&api, &call).await.map(Reply::from) })),
        }),*];
    };
}

use Access::{Environment, Key, Link, LoopbackOrKey, Public, Tenant, Visible};
use InEnvironment::{DeploymentManage, DeploymentRead};
use InTenant::{DivisionRead, InfoRead, KeyManage, KeyRead, RoleManage, RoleRead};

rows! {
    GET "/healthz", Public, Read health::healthz, "Whether the process answers";
    GET "/readyz", Public, Read health::readyz, "Whether it can work";
    GET "/metrics", LoopbackOrKey, Read health::metrics, "Metrics, in Prometheus' text format";

    POST "/deployments/{deployment_id}/snapshots", Environment(DeploymentManage), Write snapshots::create, "Trigger a snapshot of every node";
    GET "/deployments/{deployment_id}/snapshots", Environment(DeploymentRead), Read snapshots::list, "List snapshots, newest first";
    GET "/deployments/{deployment_id}/snapshots/{snapshot_id}", Environment(DeploymentRead), Read snapshots::detail, "Show one snapshot";
    DELETE "/deployments/{deployment_id}/snapshots/{snapshot_id}", Environment(DeploymentManage), Write snapshots::delete, "Delete one snapshot and its archive";
    GET "/deployments/{deployment_id}/snapshots/{snapshot_id}/download", Environment(DeploymentRead), Read snapshots::download, "Get a short-lived URL of the archive";
    GET "/archives/{snapshot_id}", Link, Read archive::get, "Download an archive by its signed URL";

    GET "/tenants", Key, Read tenants::list, "List the key's tenant";
    GET "/tenants/{tenant_id}", Tenant(InfoRead), Read tenants::get, "Show the tenant, its plan and its limits";
    GET "/tenants/{tenant_id}/structure", Tenant(InfoRead), Read tenants::structure, "Show divisions, environments and deployments as a tree";
    GET "/tenants/{tenant_id}/summary", Key, Read tenants::summary, "Count divisions, environments and deployments";
    GET "/tenants/{tenant_id}/divisions", Tenant(DivisionRead), Read divisions::list, "List divisions";
    GET "/tenants/{tenant_id}/divisions/{division_id}", Tenant(DivisionRead), Read divisions::get, "Show a division";
    GET "/tenants/{tenant_id}/divisions/{division_id}/environments", Visible, Read environments::list, "List the environments of a division";
    GET "/tenants/{tenant_id}/divisions/{division_id}/environments/{environment_id}", Visible, Read environments::get, "Show an environment";
    GET "/tenants/{tenant_id}/divisions/{division_id}/environments/{environment_id}/deployments", Environment(DeploymentRead), Read deployments::list, "List the deployments of an environment";
    GET "/tenants/{tenant_id}/divisions/{division_id}/environments/{environment_id}/deployments/{deployment_id}", Environment(DeploymentRead), Read deployments::get, "Show a deployment";
    GET "/tenants/{tenant_id}/roles", Tenant(RoleRead), Read roles::list, "List roles";
    POST "/tenants/{tenant_id}/roles", Tenant(RoleManage), Write roles::create, "Create a role";
    GET "/tenants/{tenant_id}/roles/{role_id}", Tenant(RoleRead), Read roles::get, "Show a role";
    PUT "/tenants/{tenant_id}/roles/{role_id}", Tenant(RoleManage), Write roles::update, "Change a role";
    DELETE "/tenants/{tenant_id}/roles/{role_id}", Tenant(RoleManage), Write roles::delete, "Delete a role";
    GET "/tenants/{tenant_id}/api_keys", Tenant(KeyRead), Read keys::list, "List API keys";
    POST "/tenants/{tenant_id}/api_keys", Tenant(KeyManage), Write keys::create, "Create an API key";
    GET "/tenants/{tenant_id}/api_keys/context", Key, Read keys::context, "Show the key that asks";
    GET "/tenants/{tenant_id}/api_keys/{api_key_id}", Tenant(KeyRead), Read keys::get, "Show an API key";
    PUT "/tenants/{tenant_id}/api_keys/{api_key_id}/security", Tenant(KeyManage), Write keys::update_security, "Change the addresses that a key may be used from";
    DELETE "/tenants/{tenant_id}/api_keys/{api_key_id}", Tenant(KeyManage), Write keys::delete, "Revoke an API key";
}

/// The parameters of `path` if it fits `pattern`, segment by segment.
fn fit(pattern: &'static str, path: &str) -> Option<Params> {
    let (mut expected, mut given) = (pattern.split('/'), path.split('/'));
    let mut pairs = Vec::new();
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return Some(Params::new(pairs)),
            (Some(segment), Some(text)) => match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !text.is_empty() => pairs.push((name, text.to_owned())),
                None if segment == text => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// The rows that a path fits. A pattern without a parameter where another has one comes first in the table, and wins.
fn find(path: &str) -> Option<Matched> {
    let (pattern, params) = ROUTES.iter().find_map(|row| Some((row.path, fit(row.path, path)?)))?;
    Some(Matched { rows: ROUTES.iter().filter(|row| row.path == pattern).collect(), params })
}

/// The first segment of a path.
fn first(path: &'static str) -> &'static str {
    path.split('/').nth(1).unwrap_or_default()
}

/// The whole service: a boxed group of filters for each first segment, and a 404 for all else. It never rejects.
pub fn filter(
    api: &Arc<Api>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let groups: BTreeSet<&'static str> = ROUTES.iter().map(|row| first(row.path)).collect();
    let groups = groups.into_iter().map(|name| group(api, name));
    let unknown = warp::any().and(warp::ext::get()).map(|request| Problem::unknown_path().response(request));
    let all = groups.reduce(|some, more| some.or(more).unify().boxed()).expect("the table has rows");
    // Both of what `get` and the groups reject is answered here, so that nothing is left to `recover`.
    all.or(unknown).unify().recover(dispatch::rejected).unify()
}

/// The filter of all paths that begin with this segment. A path that fits is answered here, whatever the method: only
/// one that does not fit is left to the other groups.
fn group(api: &Arc<Api>, name: &'static str) -> BoxedFilter<(Response,)> {
    let api = Arc::clone(api);
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path(name)
        .and(warp::path::full())
        .and_then(async |path: warp::path::FullPath| {
            find(path.as_str()).map(|found| (found, path.as_str().to_owned())).ok_or_else(warp::reject::not_found)
        })
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(warp::ext::get())
        .and(warp::body::stream())
        .then(move |(matched, path): (Matched, String), method, query, headers, peer, request, body| {
            let arrived = dispatch::Arrived { method, path, query, headers, peer, request };
            dispatch::answer(Arc::clone(&api), matched, arrived, body)
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_one_pattern_exactly() {
        for (path, pattern) in [
            ("/healthz", Some("/healthz")),
            ("/tenants", Some("/tenants")),
            ("/tenants/1/api_keys/context", Some("/tenants/{tenant_id}/api_keys/context")),
            ("/tenants/1/api_keys/2", Some("/tenants/{tenant_id}/api_keys/{api_key_id}")),
            (
                "/deployments/1/snapshots/2/download",
                Some("/deployments/{deployment_id}/snapshots/{snapshot_id}/download"),
            ),
            ("/tenants/", None),
            ("/healthz/", None),
            ("//healthz", None),
            ("/tenants/1/api_keys/2/", None),
            ("/deployments//snapshots", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(find(path).map(|found| found.rows[0].path), pattern, "{path}");
        }
    }

    #[test]
    fn parameters_are_found_by_name() {
        let found = find("/deployments/611298765432109057/snapshots/7").unwrap();
        assert_eq!(found.params.text("deployment_id"), Some("611298765432109057"));
        assert_eq!(found.params.text("snapshot_id"), Some("7"));
        assert_eq!(found.params.text("tenant_id"), None);
        assert_eq!(found.rows.iter().map(|row| row.method.as_str()).collect::<Vec<_>>(), ["GET", "DELETE"]);
    }

    #[test]
    fn no_row_hides_another() {
        for row in ROUTES {
            let example = row.path.replace(['{', '}'], "");
            assert_eq!(find(&example).unwrap().rows[0].path, row.path);
            let twins = ROUTES.iter().filter(|other| (other.path, &other.method) == (row.path, &row.method));
            assert_eq!(twins.count(), 1, "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn what_changes_something_is_no_get() {
        for row in ROUTES {
            assert_eq!(matches!(row.handle, Handle::Read(_)), row.method == Method::GET, "{} {}", row.method, row.path);
        }
    }
}
