//! Directives: settings whose names and values are words of a line, without a sign between them:
//! `proxy_set_header X-Api-Key "…";`, `username bob password 7 …`, `snmp-server community …`.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::super::bytes::{WordSet, begins_with, ends_in};
use super::super::pseudonym::Class;
use super::super::shape::{self, HexIs, Kinds};
use super::super::span::Form;
use super::Through;
use super::connect::looks_chosen;
use super::name::{Verdict, is_header};
use super::named::{Keyed, Name, Searched};
use super::plausible::{CHOSEN_BYTES_MIN, Ends, is_chosen, is_version};
use super::snmp::is_algorithm;
use super::surroundings::{blanks, in_statement, line_end, netrc_before};
use super::value::{self, Until};
use super::vocabulary::Weak;
use super::{clause, header};

/// Bytes of a line before a name, and after it, that are looked at.
const BEFORE_BYTES_MAX: usize = 256;
const AFTER_BYTES_MAX: usize = 512;
/// Words before a name in a command of a router.
const WORDS_BEFORE_MAX: usize = 5;

/// What is part of a word that sets something: `proxy_set_header`, `SetEnv`, `fastcgi_param`, `php_admin_value`.
const SETTERS: &[&[u8]] =
    &[b"set", b"env", b"param", b"header", b"define", b"option", b"property", b"value", b"add", b"var", b"arg"];
/// Bytes of the longest of [`ENCODINGS`].
const ENCODING_BYTES_MAX: usize = 12;
/// Words between a name and its value that say how the value is written.
#[rustfmt::skip]
const ENCODINGS: WordSet<19> = WordSet::of([
    "encrypted", "plain", "plaintext", "plain-text", "cleartext", "clear-text", "clear", "ascii", "ascii-text", "hex",
    "hexadecimal", "cipher", "simple", "md5", "sha256", "sha512", "unencrypted", "password", "secret",
]);
/// Bytes of the longest of [`PROTOCOLS`].
const PROTOCOL_BYTES_MAX: usize = 6;
/// What a key on a line is shared for.
const PROTOCOLS: &[&[u8]] =
    &[b"radius", b"tacacs", b"isakmp", b"ikev", b"ipsec", b"ospf", b"eigrp", b"bgp", b"ntp", b"wpa", b"wlan"];
/// Words before the name of a secret that is told as it is used.
const USES: &[&[u8]] = &[b"using", b"with", b"use", b"via", b"sending", b"got", b"received"];
/// Names whose values are one word of any kind.
#[rustfmt::skip]
const COMMUNITIES: WordSet<9> = WordSet::of([
    "rocommunity", "rwcommunity", "rocommunity6", "rwcommunity6", "trapcommunity", "requirepass", "masterauth", "rootpw",
    "bindpw",
]);

/// What the words behind a name are.
pub(super) enum Directive {
    /// A value begins here, under this name.
    Value(Name, usize),
    /// All is said: what was masked.
    Done(Option<(usize, Option<Through>)>),
}

