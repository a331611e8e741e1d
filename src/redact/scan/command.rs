//! Command lines: which argument of which program is a secret. `-p` is a port to most programs and a password to some.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::super::bytes::{ends_in, find};
use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::super::span::{Form, Rule, Seed, Span};
use super::name::{self, Verdict};
use super::programs::{Holds, PROGRAMS};
use super::{plausible, value};

/// Arguments of one command that are looked at.
const ARGUMENTS_MAX: usize = 512;
/// Bytes of one command in a text.
const COMMAND_BYTES_MAX: usize = 16 << 10;
/// Bytes of arguments that are given to another command.
const PIPED_BYTES_MAX: usize = 512;
/// What takes a secret where it reads its input.
const TAKERS: &[&[u8]] = &[
    b"sudo -S",
    b"sudo -kS",
    b"-stdin",
    b"passwd",
    b"cryptsetup",
    b"-passin stdin",
    b"su -",
    b"--with-token",
    b"kinit",
    b"secret create",
    b"secrets versions add",
    b"keyctl padd",
    b"passphrase-fd",
    b"ecryptfs",
    b"luks",
    b"vault login -",
    b"key-file=-",
    b"/dev/stdin",
    b"smbclient",
    b"unlock",
];

/// An argument of a command: the bytes between its quotes.
pub(super) type Argument = (usize, usize);

