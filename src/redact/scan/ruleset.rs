//! What the rules are, in one line, so that two summaries can be compared.

use super::super::settings::Compiled;
use super::tokens;

/// A hash of the rules, ours and the user's, so that two summaries can be compared. Of the user's literals only their
/// number goes in: a hash of a secret is half of the secret.
pub(in crate::redact) fn ruleset(rules: &Compiled) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |list: &[u8], entry: &[u8]| {
        for part in [list, entry] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
    };
    add(b"version", env!("CARGO_PKG_VERSION").as_bytes());
    for token in tokens::TOKENS {
        add(b"token", token.prefix.as_bytes());
    }
    for key in &rules.keys {
        add(b"key", key.as_bytes());
    }
    for pattern in &rules.patterns {
        add(pattern.name.as_bytes(), pattern.regex.as_str().as_bytes());
    }
    for key in &rules.allow_keys {
        add(b"allow-key", key.as_bytes());
    }
    for value in &rules.allow_values {
        add(b"allow-value", value);
    }
    add(b"literals", &(rules.literals_count as u64).to_le_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}
