//! Files that are there whole or not at all, also after a power cut: write, fsync, rename, fsync of the directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes a file of this mode in place of what stands at `target`. Until it is whole it is called [`partial`]; what a crash
/// left under that name is thrown away.
///
/// # Errors
/// The file cannot be written: what stood at `target` still stands.
pub fn replace(target: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let partial = partial(target);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    write(&mut file).and_then(|()| appear(&file, &partial, target)).inspect_err(|_| {
        // It may not be there any more; what matters is said by the error.
        let _ = fs::remove_file(&partial);
    })
}

/// Gives a written file its name.
///
/// # Errors
/// It cannot be synced or renamed.
pub fn appear(file: &File, partial: &Path, target: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(partial, target)?;
    sync_directory(target)
}

/// Makes the name of a file last: a name is its directory's.
///
/// # Errors
/// The directory cannot be synced.
pub fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// What a file is called until it is whole.
#[must_use]
pub fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.json");
        fs::write(partial(&target), "left by a crash, and longer than what is to come").unwrap();
        replace(&target, 0o600, |file| file.write_all(b"first")).unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        let broken = replace(&target, 0o600, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(broken.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((fs::read(&target).unwrap(), partial(&target).exists()), (b"first".to_vec(), false));
    }
}
