//! Command lines: which argument of which program is a secret. `-p` is a port to most programs and a password to some.

use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::{self, Verdict};
use super::{plausible, value};

/// Arguments of one command that are looked at.
const ARGUMENTS_MAX: usize = 512;
/// Bytes of one command in a text.
const COMMAND_BYTES_MAX: usize = 16 << 10;

/// What a flag's argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// A secret.
    Secret,
    /// A secret, only when attached: `-pSECRET`.
    Attached,
    /// `user:secret`.
    UserSecret,
    /// `user%secret`.
    UserPercent,
    /// `user,secret`.
    UserComma,
    /// `pass:secret`.
    Source,
    /// `name=secret`.
    Assigned,
    /// `name=value` pairs of cookies, or the name of a file.
    Cookie,
}

use Holds::{Assigned, Attached, Cookie, Secret, Source, UserComma, UserPercent, UserSecret};

/// A program, its flags that hold secrets, and how many arguments after which word are secrets.
struct Program {
    name: &'static str,
    flags: &'static [(&'static str, Holds)],
    /// `(word, n)`: the n-th argument after `word` that is no flag is a secret; word `""` is the program itself.
    places: &'static [(&'static str, usize)],
}

const fn p(
    name: &'static str,
    flags: &'static [(&'static str, Holds)],
    places: &'static [(&'static str, usize)],
) -> Program {
    Program { name, flags, places }
}

const CURL: &[(&str, Holds)] = &[
    ("-u", UserSecret),
    ("--user", UserSecret),
    ("-U", UserSecret),
    ("--proxy-user", UserSecret),
    ("--oauth2-bearer", Secret),
    ("--pass", Secret),
    ("--key-pass", Secret),
    ("-b", Cookie),
    ("--cookie", Cookie),
    ("--tlspassword", Secret),
    ("-E", UserSecret),
];
const LOGIN: &[(&str, Holds)] = &[
    ("-p", Secret),
    ("--creds", UserSecret),
    ("--src-creds", UserSecret),
    ("--dest-creds", UserSecret),
    ("--password", Secret),
];
const OPENSSL: &[(&str, Holds)] = &[
    ("-passin", Source),
    ("-passout", Source),
    ("-pass", Source),
    ("-k", Secret),
    ("-K", Secret),
    ("-password", Source),
    ("-hmac", Secret),
    ("-psk", Secret),
];
const SMALL_P: &[(&str, Holds)] = &[("-p", Secret)];
const CAPITAL_P: &[(&str, Holds)] = &[("-P", Secret)];
const ATTACHED_P: &[(&str, Holds)] = &[("-p", Attached), ("--password", Secret)];
const SMALL_W: &[(&str, Holds)] = &[("-w", Secret)];
const PERCENT: &[(&str, Holds)] = &[("-U", UserPercent), ("--user", UserPercent)];
const SNMP: &[(&str, Holds)] = &[("-c", Secret), ("-A", Secret), ("-X", Secret)];
const TOKEN_T: &[(&str, Holds)] =
    &[("-t", Secret), ("--token", Secret), ("-token", Secret), ("--access-token", Secret)];

