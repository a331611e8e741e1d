//! Entry names: any path of a Linux file system becomes a name that every unzip tool writes below its target.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes that stand as `%XX`: controls, what Windows cannot write, and the escape itself.
const ESCAPED: &[u8] = b"%\\:*?\"<>|\x7f";

/// The longest entry name; longer ones are cut. ZIP allows 65,535, most file systems 255 for a part.
const NAME_BYTES_MAX: usize = 4096;

/// The path as UTF-8 with everything that is unsafe or unreadable written `%XX`: one path, one name.
pub(super) fn readable(path: &Path) -> String {
    let parts = path.iter().map(OsStrExt::as_bytes).filter(|part| !part.is_empty() && *part != b"/");
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() {
            name.push('/');
        }
        if part.iter().all(|byte| *byte == b'.') {
            // `.` and `..` name directories; a part of dots alone never reaches an unzip tool as such.
            name.push_str(&"%2E".repeat(part.len()));
            continue;
        }
        for chunk in part.utf8_chunks() {
            for character in chunk.valid().chars() {
                match u8::try_from(character) {
                    Ok(byte) if byte < 0x20 || ESCAPED.contains(&byte) => escape(byte, &mut name),
                    _ => name.push(character),
                }
            }
            chunk.invalid().iter().for_each(|byte| escape(*byte, &mut name));
        }
    }
    name
}

fn escape(byte: u8, name: &mut String) {
    let _ = write!(name, "%{byte:02X}");
}

/// Keeps names apart that became one: masking gives the same secret the same mask everywhere.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<u64>);

impl Names {
    /// `name` made safe once more (masking may have changed it) and different from every name before.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let mut safe: String = readable_again(name);
        safe.truncate(safe.floor_char_boundary(NAME_BYTES_MAX));
        if safe.is_empty() {
            safe.push_str("%00");
        }
        let mut candidate = safe.clone();
        let mut copy = 2;
        while !self.0.insert(hash(&candidate)) {
            candidate = format!("{safe}~{copy}");
            copy += 1;
        }
        candidate
    }
}

/// Removes what a replacement could have brought in: separators at the ends, empty parts, dots alone, controls.
fn readable_again(name: &str) -> String {
    let parts = name.split('/').filter(|part| !part.is_empty());
    let safe = parts.map(|part| {
        if part.bytes().all(|byte| byte == b'.') {
            part.replace('.', "%2E")
        } else {
            part.chars().map(|c| if c.is_control() || c == '\\' { '_' } else { c }).collect()
        }
    });
    safe.collect::<Vec<String>>().join("/")
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Some file systems do not tell upper from lower case.
    name.to_lowercase().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_hostile_path_becomes_a_harmless_name() {
        for (path, name) in [
            (&b"state/log"[..], "state/log"),
            (b"a/../../etc/passwd", "a/%2E%2E/%2E%2E/etc/passwd"),
            (b"/etc/shadow", "etc/shadow"),
            (b"a//b/", "a/b"),
            (b"line\nbreak", "line%0Abreak"),
            (b"..\\..\\x", "..%5C..%5Cx"),
            (b"C:\\x", "C%3A%5Cx"),
            (b"caf\xc3\xa9 \xff\xfe", "caf\u{e9} %FF%FE"),
            (b"100%", "100%25"),
            (b"...", "%2E%2E%2E"),
            (b"\x1b[31m", "%1B[31m"),
        ] {
            assert_eq!(readable(Path::new(OsStr::from_bytes(path))), name);
        }
    }

    #[test]
    fn different_paths_never_share_a_name() {
        let mut names = Names::default();
        assert_eq!(names.unique("a/b"), "a/b");
        assert_eq!(names.unique("a/b"), "a/b~2");
        assert_eq!(names.unique("A/b"), "A/b~3");
        assert_eq!(names.unique("a/b~2"), "a/b~2~2");
        assert_eq!(names.unique(""), "%00");
        assert_eq!(names.unique("/x/../y\u{7}"), "x/%2E%2E/y_");
        assert!(names.unique(&"x".repeat(9000)).len() <= NAME_BYTES_MAX);
    }

    proptest::proptest! {
        #[test]
        fn no_path_leads_out_of_the_target(bytes: Vec<u8>) {
            let name = Names::default().unique(&readable(Path::new(OsStr::from_bytes(&bytes))));
            assert!(!name.starts_with('/') && !name.is_empty(), "{name:?}");
            assert!(name.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{name:?}");
            assert!(!name.chars().any(|c| c.is_control() || c == '\\'), "{name:?}");
        }

        #[test]
        fn two_paths_have_two_names(a in "[/.%2Ea\\\\]{0,6}", b in "[/.%2Ea\\\\]{0,6}") {
            let (a, b) = (Path::new(&a), Path::new(&b));
            let same = a.iter().filter(|part| *part != "/").eq(b.iter().filter(|part| *part != "/"));
            assert_eq!(readable(a) == readable(b), same);
        }
    }
}
