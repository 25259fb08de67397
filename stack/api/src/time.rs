//! Times as the contract writes them.

use jiff::{Timestamp, Unit};

/// Now, as the `google.protobuf.Timestamp` of audit fields.
pub fn timestamp_now() -> prost_types::Timestamp {
    let now = Timestamp::now();
    prost_types::Timestamp {
        seconds: now.as_second(),
        nanos: now.subsec_nanosecond(),
    }
}

/// Now, as the RFC 3339 text of `started_at` and its like, UTC with microseconds.
pub fn rfc3339_now() -> String {
    format!("{:.6}", Timestamp::now())
}

/// A `google.protobuf.Timestamp` as RFC 3339 text in whole seconds, or `None` outside the calendar.
pub fn rfc3339(timestamp: &prost_types::Timestamp) -> Option<String> {
    let time = Timestamp::new(timestamp.seconds, 0).ok()?;
    Some(time.to_string())
}

/// The whole seconds between two RFC 3339 texts, or `None` when either does not parse.
pub fn seconds_between(start: &str, end: &str) -> Option<i64> {
    let (start, end) = (
        start.parse::<Timestamp>().ok()?,
        end.parse::<Timestamp>().ok()?,
    );
    Some((end - start).round(Unit::Second).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_sorts_like_time_and_parses_back() {
        let (a, b) = (rfc3339_now(), rfc3339_now());
        assert!(
            a <= b && a.ends_with('Z') && a.len() == "2026-01-01T00:00:00.000000Z".len(),
            "{a}"
        );
        assert_eq!(seconds_between(&a, &b), Some(0));
        assert_eq!(
            seconds_between("2026-01-01T00:00:00Z", "2026-01-01T00:00:12.2Z"),
            Some(12)
        );
        assert_eq!(seconds_between("yesterday", &b), None);
    }

    #[test]
    fn a_timestamp_reads_as_text() {
        let at = |seconds| {
            rfc3339(&prost_types::Timestamp {
                seconds,
                nanos: 999,
            })
        };
        assert_eq!(at(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(at(i64::MAX), None);
    }
}
