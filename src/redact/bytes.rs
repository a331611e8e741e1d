//! Sets of bytes, as tables: one look-up tells whether a byte belongs, and a run of them is a short loop.

/// Where a word begins in a text. Both are short where this is asked: a searcher takes longer to build than to look.
pub(super) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let (first, rest) = word.split_first()?;
    let second = rest.first();
    // The second byte is asked first: a comparison of more is a call.
    let begins = |at: &usize| second.is_none_or(|second| text.get(at + 1) == Some(second));
    memchr::memchr_iter(*first, text).find(|at| begins(at) && text[at + 1..].starts_with(rest))
}

/// Whether a text begins with a word, whatever the case of either.
pub(super) fn begins_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word)
}

/// Whether a text ends in a word, whatever the case of either.
pub(super) fn ends_in(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// The first eight bytes of a text as a number, zeros for those that it has not: reads that are told in advance, since a
/// copy of a few bytes is a call.
#[inline]
pub(super) fn eight(text: &[u8]) -> u64 {
    if let Some(chunk) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*chunk);
    }
    if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let tail = u64::from(u32::from_le_bytes(*tail)) << (8 * (text.len() - 4));
        return u64::from(u32::from_le_bytes(*head)) | tail;
    }
    text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Bytes of the longest word of a set.
const WORD_BYTES_MAX: usize = 16;

/// A set of words in lower case, of which a text is one whatever its case: a few comparisons of whole words, and for most
/// texts a look at their length and their first letter.
pub(super) struct WordSet<const COUNT: usize> {
    /// In the order of their length.
    words: [u128; COUNT],
    /// By length, where its words begin, and a bit for each first byte of theirs.
    starts: [usize; WORD_BYTES_MAX + 2],
    firsts: [u32; WORD_BYTES_MAX + 1],
}

impl<const COUNT: usize> WordSet<COUNT> {
    /// These, none longer than 16 bytes.
    pub(super) const fn of(words: [&str; COUNT]) -> Self {
        let mut set = Self { words: [0; COUNT], starts: [0; WORD_BYTES_MAX + 2], firsts: [0; WORD_BYTES_MAX + 1] };
        let (mut length, mut count) = (0, 0);
        while length <= WORD_BYTES_MAX {
            let mut at = 0;
            while at < COUNT {
                let word = words[at].as_bytes();
                if word.len() == length {
                    set.firsts[length] |= 1 << (word[0] & 31);
                    let mut place = 0;
                    while place < length {
                        set.words[count] |= (word[place] as u128) << (8 * place);
                        place += 1;
                    }
                    count += 1;
                }
                at += 1;
            }
            length += 1;
            set.starts[length] = count;
        }
        assert!(count == COUNT, "no word is longer");
        set
    }

    /// Whether a text is one of them.
    #[inline]
    pub(super) fn has(&self, text: &[u8]) -> bool {
        let Some(first) = text.first().filter(|_| text.len() <= WORD_BYTES_MAX) else { return false };
        if self.firsts[text.len()] >> (first & 31) & 1 == 0 {
            return false;
        }
        let word = u128::from(eight(text)) | u128::from(eight(text.get(8..).unwrap_or_default())) << 64;
        let word = u128::from_le_bytes(word.to_le_bytes().map(|byte| byte.to_ascii_lowercase()));
        self.words[self.starts[text.len()]..self.starts[text.len() + 1]].contains(&word)
    }
}

/// A set of bytes.
pub(super) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters, digits and these.
    pub(super) const fn alphanumeric_and(signs: &[u8]) -> Self {
        let mut set = Self::of(signs);
        let mut byte: u8 = 0;
        while byte < 128 {
            set.0[byte as usize] |= byte.is_ascii_alphanumeric();
            byte += 1;
        }
        set
    }

    /// These.
    pub(super) const fn of(signs: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < signs.len() {
            set[signs[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    /// The first of each word.
    pub(super) const fn of_firsts(words: &[&str]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < words.len() {
            set[words[at].as_bytes()[0] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    /// All others.
    pub(super) const fn others(mut self) -> Self {
        let mut at = 0;
        while at < 256 {
            self.0[at] = !self.0[at];
            at += 1;
        }
        self
    }

    /// And all up to this one.
    pub(super) const fn and_up_to(mut self, last: u8) -> Self {
        let mut at = 0;
        while at <= last as usize {
            self.0[at] = true;
            at += 1;
        }
        self
    }

    /// And all beyond ASCII.
    pub(super) const fn and_beyond_ascii(mut self) -> Self {
        let mut at = 128;
        while at < 256 {
            self.0[at] = true;
            at += 1;
        }
        self
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// How many bytes at the beginning of a text belong.
    #[inline]
    pub(super) fn run(&self, text: &[u8]) -> usize {
        text.iter().position(|byte| !self.has(*byte)).unwrap_or(text.len())
    }

    /// How many bytes at the end of a text belong.
    #[inline]
    pub(super) fn run_before(&self, text: &[u8]) -> usize {
        text.iter().rposition(|byte| !self.has(*byte)).map_or(text.len(), |last| text.len() - last - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_where_it_begins() {
        assert_eq!(find(b"aab aabc", b"aabc"), Some(4));
        assert_eq!((find(b"aab", b"aabc"), find(b"", b"a"), find(b"abc", b"c")), (None, None, Some(2)));
    }

    #[test]
    fn a_text_is_read_as_a_number_whatever_its_length() {
        for length in 0..12 {
            let text = &b"\x81bc\xff\xfeefghijkl"[..length];
            let mut word = [0; 8];
            word[..length.min(8)].copy_from_slice(&text[..length.min(8)]);
            assert_eq!(eight(text), u64::from_le_bytes(word), "{length}");
        }
    }

    #[test]
    fn a_word_of_a_set_is_known_whatever_its_case() {
        const WORDS: WordSet<3> = WordSet::of(["is", "(none)", "sixteen-byte-wor"]);
        assert!(WORDS.has(b"IS") && WORDS.has(b"(None)") && WORDS.has(b"Sixteen-byte-Wor"));
        assert!(!(WORDS.has(b"i") || WORDS.has(b"isn") || WORDS.has(b"sixteen-byte-word") || WORDS.has(b"")));
    }

    #[test]
    fn a_run_ends_at_the_first_byte_that_does_not_belong() {
        const CLEAR: ByteSet = ByteSet::of(b"\"").and_up_to(b' ').others();
        const NAMES: ByteSet = ByteSet::alphanumeric_and(b"_-").and_beyond_ascii();
        assert_eq!(NAMES.run(b"a_B-9="), 5);
        assert_eq!(NAMES.run("h\u{e9}y x".as_bytes()), 4);
        assert_eq!(NAMES.run(b""), 0);
        assert_eq!(NAMES.run_before(b"a b_c"), 3);
        assert_eq!(NAMES.run_before(b"abc"), 3);
        assert_eq!((CLEAR.run(b"ab\ncd"), CLEAR.run(b"a\""), CLEAR.run(b"a!\xff")), (2, 1, 3));
    }
}
