//! Times, in short.

use std::time::Duration;

use serde_json::{Value, json};

/// The median and the 99th percentile of `times` in milliseconds, and how many there are.
///
/// # Panics
///
/// When there are none.
pub fn spread(times: &[Duration]) -> Value {
    json!({"n": times.len(), "median_ms": quantile(times, 0.5), "p99_ms": quantile(times, 0.99)})
}

/// The quantile `q` of `times`, in milliseconds.
pub fn quantile(times: &[Duration], q: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = ((sorted.len() as f64 * q).ceil() as usize).clamp(1, sorted.len());
    sorted[rank - 1].as_secs_f64() * 1000.0
}

/// How many times `b` goes into `a`, with two digits.
pub fn ratio(a: f64, b: f64) -> Value {
    json!((a / b * 100.0).round() / 100.0)
}
