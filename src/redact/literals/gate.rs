//! The gate: which secrets may be looked for everywhere. A weak one would eat the report: Iggy's default password is `iggy`.

use std::collections::HashSet;

use super::super::shape;
use super::super::span::Seed;

/// Bytes of a secret found in text.
const FOUND_BYTES_MIN: usize = 10;
/// Bytes of a secret found by its place in known data.
const TYPED_BYTES_MIN: usize = 8;
/// Different bytes of a secret.
const DISTINCT_MIN: u32 = 6;
/// Names of algorithms and the like that stand as values of keys with secret names.
const STOP_WORDS: &[&str] = &[
    "scram-sha-256",
    "scram-sha-512",
    "scram-sha-1",
    "aes-256-gcm",
    "aes-128-gcm",
    "aes-256-cbc",
    "chacha20-poly1305",
    "xchacha20-poly1305",
    "hmac-sha256",
    "hmac-sha-256",
    "ed25519",
    "ecdsa-p256",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "sha256",
    "sha512",
    "sha-256",
    "argon2id",
    "bcrypt",
    "pbkdf2-sha256",
    "md5-digest",
    "localhost",
    "127.0.0.1",
    "x-api-key",
    "x-vault-token",
    "oauth2.0",
    "http/1.1",
    "tlsv1.2",
    "tlsv1.3",
    "changeme123",
    "password1",
    "password123",
    "example123",
];

/// Words of this host that no secret may blank: its own names, users, units, processes, streams and topics.
#[derive(Debug, Default)]
pub(in super::super) struct Vocabulary(HashSet<Vec<u8>>);

impl Vocabulary {
    /// Adds a word.
    pub(in super::super) fn add(&mut self, word: &str) {
        self.0.insert(word.to_ascii_lowercase().into_bytes());
    }
}

/// Whether a secret from this source may be looked for everywhere.
pub(in super::super) fn may_propagate(secret: &[u8], seed: Seed, vocabulary: &Vocabulary) -> bool {
    if seed == Seed::Listed {
        return true;
    }
    let lower = secret.to_ascii_lowercase();
    if secret.len() < TYPED_BYTES_MIN
        || vocabulary.0.contains(&lower)
        || STOP_WORDS.iter().any(|word| word.as_bytes() == lower)
    {
        return false;
    }
    if seed == Seed::Told {
        return true;
    }
    let length_min = if seed == Seed::Typed { TYPED_BYTES_MIN } else { FOUND_BYTES_MIN };
    let kinds = shape::Kinds::of(secret);
    let foreign = secret.iter().filter(|byte| **byte >= 0x80).count() >= 4;
    let mixed = kinds.digit > 0 && (kinds.letters() >= 3 || foreign)
        || kinds.classes() >= 3 && kinds.letters() >= 3
        || kinds.upper >= 2 && kinds.lower >= 2 && turns(secret) >= 4;
    seed != Seed::Never
        && secret.len() >= length_min
        && shape::distinct(secret) >= DISTINCT_MIN
        && mixed
        && !is_code(secret)
        && !shape::is_path(secret)
        && (seed == Seed::Typed || !shape::is_compound(secret))
        && (!shape::is_wordlike(secret)
            || symbols(secret) >= 2 && kinds.classes() >= 3
            || is_chosen(secret, kinds)
            || seed == Seed::Typed && kinds.digit > 0 && kinds.classes() >= 3)
}

/// Whether a word with a number behind it, and a sign behind that, was thought up as a password: `Sommer2024!`. Names have no
/// such signs.
fn is_chosen(secret: &[u8], kinds: shape::Kinds) -> bool {
    symbols(secret) >= 1 && kinds.digit >= 2 && kinds.letters() >= 4
}

/// Whether a secret is so random that no ordinary text holds it, or its beginning, by chance.
pub(in super::super) fn is_distinctive(secret: &[u8]) -> bool {
    let kinds = shape::Kinds::of(secret);
    secret.len() >= 12
        && !shape::is_wordlike(secret)
        && shape::entropy_centibits(secret) > 300
        && (kinds.digit >= 2 && kinds.letters() >= 4 || turns(secret) * 3 >= secret.len())
}

/// Characters that no name has.
fn symbols(secret: &[u8]) -> usize {
    secret.iter().filter(|byte| byte.is_ascii_punctuation() && !b"-_./:".contains(byte)).count()
}

fn turns(secret: &[u8]) -> usize {
    secret.windows(2).filter(|pair| pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase()).count()
}

fn is_code(secret: &[u8]) -> bool {
    let dotted = secret.split(|byte| *byte == b'.').count() > 1
        && secret
            .split(|byte| *byte == b'.')
            .all(|part| !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_'));
    dotted
        || secret.ends_with(b"()")
        || secret.windows(2).any(|pair| pair == b"::")
            && secret.iter().all(|byte| byte.is_ascii_alphabetic() || b"_:".contains(byte))
        || memchr::memchr_iter(b' ', secret).count() > 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_common_values_stay_where_they_are() {
        let vocabulary = Vocabulary::default();
        for secret in [
            "iggy",
            "laser",
            "changeme",
            "12345678",
            "scram-sha-256",
            "ArrayPrototype",
            "prometheus.NewDesc",
            "authenticate",
            "localhost",
            "root-password",
            "aaaaaaaaaaaa1",
        ] {
            assert!(!may_propagate(secret.as_bytes(), Seed::Found, &vocabulary), "{secret}");
        }
        for secret in [
            "Sup3r-Secret-Root-Pw!42",
            "jwt-enc-Secr3t-93hd8a7sd6f5g4h3",
            "x8Kq2mZw91",
            "aBcDeFgHiJkL",
            "550e8400-e29b-41d4-a716-446655440000",
            "Sommer2024!",
            "falcon4821!",
        ] {
            assert!(may_propagate(secret.as_bytes(), Seed::Typed, &vocabulary), "{secret}");
        }
    }

    #[test]
    fn a_word_of_the_host_is_never_looked_for() {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add("Node-7x-iggy-01");
        assert!(!may_propagate(b"node-7x-iggy-01", Seed::Told, &vocabulary));
    }
}
