//! The formats that tell themselves, as one list for whoever reads without the scanner: where each begins, and whether one
//! stands at a position.

use super::hashes::{self, CRYPT};
use super::tokens::{TOKENS, token_end};
use super::words;

/// Bytes of the longest beginning.
pub(in crate::redact) const LONGEST_START: usize = 40;
/// Bytes of a secret that are looked at.
const SECRET_BYTES_MAX: usize = 4 << 10;

/// The beginnings of all formats, in the order that [`at`] counts them.
pub(in crate::redact) fn starts() -> impl Iterator<Item = &'static str> {
    TOKENS.iter().map(|token| token.prefix).chain(CRYPT.iter().map(|(prefix, _)| *prefix)).chain(std::iter::once("eyJ"))
}

/// The secret of the format with this number that begins at `at`: its rule, its start and its end.
pub(in crate::redact) fn at(bytes: &[u8], at: usize, number: usize) -> Option<(&'static str, usize, usize)> {
    let to = bytes.len().min(at + SECRET_BYTES_MAX);
    if let Some(token) = TOKENS.get(number) {
        return token_end(token, bytes, at, to).map(|end| ("token", at, end));
    }
    if let Some((prefix, parameters)) = CRYPT.get(number - TOKENS.len()) {
        return hashes::crypt(bytes, at, prefix, *parameters).map(|span| ("password-hash", span.start, span.end));
    }
    words::jwt(bytes, at, to).map(|span| ("jwt", span.start, span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_beginning_is_longer_than_the_longest() {
        assert!(starts().all(|start| start.len() <= LONGEST_START));
    }
}
