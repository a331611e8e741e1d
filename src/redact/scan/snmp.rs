//! Users of SNMP and their keys, which stand behind the algorithms that they are for: `createUser bob SHA … AES …`.

use super::super::bytes::begins_with;
use super::super::pseudonym::Class;
use super::super::span::Form;
use super::name::Verdict;
use super::named::{Keyed, Name};
use super::plausible::{CHOSEN_BYTES_MIN, Ends};
use super::surroundings::{blanks, line_end};
use super::value;

/// Bytes of a line behind the name of a user.
const LINE_BYTES_MAX: usize = 512;
/// Words of a line that tells of a user and its keys.
const WORDS_MAX: usize = 24;
/// Algorithms by which a user of SNMP signs and encrypts, with what follows them cut off: `SHA-256`, `AES 128`.
const ALGORITHMS: &[&[u8]] = &[b"md5", b"sha", b"des", b"3des", b"aes"];

impl Keyed<'_> {
    /// `createUser bob SHA secret AES secret`, whose words begin at `from`.
    pub(super) fn snmp_user(&mut self, start: usize, from: usize) -> Option<usize> {
        if !self.bytes[..from].ends_with(b"createUser ") {
            return None;
        }
        let line = line_end(self.bytes, from, self.bytes.len().min(from + LINE_BYTES_MAX));
        let rest = &self.bytes[from..line];
        let algorithm = from
            + rest
                .split(|byte| *byte == b' ')
                .take(4)
                .try_fold(0, |at, word| if is_algorithm(word) { Err(at) } else { Ok(at + word.len() + 1) })
                .err()?;
        let verdict = Verdict::Strong(Class::Password);
        let name = Name { line_start: true, ..Name::of(start, from, verdict) };
        self.algorithms(name, algorithm, line)
    }

    /// `SHA secret AES 128 secret`: the keys of a user of SNMP by their algorithms; where scanning goes on.
    pub(super) fn algorithms(&mut self, name: Name, from: usize, line: usize) -> Option<usize> {
        let bytes = self.bytes;
        let (mut at, mut last, mut algorithm) = (from, None, false);
        for _ in 0..WORDS_MAX {
            at = line.min(at + blanks(bytes, at));
            let end = at + bytes[at..line].iter().take_while(|byte| byte.is_ascii_graphic()).count();
            if end == at {
                break;
            }
            let word = &bytes[at..end];
            let bits = matches!(word, b"128" | b"192" | b"256" | b"224" | b"384" | b"512");
            if is_algorithm(word) {
                algorithm = true;
            } else if algorithm && !bits {
                let quoted = value::quote_at(bytes, at);
                let (start, stop) =
                    quoted.map_or((at, end), |(quote, inside)| (inside, value::quoted_end(bytes, inside, line, quote)));
                let keyword = word.eq_ignore_ascii_case(b"priv") || word.starts_with(b"-");
                if stop - start >= CHOSEN_BYTES_MIN && !keyword {
                    last = self.push(name, start, stop, Form::Raw, Ends::Marked).or(last);
                }
                algorithm = false;
            } else if !bits && at == from {
                return None;
            }
            at = end;
        }
        last
    }
}

/// Whether a word names an algorithm.
pub(super) fn is_algorithm(word: &[u8]) -> bool {
    let bits = |rest: &[u8]| rest.len() <= 4 && rest.iter().all(|byte| byte.is_ascii_digit() || b"-_".contains(byte));
    ALGORITHMS.iter().any(|listed| begins_with(word, listed) && bits(&word[listed.len()..]))
}

#[cfg(test)]
mod tests {
    use super::super::super::Carrier;
    use super::super::super::tests::check;

    #[test]
    fn users_of_snmp_lose_their_keys_and_keep_their_algorithms() {
        check(
            Carrier::Text,
            &[
                ("createUser bob SHA hunter22 AES 128 hunter23\n", "createUser bob SHA ‹pw› AES 128 ‹pw›\n"),
                ("createUser bob\n", "createUser bob\n"),
                ("createUser bob SHA\n", "createUser bob SHA\n"),
            ],
        );
    }
}