/// The programs.
#[rustfmt::skip]
const PROGRAMS: &[Program] = &[
    p("curl", CURL, &[]), p("curlie", CURL, &[]), p("xh", &[("-a", UserSecret), ("--auth", UserSecret)], &[]), p("http", &[("-a", UserSecret), ("--auth", UserSecret)], &[]),
    p("https", &[("-a", UserSecret), ("--auth", UserSecret)], &[]), p("ab", &[("-A", UserSecret), ("-P", UserSecret)], &[]),
    p("mysql", ATTACHED_P, &[]), p("mysqldump", ATTACHED_P, &[]), p("mysqladmin", ATTACHED_P, &[("password", 1)]), p("mysqlimport", ATTACHED_P, &[]),
    p("mysqlcheck", ATTACHED_P, &[]), p("mysqlshow", ATTACHED_P, &[]), p("mysqlsh", ATTACHED_P, &[]), p("mysqlbinlog", ATTACHED_P, &[]), p("mariadb", ATTACHED_P, &[]),
    p("mariadb-dump", ATTACHED_P, &[]), p("mariadb-admin", ATTACHED_P, &[("password", 1)]), p("mydumper", SMALL_P, &[]),
    p("sshpass", SMALL_P, &[]), p("docker", LOGIN, &[]), p("podman", LOGIN, &[]), p("nerdctl", LOGIN, &[]), p("buildah", LOGIN, &[]), p("skopeo", LOGIN, &[]),
    p("oras", LOGIN, &[]), p("helm", LOGIN, &[]), p("crane", LOGIN, &[]), p("regctl", LOGIN, &[]), p("twine", SMALL_P, &[]), p("az", SMALL_P, &[]),
    p("redis-cli", &[("-a", Secret), ("--pass", Secret)], &[("auth", 1), ("AUTH", 1), ("requirepass", 1)]), p("valkey-cli", &[("-a", Secret), ("--pass", Secret)], &[]),
    p("redis-benchmark", &[("-a", Secret)], &[]), p("iggy", &[("-p", Secret), ("-t", Secret), ("--password", Secret), ("--token", Secret)], &[]),
    p("iggy-bench", &[("-p", Secret), ("--password", Secret)], &[]), p("openssl", OPENSSL, &[]), p("keytool", &[("-storepass", Secret), ("-keypass", Secret)], &[]),
    p("ldapsearch", SMALL_W, &[]), p("ldapmodify", SMALL_W, &[]), p("ldapadd", SMALL_W, &[]), p("ldapdelete", SMALL_W, &[]), p("ldapwhoami", SMALL_W, &[]),
    p("ldappasswd", &[("-w", Secret), ("-s", Secret), ("-a", Secret)], &[]), p("ldapcompare", SMALL_W, &[]), p("ldapmodrdn", SMALL_W, &[]),
    p("smbclient", PERCENT, &[]), p("rpcclient", PERCENT, &[]), p("net", PERCENT, &[]), p("winexe", PERCENT, &[]), p("smbget", PERCENT, &[]), p("smbcacls", PERCENT, &[]),
    p("htpasswd", &[], &[("-b", 3), ("-nb", 2), ("-bn", 2), ("-nbB", 2), ("-Bbn", 2), ("-bnB", 2), ("-cb", 3), ("-bc", 3), ("-bB", 3), ("-Bb", 3), ("-cbB", 3), ("-bcB", 3), ("-bBn", 2)]),
    p("mosquitto_pub", CAPITAL_P, &[]), p("mosquitto_sub", CAPITAL_P, &[]), p("mosquitto_rr", CAPITAL_P, &[]), p("mosquitto_passwd", &[], &[("-b", 3)]),
    p("rabbitmqctl", &[], &[("add_user", 2), ("change_password", 2), ("authenticate_user", 2)]), p("rabbitmqadmin", SMALL_P, &[]),
    p("mongo", SMALL_P, &[]), p("mongosh", SMALL_P, &[]), p("mongodump", SMALL_P, &[]), p("mongorestore", SMALL_P, &[]), p("mongoexport", SMALL_P, &[]), p("mongoimport", SMALL_P, &[]),
    p("sqlcmd", CAPITAL_P, &[]), p("bcp", CAPITAL_P, &[]), p("cqlsh", SMALL_P, &[]), p("influx", TOKEN_T, &[]), p("clickhouse-client", &[("--password", Secret)], &[]),
    p("ipmitool", CAPITAL_P, &[]), p("snmpwalk", SNMP, &[]), p("snmpget", SNMP, &[]), p("snmpset", SNMP, &[]), p("snmpbulkwalk", SNMP, &[]), p("snmptrap", SNMP, &[]),
    p("lftp", &[("-u", UserComma)], &[]), p("ncftpput", SMALL_P, &[]), p("ncftpget", SMALL_P, &[]), p("plink", &[("-pw", Secret)], &[]), p("pscp", &[("-pw", Secret)], &[]),
    p("rdesktop", SMALL_P, &[]), p("zip", CAPITAL_P, &[]), p("unzip", CAPITAL_P, &[]), p("7z", ATTACHED_P, &[]), p("7za", ATTACHED_P, &[]), p("7zz", ATTACHED_P, &[]), p("unrar", ATTACHED_P, &[]),
    p("nmcli", &[], &[("password", 1), ("wifi-sec.psk", 1), ("802-11-wireless-security.psk", 1)]), p("wpa_passphrase", &[], &[("", 2)]),
    p("kubectl", &[("--from-literal", Assigned), ("--token", Secret), ("--docker-password", Secret), ("--password", Secret)], &[]), p("oc", &[("--from-literal", Assigned), ("--token", Secret), ("-p", Secret)], &[]),
    p("vault", &[("-token", Secret)], &[("login", 1), ("unseal", 1)]), p("consul", &[("-token", Secret), ("-encrypt", Secret)], &[]), p("nomad", &[("-token", Secret)], &[]),
    p("aws", &[], &[("aws_secret_access_key", 1), ("aws_session_token", 1)]), p("mc", &[], &[]), p("svn", &[("--password", Secret)], &[]), p("doctl", TOKEN_T, &[]),
    p("flyctl", TOKEN_T, &[]), p("fly", TOKEN_T, &[]), p("useradd", SMALL_P, &[]), p("usermod", SMALL_P, &[]), p("bw", &[], &[("unlock", 1), ("login", 2)]),
    p("gh", &[("--with-token", Secret)], &[]), p("sqlplus", &[], &[]), p("wget", &[("--password", Secret), ("--http-password", Secret), ("--ftp-password", Secret), ("--proxy-password", Secret)], &[]),
    p("cadaver", SMALL_P, &[]), p("mount", &[], &[]), p("xfreerdp", &[], &[]), p("etcdctl", &[("--user", UserSecret)], &[]), p("pulsar-admin", &[("--auth-params", Assigned)], &[]),
    p("nats", &[("--password", Secret), ("--token", Secret)], &[]), p("hydra", SMALL_P, &[]), p("crackmapexec", SMALL_P, &[]), p("gpg", &[("--passphrase", Secret)], &[]), p("gpg2", &[("--passphrase", Secret)], &[]),
    p("ansible-vault", &[], &[]), p("rclone", &[], &[("obscure", 1)]), p("restic", &[], &[]), p("echo", &[], &[]), p("printf", &[], &[]),
];

