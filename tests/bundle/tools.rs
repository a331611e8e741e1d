//! Other people's tools must accept what we write. One that is not installed is passed over, and says so.

use std::path::Path;
use std::process::Command;

/// Each tool: its names, and its arguments before the file's path.
const TESTERS: &[(&[&str], &[&str])] = &[
    (&["unzip"], &["-tqq"]),
    (&["7zz", "7z"], &["t", "-bd", "-bso0"]),
    (&["bsdtar"], &["-tf"]),
    (&["python3"], &["-c", "import sys, zipfile\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None"]),
];

/// The same without inflating everything.
const LISTERS: &[(&[&str], &[&str])] = &[
    (&["unzip"], &["-lqq"]),
    (&["7zz", "7z"], &["l", "-bd", "-bso0"]),
    (&["bsdtar"], &["-tf"]),
    (&["python3"], &["-c", "import sys, zipfile\nassert len(zipfile.ZipFile(sys.argv[1]).infolist()) > 0"]),
];

/// Every installed tool finds the file whole.
pub fn test(path: &Path) {
    run(TESTERS, path);
}

/// Every installed tool can list the file.
pub fn list(path: &Path) {
    run(LISTERS, path);
}

fn run(tools: &[(&[&str], &[&str])], path: &Path) {
    for (names, arguments) in tools {
        let outcome = names.iter().find_map(|name| Command::new(name).args(*arguments).arg(path).output().ok());
        match outcome {
            None => eprintln!("{} is not installed: passed over", names[0]),
            Some(output) => {
                let said =
                    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{} refuses {}: {said}", names[0], path.display());
                assert!(!said.to_lowercase().contains("warning"), "{} warns of {}: {said}", names[0], path.display());
            }
        }
    }
}
