//! Pressure stall information: how much time was lost waiting for a resource.

use std::str::FromStr;

/// One file of /proc/pressure, or one `*.pressure` of a control group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    /// At least one task waited.
    pub some: Stall,
    /// All tasks that were not idle waited. Always zero for CPU.
    pub full: Stall,
}

/// Shares of time, percent, as moving averages.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stall {
    /// Over ten seconds.
    pub average_10s: f64,
    /// Over a minute.
    pub average_60s: f64,
    /// Over five minutes.
    pub average_300s: f64,
}

/// A text is not a pressure file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not pressure stall information")]
pub struct PressureError;

impl FromStr for Pressure {
    type Err = PressureError;

    fn from_str(text: &str) -> Result<Self, PressureError> {
        let stall = |kind: &str| text.lines().find_map(|line| stall(line.strip_prefix(kind)?));
        Ok(Self { some: stall("some ").ok_or(PressureError)?, full: stall("full ").unwrap_or_default() })
    }
}

fn stall(line: &str) -> Option<Stall> {
    let average = |name: &str| {
        line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    Some(Stall { average_10s: average("avg10")?, average_60s: average("avg60")?, average_300s: average("avg300")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_read_with_and_without_its_second_line() {
        let some = Stall { average_10s: 99.42, average_60s: 97.56, average_300s: 56.5 };
        let full = Stall { average_10s: 90.01, average_60s: 83.66, average_300s: 47.99 };
        let first = "some avg10=99.42 avg60=97.56 avg300=56.50 total=261514533\n";
        let second = "full avg10=90.01 avg60=83.66 avg300=47.99 total=219974822\n";
        assert_eq!(format!("{first}{second}").parse(), Ok(Pressure { some, full }));
        assert_eq!(first.parse(), Ok(Pressure { some, full: Stall::default() }));
        assert_eq!("".parse::<Pressure>(), Err(PressureError));
        assert_eq!("some avg10=x".parse::<Pressure>(), Err(PressureError));
    }
}
