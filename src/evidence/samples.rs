//! The shared sampling window: the counters of the kernel, read twice.

use std::collections::BTreeMap;

use super::{Key, Observed};
use crate::domain::gap::Gap;

/// The two readings.
pub const SAMPLES: Key<Samples> = Key::new("samples");

/// Counter files as they stood at the start and at the end of the window.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Milliseconds between the two readings.
    pub window_ms: u64,
    /// Path → content (or gap) at the start.
    pub first: BTreeMap<String, Observed<String>>,
    /// Path → content (or gap) at the end.
    pub second: BTreeMap<String, Observed<String>>,
    /// Path → milliseconds between its own two readings; empty when they are not known one by one.
    pub spans_ms: BTreeMap<String, u64>,
}

impl Samples {
    /// Both readings of one file.
    ///
    /// # Errors
    /// The gap of the reading that is missing.
    pub fn pair(&self, path: &str) -> Result<(&str, &str), Gap> {
        let reading = |readings: &'_ BTreeMap<String, Observed<String>>| match readings.get(path) {
            Some(Ok(_)) => Ok(()),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(Gap::absent(format!("{path} was not sampled"))),
        };
        reading(&self.first)?;
        reading(&self.second)?;
        match (&self.first[path], &self.second[path]) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(gap), _) | (_, Err(gap)) => Err(gap.clone()),
        }
    }

    /// Seconds between the two readings of a file; never 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a window of milliseconds")]
    pub fn span_s(&self, path: &str) -> f64 {
        self.spans_ms.get(path).copied().unwrap_or(self.window_ms).max(1) as f64 / 1000.0
    }
}