impl Keyed<'_> {
    /// What the words behind a name are, of which the first begins at `from`.
    #[inline(never)]
    pub(super) fn directive(&mut self, name: Name, from: usize, to: usize) -> Directive {
        let bytes = self.bytes;
        let text = &bytes[name.start..name.end];
        let setter = sets(bytes, name.start);
        let from = if text.eq_ignore_ascii_case(b"key") { wireless(bytes, from) } else { from };
        if is_header(text) {
            let credentials = value::quote_at(bytes, from).is_some() || is_scheme(&bytes[from..to]);
            return Directive::Done(
                (setter && credentials).then(|| header::mask(self, (name.start, name.end), from, to)).flatten(),
            );
        }
        // What makes it secret stands before it.
        if text.eq_ignore_ascii_case(b"community") {
            return self.weak_directive(name, from, to);
        }
        let Verdict::Strong(class) = name.verdict else { return self.weak_directive(name, from, to) };
        if name.flag {
            return if flag_allowed(bytes, name, from, to) {
                Directive::Value(name, from)
            } else {
                Directive::Done(None)
            };
        }
        if name.line_start || setter {
            // What is defined for a compiler is a number, another name, or a text.
            let defines = before(bytes, name.start).trim_ascii_start().strip_prefix(b"#");
            if defines.is_some_and(|word| word.trim_ascii_start().starts_with(b"define"))
                && !is_defined_text(bytes, from, to)
            {
                return Directive::Done(None);
            }
        }
        let line = self.line_end(from, to.min(from + AFTER_BYTES_MAX));
        if let Some(at) = encoded(bytes, from, line).filter(|_| class != Class::Hash) {
            return Directive::Value(name, at);
        }
        let allowed = if value::quote_at(bytes, from).is_some() {
            // `pass "-b" to it`: a verb, unless nothing else stands on the line.
            if text.eq_ignore_ascii_case(b"secret") && is_reported(bytes, from, line) {
                false
            } else if text.eq_ignore_ascii_case(b"pass") {
                name.line_start && clause::quoted_alone(bytes, from, to)
            } else {
                class == Class::Password && name.quote.is_none()
                    || name.line_start
                    || setter
                    || in_statement(bytes, name.start, from, to)
                    || before(bytes, name.start).trim_ascii_start().starts_with(b"set ")
                        && clause::quoted_alone(bytes, from, to)
            }
        } else {
            self.bare_allowed(name, class, setter, (from, line), to)
        };
        if allowed { Directive::Value(name, from) } else { Directive::Done(self.is_clause(name, from, to)) }
    }

    /// Words that are no names of secrets but where a directive has them: `snmp-server community …`, `auth user:…`.
    fn weak_directive(&mut self, name: Name, from: usize, to: usize) -> Directive {
        let bytes = self.bytes;
        let text = &bytes[name.start..name.end];
        let strong = Name { verdict: Verdict::Strong(Class::Password), ..name };
        let line = self.line_end(from, to.min(from + AFTER_BYTES_MAX));
        if ends_in(text, b"community") && holds_word(before(bytes, name.start), b"snmp") {
            return Directive::Value(strong, from);
        }
        if name.verdict == Verdict::Weak(Weak::Pin) && bytes[from..].starts_with(b"is ") {
            let end = from + 3 + bytes[from + 3..line].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let done = self.push(name, from + 3, end, Form::Raw, Ends::Guessed);
            return Directive::Done(done.map(|resume| (resume, None)));
        }
        if text.eq_ignore_ascii_case(b"key") && !name.flag {
            return self.key(name, from, to);
        }
        if !ends_in(text, b"auth") {
            return Directive::Done(None);
        }
        if let Some(resume) = self.algorithms(strong, from, line) {
            return Directive::Done(Some((resume, None)));
        }
        let word = from + bytes[from..line].iter().take_while(|byte| byte.is_ascii_graphic()).count();
        let secret = user_secret(&bytes[from..word]).filter(|_| !name.flag && is_blank(&bytes[word..line]));
        let done = secret.and_then(|at| self.push(strong, from + at, word, Form::Raw, Ends::Guessed));
        Directive::Done(done.map(|resume| (resume, None)))
    }

    /// `radius-server host 10.0.0.1 key 7 …`, `crypto isakmp key … address 10.0.0.1`, `option key '…'`
    fn key(&mut self, name: Name, from: usize, to: usize) -> Directive {
        let bytes = self.bytes;
        let strong = Name { verdict: Verdict::Strong(Class::Key), ..name };
        let line = self.line_end(from, to.min(from + AFTER_BYTES_MAX));
        let at = encoded(bytes, from, line).unwrap_or(from);
        let quoted = value::quote_at(bytes, at);
        let (start, end) = quoted.map_or_else(
            || (at, value::bare_end(bytes, at, line, Until::Blank)),
            |(quote, inside)| (inside, value::quoted_end(bytes, inside, line, quote)),
        );
        let (chosen, numbered) = (is_chosen(&bytes[start..end]), is_numbered(&bytes[start..end]));
        let mut shared = || is_shared(bytes, name.start, &mut self.memory.unshared);
        let set = || quoted.is_some() && sets(bytes, name.start);
        if chosen && set() || (chosen || numbered) && shared() {
            Directive::Value(strong, at)
        } else {
            Directive::Done(None)
        }
    }

    /// Whether a bare word behind a name is its value.
    fn bare_allowed(
        &mut self,
        name: Name,
        class: Class,
        setter: bool,
        (from, line): (usize, usize),
        to: usize,
    ) -> bool {
        const PASSWORDS: WordSet<5> = WordSet::of(["password", "passwd", "passphrase", "pw", "passwort"]);
        let bytes = self.bytes;
        let text = &bytes[name.start..name.end];
        let is = |word: &[u8]| text.eq_ignore_ascii_case(word);
        let end = self.memory.last_value.bare_end(bytes, from, to, Until::Blank);
        let value = &bytes[from..end];
        if value.is_empty()
            || is_setting(value)
            || value[0] == b'('
            || matches!(value[0], b'*' | b'&' | b'-') && !COMMUNITIES.has(text)
        {
            return false;
        }
        if class != Class::Hash && shape::is_random(value, HexIs::Random) {
            return true;
        }
        if COMMUNITIES.has(text) {
            return (name.line_start || setter) && !value.starts_with(b"-");
        }
        if (is(b"password") || is(b"passwd")) && netrc_before(bytes, name.start) {
            return true;
        }
        let uses = before(bytes, name.start).rsplit(|byte| *byte == b' ').next();
        if uses.is_some_and(|word| USES.iter().any(|uses| word.eq_ignore_ascii_case(uses))) && is_chosen(value) {
            return true;
        }
        let mixed = shape::is_scrambled_run(value) && looks_chosen(value) && !shape::is_wordlike(value);
        if mixed && PASSWORDS.has(text) {
            return true;
        }
        if !is_blank(&bytes[end..line.max(end)]) || value.len() < 4 || !is_mixed(value) {
            return false;
        }
        let compound = text.iter().any(|byte| b"_-".contains(byte));
        if is(b"pass") {
            return name.line_start;
        }
        let constant =
            value.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-\\".contains(byte));
        let compound = compound && value.len() >= CHOSEN_BYTES_MIN && !constant;
        // `neighbor 10.0.0.1 password lemon948`
        let numbered = is_numbered(value)
            && is_command(before(bytes, name.start))
            && (class == Class::Password
                || begins_of_a_user(before(bytes, name.start))
                || is_shared(bytes, name.start, &mut self.memory.unshared));
        name.line_start
            || setter
            || numbered
            || compound && memchr::memchr(b'\\', value).is_none()
            || is_chosen(value) && !constant
    }
}

