//! Verbs of protocols whose arguments are secrets, as clients send them and logs repeat them: `AUTH bob …`, `PASS …`,
//! `a1 LOGIN bob …`, `AUTH PLAIN …`, and the strings of Redis with their lengths.

use super::super::bytes::find;
use super::super::pseudonym::{Class, mask_in, mask_length};
use super::super::shape::{self, HexIs, Kinds};
use super::super::span::{Form, Rule, Span};
use super::connect::looks_chosen;
use super::named::{Keyed, Name};
use super::pem::base64_decoded;
use super::plausible::{CHOSEN_BYTES_MIN, Ends};
use super::surroundings::{at_line_start, blanks, line_end};
use super::{tokens, value, words};

/// Bytes of a line of a protocol, and words of it.
const LINE_BYTES_MAX: usize = 256;
const WORDS_MAX: usize = 4;
/// Bytes before a verb in which the line before stands.
const BEFORE_BYTES_MAX: usize = 256;

/// Lines between the name of a user and the secret: what the server answers, and another command.
const LINES_MAX: usize = 3;

/// How a client proves who it is, by the rules of SASL.
const MECHANISMS: &[&[u8]] =
    &[b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER", b"EXTERNAL", b"NTLM", b"GSSAPI", b"CRAM-MD5", b"DIGEST-MD5"];

/// A word of a line, and whether it is in quotes.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    start: usize,
    end: usize,
    quoted: bool,
}

/// The words behind a verb.
struct Line {
    words: [Word; WORDS_MAX],
    count: usize,
    /// Whether nothing follows them.
    ended: bool,
}

/// Whether a name is a verb that a secret may follow.
#[inline]
pub(super) fn is_verb(name: &[u8]) -> bool {
    matches!(name, b"AUTH" | b"auth" | b"PASS" | b"pass" | b"AUTHENTICATE" | b"auth-pass")
}

