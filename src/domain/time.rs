//! Points in time, in whole seconds of UTC: what the API shows and SQLite stores.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z. Shown and parsed as RFC 3339 (`2026-06-01T10:30:00Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A text is not a point in time that can be shown (years 1 to 9999).
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct TimeError;

impl Timestamp {
    /// The last second that every UTC offset can still show within the year 9999.
    const MAX: i64 = 253_402_207_200;

    /// The time this many seconds after the epoch, clamped to what RFC 3339 can write (0 to the year 9999).
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        if seconds < 0 {
            Self(0)
        } else if seconds > Self::MAX {
            Self(Self::MAX)
        } else {
            Self(seconds)
        }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This many seconds later (earlier when negative), clamped like [`Timestamp::from_unix`].
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this; negative when `earlier` is later.
    #[must_use]
    pub const fn since_s(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// `YYYYMMDD-HHMMSS`, as snapshot names carry it.
    #[must_use]
    pub fn compact(self) -> String {
        self.civil().strftime("%Y%m%d-%H%M%S").to_string()
    }

    fn civil(self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0).expect("the constructor clamps to jiff's range")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Any RFC 3339 offset is taken; fractions of a second are cut off.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let time: jiff::Timestamp = text.parse().map_err(|_| TimeError)?;
        if time.as_second() < 0 { Err(TimeError) } else { Ok(Self::from_unix(time.as_second())) }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_whole_seconds_of_utc() {
        let time: Timestamp = "2026-06-01T12:30:00.9+02:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-06-01T10:30:00Z");
        assert_eq!(time.compact(), "20260601-103000");
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-06-01T10:30:00Z\"");
    }

    #[test]
    fn times_outside_rfc_3339_are_clamped() {
        assert_eq!(Timestamp::from_unix(i64::MAX).to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(Timestamp::from_unix(-5).to_string(), "1970-01-01T00:00:00Z");
    }
}