/// Behind `s:` and `restricted s:` of the key of a wireless card, which say that a text follows.
fn wireless(bytes: &[u8], from: usize) -> usize {
    let rest = &bytes[from..];
    let mode =
        [b"restricted ".as_slice(), b"open "].iter().find(|mode| rest.starts_with(mode)).map_or(0, |mode| mode.len());
    if rest[mode..].starts_with(b"s:") { from + mode + 2 } else { from }
}

fn is_blank(rest: &[u8]) -> bool {
    rest.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b';')
}

/// Where the secret of `user:secret` begins.
pub(super) fn user_secret(word: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', word)?;
    let user = word[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-@".contains(byte));
    let secret = &word[colon + 1..];
    (user && colon > 0 && secret.len() >= 4 && Kinds::of(secret).digit > 0 && !shape::is_path(secret))
        .then_some(colon + 1)
}

/// Whether a scheme of HTTP and more follow: `Bearer …`.
fn is_scheme(rest: &[u8]) -> bool {
    [b"Bearer ".as_slice(), b"Basic ", b"Token "]
        .iter()
        .any(|scheme| rest.len() > scheme.len() && rest[..scheme.len()].eq_ignore_ascii_case(scheme))
}

/// What stands before `at` on its line.
fn before(bytes: &[u8], at: usize) -> &[u8] {
    bytes[line_start(bytes, at)..at].trim_ascii_end()
}

/// Where the line of `at` begins, as far as it is looked at.
fn line_start(bytes: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(BEFORE_BYTES_MAX);
    memchr::memrchr2(b'\n', b'\r', &bytes[floor..at]).map_or(floor, |line| floor + line + 1)
}

/// Whether a text with digits begins at `from`.
fn is_defined_text(bytes: &[u8], from: usize, to: usize) -> bool {
    value::quote_at(bytes, from).is_some_and(|(quote, inside)| {
        let text = &bytes[inside..value::quoted_end(bytes, inside, line_end(bytes, inside, to), quote)];
        Kinds::of(text).digit > 0 && memchr::memchr(b'\\', text).is_none()
    })
}

/// Whether a protocol whose peers share a key is named before `at` on its line.
fn is_shared(bytes: &[u8], at: usize, searched: &mut Searched) -> bool {
    static FINDER: OnceLock<AhoCorasick> = OnceLock::new();
    let build = || AhoCorasick::builder().ascii_case_insensitive(true).build(PROTOCOLS).expect("a few words");
    let finder = FINDER.get_or_init(build);
    searched.holds(line_start(bytes, at), at, PROTOCOL_BYTES_MAX, |rest| finder.is_match(&bytes[rest]))
}

fn holds_word(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether one of the two words before a name sets what follows it.
fn sets(bytes: &[u8], start: usize) -> bool {
    let start = start - usize::from(bytes[..start].ends_with(b"$"));
    if start == 0 || !matches!(bytes[start - 1], b' ' | b'\t') {
        return false;
    }
    let mut words = before(bytes, start).rsplit(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let is_setter = |word: &[u8]| {
        let plain = word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-#".contains(byte));
        plain && (0..word.len()).any(|at| SETTERS.iter().any(|setter| begins_with(&word[at..], setter)))
    };
    words.next().is_some_and(is_setter)
}

/// Whether the argument of a flag follows, and no further flag, redirection or sentence.
fn flag_allowed(bytes: &[u8], name: Name, from: usize, to: usize) -> bool {
    let dash = bytes.get(from) == Some(&b'-')
        && bytes.get(from + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    let word = bytes[from..to].iter().take(16).take_while(|byte| byte.is_ascii_lowercase()).count();
    let apart = bytes.get(from + word).is_some_and(u8::is_ascii_whitespace);
    let sentence = apart && value::is_prose_word(&bytes[from..from + word]);
    !dash
        && !sentence
        && !matches!(bytes.get(from), Some(b'|' | b'>' | b'<' | b'[' | b'('))
        && name.line_start_or_command(bytes)
}

/// Whether a name in quotes begins at `from` of which a sentence goes on to tell: `Secret "erp-db" is invalid`.
fn is_reported(bytes: &[u8], from: usize, line: usize) -> bool {
    const TOLD: [&[u8]; 8] =
        [b"is ", b"not found", b"already ", b"created", b"updated", b"deleted", b"configured", b"does "];
    value::quote_at(bytes, from).is_some_and(|(quote, inside)| {
        let end = value::quoted_end(bytes, inside, line, quote);
        let rest = bytes[end..line].get(quote.depth + 1..).unwrap_or_default();
        let told = rest.strip_prefix(b" ").is_some_and(|rest| TOLD.iter().any(|told| rest.starts_with(told)));
        told && bytes[inside..end]
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte))
    })
}

/// Whether a word that says how a value is written begins a text, and another follows.
pub(super) fn says_how(text: &[u8]) -> bool {
    let word =
        text.iter().take(ENCODING_BYTES_MAX).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    text.get(word) == Some(&b' ') && ENCODINGS.has(&text[..word])
}

/// Where the value begins behind a word or a digit that says how it is written: `7 …`, `encrypted …`, `--plaintext …`.
fn encoded(bytes: &[u8], from: usize, line: usize) -> Option<usize> {
    let mut at = from;
    // A number of the key, how it is hashed, how it is written.
    for _ in 0..3 {
        let word = bytes[at..line].iter().take_while(|byte| byte.is_ascii_graphic()).count();
        let text = &bytes[at..at + word];
        let digit = matches!(text, [b'0'..=b'9']);
        let bare = &text[text.iter().take_while(|byte| **byte == b'-').count()..];
        let named = ENCODINGS.has(bare);
        let gap = blanks(bytes, at + word);
        if !(digit || named) || gap == 0 {
            break;
        }
        at += word + gap;
    }
    if at == from {
        return None;
    }
    if let Some((quote, inside)) = value::quote_at(bytes, at) {
        return (value::quoted_end(bytes, inside, line, quote) < line).then_some(at);
    }
    let end = value::bare_end(bytes, at, line, Until::Blank);
    let value = &bytes[at..end];
    (is_blank(&bytes[end..line]) && value.len() >= CHOSEN_BYTES_MIN && is_mixed(value)).then_some(at)
}

/// Whether a word holds more than letters and is nothing that directives name otherwise.
fn is_mixed(value: &[u8]) -> bool {
    let kinds = Kinds::of(value);
    (kinds.digit > 0 || kinds.other > 0 && kinds.upper > 0)
        && !is_port(value)
        && !is_version(value)
        && !is_algorithm(value)
        && !(kinds.digit == value.len() && value.len() < 6)
        && !value.ends_with(b".so")
        && !value.ends_with(b":")
}

/// A word and a number: what many think of, and what versions and algorithms look like when less is asked for.
fn is_numbered(value: &[u8]) -> bool {
    let letters = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let sign = usize::from(value.get(letters).is_some_and(|sign| b"_-.!@#$%&*+?".contains(sign)));
    let digits = value[letters..].iter().filter(|byte| byte.is_ascii_digit()).count();
    letters >= 4 && digits >= 2 && letters + sign + digits == value.len()
}

/// Whether a few words without a capital or a comma stand before a name, as commands of routers have them.
fn is_command(before: &[u8]) -> bool {
    let words = before.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    before.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" -.:/_".contains(byte))
        && words.clone().count() <= WORDS_BEFORE_MAX
        && !words.clone().any(value::is_prose_word)
}

/// Whether a command of a router sets what somebody logs in with: `enable`, `username bob`.
fn begins_of_a_user(before: &[u8]) -> bool {
    let word = before.trim_ascii_start().split(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(word, b"enable" | b"username" | b"user" | b"local-user")
}

/// `freq=5180`, a further setting on the line.
fn is_setting(value: &[u8]) -> bool {
    let name = value.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
    name > 2 && value.get(name) == Some(&b'=') && value.len() > name + 1 && value[name + 1] != b'='
}

/// `464/tcp`, as in `/etc/services`.
fn is_port(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(&value[digits..], b"/tcp" | b"/udp" | b"/sctp" | b"/dccp")
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn directives_of_servers_and_routers_lose_their_secrets() {
        let same = |text: &'static str| (text, text);
        check(
            Carrier::Text,
            &[
                ("proxy_set_header X-Api-Key \"hunter2\";", "proxy_set_header X-Api-Key \"‹key›\";"),
                (
                    "proxy_set_header Authorization \"Bearer hunter2\";",
                    "proxy_set_header Authorization \"Bearer ‹tok›\";",
                ),
                same("proxy_set_header Authorization $http_authorization;"),
                ("    set $upstream_secret \"hunter2\";", "    set $upstream_secret \"‹key›\";"),
                ("SetEnv DB_PASSWORD hunter2\n", "SetEnv DB_PASSWORD ‹pw›\n"),
                ("  user admin insecure-password hunter2\n", "  user admin insecure-password ‹pw›\n"),
                ("  stats auth admin:hunter2\n", "  stats auth admin:‹pw›\n"),
                ("username bob password 7 0822455D0A16\n", "username bob password 7 ‹pw›\n"),
                ("rootpw --plaintext hunter2\n", "rootpw --plaintext ‹pw›\n"),
                ("snmp-server community hunter RO\n", "snmp-server community ‹pw› RO\n"),
                (
                    "set snmp community hunter authorization read-only\n",
                    "set snmp community ‹pw› authorization read-only\n",
                ),
                (
                    "snmp-server user bob ops v3 auth sha hunter22 priv aes 128 hunter23\n",
                    "snmp-server user bob ops v3 auth sha ‹pw› priv aes 128 ‹pw›\n",
                ),
                ("neighbor 10.0.0.1 password x8Kq2m\n", "neighbor 10.0.0.1 password ‹pw›\n"),
                ("  neighbor 10.1.1.1 password lemon948\n", "  neighbor 10.1.1.1 password ‹pw›\n"),
                ("tacacs-server key quilt4960\n", "tacacs-server key ‹key›\n"),
                ("iwconfig wlan0 key s:hunter22\n", "iwconfig wlan0 key s:‹pw›\n"),
                ("iwconfig wlan0 key restricted s:hunter22\n", "iwconfig wlan0 key restricted s:‹pw›\n"),
                (
                    "set radius-server 1.2.3.4 secret \"$9$Fq2zn/tSyKWX\"\n",
                    "set radius-server 1.2.3.4 secret \"$9$‹key›\"\n",
                ),
                ("d-i passwd/root-password password winter9512\n", "d-i passwd/root-password password ‹pw›\n"),
                ("net user admin cheese9982 /add", "net user admin ‹pw› /add"),
                ("auth=\"admin:yonder0042\"", "auth=\"admin:‹pw›\""),
                same("auth=\"digest:sha256\""),
                ("{\"secret\":{\"S\":\"ladder7636\"}}", "{\"secret\":{\"S\":\"‹key›\"}}"),
                ("{\"otp\":\"482913\"}", "{\"otp\":\"‹key›\"}"),
                same("{\"otp\":\"26\"}"),
                same("The new password is kept for 7 days\n"),
                same("password sha256\n"),
                same("set the token option\n"),
            ],
        );
    }
}