impl Keyed<'_> {
    /// Masks what is sent with the verb between two positions.
    #[inline(never)]
    pub(super) fn sent(&mut self, (start, end): (usize, usize)) -> Option<usize> {
        let bytes = self.bytes;
        let quoted = value::quote_before(bytes, start).is_some() && value::quote_at(bytes, end).is_some();
        let from = if quoted { value::quote_at(bytes, end)?.1 } else { end };
        bytes.get(from).filter(|byte| **byte == b' ' || quoted && **byte == b',')?;
        let line = Line::of(bytes, from);
        let words = &line.words[..line.count];
        let text = |word: &Word| &bytes[word.start..word.end];
        if words.iter().any(|word| mask_in(text(word)).is_some()) {
            return None;
        }
        // What a program lists without quotes is no secret.
        let first = words.first().filter(|word| word.quoted || bytes[from] != b',')?;
        if quoted && is_member(bytes, start, from) {
            return None;
        }
        let alone = quoted || is_sent(bytes, start);
        let verb = &bytes[start..end];
        let mechanism = MECHANISMS.iter().any(|mechanism| text(first).eq_ignore_ascii_case(mechanism));
        let word = match verb {
            b"AUTH" | b"AUTHENTICATE" if mechanism => {
                words.get(1).filter(|word| is_response(text(word)) && (line.ended || line.count == 2))?
            }
            b"AUTHENTICATE" => Some(first).filter(|word| word.quoted && line.count == 1 && alone)?,
            b"AUTH" | b"auth" if alone || verb == b"AUTH" => {
                // What a program tells of a user, a session or a device has words behind it.
                let told =
                    |word: &Word| word.start == first.start && line.count > 1 && !shape::is_scrambled_run(text(word));
                let looks = |word: &&Word| {
                    let mixed = looks_chosen(text(word)) || alone && line.ended && is_mixed_word(text(word));
                    mixed && !told(word)
                };
                let last = words.last().filter(|word| quoted && word.quoted && line.count <= 2 && !is_word(text(word)));
                words.iter().take(2).find(looks).or(last)?
            }
            b"auth-pass" => words.get(1)?,
            b"PASS" => return self.pass(start, &line),
            b"pass" if bytes[..start].ends_with(b"authinfo ") && line.count == 1 && line.ended => first,
            _ => return None,
        };
        self.push(Name::secret(start), word.start, word.end, Form::Raw, Ends::Marked)
    }

    /// `PASS …` of FTP, POP3 and IRC, and not the result of a test.
    fn pass(&mut self, start: usize, line: &Line) -> Option<usize> {
        let bytes = self.bytes;
        let first = line.words[..line.count].first()?;
        let text = &bytes[first.start..first.end];
        let near = &bytes[start.saturating_sub(BEFORE_BYTES_MAX)..start];
        let user = memchr::memmem::rfind(near, b"USER ")
            .filter(|at| memchr::memchr_iter(b'\n', &near[*at..]).count() <= LINES_MAX)
            .is_some_and(|at| is_sent(bytes, start - near.len() + at));
        let user = user && line.count < WORDS_MAX - 1 && !(is_lower_word(text) && find(text, b"pass").is_some());
        let sent = near.ends_with(b"AUTHINFO ") || is_sent(bytes, start) && !at_line_start(bytes, start);
        let crlf = bytes[first.end..].starts_with(b"\r\n") || bytes[first.end..].starts_with(b"\\r\\n");
        let file = text.iter().rev().position(|byte| *byte == b'.').is_some_and(|suffix| (1..=4).contains(&suffix));
        let single =
            line.count == 1 && line.ended && !(file && text.contains(&b'_')) && bytes[first.start - 1] != b'\t';
        let plain = single && text.len() >= 4 && !text.contains(&b'/');
        if !(user || plain && (sent || crlf) || single && looks_chosen(text)) {
            return None;
        }
        // One that holds blanks goes to the end of its line; columns have more of them.
        let words = &line.words[..line.count];
        let joined = words.windows(2).all(|pair| pair[1].start == pair[0].end + 1);
        let last = words.last().filter(|_| user && line.ended && joined).unwrap_or(first);
        let end = last.end;
        self.push(Name::secret(start), first.start, end, Form::Raw, Ends::Marked)
    }

    /// Masks the string behind a name that is a string of the protocol of Redis itself: `$4 AUTH $11 …`.
    #[inline(never)]
    pub(super) fn bulk(&mut self, (start, end): (usize, usize)) -> Option<usize> {
        let bytes = self.bytes;
        let name = &bytes[start..end];
        let auth = name.eq_ignore_ascii_case(b"auth");
        let set = [b"requirepass".as_slice(), b"masterauth"].iter().any(|set| name.eq_ignore_ascii_case(set));
        if !(auth || set) {
            return None;
        }
        let line: &[u8] = if bytes[end] == b'\r' { b"\r\n" } else { b"\\r\\n" };
        let mut text = string(bytes, end, line)?;
        let head = bytes[..start].strip_suffix(line).and_then(|head| head.strip_suffix(b"$4"));
        if auth && head.and_then(|head| head.strip_suffix(line)).is_some_and(|head| head.ends_with(b"*3")) {
            text = string(bytes, text.1, line)?;
        }
        self.push(Name::secret(start), text.0, text.1, Form::Raw, Ends::Marked)
    }

    /// `a1 LOGIN bob …` of IMAP, `NickServ IDENTIFY …` of IRC: the verb stands between two positions.
    pub(super) fn login(&mut self, (start, end): (usize, usize)) -> Option<usize> {
        let bytes = self.bytes;
        let line = Line::of(bytes, end);
        let words = &line.words[..line.count];
        let last = words.last().filter(|_| line.ended && line.count <= 2)?;
        let floor = start.saturating_sub(BEFORE_BYTES_MAX);
        let begin = memchr::memrchr(b'\n', &bytes[floor..start]).map_or(floor, |line| floor + line + 1);
        let before = &bytes[begin..start];
        if bytes[start..end].eq_ignore_ascii_case(b"identify") {
            let service = before.windows(b"nickserv".len()).any(|part| part.eq_ignore_ascii_case(b"nickserv"));
            let told = line.count == 2 || !is_lower_word(&bytes[last.start..last.end]);
            return (service && told)
                .then(|| self.push(Name::secret(start), last.start, last.end, Form::Raw, Ends::Marked))?;
        }
        let before = before.strip_suffix(b" ")?;
        let tag = before.rsplit(|byte| *byte == b' ').next()?;
        let sent = before[..before.len() - tag.len()].trim_ascii_end();
        let tagged = tag.len() <= 12
            && (sent.is_empty() || sent.last().is_some_and(|last| b":>\"'<".contains(last)))
            && tag.first().is_some_and(u8::is_ascii_alphabetic)
            && tag.iter().any(u8::is_ascii_digit)
            && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
        if line.count != 2 || !(tagged || words.iter().all(|word| word.quoted)) {
            return None;
        }
        self.push(Name::secret(start), last.start, last.end, Form::Raw, Ends::Marked)
    }
}

