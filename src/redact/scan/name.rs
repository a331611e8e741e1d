//! Names: whether a key's name says that its value is secret.
//!
//! A name is split into words at `_`, `-`, `.` and where its case changes; the last word says what the value *is*, the
//! words before it what it belongs to. A value that only describes a secret (its file, its length, its expiry) is shown.

use super::super::bytes::{ByteSet, ends_in};
use super::super::pseudonym::Class;
use super::super::settings::Compiled;
use super::languages;
use super::vocabulary::{
    CHILDREN_DENIED, CODE_OWNERS, ENVIRONMENTS, FIRST_DENIED, FIRST_DENIED_FOR_PASSWORDS, KEY_OWNERS, KEY_WORDS,
    LAST_DENIED, LAST_DENIED_NOT_FOR_PASSWORDS, NAMES_DENIED, NOT_PASS, NOT_PIN_OWNERS, OWNERS, PASSWORD_PARTS,
    PASSWORD_WORDS, STRONG_LAST, WEAK_LAST, Weak,
};

/// Bytes of the longest name that is judged.
pub(super) const NAME_BYTES_MAX: usize = 160;
/// Words of a name that are looked at, from its end.
const WORDS_MAX: usize = 16;

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    No,
    /// It may be secret: only a value that looks random is.
    Weak(Weak),
    /// It is secret.
    Strong(Class),
}

/// Whether a name is that of a header with rules of its own.
pub(super) fn is_header(name: &[u8]) -> bool {
    if !matches!(name.last(), Some(b'n' | b'N' | b'e' | b'E')) {
        return false;
    }
    let ends = |word: &[u8]| ends_in(name, word);
    ends(b"authorization") || name.eq_ignore_ascii_case(b"cookie") || ends(b"set-cookie") || ends(b"http_cookie")
}

/// The words of a name, lower-case.
struct Words {
    text: [u8; NAME_BYTES_MAX],
    ends: [(u8, u8); WORDS_MAX],
    count: usize,
    /// The first word of the last dotted part.
    part: usize,
}

impl Words {
    fn of(name: &[u8]) -> Self {
        let mut words = Self { text: [0; NAME_BYTES_MAX], ends: [(0, 0); WORDS_MAX], count: 0, part: 0 };
        let name = &name[name.len().saturating_sub(NAME_BYTES_MAX)..];
        let (mut from, mut previous) = (0, 0_u8);
        for (at, byte) in name.iter().copied().enumerate() {
            words.text[at] = byte.to_ascii_lowercase();
            let separator = b"_-.:/ ".contains(&byte);
            let next_lower = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let hump = byte.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || (previous.is_ascii_digit() && next_lower)
                    || (previous.is_ascii_uppercase()
                        && next_lower
                        && name.get(at + 2).is_some_and(u8::is_ascii_lowercase)));
            if separator || hump {
                words.push(from, at);
                from = if separator { at + 1 } else { at };
                if byte == b'.' || byte == b'/' {
                    words.part = words.count;
                }
            }
            previous = byte;
        }
        words.push(from, name.len());
        words
    }

    fn push(&mut self, from: usize, to: usize) {
        let mut to = to;
        while to > from + 1 && self.text[to - 1].is_ascii_digit() && !self.text[from].is_ascii_digit() {
            to -= 1;
        }
        if to <= from {
            return;
        }
        if self.count == WORDS_MAX {
            self.ends.copy_within(1.., 0);
            self.count -= 1;
            self.part = self.part.saturating_sub(1);
        }
        let byte = |at: usize| u8::try_from(at).expect("a name is shorter than 256 bytes");
        self.ends[self.count] = (byte(from), byte(to));
        self.count += 1;
    }

    fn get(&self, place: usize) -> &[u8] {
        let (from, to) = self.ends[place];
        &self.text[usize::from(from)..usize::from(to)]
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|place| self.get(place))
    }
}

fn among(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|listed| listed.as_bytes() == word)
}

