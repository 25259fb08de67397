//! What a line of a log says of the program that wrote it.

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// The program broke.
    Broke,
    /// It says that something is wrong that it cannot help.
    Error,
}

/// What only a program that broke writes: Rust's panics, aborts, and overflows; Go's fatal errors and
/// data races; a fatal log line.
const BROKE: [&str; 7] = [
    "panicked at",
    "fatal runtime error",
    "has overflowed its stack",
    "memory allocation of",
    "fatal error:",
    "WARNING: DATA RACE",
    "level=fatal",
];

/// How bad `line` is, if it is.
pub(super) fn severity(line: &str) -> Option<Severity> {
    if BROKE.iter().any(|words| line.contains(words)) {
        return Some(Severity::Broke);
    }
    is_error(line).then_some(Severity::Error)
}

/// Whether the line's level is ERROR: as text or JSON of the stack's own parts, or as Temporal has it.
/// The word may occur anywhere else in a line.
fn is_error(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let time = words.next().unwrap_or_default();
    let level = words.next().unwrap_or_default();
    let timed = |time: &str| time.starts_with(|c: char| c.is_ascii_digit()) && time.ends_with('Z');
    (timed(time) && level == "ERROR")
        || (time.starts_with("time=") && level == "level=ERROR")
        || (line.starts_with('{') && line.contains(r#""level":"ERROR""#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_each_kind_of_log_is_understood() {
        for line in [
            "2026-11-24T14:16:08.227251Z ERROR stigmer_server::grpc::log: call",
            r#"{"timestamp":"2026-11-24T14:16:08Z","level":"ERROR","message":"call"}"#,
            r#"time=2026-11-24T14:13:58.936 level=ERROR msg="service failures""#,
        ] {
            assert_eq!(severity(line), Some(Severity::Error), "{line}");
        }
    }

    #[test]
    fn the_word_alone_says_nothing() {
        for line in [
            "2026-11-24T14:16:08.227251Z  INFO stigmer_server: the answer ERROR was given",
            "ERROR is a word",
            "",
            r#"time=2026-11-24T14:13:58.936 level=WARN msg="level=ERROR""#,
        ] {
            assert_eq!(severity(line), None, "{line}");
        }
    }

    #[test]
    fn a_program_that_broke_needs_no_level() {
        assert_eq!(
            severity("fatal error: all goroutines are asleep"),
            Some(Severity::Broke)
        );
    }
}
