//! The last value without quotes, remembered, so that a long text of names and signs is gone through once.

use super::super::bytes::ByteSet;
use super::value::{PLAIN, Until, bare_stop, trimmed};

/// Bytes of a value from which it is worth knowing where the last one ended.
const LONG_VALUE_MIN: usize = 64;
/// Bytes before a limit at which what stands beyond it matters to where a value ends.
const LIMIT_MARGIN: usize = 80;

/// The last long value without quotes. A name within it has a value that ends where this one does: without this, a text of
/// nothing but names and signs would be gone through again for each of them.
#[derive(Debug, Default)]
pub(super) struct LastValue {
    from: usize,
    /// Where it ends, as far as it was looked at.
    end: usize,
    /// No bracket stands between here and its end.
    clear: usize,
    until: Option<Until>,
    /// The last run of characters of tokens, as far as it was looked at.
    token: (usize, usize),
}

impl LastValue {
    /// Where the run of characters of tokens ends that begins at `from`, from memory as far as it goes.
    pub(super) fn token_end(&mut self, bytes: &[u8], from: usize, to: usize) -> usize {
        const TOKEN: ByteSet = ByteSet::alphanumeric_and(b"+/_-.~!@%");
        let (begin, end) = self.token;
        let known = (begin..end).contains(&from);
        let start = if known { end.min(to) } else { from };
        let stop = start + TOKEN.run(&bytes[start..to]);
        self.token = if known { (begin, end.max(stop)) } else { (from, stop) };
        stop
    }

    /// [`bare_end`](super::value::bare_end), from memory as far as it goes.
    pub(super) fn bare_end(&mut self, bytes: &[u8], from: usize, to: usize, until: Until) -> usize {
        let known = self.until == Some(until)
            && (self.from..self.end).contains(&from)
            && from >= self.clear
            && !b"\"'`<>&".contains(&bytes[from]);
        let mut start = if known { self.end.min(to).saturating_sub(LIMIT_MARGIN).max(from) } else { from };
        while start > from && !PLAIN.has(bytes[start - 1]) {
            start -= 1;
        }
        let (end, clear) = bare_stop(bytes, (from, start), to, until);
        if start == from && end - from >= LONG_VALUE_MIN {
            *self = Self { from, end, clear, until: Some(until), ..*self };
        } else if known && end > self.end {
            (self.end, self.clear) = (end, clear.max(self.clear));
        }
        trimmed(bytes, from, end, until)
    }

    /// Follows a buffer that lost its first `bytes`.
    pub(super) fn shift(&mut self, bytes: usize) {
        for place in [&mut self.from, &mut self.end, &mut self.clear, &mut self.token.0, &mut self.token.1] {
            *place = place.saturating_sub(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::bare_end;
    use super::*;

    #[test]
    fn a_value_ends_where_it_does_without_memory() {
        let pieces = ["otp:", "a(b ", "pw=", "{x", "}", ",c", "<t>", "&a=1", "'q'", "%0a", ";", " d", "Kq93wZ", "\n"];
        for seed in 0..400_usize {
            let text: String =
                (0..120).map(|at| pieces[(seed * 7 + at * (seed % 11 + 1)) % (pieces.len() - seed % 9)]).collect();
            let bytes = text.as_bytes();
            let mut last = LastValue::default();
            for from in (0..bytes.len()).step_by(seed % 3 + 1) {
                for until in [Until::Blank, Until::Line] {
                    let to = bytes.len().min(from + 300);
                    let expected = bare_end(bytes, from, to, until);
                    assert_eq!(last.bare_end(bytes, from, to, until), expected, "{text} from {from}");
                }
            }
        }
    }
}
