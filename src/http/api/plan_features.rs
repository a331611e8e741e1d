//! What a plan grants, as the Core API lists it: the limits that we enforce, and 0 or false for what is not ours.

use serde::Serialize;

use crate::domain::permission::DIVISIONS_PER_ROLE_MAX;
use crate::domain::plan::{
    ALLOWED_IPS_MAX, AUDIT_RETENTION_DAYS, DIVISIONS_MAX, ENVIRONMENTS_PER_DIVISION_MAX, KEYS_MAX,
    NODES_PER_DEPLOYMENT_MAX, Plan, ROLES_MAX,
};

macro_rules! features {
    ($($field:ident: $type:ty = $value:expr,)*) => {
        /// The features of a plan; all are required by clients.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub(super) struct PlanFeatures {$($field: $type,)*}

        impl PlanFeatures {
            /// Those of this plan.
            pub(super) fn of(plan: &Plan) -> Self {
                $(let $field: $type = ($value)(plan);)*
                Self {$($field,)*}
            }
        }
    };
}

/// A limit for deployments of one size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TierLimit {
    tier: &'static str,
    limit: u32,
}

const NONE: fn(&Plan) -> u32 = |_| 0;
const NO: fn(&Plan) -> bool = |_| false;
const YES: fn(&Plan) -> bool = |_| true;

features! {
    invitations_limit: u32 = NONE,
    members_limit: u32 = NONE,
    roles_limit: u32 = |_: &Plan| ROLES_MAX,
    divisions_limit: u32 = |_: &Plan| DIVISIONS_MAX,
    environments_limit: u32 = |_: &Plan| DIVISIONS_MAX * ENVIRONMENTS_PER_DIVISION_MAX,
    deployment_tiers: Vec<TierLimit> = |_: &Plan| Vec::new(),
    deployment_access_rules_limit: u32 = NONE,
    deployment_configs_limit: u32 = NONE,
    deployment_backups_limit: u32 = NONE,
    private_connections_limit: u32 = NONE,
    private_endpoints_limit: u32 = NONE,
    byoc_enabled: bool = NO,
    cluster_enabled: bool = YES,
    on_premise_enabled: bool = YES,
    private_networking_enabled: bool = NO,
    multi_az_enabled: bool = NO,
    dedicated_enabled: bool = NO,
    backup_enabled: bool = NO,
    cross_region_dr_enabled: bool = NO,
    audit_retention_days: u32 = |_: &Plan| u32::try_from(AUDIT_RETENTION_DAYS).unwrap_or(u32::MAX),
    api_keys_limit: u32 = |_: &Plan| KEYS_MAX,
    cloud_accounts_limit: u32 = NONE,
    notification_channels_limit: u32 = NONE,
    notification_subscriptions_limit: u32 = NONE,
    deployment_snapshots_limit: u32 = |plan: &Plan| plan.snapshots_max,
    custom_domains_limit: u32 = NONE,
    backup_regions_limit: u32 = NONE,
    nodes_per_deployment_limit: u32 = |_: &Plan| NODES_PER_DEPLOYMENT_MAX,
    backup_retention_days: u32 = NONE,
    snapshot_retention_days: u32 = |plan: &Plan| plan.retention_days,
    pending_invitations_limit: u32 = NONE,
    api_key_allowed_ips_limit: u32 = |_: &Plan| ALLOWED_IPS_MAX,
    divisions_per_role_limit: u32 = |_: &Plan| u32::try_from(DIVISIONS_PER_ROLE_MAX).unwrap_or(u32::MAX),
    environments_per_division_limit: u32 = |_: &Plan| ENVIRONMENTS_PER_DIVISION_MAX,
    concurrent_deployments_limit: u32 = NONE,
    verified_domains_limit: u32 = NONE,
    audit_export_enabled: bool = NO,
    advanced_connectors_enabled: bool = NO,
    custom_idp_enabled: bool = NO,
    customer_managed_keys_enabled: bool = NO,
    advanced_notification_channels_enabled: bool = NO,
    scim_enabled: bool = NO,
}
