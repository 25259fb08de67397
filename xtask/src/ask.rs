//! Short questions to other programs: what they print, within a deadline.

use std::{
    ffi::OsString,
    fmt, io, thread,
    time::{Duration, Instant},
};

/// Whoever answers a question about itself later than this is not going to work in a test either.
/// Generous, because a first start may have to read 150 MB from a cold disk.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a program may be busy being written.
const BUSY: Duration = Duration::from_secs(1);

/// Why a program gave no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// It could not be started.
    NotStarted(io::Error),
    /// It ended with a failure, having printed this.
    Failed { how: String, printed: String },
    /// It was still running after so long.
    TooSlow(Duration),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "does not start: {error}"),
            Self::Failed { how, printed } if printed.is_empty() => write!(f, "fails with {how}"),
            Self::Failed { how, printed } => write!(f, "fails with {how}: {}", last_line(printed)),
            Self::TooSlow(deadline) => write!(f, "gives no answer in {deadline:?}"),
        }
    }
}

/// Runs `program` and returns what it prints, stdout and stderr together, trimmed.
pub fn ask<A: Into<OsString>>(
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String, NoAnswer> {
    ask_within(DEADLINE, program, arguments)
}

/// [`ask`], for what may take longer or must not take as long.
pub fn ask_within<A: Into<OsString>>(
    deadline: Duration,
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String, NoAnswer> {
    let question = duct::cmd(program, arguments);
    let question = question
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked();
    let handle = start(&question).map_err(NoAnswer::NotStarted)?;
    let ended = handle
        .wait_timeout(deadline)
        .map_err(NoAnswer::NotStarted)?;
    let Some(output) = ended else {
        // Whether or not it can be killed, there was no answer.
        let _ = handle.kill();
        return Err(NoAnswer::TooSlow(deadline));
    };
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        Ok(printed)
    } else {
        let how = output.status.to_string();
        Err(NoAnswer::Failed { how, printed })
    }
}

/// Starts a program that may have been written a moment ago. If another thread starts a program at
/// just that moment, its child holds the file open for writing until it has become that program,
/// and the system refuses to run it. Nothing tells when that is over.
fn start(question: &duct::Expression) -> io::Result<duct::Handle> {
    let began = Instant::now();
    loop {
        match question.start() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && began.elapsed() < BUSY =>
            {
                thread::sleep(BUSY / 100)
            }
            started => return started,
        }
    }
}

/// The last line that says something, which is where programs put their reason.
pub fn last_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("")
}

/// The first `1.2.3` in a text.
pub fn version_in(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| word.parse().ok())
}

/// Three numbers, compared in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64, pub u64, pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<u64> = text
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect();
        match numbers[..] {
            [major, minor, patch] if text.split('.').count() == 3 => Ok(Self(major, minor, patch)),
            [major, minor] if text.split('.').count() == 2 => Ok(Self(major, minor, 0)),
            _ => Err(format!("`{text}` is not a version such as 1.2.3")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        assert_eq!(
            version_in("cargo-nextest 0.9.148 (cd1d6d546 2026-10-07)"),
            Some(Version(0, 9, 148))
        );
        assert_eq!(
            version_in("temporal version 1.9.1 (Server 1.32.0)"),
            Some(Version(1, 9, 1))
        );
        assert_eq!(version_in("no number"), None);
        assert!(Version(0, 9, 148) > Version(0, 9, 99));
        assert!("1.92".parse::<Version>().is_ok() && "1.x.3".parse::<Version>().is_err());
    }

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let error = ask_within(Duration::from_millis(50), "sleep", ["20"]).expect_err("too slow");
        assert_eq!(error.to_string(), "gives no answer in 50ms");
    }

    #[test]
    fn a_program_that_fails_is_quoted_with_its_last_line() {
        let error = ask("sh", ["-c", "echo first; echo reason >&2; exit 3"])
            .expect_err("exit 3 is a failure");
        assert_eq!(error.to_string(), "fails with exit status: 3: reason");
        let error = ask("/no/such/program", ["x"]).expect_err("it does not exist");
        assert!(error.to_string().starts_with("does not start: "), "{error}");
        assert_eq!(
            ask("sh", ["-c", "echo out; echo err >&2"]).expect("exit 0"),
            "out\nerr"
        );
    }
}
