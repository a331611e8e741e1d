//! Numbers for people: three digits, a unit, tabular.

use crate::domain::finding::Unit;
use crate::domain::size;
use crate::domain::time::Timestamp;

/// `value` with its unit: `95.9 %`, `75.6 GiB`, `4,096`, `6 d 2 h`.
pub(super) fn text(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    match unit {
        Unit::Count => count(value),
        Unit::Bytes => bytes(value),
        Unit::Percent => format!("{} %", short(value)),
        Unit::Milliseconds => milliseconds(value),
        Unit::Seconds => seconds(value),
        Unit::PerSecond => format!("{} /s", if value.abs() >= 1000.0 { count(value.round()) } else { short(value) }),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three digits are shown; casts saturate")]
fn bytes(value: f64) -> String {
    if value < 0.0 { format!("−{}", size::human(-value as u64)) } else { size::human(value as u64) }
}

/// Whole numbers in groups of three, others with up to three digits.
fn count(value: f64) -> String {
    if value.fract() != 0.0 {
        return short(value);
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if value < 0.0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most three digits, no trailing zeros.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        ..9.995 => 2,
        ..999.5 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

fn milliseconds(value: f64) -> String {
    match value.abs() {
        0.0 => "0 ms".to_owned(),
        ..0.995 => format!("{} µs", short(value * 1000.0)),
        ..999.5 => format!("{} ms", short(value)),
        _ => seconds(value / 1000.0),
    }
}

fn seconds(value: f64) -> String {
    let (sign, value) = if value < 0.0 { ("−", -value) } else { ("", value) };
    let whole = |unit: f64| (value / unit).floor();
    let two = |big: f64, name: &str, small: f64, small_name: &str| {
        let rest = ((value - whole(big) * big) / small).floor();
        let first = format!("{sign}{:.0} {name}", whole(big));
        if rest == 0.0 { first } else { format!("{first} {rest:.0} {small_name}") }
    };
    match value {
        0.0 => "0 s".to_owned(),
        ..0.9995 => format!("{sign}{}", milliseconds(value * 1000.0)),
        ..99.95 => format!("{sign}{} s", short(value)),
        ..7200.0 => two(60.0, "min", 1.0, "s"),
        ..172_800.0 => two(3600.0, "h", 60.0, "min"),
        _ => two(86_400.0, "d", 3600.0, "h"),
    }
}

/// A time for a person: `2026-11-24 03:12:40 UTC`.
pub(super) fn moment(time: Timestamp) -> String {
    time.to_string().replace('T', " ").replace('Z', " UTC")
}

/// `count` and its noun: `1 value was`, `2,048 values were`.
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", text(Unit::Count, as_f64(count)), if count == 1 { one } else { many })
}

/// For showing alone.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) const fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        for (unit, value, shown) in [
            (Unit::Count, 4096.0, "4,096"),
            (Unit::Count, -1_234_567.0, "−1,234,567"),
            (Unit::Count, 0.0, "0"),
            (Unit::Count, 6.8, "6.8"),
            (Unit::Bytes, 81_177_000_000.0, "75.6 GiB"),
            (Unit::Percent, 95.9, "95.9 %"),
            (Unit::Percent, 100.0, "100 %"),
            (Unit::Percent, 0.04, "0.04 %"),
            (Unit::Milliseconds, 0.4, "400 µs"),
            (Unit::Milliseconds, 12.345, "12.3 ms"),
            (Unit::Milliseconds, 1412.0, "1.41 s"),
            (Unit::Seconds, 0.0, "0 s"),
            (Unit::Seconds, 42.0, "42 s"),
            (Unit::Seconds, 3600.0, "60 min"),
            (Unit::Seconds, 11_100.0, "3 h 5 min"),
            (Unit::Seconds, 525_600.0, "6 d 2 h"),
            (Unit::Seconds, -172_800.0, "−2 d"),
            (Unit::PerSecond, 12_500.4, "12,500 /s"),
            (Unit::Count, f64::NAN, "unknown"),
        ] {
            assert_eq!(text(unit, value), shown);
        }
    }
}