/// What programs are called, for the table of triggers.
pub(super) fn names() -> impl Iterator<Item = (usize, &'static str)> {
    PROGRAMS.iter().enumerate().map(|(place, program)| (place, program.name))
}

/// An argument of a command: the bytes between its quotes.
pub(super) type Argument = (usize, usize);

/// The secrets of the command whose program `place` stands at `at` in a text; returns where the command ends.
pub(super) fn in_text(bytes: &[u8], at: usize, place: usize, rules: &Compiled, spans: &mut Vec<Span>) -> Option<usize> {
    let program = &PROGRAMS[place];
    let name_end = at + program.name.len();
    if bytes.get(at..name_end)? != program.name.as_bytes() {
        return None;
    }
    let before = at.checked_sub(1).map_or(b'\n', |place| bytes[place]);
    let after = *bytes.get(name_end)?;
    let listed = b"\"'".contains(&after) && bytes.get(name_end + 1) == Some(&b',');
    if before.is_ascii_alphanumeric() || b"_-.".contains(&before) || !(matches!(after, b' ' | b'\t') || listed) {
        return None;
    }
    let (arguments, end, piped) =
        if listed { list_arguments(bytes, name_end + 1) } else { text_arguments(bytes, name_end) };
    if matches!(program.name, "echo" | "printf") {
        return piped_secret(bytes, &arguments, end, piped, spans);
    }
    arguments_of(bytes, place, &arguments, rules, spans);
    Some(end)
}

/// `echo 'secret' | sudo -S`, `echo user:secret | chpasswd`.
fn piped_secret(bytes: &[u8], arguments: &[Argument], end: usize, piped: bool, spans: &mut Vec<Span>) -> Option<usize> {
    if !piped {
        return None;
    }
    let line = super::surroundings::line_end(bytes, end, bytes.len().min(end + 512));
    let rest = &bytes[end..line];
    let holds = |word: &[u8]| memchr::memmem::find(rest, word).is_some();
    let takes = holds(b"sudo -S")
        || holds(b"-stdin")
        || holds(b"passwd")
        || holds(b"cryptsetup")
        || holds(b"-passin stdin")
        || holds(b"sudo -kS")
        || holds(b"su -")
        || holds(b"--with-token");
    let (start, stop) = *arguments.iter().rev().find(|(start, stop)| stop > start && bytes[*start] != b'-')?;
    if takes {
        let colon = if holds(b"chpasswd") {
            bytes[start..stop].iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1)
        } else {
            0
        };
        push(bytes, start + colon, stop, spans);
    }
    Some(end)
}