impl Line {
    fn of(bytes: &[u8], from: usize) -> Self {
        let to = line_end(bytes, from, bytes.len().min(from + LINE_BYTES_MAX));
        let mut line = Self { words: [Word::default(); WORDS_MAX], count: 0, ended: false };
        let mut at = from;
        loop {
            at += bytes[at..to].iter().take_while(|byte| b" \t,[:".contains(byte)).count();
            let rest = &bytes[at..to];
            let closed =
                matches!(rest, [] | [b'"' | b'\'' | b'`' | b'\r' | b']' | b'}', ..] | [b'\\', b'r' | b'n' | b'"', ..]);
            let opens = at > from && matches!(bytes[at - 1], b' ' | b',' | b'[' | b':');
            let quote = value::quote_at(&bytes[..to], at).filter(|_| opens && line.count < WORDS_MAX);
            let quoted = quote.map(|(quote, inside)| (quote, inside, value::quoted_end(bytes, inside, to, quote)));
            if let Some((quote, inside, end)) = quoted.filter(|(_, inside, end)| inside < end && *end < to) {
                at = (end + quote.depth + 1).min(to);
                // The name of a list of arguments.
                if bytes.get(at) != Some(&b':') {
                    line.words[line.count] = Word { start: inside, end, quoted: true };
                    line.count += 1;
                }
                continue;
            }
            if closed || line.count == WORDS_MAX {
                line.ended = closed;
                return line;
            }
            let length = rest.iter().position(|byte| b" \t\r\"'`]".contains(byte)).unwrap_or(rest.len());
            let escape = find(&rest[..length], b"\\r").unwrap_or(length);
            line.words[line.count] = Word { start: at, end: at + escape, quoted: false };
            line.count += 1;
            at += escape.max(1);
        }
    }
}

/// Bytes of a member's name.
const MEMBER_BYTES_MAX: usize = 16;

/// Whether a verb in quotes is the value of a member, or small letters in a list, and not followed by its arguments:
/// `"service": "auth", "host": …` is no command, `"cmd": "AUTH", "args": […]` is.
fn is_member(bytes: &[u8], start: usize, from: usize) -> bool {
    let listed = bytes.get(from) == Some(&b',');
    let before = &bytes[start.saturating_sub(MEMBER_BYTES_MAX)..start];
    let before = before[..before.len() - before.iter().rev().take_while(|byte| b"\"'\\`".contains(byte)).count()]
        .trim_ascii_end();
    if !before.ends_with(b":") {
        return listed && bytes[start].is_ascii_lowercase();
    }
    let rest = &bytes[from..bytes.len().min(from + 2 * MEMBER_BYTES_MAX)];
    !(listed && [b"arg".as_slice(), b"param"].iter().any(|word| find(rest, word).is_some()))
}

/// Whether a line that a client sent begins at `at`: behind a prompt, an arrow, a quote or nothing.
fn is_sent(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(4)..at];
    let trimmed = before.trim_ascii_end();
    let arrow = trimmed.ends_with(b">") || trimmed.ends_with(b"C:") || trimmed.ends_with(b"<-");
    at_line_start(bytes, at)
        || arrow && trimmed.len() < before.len()
        || matches!(before.last(), Some(b'"' | b'\''))
        || before.ends_with(b"\\n")
}

