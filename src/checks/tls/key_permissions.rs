//! Who may read private keys.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::shell::quoted;
use crate::domain::verdict::Severity;
use crate::evidence::iggy::IGGY_PROCESS;
use crate::evidence::tls::{Access, TLS_FILES, TlsFile, TlsRole};

pub(super) const CHECK: Check = Check {
    id: "tls.key-perms",
    title: "Permissions of private keys",
    category: Category::Tls,
    tier: Tier::Extended,
    severity: Severity::Critical,
    needs: &[TLS_FILES.source()],
    rule: "Fails when a private key can be read by everybody, or can be replaced by everybody because its folder can be written. Warns when its group may read it, or its owner is neither root nor the server's user; passes otherwise. The key itself is not read.",
    threshold_source: "Lynis FILE-7524 in spirit; the rest is our own.",
    why: "Whoever has the key is the server, for as long as the certificate lives.",
    remedy: "chown iggy: KEY_FILE\nchmod 0600 KEY_FILE\n# If others could read it, the key is burnt: make a new one and have the certificate issued anew.",
    references: &["Lynis: file permissions"],
    privilege: "any user who may enter the folder",
    settings: &[],
    evaluate: permissions,
};

fn permissions(case: &Case<'_>) -> Result<Judgement, Gap> {
    let files = case.read(TLS_FILES)?;
    let server_uid = case.read(IGGY_PROCESS).ok().map(|process| process.uid);
    let keys: Vec<&TlsFile> = files.iter().filter(|file| file.role == TlsRole::Key).collect();
    let gaps: Vec<Gap> = keys.iter().filter_map(|file| file.access.as_ref().err().cloned()).collect();
    let judgements = keys.iter().filter_map(|file| Some(judged(&file.path, file.access.as_ref().ok()?, server_uid)));
    let Some(worst) = judgements.max_by_key(|judged| judged.verdict) else {
        return match gaps.into_iter().next() {
            Some(gap) => Err(gap),
            None => Err(Gap::not_applicable("no listener of Iggy's uses TLS with a key from a file")),
        };
    };
    let facts = keys.iter().filter_map(|file| {
        let access = file.access.as_ref().ok()?;
        let text = format!(
            "mode {:04o}, owner {}, group {}, folder {:04o}",
            access.mode, access.uid, access.gid, access.folder_mode
        );
        Some((file.path.clone(), text))
    });
    Ok(gaps.into_iter().fold(worst.proof(Proof::facts("Keys", facts)), Judgement::gap))
}

fn judged(path: &str, access: &Access, server_uid: Option<u32>) -> Judgement {
    let mode = format!("(mode {:04o})", access.mode);
    // With the sticky bit nobody can replace another's file.
    let open_folder = access.folder_mode & 0o002 != 0 && access.folder_mode & 0o1000 == 0;
    let remedy = |judged: Judgement| judged.remedy(CHECK.remedy.replace("KEY_FILE", &quoted(path)));
    if access.mode & 0o006 != 0 {
        remedy(Judgement::fail(format!("{path} can be read or written by everybody {mode}.")))
    } else if open_folder {
        remedy(Judgement::fail(format!("The folder of {path} can be written by everybody.")))
    } else if access.mode & 0o060 != 0 {
        remedy(Judgement::warn(format!("{path} can be read by its group {} {mode}.", access.gid)))
    } else if server_uid.is_some_and(|uid| access.uid != uid && access.uid != 0) {
        remedy(Judgement::warn(format!("{path} belongs to user {}, neither root nor the server's.", access.uid)))
    } else {
        Judgement::pass(format!("{path} can be read by its owner alone {mode}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn everybody_fails_and_a_group_or_stranger_warns() {
        for (mode, folder_mode, uid, expected) in [
            (0o600, 0o755, 1000, Verdict::Pass),
            (0o400, 0o1777, 0, Verdict::Pass),
            (0o604, 0o755, 1000, Verdict::Fail),
            (0o602, 0o755, 1000, Verdict::Fail),
            (0o600, 0o777, 1000, Verdict::Fail),
            (0o640, 0o755, 1000, Verdict::Warn),
            (0o600, 0o755, 33, Verdict::Warn),
        ] {
            let access = Access { uid, gid: 5, mode, folder_mode };
            assert_eq!(judged("/k", &access, Some(1000)).verdict, expected, "{mode:o} {folder_mode:o} {uid}");
        }
    }
}
