//! Files that hold one value.

use std::str::FromStr;

use super::root::Host;
use crate::domain::gap::{Gap, GapReason};
use crate::evidence::Observed;

impl Host {
    /// The text of a file without the white space around it.
    ///
    /// # Errors
    /// As [`Host::text`].
    pub fn trimmed(&self, path: &str) -> Observed<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// The one value that a file holds.
    ///
    /// # Errors
    /// As [`Host::text`]; broken if it holds something else.
    pub fn value<T: FromStr>(&self, path: &str) -> Observed<T> {
        self.text(path)?.trim().parse().map_err(|_| Gap::broken(format!("{path} holds no value of its kind")))
    }
}

/// `None` for what does not exist: where that is an answer and no gap.
///
/// # Errors
/// Every gap but an absent one.
pub(super) fn optional<T>(observed: Observed<T>) -> Observed<Option<T>> {
    match observed {
        Ok(value) => Ok(Some(value)),
        Err(gap) if gap.reason == GapReason::Absent => Ok(None),
        Err(gap) => Err(gap),
    }
}

/// The first words of a file that counts by name, as `/proc/vmstat` does: `name value`.
pub(super) fn counter(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()?.trim_end_matches(':') == name).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let text = "pgmajfault 12\npgmajfault_x 13\nMemTotal:  24684000 kB\nbroken x\n";
        for (name, value) in
            [("pgmajfault", Some(12)), ("MemTotal", Some(24_684_000)), ("pgmaj", None), ("broken", None)]
        {
            assert_eq!(counter(text, name), value, "{name}");
        }
    }

    #[test]
    fn what_does_not_exist_is_an_answer_where_asked_so() {
        assert_eq!(optional(Ok(1)), Ok(Some(1)));
        assert_eq!(optional::<u8>(Err(Gap::absent("x"))), Ok(None));
        assert_eq!(optional::<u8>(Err(Gap::broken("x"))), Err(Gap::broken("x")));
    }
}
