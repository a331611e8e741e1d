//! The report of one node's snapshot: its model, `report.json` and `report.html`.
//!
//! Pure: a [`model::Document`] comes in and bytes come out; no clock, file or network is touched. `Document<String>` is
//! what a snapshot assembles, `Document<Redacted<String>>` is what the writers accept, and
//! [`model::Document::map_text`] is the only way from one to the other. Invariant: no text of a host reaches a writer
//! in another type than [`crate::redact::Redacted`].

pub mod diff;
pub mod html;
pub mod json;
pub mod model;

mod minimal;
mod visible;

pub use minimal::minimal;

#[cfg(test)]
pub(crate) mod fixtures;
