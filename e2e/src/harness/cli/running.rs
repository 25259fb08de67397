//! A command that is running: its lines as they come, its signals, its end.

use std::{
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStderr, ChildStdout},
    sync::mpsc,
};

use super::{
    output::{CliError, CliOutput},
    transcript::{Line, Stream, Transcript, render},
};
use crate::{
    harness::{Test, secrets::Secrets},
    supervise::{Process, Signal, Spec},
};

/// A chunk of a stream; `None` is its end.
type Chunk = (Duration, Stream, Option<Vec<u8>>);

/// How long the pipes of an ended process may stay open.
const PIPES_CLOSE: Duration = Duration::from_secs(1);

/// A started command. Dropping it kills its process group.
#[derive(Debug)]
pub struct RunningCli {
    process: Process,
    command_line: String,
    path: Utf8PathBuf,
    start: Instant,
    /// From the start of the test.
    started_after: Duration,
    secrets: Secrets,
    deadline: Duration,
    chunks: mpsc::UnboundedReceiver<Chunk>,
    transcript: Transcript,
}

impl RunningCli {
    pub(super) fn start(
        spec: &Spec,
        command_line: String,
        path: Utf8PathBuf,
        test: &Test,
        deadline: Duration,
    ) -> Result<Self, CliError> {
        let (start, started_after) = (Instant::now(), test.elapsed());
        let fail = |reason: String| CliError::NotStarted {
            command_line: command_line.clone(),
            reason,
        };
        let mut process = Process::spawn(spec).map_err(|error| fail(error.to_string()))?;
        let (sender, chunks) = mpsc::unbounded_channel();
        let stdout = process
            .take_stdout()
            .map(ChildStdout::from_std)
            .transpose()
            .map_err(|error| fail(error.to_string()))?;
        let stderr = process
            .take_stderr()
            .map(ChildStderr::from_std)
            .transpose()
            .map_err(|error| fail(error.to_string()))?;
        if let (Some(stdout), Some(stderr)) = (stdout, stderr) {
            tokio::spawn(forward(stdout, Stream::Stdout, start, sender.clone()));
            tokio::spawn(forward(stderr, Stream::Stderr, start, sender));
        }
        Ok(Self {
            process,
            command_line,
            path,
            start,
            started_after,
            secrets: test.secrets().clone(),
            deadline,
            chunks,
            transcript: Transcript::default(),
        })
    }

    /// The lines so far.
    pub fn lines(&self) -> &[Line] {
        self.transcript.lines()
    }

    /// Waits for the first line, earlier ones included, that `fits`.
    ///
    /// # Errors
    ///
    /// When it ends, or its time is up, without such a line.
    pub async fn wait_for_line(
        &mut self,
        awaited: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Line, CliError> {
        let mut looked_at = 0;
        loop {
            let lines = self.transcript.lines();
            if let Some(line) = lines[looked_at..].iter().find(|line| fits(&line.text)) {
                return Ok(line.clone());
            }
            looked_at = lines.len();
            match self.next_chunk().await {
                Some(true) => {}
                Some(false) => return Err(self.no_line(awaited, "it ended")),
                None => return Err(self.no_line(awaited, "its time is up")),
            }
        }
    }

    /// Ctrl-C: SIGINT to its process group.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends `signal` to its process group.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When its time is up; it is killed then.
    pub async fn finish(mut self) -> Result<CliOutput, CliError> {
        let left = self.deadline.saturating_sub(self.start.elapsed());
        let Ok(status) = tokio::time::timeout(left, self.ended()).await else {
            self.save("killed: its time is up");
            return Err(CliError::TimedOut {
                command_line: self.command_line,
                limit: self.deadline,
                transcript: render(self.transcript.lines()),
            });
        };
        let duration = self.start.elapsed();
        // Its group is gone, so the pipes are at their end, unless a process left the group.
        while let Ok(Some(chunk)) = tokio::time::timeout(PIPES_CLOSE, self.chunks.recv()).await {
            self.take(chunk);
        }
        self.save(&format!("{status} after {duration:.3?}"));
        let (stdout, stderr, lines) = self.transcript.into_parts();
        Ok(CliOutput {
            command_line: self.command_line,
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
            lines,
            duration,
            path: self.path,
        })
    }

    /// Reads on until the process has ended; waiting for the pipes alone would wait for whatever it
    /// started in the background, too.
    async fn ended(&mut self) -> ExitStatus {
        loop {
            tokio::select! {
                biased;
                Some(chunk) = self.chunks.recv() => self.take(chunk),
                status = self.process.ended() => return status,
            }
        }
    }

    /// Takes in the next chunk. False when both streams have ended, nothing when the time is up.
    async fn next_chunk(&mut self) -> Option<bool> {
        let left = self.deadline.saturating_sub(self.start.elapsed());
        let chunk = tokio::time::timeout(left, self.chunks.recv()).await.ok()?;
        let more = chunk.is_some();
        if let Some(chunk) = chunk {
            self.take(chunk);
        }
        Some(more)
    }

    fn take(&mut self, (at, stream, bytes): Chunk) {
        match bytes {
            Some(bytes) => self.transcript.push(at, stream, &bytes),
            None => self.transcript.close(at, stream),
        }
    }

    fn no_line(&self, awaited: &str, why: &str) -> CliError {
        self.save(why);
        CliError::NoLine {
            command_line: self.command_line.clone(),
            awaited: awaited.to_owned(),
            why: why.to_owned(),
            transcript: render(self.transcript.lines()),
        }
    }

    fn save(&self, end: &str) {
        let text = format!(
            "$ {}\n[started at {} ms]\n{}[{end}]\n",
            self.command_line,
            self.started_after.as_millis(),
            render(self.transcript.lines())
        );
        // The transcript also travels in every error; a full disk must not turn a verdict.
        if let Err(error) = std::fs::write(&self.path, self.secrets.mask(&text)) {
            eprintln!("warning: failed to write {}: {error}", self.path);
        }
    }
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    stream: Stream,
    start: Instant,
    to: mpsc::UnboundedSender<Chunk>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A pipe that fails to be read is at its end.
        let bytes = match from.read(&mut buffer).await {
            Ok(n) if n > 0 => Some(buffer[..n].to_vec()),
            _ => None,
        };
        let at_end = bytes.is_none();
        if to.send((start.elapsed(), stream, bytes)).is_err() || at_end {
            return;
        }
    }
}
