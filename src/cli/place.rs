//! Where we may write: in no data directory of Iggy's, over no device, and the appliance in a directory of its own.
//!
//! The server parses the names in its data directory and gives up on one that it does not know, so a file of ours there
//! would break what we are to examine. This room looks before anything is made; it changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::CliError;
use crate::config::Config;
use crate::iggy::Layout;
use crate::store::DATABASE_FILE;

/// The names by which a layout is told.
const LAYOUT_NAMES: [&str; 4] = ["state", "metadata", "streams", "runtime"];
/// What may be in a directory that is to become an appliance's: file systems make it by themselves.
const FILE_SYSTEMS_OWN: &str = "lost+found";

/// Refuses a path in a data directory of Iggy's: the configured one, or any with a layout that we know.
pub(super) fn refuse_in_iggy(path: &Path, config: &Config) -> Result<(), CliError> {
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(real) = real(&named) else {
        return Err(CliError::Usage(format!(
            "{} goes back by `..` over a directory that is not there: name the place without it",
            path.display()
        )));
    };
    // The configured directory is compared by its name alone: it may be on a file system that does not answer.
    let configured = config.iggy.data_dir.as_deref();
    let above = || real.ancestors().chain(named.ancestors());
    match above().find(|above| configured == Some(above) || has_layout(above)) {
        Some(directory) => Err(CliError::Usage(format!(
            "{} is in a data directory of Iggy's ({}): nothing is ever written there; choose another place",
            path.display(),
            directory.display()
        ))),
        None => Ok(()),
    }
}

/// Refuses to replace what is no regular file: a device, a pipe, a socket.
pub(super) fn refuse_special(path: &Path) -> Result<(), CliError> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(CliError::Usage(format!("{} is there and is no file", path.display()))),
        // Whether it can be written is seen when it is.
        _ => Ok(()),
    }
}

/// Refuses a directory that holds anything, except for `ours`.
pub(super) fn refuse_occupied(directory: &Path, ours: &[&Path], problem: &str) -> Result<(), CliError> {
    // One that is not there yet, or cannot be read, is met when it is used.
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    let foreign = |path: &PathBuf| !path.ends_with(FILE_SYSTEMS_OWN) && !ours.contains(&path.as_path());
    match entries.flatten().map(|entry| entry.path()).find(foreign) {
        Some(_) => Err(CliError::Usage(format!("{} {problem}", directory.display()))),
        None => Ok(()),
    }
}

/// Refuses a data directory of the appliance that is somebody else's: it is closed to all others when it is taken.
pub(super) fn refuse_foreign_data_dir(config: &Config) -> Result<(), CliError> {
    refuse_in_iggy(&config.data_dir, config)?;
    refuse_others(&config.data_dir)?;
    if config.data_dir.join(DATABASE_FILE).exists() {
        return Ok(());
    }
    let log_file = config.log_file.as_deref().and_then(|path| std::path::absolute(path).ok());
    let log_file: Vec<&Path> = log_file.as_deref().into_iter().collect();
    let problem =
        format!("holds files and no {DATABASE_FILE}: the appliance needs a directory of its own, new or empty");
    refuse_occupied(&config.data_dir, &log_file, &problem)
}

/// Refuses a directory of another user's: who owns a directory can replace what is in it.
fn refuse_others(directory: &Path) -> Result<(), CliError> {
    let own = rustix::process::geteuid().as_raw();
    match fs::metadata(directory) {
        Ok(there) if there.uid() != own => Err(CliError::Usage(format!(
            "{} belongs to user {}, and this is user {own}: run as that user, or choose another directory",
            directory.display(),
            there.uid()
        ))),
        _ => Ok(()),
    }
}

/// The absolute path without links, as far as it is there. `None`: what is not there yet goes back by `..`, so that the
/// place is another one once it was made.
fn real(path: &Path) -> Option<PathBuf> {
    let there = path.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    let (above, real) = there.unwrap_or((Path::new("/"), PathBuf::from("/")));
    match path.strip_prefix(above) {
        Ok(rest) if rest.components().any(|part| part == Component::ParentDir) => None,
        Ok(rest) if !rest.as_os_str().is_empty() => Some(real.join(rest)),
        _ => Some(real),
    }
}

fn has_layout(directory: &Path) -> bool {
    Layout::of(LAYOUT_NAMES.into_iter().filter(|name| directory.join(name).is_dir())).is_known()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_is_written_into_a_data_directory_of_iggys() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("local_data");
        for name in ["state", "streams/1/topics", "runtime"] {
            fs::create_dir_all(data.join(name)).unwrap();
        }
        let named = folder.path().join("named");
        fs::create_dir(&named).unwrap();
        symlink(&data, folder.path().join("link")).unwrap();
        let mut config = Config::default();
        config.iggy.data_dir = Some(named);
        for (path, refused) in [
            ("", false),
            ("a.zip", false),
            ("local_data2/a.zip", false),
            ("local_data", true),
            ("local_data/a.zip", true),
            ("local_data/streams/1/new/deep/a.zip", true),
            ("link/a.zip", true),
            ("other/../local_data/a.zip", true),
            ("local_data2/../a.zip", true),
            ("named/a.zip", true),
        ] {
            let outcome = refuse_in_iggy(&folder.path().join(path), &config);
            assert_eq!(outcome.is_err(), refused, "{path}");
        }
    }

    #[test]
    fn a_device_is_not_replaced() {
        assert!(refuse_special(Path::new("/dev/null")).is_err());
        assert!(refuse_special(Path::new("/proc/self/exe")).is_ok());
        assert!(refuse_special(Path::new("/nonexistent/file")).is_ok());
    }

    #[test]
    fn an_appliance_takes_no_directory_of_another_user() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refuse_others(folder.path()).is_ok());
        assert!(refuse_others(&folder.path().join("new")).is_ok());
        let own = rustix::process::geteuid().as_raw();
        // Root's, for whoever is not root; root can give one away.
        if own == 0 {
            std::os::unix::fs::chown(folder.path(), Some(65534), None).unwrap();
        }
        let directory = if own == 0 { folder.path() } else { Path::new("/") };
        let problem = refuse_others(directory).unwrap_err().to_string();
        assert!(problem.contains(&format!("this is user {own}")), "{problem}");
    }

    #[test]
    fn an_appliance_takes_no_directory_that_others_use() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        let touch = |name: &str| fs::write(folder.path().join(name), "").unwrap();
        fs::create_dir(folder.path().join("lost+found")).unwrap();
        assert!(refuse_foreign_data_dir(&config).is_ok());
        touch("serve.log");
        assert!(refuse_foreign_data_dir(&config).is_err());
        config.log_file = Some(folder.path().join("serve.log"));
        assert!(refuse_foreign_data_dir(&config).is_ok());
        touch("passwd");
        assert!(refuse_foreign_data_dir(&config).is_err());
        touch(DATABASE_FILE);
        assert!(refuse_foreign_data_dir(&config).is_ok());
    }
}