/// The arguments of a command in a text, where it ends, and whether its output goes on.
fn text_arguments(bytes: &[u8], from: usize) -> (Vec<Argument>, usize, bool) {
    let to = bytes.len().min(from + COMMAND_BYTES_MAX);
    let (mut at, mut arguments) = (from, Vec::new());
    while at < to && arguments.len() < ARGUMENTS_MAX {
        at += super::surroundings::blanks(bytes, at);
        let Some(byte) = bytes.get(at).filter(|_| at < to) else { break };
        match byte {
            b'|' => return (arguments, at, bytes.get(at + 1) != Some(&b'|')),
            b'\n' | b'\r' | 0 | b';' | b'&' | b')' => break,
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => {
                at += 2;
                continue;
            }
            _ => {}
        }
        if let Some((quote, inside)) = value::quote_at(bytes, at) {
            let end = value::quoted_end(bytes, inside, to, quote);
            arguments.push((inside, end));
            let next = (end + quote.depth + 1).min(to);
            if next <= at
                || bytes.get(end).is_none_or(|byte| *byte == b'\n')
                || inside == end && !bytes.get(next).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
            {
                at = end;
                break;
            }
            at = next;
            continue;
        }
        let mut end = at;
        while end < to && !matches!(bytes[end], b' ' | b'\t' | b'\n' | b'\r' | 0 | b'"' | b'\'' | b'`' | b'|' | b'\x1b')
        {
            end += 1;
        }
        let quote = value::quote_at(bytes, end)
            .filter(|_| end > at && (end - at <= 2 && bytes[at] == b'-' || bytes[end - 1] == b'='));
        if let Some((quote, inside)) = quote {
            let stop = value::quoted_end(bytes, inside, to, quote);
            if stop < to && bytes[stop] != b'\n' {
                arguments.push((at, stop));
                at = stop + quote.depth + 1;
                continue;
            }
        }
        if end > at && bytes[end - 1] == b'\\' && matches!(bytes.get(end), Some(b'"' | b'\'')) {
            end -= bytes[at..end].iter().rev().take_while(|byte| **byte == b'\\').count();
            arguments.push((at, end));
            at = end;
            break;
        }
        arguments.push((at, end));
        if end == at || matches!(bytes.get(end), Some(b'"' | b'\'' | b'`')) {
            at = end;
            break;
        }
        at = end;
    }
    (arguments, at.max(from), false)
}

/// The arguments of a command written as a list of strings: `"mysql", "-psecret"`.
fn list_arguments(bytes: &[u8], from: usize) -> (Vec<Argument>, usize, bool) {
    let to = bytes.len().min(from + COMMAND_BYTES_MAX);
    let (mut at, mut arguments) = (from, Vec::new());
    while at < to && arguments.len() < ARGUMENTS_MAX {
        at += bytes[at..to].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        let Some((quote, inside)) = value::quote_at(bytes, at) else { break };
        let end = value::quoted_end(bytes, inside, to, quote);
        arguments.push((inside, end));
        at = end + quote.depth + 1;
    }
    (arguments, at.min(to), false)
}

/// The secrets among the arguments of a whole command line, its program included.
pub(super) fn in_arguments(bytes: &[u8], arguments: &[Argument], rules: &Compiled, spans: &mut Vec<Span>) {
    let base = |argument: &Argument| {
        let text = &bytes[argument.0..argument.1];
        text.rsplit(|byte| *byte == b'/').next().unwrap_or(text)
    };
    let known = arguments.iter().enumerate().take(32).find_map(|(at, argument)| {
        PROGRAMS.iter().position(|program| program.name.as_bytes() == base(argument)).map(|place| (at, place))
    });
    if let Some((at, place)) = known {
        arguments_of(bytes, place, &arguments[at + 1..], rules, spans);
    }
    flags_by_name(bytes, arguments, rules, spans);
}

