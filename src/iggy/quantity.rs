//! Sizes and durations as Iggy writes them: `54746.641 KB`, `1 GiB`, `unlimited`, `30s`, `1 h`, `7days`.

use std::time::Duration;

/// Factors of the units of size; `KB` is 1000 and `KiB` is 1024, in any case.
const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1000),
    ("mb", 1000 * 1000),
    ("gb", 1000 * 1000 * 1000),
    ("tb", 1000 * 1000 * 1000 * 1000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Microseconds of the units of duration.
const DURATIONS: &[(&str, u64)] = &[
    ("us", 1),
    ("usec", 1),
    ("ms", 1_000),
    ("msec", 1_000),
    ("s", 1_000_000),
    ("sec", 1_000_000),
    ("secs", 1_000_000),
    ("second", 1_000_000),
    ("seconds", 1_000_000),
    ("m", 60_000_000),
    ("min", 60_000_000),
    ("mins", 60_000_000),
    ("minute", 60_000_000),
    ("minutes", 60_000_000),
    ("h", 3_600_000_000),
    ("hr", 3_600_000_000),
    ("hour", 3_600_000_000),
    ("hours", 3_600_000_000),
    ("d", 86_400_000_000),
    ("day", 86_400_000_000),
    ("days", 86_400_000_000),
];

/// The bytes that `text` says; `None` when it is no size. Words for "no limit" are no size either: see [`limit`].
#[must_use]
pub fn size_bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text.trim());
    let factor = SIZES.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name))?.1;
    scaled(number, factor)
}

/// A limit of size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// There is none.
    Unlimited,
    /// This many bytes.
    Bytes(u64),
}

/// The limit that `text` says; `0`, `unlimited` and `none` mean that there is none.
#[must_use]
pub fn limit(text: &str) -> Option<Limit> {
    if ["unlimited", "none", "0"].iter().any(|word| text.trim().eq_ignore_ascii_case(word)) {
        return Some(Limit::Unlimited);
    }
    size_bytes(text).map(Limit::Bytes)
}

/// The duration that `text` says: one or more numbers with units (`1h 30m`).
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total_us: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let factor = DURATIONS.iter().find(|(name, _)| after[..end].eq_ignore_ascii_case(name))?.1;
        total_us = total_us.checked_add(scaled(number, factor)?)?;
        rest = after[end..].trim_start();
    }
    (total_us > 0 || !text.trim().is_empty()).then(|| Duration::from_micros(total_us))
}

fn split_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len()))
}

fn number_and_unit(text: &str) -> (&str, &str) {
    let (number, unit) = split_number(text);
    (number, unit.trim())
}

/// `number` (digits, at most one point) times `factor`, exactly, fractions of the result cut off.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    /// More digits after the point than any size needs.
    const FRACTION_DIGITS_MAX: usize = 12;
    let digits: String = number.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.is_empty() || fraction.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let power = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let value = (u128::from(whole) * power + u128::from(fraction)) * u128::from(factor) / power;
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (text, bytes) in [
            ("54746.641 KB", Some(54_746_641)),
            ("137588 KiB", Some(140_890_112)),
            ("0 B", Some(0)),
            ("1 GiB", Some(1 << 30)),
            ("62.5 KiB", Some(64_000)),
            ("500.00 MB", Some(500_000_000)),
            ("4 gb", Some(4_000_000_000)),
            ("1024", Some(1024)),
            ("10_000", Some(10_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("17179869184 GiB", None),
            ("unlimited", None),
            ("", None),
            ("KB", None),
            ("1.2.3 KB", None),
            ("-1 KB", None),
        ] {
            assert_eq!(size_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn no_limit_has_three_spellings() {
        for (text, expected) in [
            ("unlimited", Some(Limit::Unlimited)),
            ("None", Some(Limit::Unlimited)),
            ("0", Some(Limit::Unlimited)),
            ("4 GB", Some(Limit::Bytes(4_000_000_000))),
            ("much", None),
        ] {
            assert_eq!(limit(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_units_with_or_without_space() {
        for (text, seconds) in [
            ("30s", Some(30)),
            ("1 h", Some(3600)),
            ("7days", Some(604_800)),
            ("7 days", Some(604_800)),
            ("1h 30m", Some(5400)),
            ("0", Some(0)),
            ("0 s", Some(0)),
            ("5", None),
            ("", None),
            ("soon", None),
            ("never_expire", None),
        ] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(duration("50 ms"), Some(Duration::from_millis(50)));
    }
}
