//! Starting a process so that it dies with its owner.

use std::{
    fs::OpenOptions,
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
};

use camino::Utf8Path;

use crate::{Signal, Spec};

/// A process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Its program cannot be run.
    #[error("{program} cannot be run: {source}")]
    Program {
        /// The program.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// Its log file cannot be written.
    #[error("its log {log} cannot be written: {source}")]
    Log {
        /// The log file.
        log: String,
        /// The reason.
        source: io::Error,
    },
    /// It cannot be watched, so it was killed again.
    #[error("it cannot be watched: {0}")]
    Watch(io::Error),
}

/// Starts what `spec` describes, as the leader of a process group.
pub fn spawn(spec: &Spec) -> Result<Child, SpawnError> {
    let program = |source| SpawnError::Program {
        program: spec.program.to_string(),
        source,
    };
    spawn_on_lasting_thread(command(spec)?).map_err(program)
}

fn command(spec: &Spec) -> Result<Command, SpawnError> {
    let log = open_log(&spec.log)?;
    let stdout = if spec.pipe_stdout {
        Stdio::piped()
    } else {
        log_handle(&log, spec)?
    };
    let mut command = Command::new(&spec.program);
    command.args(&spec.arguments).process_group(0);
    command.stdin(if spec.hold_stdin {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    let stderr = if spec.pipe_stderr {
        Stdio::piped()
    } else {
        log_handle(&log, spec)?
    };
    command.stdout(stdout).stderr(stderr);
    if spec.clear_environment {
        command.env_clear();
    }
    for (variable, value) in &spec.environment {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    if let Some(directory) = &spec.directory {
        command.current_dir(directory);
    }
    on_death_of_parent(&mut command, Signal::KILL);
    Ok(command)
}

fn open_log(log: &Utf8Path) -> Result<std::fs::File, SpawnError> {
    let open = || {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        OpenOptions::new().create(true).append(true).open(log)
    };
    open().map_err(|source| SpawnError::Log {
        log: log.to_string(),
        source,
    })
}

fn log_handle(log: &std::fs::File, spec: &Spec) -> Result<Stdio, SpawnError> {
    log.try_clone()
        .map(Stdio::from)
        .map_err(|source| SpawnError::Log {
            log: spec.log.to_string(),
            source,
        })
}

/// Has the kernel send `signal` to what `command` starts once the thread that starts it is gone.
#[cfg(target_os = "linux")]
pub(crate) fn on_death_of_parent(command: &mut Command, signal: Signal) {
    use rustix::process::getpid;

    let parent = getpid();
    let ask_the_kernel = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // The parent may have died before the request was in place.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::Error::from(rustix::io::Errno::SRCH))
        }
    };
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe work is allowed.
    // It makes two direct system calls (prctl, getppid), reads two captured integers, and builds its
    // errors from numbers: no allocation, no lock, no panic.
    #[expect(
        unsafe_code,
        reason = "there is no safe way to set the parent-death signal of a child"
    )]
    unsafe {
        command.pre_exec(ask_the_kernel);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn on_death_of_parent(_: &mut Command, _: Signal) {}

/// Starts `command` so that, on Linux, what it starts is killed as soon as this process is gone,
/// whatever ends it. For programs that are not supervised otherwise.
///
/// # Errors
///
/// When it cannot be started.
pub fn spawn_bound(mut command: Command) -> io::Result<Child> {
    on_death_of_parent(&mut command, Signal::KILL);
    spawn_on_lasting_thread(command)
}

/// Starts `command` on a thread that lasts as long as this process. The parent of the parent-death
/// signal is the *thread* that forked: a child started by a runtime's blocking thread would be
/// killed as soon as that thread idles out.
fn spawn_on_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::SyncSender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                for (mut command, reply) in inbox {
                    // The one who ordered waits for the reply.
                    let _ = reply.send(command.spawn());
                }
            })
            .expect("a process that cannot start one thread cannot supervise anything");
        orders
    });
    let (reply, answer) = mpsc::sync_channel(1);
    let gone = || io::Error::other("the spawner thread is gone");
    spawner.send((command, reply)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}