/// `--name secret` in arguments that are apart already, so that a secret may begin with a dash.
fn flags_by_name(bytes: &[u8], arguments: &[Argument], rules: &Compiled, spans: &mut Vec<Span>) {
    for pair in arguments.windows(2) {
        let (flag, (start, end)) = (&bytes[pair[0].0..pair[0].1], pair[1]);
        let dashes = flag.iter().take_while(|byte| **byte == b'-').count();
        if dashes == 0 || memchr::memchr2(b'=', b' ', flag).is_some() || flag.len() - dashes < 3 {
            continue;
        }
        let value = &bytes[start..end];
        if let Verdict::Strong(class) = name::classify(&flag[dashes..], rules)
            && !value.starts_with(b"--")
            && !spans.iter().rev().take(8).any(|span| span.start > pair[0].0 && span.end <= pair[0].1)
            && plausible::is_secret(value, Verdict::Strong(class), true)
        {
            spans.push(Span { start, end, rule: Rule::Builtin("flag"), class, form: Form::Raw, seed: Seed::Typed });
        }
    }
}

fn arguments_of(bytes: &[u8], place: usize, arguments: &[Argument], rules: &Compiled, spans: &mut Vec<Span>) {
    let program = &PROGRAMS[place];
    if program.name == "docker" || program.name == "podman" || program.name == "nerdctl" || program.name == "helm" {
        let login = arguments
            .iter()
            .take(4)
            .any(|(start, end)| &bytes[*start..*end] == b"login" || &bytes[*start..*end] == b"copy");
        if !login {
            return;
        }
    }
    for (at, (start, end)) in arguments.iter().copied().enumerate() {
        let argument = &bytes[start..end];
        for (flag, holds) in program.flags {
            let Some(rest) = argument.strip_prefix(flag.as_bytes()) else { continue };
            let long = flag.starts_with("--") || flag.len() > 2;
            if rest.is_empty() && *holds != Holds::Attached {
                if let Some((start, end)) = arguments.get(at + 1).copied() {
                    held(bytes, *holds, start, end, spans);
                }
            } else if let Some(value) = rest.strip_prefix(b"=").filter(|_| long) {
                held(bytes, *holds, end - value.len(), end, spans);
            } else if !long && !rest.is_empty() && program.name != "openssl" {
                let quote =
                    value::quote_at(bytes, end - rest.len()).map_or(0, |(_, inside)| inside - (end - rest.len()));
                held(bytes, *holds, end - rest.len() + quote.min(rest.len()), end, spans);
            }
        }
        for (word, count) in program.places {
            if argument == word.as_bytes() {
                let place = arguments[at + 1..]
                    .iter()
                    .filter(|(start, end)| end > start && bytes[*start] != b'-')
                    .nth(count - 1);
                if let Some((start, end)) = place {
                    push(bytes, *start, *end, spans);
                }
            }
        }
    }
    if let Some((_, count)) = program.places.iter().find(|(word, _)| word.is_empty())
        && let Some((start, end)) = arguments.get(count - 1)
    {
        push(bytes, *start, *end, spans);
    }
    flags_by_name(bytes, arguments, rules, spans);
}

fn held(bytes: &[u8], holds: Holds, start: usize, end: usize, spans: &mut Vec<Span>) {
    let text = &bytes[start..end];
    let after = |separator: u8| text.iter().position(|byte| *byte == separator).map(|at| start + at + 1);
    let from = match holds {
        Holds::Secret | Holds::Attached => Some(start),
        Holds::UserSecret => after(b':'),
        Holds::UserPercent => after(b'%'),
        Holds::UserComma => after(b','),
        Holds::Source => text.starts_with(b"pass:").then_some(start + 5),
        Holds::Assigned | Holds::Cookie => after(b'='),
    };
    if let Some(from) = from {
        push(bytes, from, end, spans);
    }
}

fn push(bytes: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) {
    let verdict = Verdict::Strong(Class::Password);
    if start < end && plausible::is_secret(&bytes[start..end], verdict, true) {
        spans.push(Span {
            start,
            end,
            rule: Rule::Builtin("command"),
            class: Class::Password,
            form: Form::Raw,
            seed: Seed::Found,
        });
    }
}
