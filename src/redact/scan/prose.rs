//! Secrets told in a sentence that names them behind them, or names only who uses them: `use … as the password`,
//! `… is my key`, `log in with root / …`.

use super::super::bytes::{ByteSet, find};
use super::super::pseudonym::{Class, mask_in};
use super::super::shape::Kinds;
use super::super::span::{Form, Rule, Span};
use super::connect::looks_chosen;
use super::name::Verdict;
use super::named::{Keyed, Name};
use super::plausible::Ends;
use super::value::{self, Until};
use super::words;

/// Bytes of a sentence before a name, and words between a secret and its name.
const SENTENCE_BYTES_MAX: usize = 96;
const WORDS_MAX: usize = 5;
/// Words that say more of a secret: `the new root password`.
const ADJECTIVES_MAX: usize = 2;
/// Bytes of a user and a secret.
const PAIR_BYTES_MAX: usize = 128;

const DETERMINERS: &[&[u8]] = &[b"the", b"a", b"your", b"my", b"his", b"her", b"our", b"their", b"its", b"this"];
/// What is done with a secret that is quoted.
const USES: &[&[u8]] = &[
    b"use", b"Use", b"using", b"used", b"try", b"Try", b"tried", b"enter", b"entered", b"type", b"typed", b"set",
    b"with",
];
/// What may follow the name of a secret in a sentence.
const AFTER: &[&[u8]] = &[b"for", b"of", b"to", b"on", b"in", b"and", b"when", b"at", b"from", b"but", b"now"];

impl Keyed<'_> {
    /// Masks what is told to be what the name between two positions names, before it.
    #[inline(never)]
    pub(super) fn told_before(&mut self, start: usize, end: usize) -> Option<usize> {
        let bytes = self.bytes;
        let floor = start.saturating_sub(SENTENCE_BYTES_MAX).max(self.masked_to.min(start));
        if !self.memory.unjoined.holds(floor, start, JOINT_BYTES_MAX, |rest| holds_joint(&bytes[rest])) {
            return None;
        }
        let word_before = |at: usize| {
            let text = bytes[floor..at].strip_suffix(b" ")?;
            let from = text.iter().rposition(u8::is_ascii_whitespace).map_or(floor, |blank| floor + blank + 1);
            (from < at - 1).then(|| (from, &bytes[from..at - 1]))
        };
        let (mut at, mut described, mut joint) = (start, 0, None);
        for _ in 0..WORDS_MAX {
            let (from, word) = word_before(at)?;
            at = from;
            if matches!(word, b"as" | b"is" | b"was") {
                joint = Some(word);
                break;
            }
            if described > ADJECTIVES_MAX || !word.iter().all(u8::is_ascii_alphabetic) {
                return None;
            }
            described = if DETERMINERS.contains(&word) { ADJECTIVES_MAX + 1 } else { described + 1 };
        }
        let joint = joint.filter(|joint| *joint == b"as" || described > ADJECTIVES_MAX)?;
        let (from, word) = word_before(at)?;
        let Verdict::Strong(class) = self.verdict(start, end)? else { return None };
        let last = from + word.len();
        let quote = value::quote_before(bytes, last).filter(|_| word.len() > 2);
        let opening = quote.filter(|quote| value::quote_at(bytes, from).is_some_and(|(open, _)| open == *quote));
        let (from, to) = opening.map_or((from, last), |quote| {
            let width = quote.depth + 1;
            (from + width, last - width)
        });
        let text = bytes.get(from..to)?;
        let told = || {
            let used = word_before(from - opening.map_or(0, |quote| quote.depth + 1))
                .is_some_and(|(_, word)| USES.contains(&word));
            class == Class::Password && (used || joint != b"as" || Kinds::of(text).classes() > 1)
        };
        if !(looks_chosen(text) || opening.is_some() && text.len() >= 4 && told() && goes_on(bytes, end)) {
            return None;
        }
        let name = Name::of(start, end, Verdict::Strong(class));
        self.push(name, from, to, Form::Raw, Ends::Marked).map(|_| end)
    }
}

/// Bytes of the longest word that joins a secret and its name, with the blank behind it.
const JOINT_BYTES_MAX: usize = 4;

/// Whether a text holds what may be such a word.
fn holds_joint(text: &[u8]) -> bool {
    memchr::memchr_iter(b's', text).any(|at| text.get(at + 1) == Some(&b' ') && at > 0 && b"ai".contains(&text[at - 1]))
}

/// Whether an article or what stands for one ends before `start`.
#[inline]
pub(super) fn is_told_of(bytes: &[u8], start: usize, end: usize) -> bool {
    matches!(bytes[..start], [.., b'e' | b'r' | b's' | b'y' | b'a' | b't' | b'w' | b'i', b' '])
        && bytes.get(end).is_none_or(|byte| b" .,;!)\n\r".contains(byte))
}

