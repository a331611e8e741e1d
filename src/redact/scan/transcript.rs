//! Transcripts of a shell: a command that names a secret, or makes one, and what it printed on the line below.

use super::super::bytes::{ByteSet, begins_with, find};
use super::super::pseudonym::Class;
use super::super::shape::{self, HexIs};
use super::super::span::{Rule, Span};
use super::connect::looks_chosen;
use super::name::Verdict;
use super::surroundings::line_end;
use super::words;

/// Bytes of a prompt, of a command and of what it prints.
const PROMPT_BYTES_MAX: usize = 96;
const COMMAND_BYTES_MAX: usize = 512;
const ANSWER_BYTES_MAX: usize = 2048;
/// Bytes of the shortest answer that is a secret, and words of a command and of a prompt.
const ANSWER_BYTES_MIN: usize = 6;
const WORDS_MAX: usize = 32;
const PROMPT_WORDS_MAX: usize = 3;

/// Programs that print a secret when they are asked for one.
const PRINTING: &[&[u8]] = &[
    b"cat",
    b"echo",
    b"printenv",
    b"head",
    b"tail",
    b"base64",
    b"jq",
    b"yq",
    b"vault",
    b"bao",
    b"kubectl",
    b"oc",
    b"k3s",
    b"op",
    b"bw",
    b"pass",
    b"gopass",
    b"aws",
    b"gcloud",
    b"az",
    b"doppler",
    b"chamber",
    b"infisical",
    b"heroku",
    b"gh",
    b"glab",
    b"security",
    b"secret-tool",
    b"consul",
    b"etcdctl",
    b"docker",
    b"podman",
    b"sops",
    b"gpg",
    b"terraform",
    b"tofu",
    b"pulumi",
    b"flyctl",
    b"doctl",
    b"snap",
    b"openssl",
    b"wg",
    b"pwgen",
    b"apg",
    b"mkpasswd",
    b"makepasswd",
];
/// What makes a new secret.
const MAKING: &[&[u8]] =
    &[b"openssl rand", b"wg genkey", b"wg genpsk", b"pwgen", b"apg", b"makepasswd", b"/dev/urandom", b"gen-random"];

/// What a shell writes before the sign of its prompt.
const PROMPT: ByteSet = ByteSet::alphanumeric_and(b"@:~/._-[]() ");
/// What names are made of in a command.
const NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.");

/// The secret that a command printed, whose prompt ends in the sign at `at`; the command begins at `from`. `judge` tells
/// what a name says.
pub(super) fn printed(bytes: &[u8], at: usize, from: usize, judge: &mut dyn FnMut(&[u8]) -> Verdict) -> Option<Span> {
    let floor = at.saturating_sub(PROMPT_BYTES_MAX);
    let begin = memchr::memrchr(b'\n', &bytes[floor..at]).map(|end| floor + end + 1).or((floor == 0).then_some(0))?;
    let line = line_end(bytes, from, bytes.len().min(from + COMMAND_BYTES_MAX));
    let command = bytes[from..line].trim_ascii();
    let command = command.strip_prefix(b"sudo ").unwrap_or(command);
    let program = &command[..NAME.run(command)];
    if !is_prompt(&bytes[begin..at]) || bytes.get(line) != Some(&b'\n') || !PRINTING.contains(&program) {
        return None;
    }
    let makes = MAKING.iter().any(|word| find(command, word).is_some());
    if !makes && !names_a_secret(&command[program.len()..], judge) {
        return None;
    }
    let start = line + 1;
    let to = bytes.len().min(start + ANSWER_BYTES_MAX);
    let end = line_end(bytes, start, to);
    let next = &bytes[bytes.len().min(end + 1)..bytes.len().min(end + 1 + PROMPT_BYTES_MAX)];
    if end == to && to < bytes.len() || !is_over(next) {
        return None;
    }
    let answer = bytes[start..end].trim_ascii_end();
    let (answer, start) = match answer {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => (inner, start + 1),
        _ => (answer, start),
    };
    let plain = answer.len() >= ANSWER_BYTES_MIN
        && answer.iter().all(u8::is_ascii_graphic)
        && !b"{[</-".contains(&answer[0])
        && find(answer, b"://").is_none();
    let secret =
        plain && (looks_chosen(answer) || shape::is_random(answer, HexIs::Random) || makes && shape::is_hex(answer));
    let end = start + answer.len();
    secret.then(|| Span { rule: Rule::Builtin("key"), ..words::token(start, end, Class::Password) })
}

