//! Runs a program with everything it starts under control: its own process group, output captured
//! within bounds, and nothing of it left when the wait ends, however it ends.

use std::{
    collections::VecDeque,
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    task::JoinHandle,
    time::timeout,
};

/// How much of each stream's start and of its end is kept, in bytes.
const KEPT: usize = 1 << 20;
/// For output that is still in the pipes when the program has ended.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// How a program went.
#[derive(Debug)]
pub struct Finished {
    /// `None` when it did not end in time and was killed.
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Whether it ended by itself with exit code 0.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs `command` to its end, or for at most `limit`.
///
/// # Errors
///
/// When it cannot be started or waited for.
pub async fn run(mut command: Command, limit: Option<Duration>) -> io::Result<Finished> {
    tracing::debug!(command = ?command.as_std(), "start");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group::led_by(child.id());
    let stdout = Reader::start(child.stdout.take());
    let stderr = Reader::start(child.stderr.take());
    let status = match limit {
        None => Some(child.wait().await?),
        Some(limit) => match timeout(limit, child.wait()).await {
            Ok(status) => Some(status?),
            Err(_) => None,
        },
    };
    // What the program started and left behind goes with it, and so do its ends of the pipes.
    drop(group);
    if status.is_none() {
        child.wait().await?;
    }
    tracing::debug!(?status, "ended");
    Ok(Finished {
        status,
        stdout: stdout.finish().await,
        stderr: stderr.finish().await,
    })
}

/// The words for an exit: `exited with code 3`, `was killed by signal SIGABRT`.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => format!("was killed by signal {signal}"),
            Err(_) => format!("was killed by signal {number}"),
        },
        (None, None) => status.to_string(),
    }
}

/// A process group that is killed when this value goes away.
struct Group(Option<Pid>);

impl Group {
    fn led_by(leader: Option<u32>) -> Self {
        Self(
            leader
                .and_then(|id| i32::try_from(id).ok())
                .map(Pid::from_raw),
        )
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // The usual answer is ESRCH: nobody is left.
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }
}

/// Collects one stream.
struct Reader {
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let sink = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                lock(&sink).push(&buffer[..n]);
            }
        });
        Self { kept, task }
    }

    async fn finish(mut self) -> String {
        // A process that left the group may hold the pipe open; what it has to say is not waited for.
        if timeout(DRAIN_LIMIT, &mut self.task).await.is_err() {
            self.task.abort();
        }
        lock(&self.kept).text()
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The start and the end of a stream of any length.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: usize,
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..excess);
        self.omitted += excess;
    }

    fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.omitted > 0 {
            bytes.extend(left_out(self.omitted).as_bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// `text` for a message: whole up to `limit` bytes, else its first and last parts. `is_cause` finds
/// the line that must be in it; what stands before that line goes first.
pub fn excerpt(text: &str, limit: usize, is_cause: impl Fn(&str) -> bool) -> String {
    let text = text.trim_end();
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut before = 0;
    let cause = text.split_inclusive('\n').find_map(|line| {
        let start = before;
        before += line.len();
        is_cause(line).then_some(start)
    });
    let skipped = cause.filter(|start| *start > limit / 2).unwrap_or(0);
    let text = &text[skipped..];
    let mut shown = if skipped > 0 {
        left_out(skipped)
    } else {
        String::new()
    };
    if text.len() <= limit {
        return shown + text;
    }
    let head = floor(text, limit / 2);
    let tail = floor(text, text.len() - limit / 2);
    shown.push_str(&text[..head]);
    shown.push_str(&left_out(tail - head));
    shown.push_str(&text[tail..]);
    shown
}

fn left_out(bytes: usize) -> String {
    format!("\n[... {bytes} bytes left out ...]\n")
}

/// The last character boundary of `text` at or before `index`.
fn floor(text: &str, index: usize) -> usize {
    (0..=index)
        .rev()
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