/// Whether a sentence goes on behind a name as one about a secret does.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let Some(rest) = bytes[end..].strip_prefix(b" ") else { return true };
    let word = rest.iter().take(8).take_while(|byte| byte.is_ascii_alphabetic()).count();
    AFTER.contains(&&rest[..word])
}

/// The secret of `root / secret`, `root/secret` or `root:secret` at `from`.
pub(super) fn pair(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    const USER: ByteSet = ByteSet::alphanumeric_and(b"_.@-");
    let to = bytes.len().min(from + PAIR_BYTES_MAX);
    let text = bytes.get(from..to)?;
    let user = USER.run(text);
    if mask_in(&text[..user]).is_some() {
        return None;
    }
    let rest = &text[user..];
    let signs = [b" / ".as_slice(), b"/", b":"];
    let sign = signs.iter().find(|sign| rest.starts_with(sign)).filter(|_| user > 0)?.len();
    let start = from + user + sign;
    let end = value::bare_end(bytes, start, to, Until::Blank);
    looks_chosen(&bytes[start..end]).then_some((start, end))
}

/// The secret of `root / secret` at `from`.
pub(super) fn spaced_pair(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let near = &bytes[from..bytes.len().min(from + PAIR_BYTES_MAX)];
    let behind = &near[near.iter().position(u8::is_ascii_whitespace)? + 1..];
    let slash = behind.first() == Some(&b'/') && behind.get(1).is_none_or(u8::is_ascii_whitespace);
    slash.then(|| pair(bytes, from))?
}

/// The secret of who logs in, behind `log in with ` or `sign in as `, which ends at `from`.
pub(super) fn signed_in(bytes: &[u8], at: usize, from: usize) -> Option<Span> {
    let before = bytes[at.saturating_sub(8)..at].to_ascii_lowercase();
    let signs = [b"log".as_slice(), b"sign"].iter().any(|verb| find(&before, verb).is_some());
    let (start, end) = pair(bytes, from).filter(|_| signs)?;
    Some(Span { rule: Rule::Builtin("key"), ..words::token(start, end, Class::Password) })
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn secrets_told_in_sentences_are_masked() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("use Kq93wZorb77 as the password", "use ‹pw› as the password"),
                ("please use \"sunflower\" as your password for it", "please use \"‹pw›\" as your password for it"),
                ("Kq93wZorb77 is the new root password.", "‹pw› is the new root password."),
                ("Kq93wZorb77 is my api key", "‹key› is my api key"),
                ("set the password to 'sunflower'", "set the password to '‹pw›'"),
                ("I changed the password to Kq93wZorb77 today", "I changed the password to ‹pw› today"),
                ("password has been changed to Kq93wZorb77", "password has been changed to ‹pw›"),
                ("the new password will be Winter2024!.", "the new password will be ‹pw›."),
                ("the password (Kq93wZorb77) works", "the password (‹pw›) works"),
                ("log in with root / Kq93wZorb77", "log in with root / ‹pw›"),
                ("you can sign in as admin:Winter2024!", "you can sign in as admin:‹pw›"),
                ("credentials are bob/Kq93wZorb77", "credentials are bob/‹pw›"),
                ("user/pass: admin / Kq93wZorb77", "user/pass: admin / ‹pw›"),
                ("my pw is Kq93wZorb77", "my pw is ‹pw›"),
                ("your pin is 482913.", "your pin is ‹key›."),
                ("the wifi password - Kq93wZorb77", "the wifi password - ‹pw›"),
                ("temp password Kq93wZorb77 was mailed", "temp password ‹pw› was mailed"),
                ("Das Passwort lautet Kq93wZorb77", "Das Passwort lautet ‹pw›"),
                ("La contrase\u{f1}a es Kq93wZorb77", "La contrase\u{f1}a es ‹pw›"),
                same("use sha256 as the password hash, UTF-8 as the password encoding"),
                same("set the password to expire in 90 days"),
                same("the new password will be required in 30 days"),
                same("log in with ssh / telnet or OAuth2 / OIDC"),
                same("log in as user1 / group2"),
                same("password (optional), password (8-16 characters), password (RFC2898)"),
                same("credentials are read from ~/.aws/credentials2"),
                same("the password is sha256 hashed and must be base64 encoded"),
                same("this is the password, MD5 is the password hash"),
                same("this regex, '\\w*\\s', is not one-pass"),
                same("the pin is 13 and PIN 14 is high"),
                same("Password - 8 characters or more"),
            ],
        );
    }
}