/// Whether a text is what a shell writes before its sign: nothing, `bob@srv:~`, `[root@srv dir]`.
fn is_prompt(text: &[u8]) -> bool {
    PROMPT.run(text) == text.len()
        && text.split(|byte| *byte == b' ').count() <= PROMPT_WORDS_MAX
        && text.last().is_none_or(|last| last.is_ascii_alphanumeric() || b"~])/".contains(last))
        && (text.is_empty() || text.iter().any(|byte| b"@:~]".contains(byte)))
}

/// Whether an answer of one line is over where this follows: at the end, at an empty line, at the next prompt.
fn is_over(next: &[u8]) -> bool {
    let line = &next[..memchr::memchr(b'\n', next).unwrap_or(next.len())];
    let sign = [b"$ ".as_slice(), b"# "].iter().find_map(|sign| find(line, sign));
    let ended = line.trim_ascii().is_empty() || line.ends_with(b"$") || line.ends_with(b"#");
    ended || sign.is_some_and(|at| is_prompt(&line[..at]))
}

/// Whether a word of a command names a secret, a file that holds one included: `.vault_pass`, `db-password.txt`.
fn names_a_secret(command: &[u8], judge: &mut dyn FnMut(&[u8]) -> Verdict) -> bool {
    let mut strong = |name: &[u8]| matches!(judge(name), Verdict::Strong(_));
    command.split(|byte| !NAME.has(*byte)).filter(|word| word.len() > 1).take(WORDS_MAX).any(|word| {
        let file = memchr::memrchr(b'.', word).filter(|dot| *dot > 1).map(|dot| &word[..dot]);
        strong(word) || file.is_some_and(&mut strong) || begins_with(word, b"secret")
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn what_a_command_prints_is_masked_when_the_command_names_a_secret() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("$ cat .vault_pass\nwalnut548x\n$ ls\n", "$ cat .vault_pass\n‹pw›\n$ ls\n"),
                ("bob@srv:~$ cat /run/db-password.txt\nKq93wZorb\n", "bob@srv:~$ cat /run/db-password.txt\n‹pw›\n"),
                ("[root@srv etc]# echo $DB_TOKEN\nKq93wZorb77x", "[root@srv etc]# echo $DB_TOKEN\n‹pw›"),
                ("$ op read op://ops/db/password\nKq93wZorb77x\n", "$ op read op://ops/db/password\n‹pw›\n"),
                (
                    "$ vault read -field=value secret/x\n\"rocket15!\"\n",
                    "$ vault read -field=value secret/x\n\"‹pw›\"\n",
                ),
                ("$ openssl rand -hex 8\n5b65d907cb963a18\n$ ", "$ openssl rand -hex 8\n‹pw›\n$ "),
                // The command's own secret, too.
                (
                    "$ vault kv get -token=hunter2x secret/x\nKq93wZorb7\n",
                    "$ vault kv get -token=‹pw› secret/x\n‹pw›\n",
                ),
                same("$ ls secrets/\ndb1-password\n$ "),
                same("$ cat password.txt\nNo such file\n"),
                same("$ cat /etc/hostname\nnode-17-b\n$ "),
                same("$ kubectl create secret generic db1\nsecret/db1\n$ "),
                same("$ cat token_count\n123456\n$ "),
                same("$ cat secret.c\nint1 main2;\nreturn 0;\n"),
                same("costs 5 $ cat password\nKq93wZorb77x\n"),
            ],
        );
    }
}
