//! Byte ranges of RFC 9110, section 14. Pure.

/// Ranges of one request, before overlapping ones are joined; with more of them the whole is sent.
const RANGES_MAX: usize = 16;

/// Bytes from `start` up to but without `end`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl Span {
    /// How many bytes.
    #[must_use]
    pub const fn length(self) -> u64 {
        self.end - self.start
    }

    /// As `content-range` shows it.
    #[must_use]
    pub fn content_range(self, length: u64) -> String {
        format!("bytes {}-{}/{length}", self.start, self.end - 1)
    }
}

/// What a `range` header asks of content of a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Everything: no range, one that is not understood, or too many.
    Whole,
    /// These; two or more are in the order of the request, with overlapping and touching ones joined.
    Parts(Vec<Span>),
    /// 416: none lies within.
    Unsatisfiable,
}

/// The parts of `length` bytes that `header` selects.
#[must_use]
pub fn select(header: &str, length: u64) -> Selection {
    let Some((unit, list)) = header.split_once('=') else { return Selection::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Selection::Whole;
    }
    let mut spans = Vec::new();
    let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
    let mut seen = 0;
    for member in members {
        seen += 1;
        match span(member, length) {
            Some(Some(span)) => spans.push(span),
            Some(None) => {}
            None => return Selection::Whole,
        }
    }
    match (seen, spans.len()) {
        (0, _) => Selection::Whole,
        (1..=RANGES_MAX, 0) => Selection::Unsatisfiable,
        (1..=RANGES_MAX, _) => Selection::Parts(joined(spans)),
        _ => Selection::Whole,
    }
}

/// One range; `Some(None)` when it lies outside, `None` when it is none.
#[expect(clippy::option_option, reason = "outside and not understood are different answers")]
fn span(member: &str, length: u64) -> Option<Option<Span>> {
    let (first, last) = member.split_once('-')?;
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    match (first, last) {
        (None, None) => None,
        (None, Some(suffix)) => {
            let start = length.saturating_sub(suffix);
            Some((start < length).then_some(Span { start, end: length }))
        }
        (Some(first), Some(last)) if last < first => None,
        (Some(first), last) => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            Some((first < length).then_some(Span { start: first, end }))
        }
    }
}

/// Digits (saturating: what is beyond 64 bits is beyond any archive), or nothing.
#[expect(clippy::option_option, reason = "no digits and not a number are different answers")]
fn number(text: &str) -> Option<Option<u64>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

/// Joins what overlaps or touches, so that no byte is sent twice; each joined span stands where its first part stood.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for mut span in spans {
        let mut place = joined.len();
        let mut at = 0;
        while at < joined.len() {
            let other = joined[at];
            if other.start <= span.end && span.start <= other.end {
                span = Span { start: span.start.min(other.start), end: span.end.max(other.end) };
                joined.remove(at);
                place = place.min(at);
                at = 0;
            } else {
                at += 1;
            }
        }
        joined.insert(place.min(joined.len()), span);
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(spans: &[(u64, u64)]) -> Selection {
        Selection::Parts(spans.iter().map(|&(start, end)| Span { start, end }).collect())
    }

    #[test]
    fn ranges_are_understood_as_rfc_9110_has_them() {
        for (header, expected) in [
            ("bytes=0-0", parts(&[(0, 1)])),
            ("bytes=0-9", parts(&[(0, 10)])),
            ("bytes=5-", parts(&[(5, 10)])),
            ("bytes=9-", parts(&[(9, 10)])),
            ("bytes=5-99", parts(&[(5, 10)])),
            ("bytes=5-18446744073709551616", parts(&[(5, 10)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=-99", parts(&[(0, 10)])),
            ("Bytes = 1-2", parts(&[(1, 3)])),
            ("bytes=0-1, 4-5", parts(&[(0, 2), (4, 6)])),
            ("bytes=4-5,,0-1", parts(&[(4, 6), (0, 2)])),
            ("bytes=0-1,1-3", parts(&[(0, 4)])),
            ("bytes=0-1,2-3", parts(&[(0, 4)])),
            ("bytes=0-1,8-9,2-7", parts(&[(0, 10)])),
            ("bytes=0-1,99-", parts(&[(0, 2)])),
            ("bytes=10-", Selection::Unsatisfiable),
            ("bytes=10-12,99-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
            ("bytes=", Selection::Whole),
            ("bytes=-", Selection::Whole),
            ("bytes=2-1", Selection::Whole),
            ("bytes=a-b", Selection::Whole),
            ("bytes=+1-2", Selection::Whole),
            ("bytes=1-2,x", Selection::Whole),
            ("bytes", Selection::Whole),
            ("pages=1-2", Selection::Whole),
            ("", Selection::Whole),
        ] {
            assert_eq!(select(header, 10), expected, "{header}");
        }
        let header = |count| format!("bytes={}", vec!["0-0"; count].join(","));
        assert_eq!(select(&header(RANGES_MAX), 10), parts(&[(0, 1)]));
        assert_eq!(select(&header(RANGES_MAX + 1), 10), Selection::Whole);
    }

    #[test]
    fn nothing_lies_within_nothing() {
        assert_eq!(select("bytes=0-", 0), Selection::Unsatisfiable);
        assert_eq!(select("bytes=-1", 0), Selection::Unsatisfiable);
    }

    #[test]
    fn a_content_range_names_the_last_byte() {
        assert_eq!(Span { start: 2, end: 5 }.content_range(10), "bytes 2-4/10");
    }

    proptest! {
        #[test]
        fn no_byte_is_sent_twice_and_none_that_was_asked_for_is_missing(
            ranges in prop::collection::vec((0_u64..40, 0_u64..40), 1..=RANGES_MAX), length in 1_u64..32
        ) {
            let ranges: Vec<(u64, u64)> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            let header: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
            let spans = match select(&format!("bytes={}", header.join(",")), length) {
                Selection::Parts(spans) => spans,
                Selection::Unsatisfiable => Vec::new(),
                Selection::Whole => panic!("a good header"),
            };
            for byte in 0..length {
                let asked = ranges.iter().any(|(first, last)| (*first..=*last).contains(&byte));
                let sent = spans.iter().filter(|span| (span.start..span.end).contains(&byte)).count();
                prop_assert_eq!(sent, usize::from(asked));
            }
            prop_assert!(spans.iter().all(|span| span.start < span.end && span.end <= length));
        }

        #[test]
        fn no_header_is_too_strange(header in ".*", length in any::<u64>()) {
            let _ = select(&header, length);
        }
    }
}