/// Whether a word is base 64 of a response to a server.
fn is_response(word: &[u8]) -> bool {
    let whole = word.len() >= 8 && word.iter().all(|byte| tokens::Body::Base64.has(*byte));
    whole && (base64_decoded(word).contains(&0) || word.ends_with(b"=") || shape::is_random(word, HexIs::Random))
}

/// A word and a number, or both mixed, that are no code of a standard.
fn is_mixed_word(word: &[u8]) -> bool {
    let kinds = Kinds::of(word);
    word.len() >= CHOSEN_BYTES_MIN
        && kinds.digit > 0
        && kinds.lower > 1
        && word.iter().all(|byte| byte.is_ascii_graphic() && !b"()[]{}<>=,;:/".contains(byte))
        && !shape::is_code_of_a_standard(word)
}

/// Whether a word is made of small letters.
fn is_lower_word(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_lowercase)
}

/// Whether a word is what servers answer and what describes a request.
fn is_word(word: &[u8]) -> bool {
    word.len() < CHOSEN_BYTES_MIN || word.iter().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(byte))
}

/// The string that `at`, where a string of the protocol ends, is followed by: `$11` on a line, and so many bytes.
fn string(bytes: &[u8], at: usize, line: &[u8]) -> Option<(usize, usize)> {
    let rest = bytes[at..].strip_prefix(line)?.strip_prefix(b"$")?;
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let length: usize = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let start = bytes.len() - rest.strip_prefix(&rest[..digits])?.strip_prefix(line)?.len();
    let text = bytes.get(start..start + length)?;
    // A mask is as long as it is, whatever the length says that was not masked.
    if let Some(masked) = mask_length(&bytes[start..bytes.len().min(start + LINE_BYTES_MAX)]) {
        return Some((start, start + masked));
    }
    if !bytes[start + length..].starts_with(line) {
        return None;
    }
    (!text.is_empty() && !text.contains(&b'\n')).then_some((start, start + length))
}

/// What is answered on the line below base 64 of `Password:`, which ends at `from`.
pub(super) fn answered(bytes: &[u8], from: usize) -> Option<Span> {
    const ASKED: &[u8] = b"UGFzc3dvcmQ6";
    if !bytes[..from].ends_with(ASKED) {
        return None;
    }
    let to = bytes.len().min(from + LINE_BYTES_MAX);
    let line = line_end(bytes, from, to.min(from + 4));
    let start = line + 1;
    let end = line_end(bytes, start.min(to), to);
    let text = bytes.get(start..end)?.trim_ascii_end();
    let word = memchr::memrchr(b' ', text).map_or(0, |blank| blank + 1);
    let (start, end) = (start + word, start + text.len());
    let text = &bytes[start..end];
    let base64 =
        text.len() >= 4 && text.len().is_multiple_of(4) && text.iter().all(|byte| tokens::Body::Base64.has(*byte));
    let readable =
        base64 && std::str::from_utf8(&base64_decoded(text)).is_ok_and(|text| !text.contains(char::is_control));
    readable.then(|| Span { rule: Rule::Builtin("key"), ..words::token(start, end, Class::Password) })
}

