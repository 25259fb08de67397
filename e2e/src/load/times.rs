//! How long many things took that were done at once, without rounding the rare long ones away.

use std::{fs, io, time::Duration};

use camino::Utf8Path;
use hdrhistogram::{
    Histogram,
    serialization::{Serializer as _, V2Serializer},
};
use serde::{Deserialize, Serialize};

/// Times are kept in microseconds, to three digits.
const DIGITS: u8 = 3;
/// The percentiles of the table in a `.txt` file.
const TABLE: [f64; 10] = [0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];

/// Times cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep the times in {file}: {cause}")]
pub struct TimesError {
    file: String,
    cause: String,
}

/// Many of one thing, done at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// What was done.
    pub what: String,
    /// Milliseconds of each, in the order in which they ended.
    pub ms: Vec<f64>,
    /// Seconds from the first begin to the last end.
    pub seconds: f64,
    /// How many ended in a second.
    pub per_second: f64,
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// The 95th percentile, in milliseconds.
    pub p95_ms: f64,
    /// The 99th percentile, in milliseconds.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub max_ms: f64,
}

impl Timed {
    /// What `times` come to, which took `whole` together.
    pub fn of(what: &str, times: &[Duration], whole: Duration) -> Self {
        let histogram = histogram(times);
        let quantile = |q: f64| histogram.value_at_quantile(q) as f64 / 1000.0;
        let seconds = whole.as_secs_f64();
        Self {
            what: what.to_owned(),
            ms: times.iter().map(|time| time.as_secs_f64() * 1e3).collect(),
            seconds,
            per_second: times.len() as f64 / seconds,
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            max_ms: quantile(1.0),
        }
    }

    /// Keeps the histogram of the times in `folder`: `<name>.hdr` in the V2 format of HdrHistogram, in
    /// microseconds, and `<name>.txt` as a table of percentiles.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn keep(&self, folder: &Utf8Path, name: &str) -> Result<(), TimesError> {
        let times = self.ms.iter().map(|ms| Duration::from_secs_f64(ms / 1e3));
        let histogram = histogram(&times.collect::<Vec<_>>());
        let file = folder.join(format!("{name}.hdr"));
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(&histogram, &mut bytes)
            .map_err(|error| failed(&file, error))?;
        let write = |file: &Utf8Path, bytes: &[u8]| -> io::Result<()> {
            fs::create_dir_all(folder)?;
            fs::write(file, bytes)
        };
        write(&file, &bytes).map_err(|error| failed(&file, error))?;
        let file = folder.join(format!("{name}.txt"));
        let table = table(&self.what, &histogram);
        write(&file, table.as_bytes()).map_err(|error| failed(&file, error))
    }
}

fn failed(file: &Utf8Path, cause: impl ToString) -> TimesError {
    TimesError {
        file: file.to_string(),
        cause: cause.to_string(),
    }
}

fn histogram(times: &[Duration]) -> Histogram<u64> {
    let mut histogram = Histogram::new(DIGITS).expect("three digits are supported");
    for time in times {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let recorded = histogram.record(micros);
        recorded.expect("a histogram without an upper bound grows as far as is needed");
    }
    histogram
}

fn table(what: &str, histogram: &Histogram<u64>) -> String {
    let mut table = format!(
        "{what}\n{:>10}  {:>12}  {:>8}\n",
        "percentile", "ms", "count"
    );
    for percent in TABLE {
        let value = histogram.value_at_percentile(percent);
        table += &format!(
            "{percent:>10.2}  {:>12.3}  {:>8}\n",
            value as f64 / 1000.0,
            histogram.count_between(0, value)
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;

    fn hundred() -> Timed {
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        Timed::of("hundred sleeps", &times, Duration::from_secs(2))
    }

    #[test]
    fn the_rare_long_ones_are_seen() {
        let timed = hundred();
        let near = |value: f64, wanted: f64| (value - wanted).abs() < wanted / 500.0;
        assert!(
            near(timed.p50_ms, 50.0) && near(timed.p95_ms, 95.0),
            "{timed:?}"
        );
        assert!(
            near(timed.p99_ms, 99.0) && near(timed.max_ms, 100.0),
            "{timed:?}"
        );
        assert_eq!(timed.per_second, 50.0);
    }

    #[test]
    fn what_is_kept_can_be_read_by_every_reader_of_the_format_and_by_people() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap().join("new");
        hundred().keep(&folder, "at-10").unwrap();
        let bytes = fs::read(folder.join("at-10.hdr")).unwrap();
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(
            read,
            histogram(&(1..=100).map(Duration::from_millis).collect::<Vec<_>>())
        );
        let text = fs::read_to_string(folder.join("at-10.txt")).unwrap();
        assert!(text.starts_with("hundred sleeps\n"), "{text}");
        assert_eq!(text.lines().count(), TABLE.len() + 2);
        let last = text.lines().last().unwrap();
        assert!(
            last.trim().starts_with("100.00") && last.ends_with("100"),
            "{last}"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_had_is_named() {
        let error = hundred()
            .keep(Utf8Path::new("/proc/none"), "x")
            .unwrap_err();
        assert!(error.to_string().contains("/proc/none/x.hdr"), "{error}");
    }
}
