//! The handlers, one file per resource; each file has the wire types of its answers.
//!
//! A wire type names every field that clients decode. What has no meaning on premises is a truthful constant, said so
//! where it stands.

pub mod archive;
pub mod deployments;
pub mod divisions;
pub mod environments;
pub mod health;
pub mod keys;
mod permissions;
mod places;
mod plan_features;
pub mod roles;
pub mod snapshots;
pub mod tenants;
