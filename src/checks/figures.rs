//! Numbers for sentences: percentages, shares and plurals, the same in every check.

/// `9.4 %`; whole from 100 on.
pub(super) fn percent(value: f64) -> String {
    if value.abs() < 99.95 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

/// `part` of `whole`, percent; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a percentage of one decimal is shown")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// `1 process`, `2 processes`.
pub(super) fn counted<N: Copy + std::fmt::Display + PartialEq + From<u8>>(count: N, one: &str, many: &str) -> String {
    format!("{count} {}", if count == N::from(1) { one } else { many })
}

/// A whole number as a float, for thresholds and measured values.
#[expect(clippy::cast_precision_loss, reason = "thresholds and measured values are compared and shown as floats")]
pub(super) const fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_a_person_writes_them() {
        assert_eq!(
            [percent(9.44), percent(99.94), percent(99.96), percent(-3.0)],
            ["9.4 %", "99.9 %", "100 %", "-3.0 %"]
        );
        assert_eq!(counted(1_usize, "process", "processes"), "1 process");
        assert_eq!(counted(0_u64, "process", "processes"), "0 processes");
        assert!((share(1, 4) - 25.0).abs() < f64::EPSILON && share(1, 0).abs() < f64::EPSILON);
    }
}