/// What a name says about its value.
pub(super) fn classify(name: &[u8], rules: &Compiled) -> Verdict {
    if !(rules.keys.is_empty() && rules.allow_keys.is_empty())
        && let Some(verdict) = of_the_user(name, rules)
    {
        return verdict;
    }
    let words = Words::of(name);
    if words.count == 0 {
        return Verdict::No;
    }
    let mut words = words;
    // `db.pwd.1`, and not `libsecret-1-0`
    while words.count > 1
        && memchr::memchr(b'-', name).is_none()
        && words.get(words.count - 1).iter().all(u8::is_ascii_digit)
    {
        words.count -= 1;
    }
    // `DB_PASS_PROD`, `api_key_staging`
    if words.count > 2 && among(words.get(words.count - 1), ENVIRONMENTS) {
        words.count -= 1;
    }
    let last = words.get(words.count - 1);
    let first = words.get(words.part.min(words.count - 1));
    if name.len() <= 24 && NAMES_DENIED.iter().any(|denied| name.eq_ignore_ascii_case(denied.as_bytes())) {
        return Verdict::No;
    }
    // The name of an object that holds secrets: `existingSecret`, `existingSecretPasswordKey`.
    let place = words.part.min(words.count - 1);
    if first == b"existing" && place + 1 < words.count && matches!(words.get(place + 1), b"secret" | b"secrets") {
        return Verdict::No;
    }
    if words.iter().any(is_password_word) || edge_password(first, last) || composed(&words) {
        return password(first, last);
    }
    if name.eq_ignore_ascii_case(b"key-string") {
        return Verdict::Strong(Class::Key);
    }
    if words.count >= 2 && last == b"id" && words.get(words.count - 2) == b"secret" {
        return Verdict::Weak(Weak::SecretId);
    }
    if words.count >= 2 && last == b"data" && words.get(words.count - 2) == b"key" {
        return Verdict::Strong(Class::Key);
    }
    if matches!(last, b"ident" | b"info" | b"userinfo") && words.iter().any(|word| word == b"auth") {
        return Verdict::Weak(Weak::Pair);
    }
    let weak = WEAK_LAST.iter().find(|(word, _)| word.as_bytes() == last).map(|(_, weak)| *weak);
    // The key of a service that routes alarms looks random; that of a message does not.
    if first == b"routing" && last == b"key" {
        return Verdict::Weak(Weak::Session);
    }
    if among(first, FIRST_DENIED) && !(first == b"host" && last == b"key") || has_public(&words) {
        return Verdict::No;
    }
    if let Some((_, class)) = STRONG_LAST.iter().find(|(word, _)| word.as_bytes() == last) {
        return Verdict::Strong(*class);
    }
    // What a form calls its field.
    if last == b"text" && words.iter().any(|word| word == b"secret") {
        return Verdict::Weak(Weak::Session);
    }
    if among(last, LAST_DENIED) && weak.is_none() {
        return Verdict::No;
    }
    let other = || weak.map_or_else(|| languages::verdict(name), Verdict::Weak);
    strong(&words, last).map_or_else(other, Verdict::Strong)
}

/// Whether the name of a table's child says what its value is, and not only whose.
pub(super) fn describes(child: &[u8]) -> bool {
    let words = Words::of(child);
    let Some(last) = words.count.checked_sub(1).map(|last| words.get(last)) else { return false };
    let (first, owner) = (words.get(words.part.min(words.count - 1)), among(last, OWNERS));
    among(last, LAST_DENIED) && !owner
        || among(last, CHILDREN_DENIED)
        || words.count > 1 && among(first, FIRST_DENIED)
        || has_public(&words)
}

/// What the name of a table's child is made of, where no quotes tell.
pub(super) fn run(text: &[u8]) -> usize {
    const CHILD: ByteSet = ByteSet::alphanumeric_and(b"_-.@/").and_beyond_ascii();
    CHILD.run(text)
}

/// Where the password of a `user:password` begins.
pub(super) fn pair(text: &[u8]) -> Option<usize> {
    const USER: ByteSet = ByteSet::alphanumeric_and(b"_-.@+").and_beyond_ascii();
    let user = USER.run(text);
    let password = text.get(user + 1..).filter(|_| user > 0 && text[user] == b':')?;
    let plain = password.len() > 2
        && !password.iter().all(u8::is_ascii_digit)
        && !password.starts_with(b"//")
        && !password.starts_with(b":")
        && password.iter().all(u8::is_ascii_graphic);
    plain.then_some(user + 1)
}

fn of_the_user(name: &[u8], rules: &Compiled) -> Option<Verdict> {
    let folded: String = String::from_utf8_lossy(name)
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    if rules.allow_keys.contains(&folded) {
        return Some(Verdict::No);
    }
    rules.keys.iter().any(|key| folded.ends_with(key.as_str())).then_some(Verdict::Strong(Class::Password))
}

