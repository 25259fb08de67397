//! The program of an MCP server: started in a process group of its own, which never outlives this
//! value.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::watch,
    time::timeout,
};

use crate::text::ending;

/// What a program gets of the runner's own environment. The runner's keys and addresses are none of
/// its business.
const INHERITED: [&str; 9] = [
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER",
];

/// How long a program may take to end by itself after its input has ended.
const GRACE: Duration = Duration::from_millis(300);

/// How much of the end of its standard error is kept, in bytes.
const KEPT: usize = 4096;

/// How much of it an error shows, in characters.
const SHOWN: usize = 500;

/// A running program. Dropping it kills its process group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Option<Pid>,
    /// The end of what it wrote to standard error.
    complaints: Arc<Mutex<Vec<u8>>>,
    /// Closed when the program and everything it started have closed standard error.
    stderr_ended: watch::Receiver<()>,
}

/// The ends of its pipes that the protocol is spoken over.
#[derive(Debug)]
pub struct Pipes {
    /// Its standard input.
    pub stdin: ChildStdin,
    /// Its standard output.
    pub stdout: ChildStdout,
}

impl Process {
    /// Starts `command` in `directory` with `env` and little more.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(
        command: &str,
        args: &[String],
        env: &BTreeMap<String, String>,
        directory: &Path,
    ) -> io::Result<(Self, Pipes)> {
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut child = Command::new(command)
            .args(args)
            .env_clear()
            .envs(inherited)
            .envs(env)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .map(Pid::from_raw);
        let complaints = Arc::default();
        let (ends, stderr_ended) = watch::channel(());
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three are piped")
        };
        tokio::spawn(keep_end(stderr, Arc::clone(&complaints), ends));
        let process = Self {
            child,
            group,
            complaints,
            stderr_ended,
        };
        Ok((process, Pipes { stdin, stdout }))
    }

    /// The end of what it wrote to standard error, on one line.
    pub fn complaints(&self) -> String {
        let kept = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ending(&String::from_utf8_lossy(&kept), SHOWN)
    }

    /// Waits until the program has said all that it has to say, or for at most `limit`.
    pub async fn said_all(&mut self, limit: Duration) {
        // An error means that standard error has ended, which is what is waited for.
        let _ = timeout(limit, self.stderr_ended.changed()).await;
    }

    /// Waits a moment for a program whose input has ended to end by itself, then kills what is left of
    /// its group.
    pub async fn stop(mut self) {
        // Not `wait`: a leader that was waited for has given its number back, and the signal must not
        // reach a stranger.
        self.said_all(GRACE).await;
        self.kill();
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "an MCP server could not be waited for");
        }
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // The usual answer after a graceful end is that nobody is left.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end and keeps the last bytes.
async fn keep_end(
    mut stderr: impl AsyncRead + Unpin,
    kept: Arc<Mutex<Vec<u8>>>,
    _ends: watch::Sender<()>,
) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Instant;

    use nix::sys::signal;

    use super::*;

    /// A shell script as an MCP server's program.
    pub(crate) fn script(text: &str) -> (Process, Pipes) {
        let args = ["-c".to_owned(), text.to_owned()];
        Process::start("sh", &args, &BTreeMap::new(), Path::new("/")).expect("a shell")
    }

    /// Waits until no process of the group is left.
    pub(crate) async fn gone(group: Pid) {
        let left = async {
            while signal::killpg(group, None).is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(5), left)
            .await
            .expect("the process group ends within 5 s");
    }

    #[tokio::test]
    async fn a_program_that_ends_with_its_input_is_not_waited_for_longer() {
        let (process, pipes) = script("cat >/dev/null");
        let group = process.group.unwrap();
        drop(pipes);
        let begin = Instant::now();
        process.stop().await;
        assert!(begin.elapsed() < GRACE, "{:?}", begin.elapsed());
        gone(group).await;
    }

    #[tokio::test]
    async fn a_program_that_ignores_everything_is_killed_with_its_children() {
        let (process, pipes) = script("trap '' TERM INT; sleep 1000 & sleep 1000");
        let group = process.group.unwrap();
        drop(pipes);
        process.stop().await;
        gone(group).await;
    }

    #[tokio::test]
    async fn dropping_it_kills_the_group_at_once() {
        let (process, _pipes) = script("sleep 1000 & sleep 1000");
        let group = process.group.unwrap();
        drop(process);
        gone(group).await;
    }

    #[tokio::test]
    async fn children_that_outlive_their_leader_are_killed_as_well() {
        let (process, pipes) = script("sleep 1000 >/dev/null 2>&1 <&- & exit 0");
        let group = process.group.unwrap();
        drop(pipes);
        process.stop().await;
        gone(group).await;
    }

    #[tokio::test]
    async fn the_end_of_standard_error_is_kept_and_the_runners_keys_are_not_passed_on() {
        let (mut process, _pipes) =
            script("yes noise | head -n 5000 >&2; env | sort >&2; echo last words >&2");
        let ended = process.stderr_ended.changed();
        assert!(
            timeout(Duration::from_secs(5), ended)
                .await
                .expect("an end")
                .is_err()
        );
        let complaints = process.complaints();
        assert!(
            complaints.contains("PATH=") && complaints.ends_with("last words"),
            "{complaints}"
        );
        assert!(!complaints.contains("CARGO"), "{complaints}");
        assert!(process.complaints.lock().unwrap().len() <= KEPT);
    }
}
