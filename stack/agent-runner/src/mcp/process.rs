//! The program of an MCP server: started in a process group of its own, which never outlives this
//! value. On Linux the program does not outlive this process either, whatever ends that.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use stigmer_supervise::spawn_bound;
use tokio::{
    io::AsyncReadExt,
    process::{ChildStderr, ChildStdin, ChildStdout},
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

/// A program to be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its path, or its name on the PATH.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The variables it gets beside the few of the runner's own.
    pub env: BTreeMap<String, String>,
    /// Where it writes the id of its container, which no signal reaches: the same command removes it
    /// once the program has ended.
    pub container_file: Option<PathBuf>,
}

impl Program {
    fn command(&self, args: &[String]) -> Command {
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut command = Command::new(&self.command);
        command
            .args(args)
            .env_clear()
            .envs(inherited)
            .envs(&self.env)
            .process_group(0);
        command
    }

    /// The container that the program has made, if it got that far.
    fn container(&self) -> Option<String> {
        let id = fs::read_to_string(self.container_file.as_ref()?).ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    }

    fn remove(&self, container: String) {
        let removed = self
            .command(&["rm".to_owned(), "--force".to_owned(), container])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !removed.as_ref().is_ok_and(ExitStatus::success) {
            tracing::warn!(
                command = self.command,
                ?removed,
                "a container could not be removed"
            );
        }
    }
}

/// A running program. Dropping it kills its process group.
#[derive(Debug)]
pub struct Process {
    program: Program,
    /// Taken when it is waited for.
    child: Option<Child>,
    group: Pid,
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
    /// Starts `program` in `directory`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(program: Program, directory: &Path) -> io::Result<(Self, Pipes)> {
        let mut command = program.command(&program.args);
        command
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn_bound(command)?;
        let group = i32::try_from(child.id()).map_err(io::Error::other)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three are piped")
        };
        let complaints = Arc::default();
        let (ends, stderr_ended) = watch::channel(());
        let process = Self {
            program,
            child: Some(child),
            group: Pid::from_raw(group),
            complaints: Arc::clone(&complaints),
            stderr_ended,
        };
        let pipes = Pipes {
            stdin: ChildStdin::from_std(stdin)?,
            stdout: ChildStdout::from_std(stdout)?,
        };
        tokio::spawn(keep_end(ChildStderr::from_std(stderr)?, complaints, ends));
        Ok((process, pipes))
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
        self.said_all(GRACE).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        stigmer_fault::inject!(ProcessLeft, { return });
        // Before it is waited for: a leader that was waited for has given its number back, and the
        // signal must not reach a stranger. Usually nobody is left.
        let _ = killpg(self.group, Signal::SIGKILL);
        let program = std::mem::take(&mut self.program);
        // Now: its file goes with the folder of the execution.
        let container = program.container();
        std::thread::spawn(move || {
            if let Err(error) = child.wait() {
                tracing::warn!(%error, "an MCP server could not be waited for");
            }
            if let Some(container) = container {
                program.remove(container);
            }
        });
    }
}

/// Reads to the end and keeps the last bytes.
async fn keep_end(mut stderr: ChildStderr, kept: Arc<Mutex<Vec<u8>>>, _ends: watch::Sender<()>) {
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
        let program = Program {
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), text.to_owned()],
            ..Program::default()
        };
        Process::start(program, Path::new("/")).expect("a shell")
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
        let group = process.group;
        drop(pipes);
        let begin = Instant::now();
        process.stop().await;
        assert!(begin.elapsed() < GRACE, "{:?}", begin.elapsed());
        gone(group).await;
    }

    #[tokio::test]
    async fn a_program_that_ignores_everything_is_killed_with_its_children() {
        let (process, pipes) = script("trap '' TERM INT; sleep 1000 & sleep 1000");
        let group = process.group;
        drop(pipes);
        process.stop().await;
        gone(group).await;
    }

    #[tokio::test]
    async fn dropping_it_kills_the_group_at_once() {
        let (process, _pipes) = script("sleep 1000 & sleep 1000");
        let group = process.group;
        drop(process);
        gone(group).await;
    }

    #[tokio::test]
    async fn children_that_outlive_their_leader_are_killed_as_well() {
        let (process, pipes) = script("sleep 1000 >/dev/null 2>&1 <&- & exit 0");
        let group = process.group;
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
