//! Finished archives on disk, the signed links by which they are fetched, and reading old ones.
//!
//! An archive appears under its name only whole: it is written as `ID.zip.partial`, synced, renamed, and its directory
//! synced; the row that mentions it is completed after that. File names come from row ids alone. Nothing here knows rows:
//! who calls brings their ids and learns which have no file and which files have none.

mod disk;
mod error;
mod links;
mod reading;

pub use disk::{Archives, Deletion, Inventory, Orphans, Space, Stored};
pub use error::ArchiveError;
pub use links::{LINK_TTL_MAX_S, LinkError, Links, Subject};
pub use reading::{OldReport, read_report, read_report_json};
