//! How many tests stand how.

use std::{fmt, ops::Add};

use serde::{Deserialize, Serialize};

/// Counted tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

impl Tally {
    /// One thing that was not tested.
    pub const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    /// Adds up what nextest reports in libtest's JSON: one object per line, of which those about
    /// the end of a test count. Tests that a filter left out are not reported.
    pub fn of_nextest(stdout: &str) -> Self {
        #[derive(Deserialize)]
        struct Event {
            r#type: String,
            event: String,
        }
        let events = stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Event>(line).ok());
        events
            .filter(|event| event.r#type == "test")
            .fold(Self::default(), |tally, event| {
                tally
                    + match event.event.as_str() {
                        "ok" => Self {
                            passed: 1,
                            ..Self::default()
                        },
                        "failed" | "timeout" => Self {
                            failed: 1,
                            ..Self::default()
                        },
                        "ignored" => Self {
                            skipped: 1,
                            ..Self::default()
                        },
                        _ => Self::default(),
                    }
            })
    }

    /// Adds up the results that `cargo test` prints for each crate.
    pub fn of_libtest(stdout: &str) -> Self {
        let results = stdout
            .lines()
            .filter_map(|line| line.strip_prefix("test result: "));
        results.fold(Self::default(), |tally, result| {
            let number = |word: &str| {
                let before = result.split_once(&format!(" {word}"))?.0;
                before.rsplit(' ').next()?.parse::<usize>().ok()
            };
            let number = |word: &str| number(word).unwrap_or(0);
            tally
                + Self {
                    passed: number("passed"),
                    failed: number("failed"),
                    skipped: number("ignored"),
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_counts_the_end_of_each_test() {
        let stdout = r#"{"type":"suite","event":"started","test_count":2}
{"type":"test","event":"started","name":"a"}
{"type":"test","event":"ok","name":"a","exec_time":0.008}
{"type":"test","event":"ignored","name":"b"}
{"type":"test","event":"failed","name":"c","stdout":"x"}
{"type":"suite","event":"failed","passed":1,"failed":1,"ignored":1,"filtered_out":47}"#;
        assert_eq!(
            Tally::of_nextest(stdout),
            Tally {
                passed: 1,
                failed: 1,
                skipped: 1
            }
        );
    }

    #[test]
    fn libtest_counts_are_added_up_over_crates() {
        let stdout = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.2s\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(
            Tally::of_libtest(stdout),
            Tally {
                passed: 5,
                failed: 4,
                skipped: 1
            }
        );
    }

    #[test]
    fn the_total_is_one_line() {
        let total = Tally {
            passed: 2,
            failed: 0,
            skipped: 1,
        } + Tally {
            passed: 3,
            failed: 1,
            skipped: 0,
        };
        assert_eq!(total.to_string(), "5 passed, 1 failed, 1 skipped");
    }
}
