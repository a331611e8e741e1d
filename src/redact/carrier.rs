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
    /// `bob : EAP "secret"`, `: RSA key.pem "passphrase"` (`ipsec.secrets`).
    IpsecSecrets,
    /// `BUNDLE_GEMS__EXAMPLE__COM: "user:password"` (Bundler).
    Bundler,
    /// Docker's credentials: every `"auth"` is one.
    Docker,
    /// `user:realm:hash` lines (`htdigest`).
    Digest,
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
    (".htdigest", Carrier::Digest),
    ("/htdigest", Carrier::Digest),
    (".pgpass", Carrier::Pgpass),
    ("/pgpass", Carrier::Pgpass),
    ("/pgpass.conf", Carrier::Pgpass),
    ("/chap-secrets", Carrier::UserSecret),
    ("/pap-secrets", Carrier::UserSecret),
    ("/rsyncd.secrets", Carrier::UserSecret),
    ("/passwd.client", Carrier::UserSecret),
    ("/sasl_passwd", Carrier::UserSecret),
    ("/sasl/passwd", Carrier::UserSecret),
    ("/ipsec.secrets", Carrier::IpsecSecrets),
    ("/.bundle/config", Carrier::Bundler),
    ("/.dockercfg", Carrier::Docker),
    ("/.docker/config.json", Carrier::Docker),
    ("/.erlang.cookie", Carrier::Secret),
    ("/.vnc/passwd", Carrier::Secret),
];

/// What a file of a user and a password is called, before any extension, where `OpenVPN` has its files.
const LOGINS: &[&str] = &["auth", "login", "credentials", "creds", "pass", "passwd", "userpass", "user-pass", "up"];

/// Characters of a hash of DES's, and hexadecimal digits of one of MD5's.
const DES_BYTES: usize = 13;
const DIGEST_BYTES: usize = 32;

impl Carrier {
    /// The carrier that a path's last part tells, else [`Carrier::Text`].
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let rooted = format!("/{path}");
        let by_suffix = BY_SUFFIX.iter().find(|(suffix, _)| rooted.ends_with(suffix)).map(|(_, carrier)| *carrier);
        by_suffix.or_else(|| is_login(&rooted).then_some(Self::SecondLine)).unwrap_or(Self::Text)
    }

    /// The carrier that the first bytes of some data tell, else [`Carrier::Text`].
    #[must_use]
    pub fn of_content(head: &[u8]) -> Self {
        let lines =
            || head.split(|byte| *byte == b'\n').take(32).filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        let all = |fits: fn(&[u8]) -> bool| lines().next().is_some() && lines().all(fits);
        if all(is_pgpass_line) {
            return Self::Pgpass;
        }
        if all(is_shadow_line) || all(is_passwd_line) && lines().any(has_hash) {
            return Self::Shadow;
        }
        if all(is_digest_line) {
            return Self::Digest;
        }
        let entries = || head.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        if head.contains(&0) && head.len() < 64 << 10 && entries().all(is_environ_entry) {
            return Self::Environ;
        }
        let printable = head.iter().all(|byte| *byte == 0 || *byte == b'\n' || *byte >= b' ');
        if head.ends_with(&[0]) && printable && head.len() < 64 << 10 {
            return Self::Argv;
        }
        Self::Text
    }
}

/// Whether a path is that of a file of a user and a password, a line each.
fn is_login(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = file.split_once('.').unwrap_or((file, ""));
    let told = stem.ends_with("auth-user-pass") || matches!(extension, "auth" | "up" | "login" | "pass");
    let plain = matches!(extension, "" | "txt" | "conf" | "auth" | "up" | "login" | "pass");
    plain && (stem.ends_with("auth-user-pass") || path.contains("/openvpn/") && (told || LOGINS.contains(&stem)))
}

/// `host:port:database:user:password`
fn is_pgpass_line(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.splitn(5, |byte| *byte == b':').collect();
    let port = |field: &[u8]| field == b"*" || !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    fields.len() == 5
        && port(fields[1])
        && fields[..4].iter().all(|field| !field.is_empty() && !field.contains(&b' ') && !field.contains(&b'/'))
        && !fields[4].is_empty()
        && !fields[4].contains(&b' ')
}

/// `user:hash:19000:0:99999:7:::`
fn is_shadow_line(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    fields.len() == 9 && fields[2..].iter().all(|field| field.iter().all(u8::is_ascii_digit))
}

/// `user:x:1000:1000:name:/home/user:/bin/sh`
fn is_passwd_line(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    fields.len() == 7 && number(fields[2]) && number(fields[3]) && fields[5].starts_with(b"/") && !fields[0].is_empty()
}

/// Whether the second field of such a line is a hash as old as DES, and does not stand for one.
fn has_hash(line: &[u8]) -> bool {
    let field = line.split(|byte| *byte == b':').nth(1).unwrap_or_default();
    field.len() == DES_BYTES && field.iter().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(byte))
}

/// `user:realm:939e7578ed9e3c518a452acee763bce9`
fn is_digest_line(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let [user, realm, hash] = fields[..] else { return false };
    // A package has a version where a user has a realm.
    let realm = realm.first().is_some_and(|first| !first.is_ascii_digit());
    !user.is_empty() && realm && hash.len() == DIGEST_BYTES && hash.iter().all(u8::is_ascii_hexdigit)
}

fn is_environ_entry(entry: &[u8]) -> bool {
    let name = entry.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    name > 0 && entry.get(name) == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_users_are_told_by_their_lines() {
        for (head, carrier) in [
            ("bob:Ab3dEf9hIjK1m:1000:1000::/home/bob:/bin/false\n", Carrier::Shadow),
            ("bob:x:1000:1000::/home/bob:/bin/false\n", Carrier::Text),
            ("bob:Private Area:939e7578ed9e3c518a452acee763bce9\n", Carrier::Digest),
            ("bob:Private Area:939e7578ed9e3c518a452acee763bce9\nand more\n", Carrier::Text),
        ] {
            assert_eq!(Carrier::of_content(head.as_bytes()), carrier, "{head}");
        }
    }

    #[test]
    fn a_path_tells_its_carrier() {
        for (path, carrier) in [
            ("etc/shadow", Carrier::Shadow),
            ("shadow", Carrier::Shadow),
            ("var/lib/iggy/runtime/current_config.toml", Carrier::IggyConfig),
            ("Cargo.toml", Carrier::Toml),
            ("root/.pgpass", Carrier::Pgpass),
            ("etc/openvpn/client/auth.txt", Carrier::SecondLine),
            ("etc/openvpn/client/client.conf", Carrier::Text),
            ("etc/postfix/sasl_passwd", Carrier::UserSecret),
            ("root/.docker/config.json", Carrier::Docker),
            ("proc/12/environ", Carrier::Environ),
            ("proc/12/cmdline", Carrier::Argv),
            ("logs/iggy-server.log", Carrier::Text),
            ("foreshadow", Carrier::Text),
        ] {
            assert_eq!(Carrier::of_path(path), carrier, "{path}");
        }
    }
}
