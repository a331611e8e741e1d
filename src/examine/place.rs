//! Where Iggy's data directory is.

use std::path::PathBuf;

use super::data::is_live;
use super::job::{Job, Origin};
use crate::evidence::Evidence;
use crate::host::Host;

/// The data directory as this process can open it.
///
/// # Errors
/// A sentence that says why there is none.
pub(super) fn data_directory(job: &Job, _host: &Host, _evidence: &Evidence) -> Result<PathBuf, String> {
    match (&job.config.iggy.data_dir, &job.origin) {
        (Some(directory), _) if is_live(job) => Ok(directory.clone()),
        (Some(directory), Origin::Recorded { tree }) => Ok(tree.join(directory.strip_prefix("/").unwrap_or(directory))),
        _ => Err("No data directory of Iggy was found on this host.".to_owned()),
    }
}