fn is_password_word(word: &[u8]) -> bool {
    const FIRST: ByteSet = ByteSet::of_firsts(PASSWORD_PARTS);
    let begins =
        |at: usize| FIRST.has(word[at]) && PASSWORD_PARTS.iter().any(|part| word[at..].starts_with(part.as_bytes()));
    (0..word.len()).any(begins)
}

fn edge_password(first: &[u8], last: &[u8]) -> bool {
    let glued = |word: &[u8]| {
        word.len() > 4 && word.ends_with(b"pass") && !among(word, NOT_PASS)
            || word.len() > 4 && (word.ends_with(b"pwd") || word.ends_with(b"psk"))
            || word.len() > 3 && word.ends_with(b"pw") && !word.ends_with(b"opw")
    };
    among(last, PASSWORD_WORDS) || glued(last) || (among(first, PASSWORD_WORDS) && first != b"pass")
}

/// `mot_de_passe`, `login_pin`, `auth_pass_phrase`: names whose words make a password together.
fn composed(words: &Words) -> bool {
    let pair = |one: &[u8], two: &[u8]| {
        (two == b"passe" && matches!(one, b"de" | b"palavra"))
            || (two == b"phrase" && one == b"pass")
            || (two == b"word" && one == b"pass")
            || (two == b"codes" && among(one, &["recovery", "backup"]))
            || (two == b"code" && among(one, CODE_OWNERS))
            || (two == b"key" && one == b"digest")
            || (two == b"community" && one == b"snmp")
            || (two == b"cookie" && one == b"erlang")
            || (two == b"phrase" && among(one, &["seed", "recovery", "mnemonic", "secret"]))
    };
    let last = words.count - 1;
    // `led_pin` is one of a chip.
    let pin = last > 0 && words.get(last) == b"pin" && !among(words.get(last - 1), NOT_PIN_OWNERS);
    pin || (1..words.count).any(|place| pair(words.get(place - 1), words.get(place)))
}

fn has_public(words: &Words) -> bool {
    words.iter().any(|word| word == b"public" || word == b"pub" || word == b"publishable" || word == b"pubkey")
}

fn password(first: &[u8], last: &[u8]) -> Verdict {
    if last == b"hash" || last == b"digest" {
        return Verdict::Strong(Class::Hash);
    }
    let denied = among(last, LAST_DENIED) && !among(last, LAST_DENIED_NOT_FOR_PASSWORDS) && last != b"code";
    if denied && !is_password_word(last) || among(first, FIRST_DENIED_FOR_PASSWORDS) {
        return Verdict::No;
    }
    Verdict::Strong(Class::Password)
}