/// The secrets of the command whose program `place` stands at `at` in a text; returns where the command ends.
/// `judge` tells what a name says about its value.
pub(super) fn in_text(
    bytes: &[u8],
    at: usize,
    place: usize,
    judge: &mut dyn FnMut(&[u8]) -> Verdict,
    spans: &mut Vec<Span>,
) -> Option<usize> {
    let program = &PROGRAMS[place];
    let name_end = at + program.name.len();
    if bytes.get(at..name_end)? != program.name.as_bytes() {
        return None;
    }
    // What a program says about itself has the names of arguments, and none.
    if matches!(program.name, "echo" | "printf") && !is_piped(bytes, name_end) || ends_in(&bytes[..at], b"usage: ") {
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
    arguments_of(bytes, place, &arguments, judge, spans);
    Some(end)
}

/// Whether a pipe stands behind `from` on its line, near enough for a command that gives its arguments to another.
fn is_piped(bytes: &[u8], from: usize) -> bool {
    let near = &bytes[from..bytes.len().min(from + PIPED_BYTES_MAX)];
    memchr::memchr2(b'|', b'\n', near).is_some_and(|at| near[at] == b'|')
}

/// `echo 'secret' | sudo -S`, `echo user:secret | chpasswd`.
fn piped_secret(bytes: &[u8], arguments: &[Argument], end: usize, piped: bool, spans: &mut Vec<Span>) -> Option<usize> {
    if !piped {
        return None;
    }
    let line = super::surroundings::line_end(bytes, end, bytes.len().min(end + 512));
    let rest = &bytes[end..line];
    let (start, stop) = *arguments.iter().rev().find(|(start, stop)| stop > start && bytes[*start] != b'-')?;
    if takes(rest) {
        push(bytes, behind_user(bytes, (start, stop), rest), stop, spans);
    }
    Some(end)
}

/// Bytes of the longest of [`TAKERS`].
const TAKER_BYTES_MAX: usize = 24;
/// Bytes of a line before a here-string in which the program stands, and of the string.
const HERE_BYTES_MAX: usize = 256;

/// The secret behind `<<<` at `at`, when what stands before it on its line takes one: `cryptsetup open x y <<< secret`.
/// Nothing before `searched_to` on that line does.
pub(super) fn here_string(bytes: &[u8], at: usize, searched_to: &mut usize) -> Option<Span> {
    if at > 0 && bytes[at - 1] == b'<' || bytes.get(at + 3) == Some(&b'<') {
        return None;
    }
    let floor = at.saturating_sub(HERE_BYTES_MAX);
    let line = memchr::memrchr(b'\n', &bytes[floor..at]).map_or(floor, |line| floor + line + 1);
    let before = &bytes[line..at];
    if !takes(&bytes[line.max(searched_to.saturating_sub(TAKER_BYTES_MAX)).min(at)..at]) {
        *searched_to = at;
        return None;
    }
    let start = at + 3 + super::surroundings::blanks(bytes, at + 3);
    let to = bytes.len().min(start + HERE_BYTES_MAX);
    if bytes.get(start) == Some(&b'<') {
        return None;
    }
    let (start, end) = match value::quote_at(bytes, start) {
        Some((quote, inside)) => (inside, value::quoted_end(bytes, inside, to.max(inside), quote)),
        None => (start, value::bare_end(bytes, start.min(to), to, value::Until::Blank)),
    };
    let password = Verdict::Strong(Class::Password);
    if start >= end || !plausible::is_secret(&bytes[start..end], password, plausible::Ends::Marked) {
        return None;
    }
    let start = behind_user(bytes, (start, end), before);
    (start < end).then_some(Span {
        start,
        end,
        rule: Rule::Builtin("command"),
        class: Class::Password,
        form: Form::Raw,
        seed: Seed::Found,
    })
}

/// Where the secret begins in what a program on this line is given: behind its user for `chpasswd`.
fn behind_user(bytes: &[u8], (start, end): Argument, line: &[u8]) -> usize {
    let colon = memchr::memchr(b':', &bytes[start..end]);
    start + colon.filter(|_| find(line, b"chpasswd").is_some()).map_or(0, |colon| colon + 1)
}

/// Whether a line has a program on it that takes a secret from its standard input.
fn takes(line: &[u8]) -> bool {
    static FINDER: OnceLock<AhoCorasick> = OnceLock::new();
    FINDER.get_or_init(|| AhoCorasick::new(TAKERS).expect("a few words")).is_match(line)
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
    let mut judge = |name: &[u8]| name::classify(name, rules);
    if let Some((at, place)) = known {
        arguments_of(bytes, place, &arguments[at + 1..], &mut judge, spans);
    }
    flags_by_name(bytes, arguments, &mut judge, spans);
}

/// `--name secret` in arguments that are apart already, so that a secret may begin with a dash.
fn flags_by_name(bytes: &[u8], arguments: &[Argument], judge: &mut dyn FnMut(&[u8]) -> Verdict, spans: &mut Vec<Span>) {
    for pair in arguments.windows(2) {
        let (flag, (start, end)) = (&bytes[pair[0].0..pair[0].1], pair[1]);
        let dashes = flag.iter().take_while(|byte| **byte == b'-').count();
        let plain = flag.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
        if dashes == 0 || !plain || flag.len() - dashes < 3 {
            continue;
        }
        let value = &bytes[start..end];
        if let Verdict::Strong(class) = judge(&flag[dashes..])
            && !value.starts_with(b"--")
            && !spans.iter().rev().take(8).any(|span| span.start > pair[0].0 && span.end <= pair[0].1)
            && plausible::is_secret(value, Verdict::Strong(class), plausible::Ends::Marked)
        {
            spans.push(Span { start, end, rule: Rule::Builtin("flag"), class, form: Form::Raw, seed: Seed::Typed });
        }
    }
}

fn arguments_of(
    bytes: &[u8],
    place: usize,
    arguments: &[Argument],
    judge: &mut dyn FnMut(&[u8]) -> Verdict,
    spans: &mut Vec<Span>,
) {
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
            let next = arguments.get(at + 1).copied();
            if flag.is_empty() || flag.ends_with(':') {
                held(bytes, *holds, end - rest.len(), end, spans);
                continue;
            }
            if *holds == Holds::Share {
                if let Some((start, end)) = next.filter(|(start, end)| end > start && !b"-/".contains(&bytes[*start])) {
                    push(bytes, start, end, spans);
                }
                continue;
            }
            let long = flag.starts_with("--") || flag.len() > 2;
            if rest.is_empty() && *holds != Holds::Attached {
                if let Some((start, end)) = next {
                    held(bytes, *holds, start, end, spans);
                }
            } else if let Some(value) = rest.strip_prefix(b"=").filter(|_| long) {
                held(bytes, *holds, end - value.len(), end, spans);
            } else if (!long || *holds == Holds::Attached) && !rest.is_empty() && program.name != "openssl" {
                let quote =
                    value::quote_at(bytes, end - rest.len()).map_or(0, |(_, inside)| inside - (end - rest.len()));
                held(bytes, *holds, end - rest.len() + quote.min(rest.len()), end, spans);
            }
        }
        for (word, count) in program.places {
            if argument == word.as_bytes() {
                let plain = |(start, end): &&Argument| end > start && bytes[*start] != b'-';
                let mut after = arguments[at + 1..].iter().filter(plain);
                let place = if *count == 0 { after.take(2).last() } else { after.nth(count - 1) };
                // What Windows calls like this takes names and options as well.
                let added = arguments.iter().any(|(start, end)| bytes[*start..*end].eq_ignore_ascii_case(b"/add"));
                let chosen = |(start, end): &&Argument| {
                    program.name != "net" || added || plausible::is_chosen(&bytes[*start..*end])
                };
                if let Some((start, end)) = place.filter(chosen) {
                    push(bytes, *start, *end, spans);
                }
            }
        }
    }
    if let Some((_, count)) = program.places.iter().find(|(word, _)| word.is_empty())
        && let Some((start, end)) = arguments.get(count - 1).filter(|(start, _)| bytes.get(*start) != Some(&b'-'))
    {
        push(bytes, *start, *end, spans);
    }
    flags_by_name(bytes, arguments, judge, spans);
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
        Holds::UserSlash => return user_slash(bytes, start, end, spans),
        Holds::Chosen if matches!(text, b"restricted" | b"open") && bytes[end..].starts_with(b" s:") => {
            let secret = bytes[end + 3..].iter().take(HERE_BYTES_MAX).take_while(|byte| byte.is_ascii_graphic());
            return push(bytes, end + 3, end + 3 + secret.count(), spans);
        }
        Holds::Share => None,
        Holds::Chosen => text
            .strip_prefix(b"s:")
            .map_or_else(|| plausible::is_chosen(text).then_some(start), |secret| Some(end - secret.len())),
    };
    if let Some(from) = from {
        push(bytes, from, end, spans);
    }
}

/// `user/secret`, `user/secret@database`, `user/"secret"@database`.
fn user_slash(bytes: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) {
    let text = &bytes[start..end];
    let user = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_$#.".contains(byte)).count();
    if user == 0 || text.get(user) != Some(&b'/') || text.get(user + 1).is_none_or(|byte| b"/@".contains(byte)) {
        return;
    }
    let secret = &text[user + 1..];
    let stop = memchr::memrchr(b'@', secret).unwrap_or(secret.len());
    push(bytes, start + user + 1, start + user + 1 + stop, spans);
}

fn push(bytes: &[u8], start: usize, end: usize, spans: &mut Vec<Span>) {
    let verdict = Verdict::Strong(Class::Password);
    if start < end && plausible::is_secret(&bytes[start..end], verdict, plausible::Ends::Marked) {
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
