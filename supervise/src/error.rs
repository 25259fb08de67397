//! How a service failed, told with what its log says last.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    process::ExitStatus,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};

/// How many lines of a log an error carries.
const TAIL_LINES: usize = 20;

/// What went wrong with one process.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It could not be started.
    #[error("could not be started: {0}")]
    Spawn(String),
    /// It ended before it was ready.
    #[error("ended before it was ready ({status}); last seen: {last}")]
    DiedStarting {
        /// How it ended.
        status: ExitStatus,
        /// What the last probe saw.
        last: String,
    },
    /// It ended although nobody asked it to.
    #[error("died ({status})")]
    Died {
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not become ready in time.
    #[error("was not ready within {limit:?}; last seen: {last}")]
    NotReady {
        /// The time it had.
        limit: Duration,
        /// What the last probe saw.
        last: String,
    },
    /// It runs, and does not do its work any more.
    #[error("does not work any more; last seen: {last}")]
    Unhealthy {
        /// What the last look saw.
        last: String,
    },
    /// SIGKILL did not end it.
    #[error("does not end, not even by SIGKILL: it hangs in the kernel")]
    Unkillable,
}

/// A [`Failure`] of a named service. The first line tells all; the lines after it are the end of
/// the log.
#[derive(Clone, Debug)]
pub struct ServiceError {
    /// Which service.
    pub service: String,
    /// What went wrong.
    pub failure: Failure,
    /// Its log file.
    pub log: Utf8PathBuf,
    /// The last lines of the log.
    pub tail: Vec<String>,
}

impl ServiceError {
    /// The failure of `service`, with the end of `log` as it is now.
    pub fn new(service: &str, failure: Failure, log: &Utf8Path) -> Self {
        Self {
            service: service.to_owned(),
            failure,
            log: log.to_owned(),
            tail: log_tail(log, TAIL_LINES),
        }
    }
}

impl ServiceError {
    /// The failure in one line, without the log.
    pub fn headline(&self) -> String {
        format!("{} {}", self.service, self.failure)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; log: {}", self.headline(), self.log)?;
        self.tail
            .iter()
            .try_for_each(|line| write!(f, "\n  | {line}"))
    }
}

impl std::error::Error for ServiceError {}

/// The last `lines` lines of a log, as far as it can be read; a log that is not there has none.
pub fn log_tail(log: &Utf8Path, lines: usize) -> Vec<String> {
    let Ok(text) = end_of(log, lines) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

/// The end of a file, with `lines` whole lines or all that it has. A log of any size is not read
/// further back than that.
fn end_of(file: &Utf8Path, lines: usize) -> io::Result<Vec<u8>> {
    const FIRST_LOOK: u64 = 64 * 1024;
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    let mut window = FIRST_LOOK;
    loop {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        // One line end more than lines: the first line may be cut off.
        let line_ends = text.iter().filter(|byte| **byte == b'\n').count();
        if start == 0 || line_ends > lines {
            return Ok(text);
        }
        window = window.saturating_mul(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_do_not_shorten_the_tail() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8Path::from_path(folder.path()).unwrap().join("a.log");
        let long = "x".repeat(10_000);
        let all: Vec<_> = (1..=300).map(|n| format!("line {n} {long}")).collect();
        std::fs::write(&log, all.join("\n") + "\n").unwrap();
        assert_eq!(log_tail(&log, 200), all[100..]);
        assert_eq!(log_tail(&log, 300), all);
        assert_eq!(log_tail(&log, 301), all);
    }

    #[test]
    fn the_tail_is_the_last_lines_and_a_missing_log_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8Path::from_path(folder.path()).unwrap().join("a.log");
        assert_eq!(log_tail(&log, 3), Vec::<String>::new());
        std::fs::write(
            &log,
            (1..=100).map(|n| format!("line {n}\n")).collect::<String>(),
        )
        .unwrap();
        assert_eq!(log_tail(&log, 2), ["line 99", "line 100"]);
    }

    #[test]
    fn the_first_line_of_an_error_names_service_cause_and_log() {
        let failure = Failure::NotReady {
            limit: Duration::from_secs(30),
            last: "connection refused".into(),
        };
        let error = ServiceError {
            service: "temporal".into(),
            failure,
            log: "/r/temporal.log".into(),
            tail: vec!["boom".into()],
        };
        assert_eq!(
            error.to_string(),
            "temporal was not ready within 30s; last seen: connection refused; log: /r/temporal.log\n  | boom"
        );
    }
}