fn strong(words: &Words, last: &[u8]) -> Option<Class> {
    let word_is = |wanted: &[u8]| words.iter().any(|word| word == wanted);
    if last == b"hash" || last == b"digest" || last == b"checksum" {
        return None;
    }
    if last == b"token" || last == b"tokens" || (last.len() > 5 && last.ends_with(b"token")) {
        return Some(Class::Token);
    }
    if word_is(b"secret") || word_is(b"secrets") || (last.len() > 6 && last.ends_with(b"secret")) {
        return Some(Class::Key);
    }
    if word_is(b"credential") || word_is(b"credentials") || last == b"creds" || last == b"cred" {
        return Some(Class::Password);
    }
    if words.get(0) == b"token" && among(last, &["value", "raw", "string", "data", "b64", "base64"]) {
        return Some(Class::Token);
    }
    if words.iter().any(|word| among(word, KEY_WORDS)) {
        return Some(Class::Key);
    }
    if last.len() > 6 && last.ends_with(b"apikey") {
        return Some(Class::Key);
    }
    // Whoever serves an API calls its key after itself: `ipapi_key`, `rapidapiKey`.
    let owns = |word: &[u8]| among(word, KEY_OWNERS) || word.len() > 3 && word.ends_with(b"api");
    let owner = |place: usize| place > 0 && owns(words.get(place - 1));
    let at_key = (0..words.count).rev().find(|place| matches!(words.get(*place), b"key" | b"keys"))?;
    let near_end = at_key + 1 == words.count
        || among(
            last,
            &[
                "value",
                "raw",
                "base64",
                "b64",
                "hex",
                "pem",
                "string",
                "base",
                "current",
                "previous",
                "secondary",
                "primary",
            ],
        );
    (near_end && owner(at_key)).then_some(Class::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str) -> Verdict {
        classify(name.as_bytes(), &Compiled::default())
    }

    #[test]
    fn names_of_secrets_are_strong() {
        for name in [
            "password",
            "PASSWORD",
            "rootPassword",
            "IGGY_ROOT_PASSWORD",
            "spring.datasource.password",
            "db-password",
            "dbpass",
            "PGPASSWORD",
            "MYSQL_PWD",
            "password2",
            "passwd",
            "passphrase",
            "bindpw",
            "wpa_psk",
            "requirepass",
            "auth_pass",
            "secret",
            "client_secret",
            "clientSecret",
            "http.jwt.encoding_secret",
            "cluster.auth.previous_shared_secret",
            "SECRET_KEY_BASE",
            "aws_secret_access_key",
            "token",
            "accessToken",
            "X-Vault-Token",
            "apitoken",
            "HCLOUD_TOKEN",
            "api_key",
            "apiKey",
            "APIKey",
            "X-Api-Key",
            "IBMCLOUD_API_KEY",
            "system.encryption.key",
            "AccountKey",
            "SharedAccessKey",
            "PrivateKey",
            "PresharedKey",
            "client-key-data",
            "credentials.value",
            "LASER_IGGY_PASSWORD",
            "LD_PLANE_IGGY_PASSWORD",
            "IGGY_SYSTEM_ENCRYPTION_KEY",
            "IGGY_HTTP_JWT_ENCODING_SECRET",
            "http.api_key",
            "IGGY_CLUSTER_AUTH_PREVIOUS_SHARED_SECRET",
            "user.password.old",
            "NEW_RELIC_LICENSE_KEY",
            "mot_de_passe",
            "contrase\u{f1}a",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
            "password_hash",
            "SCW_SECRET_KEY",
            "OKTA_API_TOKEN",
            "ipapi_key",
            "acmeapikey",
            "dbpw",
            "tpm_pin",
            "unlock_code",
            "wep_key0",
        ] {
            assert!(matches!(verdict(name), Verdict::Strong(_)), "{name}: {:?}", verdict(name));
        }
    }

    #[test]
    fn names_of_what_only_describes_a_secret_say_nothing() {
        for name in [
            "password_min_length",
            "PasswordAuthentication",
            "IGGY_ROOT_PASSWORD_FILE",
            "token_type",
            "max_tokens_per_user",
            "secretName",
            "secretKeyRef",
            "public_key",
            "PublicKey",
            "primary_key",
            "cache_key",
            "keyboard_model",
            "kernel.keys.maxkeys",
            "session_timeout",
            "tls_session_tickets",
            "password_encryption",
            "access_token_expiry",
            "key_file",
            "aws_access_key_id",
            "bypass",
            "compass",
            "monkey",
            "author",
            "credential_file",
            "token_url",
            "allow_credentials",
            "use_base64_secret",
            "completion_tokens",
            "passed",
            "LoadCredential",
            "trusted_keys",
            "max_password_age",
            "token_hash",
            "partition_key",
            "no_password",
            "enable_password",
            "status_code",
            "led_pin",
        ] {
            assert_eq!(verdict(name), Verdict::No, "{name}");
        }
    }

    #[test]
    fn names_that_may_be_either_are_weak() {
        for name in ["routing_key", "key", "session", "sig", "encrypt", "http_auth", "GITHUB_PAT", "mailjet_key"] {
            assert!(matches!(verdict(name), Verdict::Weak(_)), "{name}: {:?}", verdict(name));
        }
        assert_eq!(verdict("role.secret_id"), Verdict::Weak(Weak::SecretId));
    }

    #[test]
    fn the_users_names_go_first() {
        let rules = Compiled {
            keys: vec!["tenantcode".to_owned()],
            allow_keys: vec!["demopassword".to_owned()],
            ..Compiled::default()
        };
        assert_eq!(classify(b"app.tenant_code", &rules), Verdict::Strong(Class::Password));
        assert_eq!(classify(b"DEMO_PASSWORD", &rules), Verdict::No);
        assert!(matches!(classify(b"password", &rules), Verdict::Strong(_)));
    }
}
