//! Sets of bytes, as tables: one look-up tells whether a byte belongs, and a run of them is a short loop.

/// Where a word begins in a text. Both are short where this is asked: a searcher takes longer to build than to look.
pub(super) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let (first, rest) = word.split_first()?;
    memchr::memchr_iter(*first, text).find(|at| text[at + 1..].starts_with(rest))
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
