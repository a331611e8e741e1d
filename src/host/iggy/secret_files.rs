//! Which of the files that Iggy's programs start with hold secrets, and who may read them. Names are kept, values are wiped.

use super::super::root::Host;
use super::super::scene::Scene;
use super::environment::is_secret_name;
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{IGGY_PROCESSES, IggyProcess};
use crate::evidence::secret_files::{Readers, SecretFile};
use crate::evidence::units::IGGY_UNITS;

/// Files that are looked at.
const FILES_MAX: usize = 32;
/// Names that are kept of one file.
const NAMES_MAX: usize = 32;
/// How deep a configuration's tables are followed.
const DEPTH_MAX: usize = 8;

pub(super) fn secret_files(scene: &Scene) -> Observed<Vec<SecretFile>> {
    scene.host.call("iggy-secret-files", || {
        let units = scene.evidence.read(IGGY_UNITS).map_or(&[][..], Vec::as_slice);
        let processes = scene.evidence.read(IGGY_PROCESSES).map_or(&[][..], Vec::as_slice);
        let mut paths: Vec<String> = units.iter().flat_map(|unit| unit.environment_files.iter()).cloned().collect();
        paths.extend(units.iter().filter_map(|unit| unit.config_path.clone()));
        paths.extend(processes.iter().filter_map(IggyProcess::config_file));
        // What the server wrote at its start: 0.8 writes secrets down there.
        paths.extend(scene.evidence.read(IGGY_CONFIG).ok().map(|config| config.path.clone()));
        // What stands in a root of its own is open to nobody on this host by its mode.
        paths.retain(|path| path.starts_with('/') && !path.starts_with("/proc/"));
        paths.sort();
        paths.dedup();
        Ok(paths.into_iter().take(FILES_MAX).filter_map(|path| look(&scene.host, path)).collect())
    })
}

/// A file, if it holds a secret.
fn look(host: &Host, path: String) -> Option<SecretFile> {
    let mode = host.metadata(&path).ok()?.mode;
    let bytes = host.seed(&path).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut names = match text.parse::<toml::Table>() {
        Ok(table) => keys(&table),
        Err(_) => variables(text),
    };
    names.truncate(NAMES_MAX);
    // A folder that we cannot ask about is taken for open: a file in it could be looked at.
    let closed = |folder: &str| host.metadata(folder).is_ok_and(|folder| folder.mode & 0o001 == 0);
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]).filter(|folder| !folder.is_empty());
    let readers = if mode & 0o004 == 0 || folders.any(closed) { Readers::Some } else { Readers::Everybody };
    (!names.is_empty()).then_some(SecretFile { path, names, mode, readers })
}

/// Names of the variables that are secrets and not empty.
fn variables(text: &str) -> Vec<String> {
    let variable = |line: &str| {
        let (name, value) = line.trim().split_once('=').filter(|(name, _)| !name.starts_with(['#', ';']))?;
        let name = name.trim().trim_start_matches("export ").trim();
        let empty = value.trim().trim_matches(['"', '\'']).is_empty();
        (!empty && is_secret_name(name)).then(|| name.to_owned())
    };
    text.lines().filter_map(variable).collect()
}

/// Keys of a configuration that hold a secret that is not empty: `http.jwt.encoding_secret`.
fn keys(table: &toml::Table) -> Vec<String> {
    fn walk(table: &toml::Table, above: &str, depth: usize, found: &mut Vec<String>) {
        for (key, value) in table {
            let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
            match value {
                toml::Value::Table(table) if depth < DEPTH_MAX => walk(table, &path, depth + 1, found),
                toml::Value::String(text) if !text.is_empty() && is_secret_key(&path) => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(table, "", 0, &mut found);
    found
}

/// Whether a key holds a secret: by its end, since `access_token_expiry` holds none.
fn is_secret_key(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["password", "secret", "token", "api_key", "secret_key", "encryption.key"].iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::super::super::scene::testing::recorded;
    use super::*;

    #[test]
    fn names_of_secrets_are_kept_and_values_are_not() {
        let env =
            "# PASSWORD=x\nIGGY_ROOT_PASSWORD=hunter2\nexport A_TOKEN='t'\nIGGY_PASSWORD_FILE=/x\nEMPTY_SECRET=\n";
        assert_eq!(variables(env), ["IGGY_ROOT_PASSWORD", "A_TOKEN"]);
        let toml = "[http.jwt]\nencoding_secret = \"hunter2\"\ndecoding_secret = \"\"\naccess_token_expiry = \"1h\"\n\
            use_base64_secret = false\n[system.encryption]\nkey = \"k\"\n[iggy]\nusername = \"iggy\"\npassword = \"p\"\n";
        let found = keys(&toml.parse().unwrap());
        assert_eq!(found, ["http.jwt.encoding_secret", "iggy.password", "system.encryption.key"]);
    }

    #[test]
    fn a_closed_folder_closes_what_is_below_it() {
        let (tree, host) = recorded(&[("etc/iggy/a/server.env", "IGGY_ROOT_PASSWORD=x\n")]);
        let set = |path: &str, mode| {
            std::fs::set_permissions(tree.path().join(path), Permissions::from_mode(mode)).unwrap();
        };
        for (folder, file, expected) in [
            (0o755, 0o644, Readers::Everybody),
            (0o750, 0o644, Readers::Some),
            (0o755, 0o640, Readers::Some),
            (0o711, 0o604, Readers::Everybody),
        ] {
            set("etc/iggy", folder);
            set("etc/iggy/a/server.env", file);
            let found = look(&host, "/etc/iggy/a/server.env".into()).unwrap();
            assert_eq!((found.readers, found.mode), (expected, file), "{folder:o} {file:o}");
        }
        assert_eq!(look(&host, "/etc/iggy/none.env".into()), None);
    }
}
