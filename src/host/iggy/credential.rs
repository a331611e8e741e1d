//! The credential for Iggy's API, from a file of the operator's.
//!
//! Two forms: a single line with a personal access token, or two lines `username = …` and `password = …`. It is never
//! shown, logged or recorded, and wiped when dropped; a file that others may read is refused.

use zeroize::Zeroizing;

use super::super::FileKind;
use super::super::root::Host;
use crate::domain::gap::Gap;
use crate::evidence::Observed;

/// Bytes of the file: a token has 68, and no name or password of Iggy's more than 255.
const FILE_BYTES_MAX: usize = 4096;

/// What opens Iggy's API.
pub(super) enum Credential {
    /// A personal access token.
    Token(Zeroizing<String>),
    /// A user.
    Password {
        /// Its name.
        username: String,
        /// Its password.
        password: Zeroizing<String>,
    },
}

impl Credential {
    /// The part that must never be seen.
    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Token(secret) | Self::Password { password: secret, .. } => secret,
        }
    }
}

/// A credential, and whose file holds it.
pub(super) struct OwnedCredential {
    pub(super) credential: Credential,
    pub(super) owner_uid: u32,
}

/// Reads the file.
///
/// # Errors
/// It is not there, others may read it, or it has neither form. Nothing of it is quoted.
pub(super) fn read(host: &Host, path: &str) -> Observed<OwnedCredential> {
    let metadata = host.seed_metadata(path)?;
    if metadata.kind != FileKind::File {
        return Err(Gap::broken(format!("{path} is not a regular file")));
    }
    if metadata.mode & 0o077 != 0 {
        let detail = format!("{path} has mode {:04o}: others may read it, so it is not used", metadata.mode);
        return Err(Gap::denied(detail, format!("chmod 0600 {path}")));
    }
    let own = rustix::process::geteuid().as_raw();
    if host.is_live() && metadata.uid != 0 && metadata.uid != own {
        let detail = format!("{path} belongs to user {}, so it is not used", metadata.uid);
        return Err(Gap::denied(detail, format!("chown {own} {path}")));
    }
    let bytes = host.seed(path)?;
    let form =
        || Gap::broken(format!("{path} holds neither one line with a token nor `username = …` and `password = …`"));
    if bytes.len() > FILE_BYTES_MAX {
        return Err(form());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| form())?;
    Ok(OwnedCredential { credential: parse(text).ok_or_else(form)?, owner_uid: metadata.uid })
}

fn parse(text: &str) -> Option<Credential> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let value = |line: &'_ str, name: &str| -> Option<Zeroizing<String>> {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.unwrap_or(value);
        (key.trim() == name && !value.is_empty()).then(|| Zeroizing::new(value.to_owned()))
    };
    match lines[..] {
        [token] if !token.contains(char::is_whitespace) => Some(Credential::Token(Zeroizing::new(token.to_owned()))),
        [first, second] => {
            let pair = |name: &str| value(first, name).or_else(|| value(second, name));
            Some(Credential::Password { username: pair("username")?.to_string(), password: pair("password")? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read_file(text: &str, mode: u32) -> Observed<OwnedCredential> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credential");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read(&Host::live(), path.to_str().unwrap())
    }

    #[test]
    fn both_forms_are_read() {
        for (text, username, secret) in [
            ("a+b/c==\n", None, "a+b/c=="),
            ("username = root\npassword = p=q \n", Some("root"), "p=q"),
            ("\npassword=\"a b\"\nusername=root", Some("root"), "a b"),
        ] {
            let read = read_file(text, 0o600).unwrap().credential;
            assert_eq!(read.secret(), secret);
            let name = match &read {
                Credential::Token(_) => None,
                Credential::Password { username, .. } => Some(username.as_str()),
            };
            assert_eq!(name, username);
        }
    }

    #[test]
    fn what_others_may_read_or_has_no_form_is_refused_without_quoting_it() {
        for (text, mode, detail) in [
            ("hunter2", 0o640, "others may read it"),
            ("hunter2", 0o604, "others may read it"),
            ("", 0o600, "neither"),
            ("hunter2 hunter3", 0o600, "neither"),
            ("username = hunter2\npasswort = hunter2", 0o600, "neither"),
            ("hunter2\nhunter2\nhunter2", 0o600, "neither"),
        ] {
            let Err(gap) = read_file(text, mode) else { panic!("{text} was taken") };
            assert!(gap.detail.contains(detail) && !gap.detail.contains("hunter"), "{}", gap.detail);
        }
    }
}
