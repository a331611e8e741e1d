//! Carriers: what a piece of data is, as far as its secrets are concerned.

/// How the bytes of an artifact are laid out.
///
/// The collector knows it, or the artifact's name tells ([`Carrier::of_path`]). A wrong carrier is not a leak: every
/// carrier but the data of a known binary ends in the layers for text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Text of any kind: logs, YAML, JSON, INI, units, prose.
    Text,
    /// An environment block, `NAME=value` ended by NUL.
    Environ,
    /// A command line, arguments ended by NUL.
    Argv,
    /// A TOML file.
    Toml,
    /// Iggy's `runtime/current_config.toml`: only keys on a list may be shown.
    IggyConfig,
    /// `user:hash:…` lines: `/etc/shadow`, `htpasswd`.
    Shadow,
    /// `host:port:database:user:password` lines.
    Pgpass,
    /// `user:password` lines, the second field being the secret: `rsyncd.secrets`, `chap-secrets` (by blanks).
    UserSecret,
    /// A file whose second line is a password (`auth-user-pass` of `OpenVPN`).
    SecondLine,
    /// A file that is one secret and nothing else.
    Secret,
}

/// Carriers by the end of a path; the first that fits counts.
const BY_SUFFIX: &[(&str, Carrier)] = &[
    ("runtime/current_config.toml", Carrier::IggyConfig),
    ("/environ", Carrier::Environ),
    ("/cmdline", Carrier::Argv),
    (".toml", Carrier::Toml),
    ("/shadow", Carrier::Shadow),
    ("/shadow-", Carrier::Shadow),
    ("/gshadow", Carrier::Shadow),
    ("/gshadow-", Carrier::Shadow),
    (".htpasswd", Carrier::Shadow),
    ("/htpasswd", Carrier::Shadow),
    (".pgpass", Carrier::Pgpass),
    ("/pgpass", Carrier::Pgpass),
    ("/pgpass.conf", Carrier::Pgpass),
    ("/chap-secrets", Carrier::UserSecret),
    ("/pap-secrets", Carrier::UserSecret),
    ("/rsyncd.secrets", Carrier::UserSecret),
    ("/passwd.client", Carrier::UserSecret),
];

impl Carrier {
    /// The carrier that a path's last part tells, else [`Carrier::Text`].
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let rooted = format!("/{path}");
        BY_SUFFIX.iter().find(|(suffix, _)| rooted.ends_with(suffix)).map_or(Self::Text, |(_, carrier)| *carrier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_carrier() {
        for (path, carrier) in [
            ("etc/shadow", Carrier::Shadow),
            ("shadow", Carrier::Shadow),
            ("var/lib/iggy/runtime/current_config.toml", Carrier::IggyConfig),
            ("Cargo.toml", Carrier::Toml),
            ("root/.pgpass", Carrier::Pgpass),
            ("proc/12/environ", Carrier::Environ),
            ("proc/12/cmdline", Carrier::Argv),
            ("logs/iggy-server.log", Carrier::Text),
            ("foreshadow", Carrier::Text),
        ] {
            assert_eq!(Carrier::of_path(path), carrier, "{path}");
        }
    }
}
