//! Metrics in the text format of Prometheus, as far as counters go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Series that are kept of one answer.
const SERIES_MAX: usize = 5_000;
/// The longest series that is kept: a name and its labels.
const SERIES_BYTES_MAX: usize = 300;

/// The value of each series, by its name with its labels: `frame_drops_total{shard="0"}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics(pub BTreeMap<String, f64>);

impl Metrics {
    /// The metrics in this text. Lines that are none are left out: an answer is worth more than its exact shape.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.filter_map(series).take(SERIES_MAX).collect())
    }

    /// The series whose names hold this word, labels aside.
    pub fn named(&self, word: &str) -> impl Iterator<Item = (&str, f64)> {
        let of = move |series: &&String| series.split('{').next().is_some_and(|name| name.contains(word));
        self.0.keys().filter(of).map(|series| (series.as_str(), self.0[series]))
    }
}

/// `name{label="a value"} 12 1700000000`: the time behind the value does not count.
fn series(line: &str) -> Option<(String, f64)> {
    let end = match (line.find('{'), line.find(char::is_whitespace)) {
        (Some(brace), space) if space.is_none_or(|space| brace < space) => line.rfind('}')? + 1,
        (_, space) => space?,
    };
    let (series, rest) = line.split_at(end);
    let value = rest.split_ascii_whitespace().next()?.parse::<f64>().ok()?;
    (series.len() <= SERIES_BYTES_MAX && value.is_finite()).then(|| (series.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_a_real_server_are_read() {
        let recorded = include_str!("../../tests/data/iggy-0.8.0-http/07-metrics.txt");
        let metrics = Metrics::read(recorded);
        for (name, value) in [("http_requests_total", 68.0), ("streams", 3.0), ("messages", 200_000.0)] {
            assert_eq!(metrics.0.get(name), Some(&value), "{name}");
        }
    }

    #[test]
    fn labels_times_and_nonsense_are_told_apart() {
        let text =
            "# HELP x y\nframe_drops_total{shard=\"0\",reason=\"a b\"} 12\nx 1 1700000000\ny NaN\nz\n{} 3\nw{ 1\n";
        let metrics = Metrics::read(text);
        let expected = [("frame_drops_total{shard=\"0\",reason=\"a b\"}", 12.0), ("x", 1.0), ("{}", 3.0)];
        assert_eq!(metrics.0, expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(metrics.named("drop").map(|(_, value)| value).collect::<Vec<_>>(), [12.0]);
        assert_eq!(metrics.named("reason").count(), 0, "a label is no name");
    }
}
