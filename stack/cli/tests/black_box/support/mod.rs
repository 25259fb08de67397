//! What black-box tests of `stigmer` need: the binary in a home of its own, projects, and a server
//! whose answers the test decides.

pub mod project;
pub mod server;
pub mod world;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// How long a command may take before its test fails.
const LIMIT: Duration = Duration::from_secs(60);

/// `stigmer` with its own home directory and, unless a test says otherwise, no server.
pub struct Stigmer {
    pub home: tempfile::TempDir,
    pub server: String,
}

/// How a command went.
#[derive(Debug)]
pub struct Went {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Stigmer {
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            server: server.into(),
        }
    }

    /// A server address where nobody listens.
    pub fn without_server() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self::new(free.to_string())
    }

    pub fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stigmer"));
        command
            .args(args)
            .current_dir(dir)
            .env("HOME", self.home.path())
            .env("STIGMER_SERVER_ADDR", &self.server)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end in an empty directory.
    pub fn run(&self, args: &[&str]) -> Went {
        let dir = tempfile::tempdir().unwrap();
        self.run_in(dir.path(), args)
    }

    /// Runs a command to its end in `dir`.
    pub fn run_in(&self, dir: &Path, args: &[&str]) -> Went {
        finish(self.command(dir, args))
    }
}

/// Runs `command` to its end.
pub fn finish(mut command: Command) -> Went {
    let started = Instant::now();
    let Output {
        status,
        stdout,
        stderr,
    } = command.spawn().unwrap().wait_with_output().unwrap();
    assert!(
        started.elapsed() < LIMIT,
        "{command:?} took {:?}",
        started.elapsed()
    );
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Went {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

impl Went {
    /// Asserts success without a word on standard error, and returns standard output.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(
            (self.code, self.stderr.as_str()),
            (Some(0), ""),
            "{}",
            self.stdout
        );
        self.stdout
    }

    /// Asserts exit code 1 with exactly one `Error:` line, and returns standard error.
    #[track_caller]
    pub fn badly(self) -> String {
        let errors = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("Error: "))
            .count();
        assert_eq!((self.code, errors), (Some(1), 1), "{self:?}");
        self.stderr
    }
}
