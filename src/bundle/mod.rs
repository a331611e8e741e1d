//! Packing: Iggy's data directory into `iggy-data.zip`, and everything into one archive with its manifest.
//!
//! | step | module |
//! | --- | --- |
//! | walk the directory, put it in order, say what it will be | [`plan`] |
//! | decide by its role what becomes of a file, and make it so | [`data`] |
//! | compress in chunks on two threads, commit in order | `packer`, `deflate` |
//! | lay out a ZIP, take back what must not stay | `container` |
//! | the outer archive: report, data, manifest; read it back | [`archive`] |
//!
//! Everything streams: memory does not depend on the size of the data. Nothing here writes into the data directory or
//! follows a link out of it. Invariants: an entry that could not be redacted is not in the ZIP; what is left out is
//! listed with its reason; an archive is announced only after it was read back and found whole.

pub mod archive;
mod check;
mod container;
pub mod data;
mod deflate;
mod entry;
mod error;
mod guard;
mod headers;
mod keys;
pub mod manifest;
mod name;
mod packer;
pub mod plan;
mod source;
mod treatment;
mod walk;

pub use error::BundleError;
pub use treatment::Payloads;
