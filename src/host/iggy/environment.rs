//! What is kept of environments and command lines: names, paths, numbers and flags on closed lists.

use crate::evidence::iggy::{IggyEnvironment, RootCredentials, StartFlag};

/// Longest value of a variable that is kept (`PATH_MAX`).
const VALUE_BYTES_MAX: usize = 4096;
/// Variables whose names are kept.
const NAMES_MAX: usize = 256;
/// Pairs of root name and password that stand in Iggy's own documentation and charts.
const WELL_KNOWN_CREDENTIALS: &[(&[u8], &[u8])] = &[(b"iggy", b"iggy"), (b"iggy", b"changeit")];
/// Parts of names of variables and arguments whose values are secrets.
const SECRET_NAMES: &[&str] = &["password", "passwd", "secret", "token", "private_key", "encryption_key", "credential"];

/// Reads an environment block, `NAME=value` ended by NUL.
pub(super) fn environment(block: &[u8]) -> IggyEnvironment {
    let mut kept = IggyEnvironment::default();
    let (mut user, mut password) = (None, None);
    for (name, value) in block.split(|byte| *byte == 0).filter_map(split) {
        if name.starts_with("IGGY_") && kept.names.len() < NAMES_MAX {
            kept.names.push(name.to_owned());
        }
        match name {
            "IGGY_SYSTEM_PATH" => kept.system_path = text(value),
            "IGGY_CONFIG_PATH" | "IGGY_CONNECTORS_CONFIG_PATH" => kept.config_path = text(value),
            "IGGY_SHARD_RUNTIME_CAPACITY" => kept.ring_capacity = text(value).and_then(|text| text.parse().ok()),
            "RUST_LOG" => kept.rust_log = text(value),
            "IGGY_CONNECTORS_HTTP_ADDRESS" => kept.connectors_http.address = text(value),
            "IGGY_CONNECTORS_HTTP_ENABLED" => kept.connectors_http.enabled = text(value),
            "IGGY_CONNECTORS_HTTP_TLS_ENABLED" => kept.connectors_http.tls_enabled = text(value),
            "IGGY_ROOT_USERNAME" => user = Some(value),
            "IGGY_ROOT_PASSWORD" => password = Some(value),
            _ => {}
        }
    }
    kept.names.sort();
    kept.root_credentials = match (user, password) {
        (Some(user), Some(password)) if WELL_KNOWN_CREDENTIALS.contains(&(user, password)) => {
            RootCredentials::WellKnown
        }
        (Some(_), Some(_)) => RootCredentials::Own,
        _ => RootCredentials::Unstated,
    };
    kept
}

/// The flags on a command line, arguments ended by NUL, the program first.
pub(super) fn flags(arguments: &[u8]) -> Vec<StartFlag> {
    let arguments =
        arguments.split(|byte| *byte == 0).skip(1).filter_map(|argument| std::str::from_utf8(argument).ok());
    let mut flags: Vec<StartFlag> = arguments.filter_map(flag).collect();
    flags.dedup();
    flags
}

/// The flag that one argument is, if it is one that matters.
pub(in crate::host) fn flag(argument: &str) -> Option<StartFlag> {
    let name = argument.split('=').next().unwrap_or(argument);
    match name {
        "--fresh" => Some(StartFlag::Fresh),
        "--with-default-root-credentials" => Some(StartFlag::DefaultRootCredentials),
        _ if name.starts_with("--") && is_secret_name(name) => Some(StartFlag::SecretArgument),
        _ => None,
    }
}

/// Whether the name of a variable or an argument says that its value is a secret.
pub(in crate::host) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    // A file that holds a secret is no secret.
    !name.ends_with("_file") && !name.ends_with("_path") && SECRET_NAMES.iter().any(|part| name.contains(part))
}

fn split(variable: &[u8]) -> Option<(&str, &[u8])> {
    let at = variable.iter().position(|byte| *byte == b'=')?;
    Some((std::str::from_utf8(&variable[..at]).ok()?, &variable[at + 1..]))
}

fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.len() <= VALUE_BYTES_MAX).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iggy::connectors::HttpVariables;

    #[test]
    fn the_connectors_api_is_where_their_variables_say() {
        let block = b"IGGY_CONNECTORS_HTTP_ADDRESS=0.0.0.0:9081\0IGGY_CONNECTORS_HTTP_TLS_ENABLED=true\0";
        let expected = HttpVariables {
            address: Some("0.0.0.0:9081".into()),
            tls_enabled: Some("true".into()),
            ..HttpVariables::default()
        };
        assert_eq!(environment(block).connectors_http, expected);
    }

    #[test]
    fn an_environment_gives_names_and_paths_and_no_secret() {
        let block = b"PATH=/bin\0IGGY_SYSTEM_PATH=/data\0IGGY_ROOT_USERNAME=iggy\0IGGY_ROOT_PASSWORD=hunter2\0\
            IGGY_SHARD_RUNTIME_CAPACITY=1024\0RUST_LOG=debug\0IGGY_CONFIG_PATH=\0broken\0";
        let kept = environment(block);
        let names = ["CONFIG_PATH", "ROOT_PASSWORD", "ROOT_USERNAME", "SHARD_RUNTIME_CAPACITY", "SYSTEM_PATH"];
        assert_eq!(
            kept,
            IggyEnvironment {
                names: names.iter().map(|name| format!("IGGY_{name}")).collect(),
                system_path: Some("/data".into()),
                config_path: None,
                ring_capacity: Some(1024),
                rust_log: Some("debug".into()),
                connectors_http: HttpVariables::default(),
                root_credentials: RootCredentials::Own,
            }
        );
        assert!(!format!("{kept:?}").contains("hunter2"));
    }

    #[test]
    fn documented_root_credentials_are_recognised() {
        for (user, password, expected) in [
            ("iggy", "iggy", RootCredentials::WellKnown),
            ("iggy", "changeit", RootCredentials::WellKnown),
            ("iggy", "Iggy", RootCredentials::Own),
            ("root", "iggy", RootCredentials::Own),
        ] {
            let block = format!("IGGY_ROOT_USERNAME={user}\0IGGY_ROOT_PASSWORD={password}\0");
            assert_eq!(environment(block.as_bytes()).root_credentials, expected);
        }
        assert_eq!(environment(b"IGGY_ROOT_PASSWORD=iggy\0").root_credentials, RootCredentials::Unstated);
    }

    #[test]
    fn flags_are_known_by_their_whole_name() {
        let line = b"/opt/iggy-server\0--fresh\0--freshly\0--password=x\0--token-file=/x\0fresh\0";
        assert_eq!(flags(line), [StartFlag::Fresh, StartFlag::SecretArgument]);
        assert_eq!(flags(b"--fresh\0"), [], "the program's own name is no flag");
        assert_eq!(flags(b"x\0--with-default-root-credentials\0"), [StartFlag::DefaultRootCredentials]);
    }
}