/// The blanks and the verb before what is looked for: where `IDENTIFY` or `LOGIN` begins of which a part stands at `at`.
pub(super) fn verb_around(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let start = at - bytes[..at].iter().rev().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let end = start + bytes[start..].iter().take(9).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let verb = &bytes[start..end];
    let known = verb.eq_ignore_ascii_case(b"identify") || verb.eq_ignore_ascii_case(b"login");
    (known && blanks(bytes, end) == 1).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn verbs_of_protocols_lose_their_secrets() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("AUTH Kq93wZorb77", "AUTH ‹pw›"),
                ("redis> AUTH default hunter2x\nOK", "redis> AUTH default ‹pw›\nOK"),
                ("1.2 [0 ::1:5] \"AUTH\" \"default\" \"sunflower\"", "1.2 [0 ::1:5] \"AUTH\" \"default\" \"‹pw›\""),
                ("*2\r\n$4\r\nAUTH\r\n$6\r\nhunter\r\n", "*2\r\n$4\r\nAUTH\r\n$6\r\n‹pw›\r\n"),
                (
                    "*3\\r\\n$4\\r\\nAUTH\\r\\n$3\\r\\nbob\\r\\n$6\\r\\nhunter\\r\\n",
                    "*3\\r\\n$4\\r\\nAUTH\\r\\n$3\\r\\nbob\\r\\n$6\\r\\n‹pw›\\r\\n",
                ),
                ("HELLO 3 AUTH default Kq93wZorb77 SETNAME x", "HELLO 3 AUTH default ‹pw› SETNAME x"),
                ("CONFIG SET requirepass hunter", "CONFIG SET requirepass ‹pw›"),
                ("\"CONFIG\" \"SET\" \"requirepass\" \"hunter\"", "\"CONFIG\" \"SET\" \"requirepass\" \"‹pw›\""),
                ("{\"cmd\":\"AUTH\",\"args\":[\"Kq93wZorb77\"]}", "{\"cmd\":\"AUTH\",\"args\":[\"‹pw›\"]}"),
                ("USER bob\r\nPASS sun flower\r\n", "USER bob\r\nPASS ‹pw›\r\n"),
                ("---> PASS sunflower\n", "---> PASS ‹pw›\n"),
                (
                    "[bob] FTP command: Client \"::1\", \"PASS Kq93wZorb77\"",
                    "[bob] FTP command: Client \"::1\", \"PASS ‹pw›\"",
                ),
                ("a1 LOGIN bob \"sun flower\"", "a1 LOGIN bob \"‹pw›\""),
                ("C: a002 LOGIN bob sunflower\r\n", "C: a002 LOGIN bob ‹pw›\r\n"),
                ("AUTH PLAIN AGJvYgBLcTkzd1pvcmI3Nw==", "AUTH PLAIN ‹pw›"),
                ("334 UGFzc3dvcmQ6\r\nS3E5M3dab3JiNzc=\r\n", "334 UGFzc3dvcmQ6\r\n‹pw›\r\n"),
                ("PRIVMSG NickServ :IDENTIFY bob sunflower", "PRIVMSG NickServ :IDENTIFY bob ‹pw›"),
                same("{\"service\":\"auth\",\"host\":\"web12ab\",\"pod\":\"auth-6d4cf56db6-x7k2p\"}"),
                same("{\"tags\":[\"auth\",\"prod2eu\"],\"result\":\"PASS\",\"name\":\"test12ab\"}"),
                same("2026-11-30 host1 LOGIN bob tty1\nAUTH session5f3a started\nAUTH user1234 ok\n"),
                same("USER bob\nPASS all 12 tests\n"),
                same("> PASS test_login2.py\n"),
                ("AUTH \\\"hunter2x\"", "AUTH \\\"‹pw›\""),
                same("PASS src/foo2.test.js"),
                same("PASS test_one2\nPASS  a1b2c3 tests\nPASS (12ms)\n"),
                same("\"PASS\" \"FAIL\" \"SKIP\""),
                same("250-AUTH PLAIN LOGIN CRAM-MD5"),
                same("AUTH x509 certificate\nAUTH TLS\nAUTH sha256 ok"),
                same("a1 OK LOGIN completed\na1 LOGIN failed\nLOGIN bob from 10.0.0.1"),
                same("kernel: AUTH module v2.3 loaded\nDEBUG AUTH OK user1"),
                same("CONFIG SET maxmemory 100mb\nCONFIG GET requirepass"),
                same("they identify bob2 by it, or NickServ IDENTIFY yourself"),
                same("     USER user\n     PASS pass\n"),
                same("USER name    user(name)\nPASS string  pass_(string)\n"),
                same("send the USER and PASS commands in turn"),
                same("command(\"PASS\", @args77)->response()"),
            ],
        );
    }
}
