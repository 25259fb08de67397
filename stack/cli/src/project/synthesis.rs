//! From a project to its resources: build the program, run it, read what it leaves.

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use super::{
    Project, ProjectError, Resources, Runtime, cargo, go,
    output::{self, OutputError},
    process,
};

/// The folder, beside Stigmer.yaml, that the program writes to.
const OUT_DIR: &str = ".stigmer";
/// How long a program may describe its resources; building it is not counted.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);
const LIMIT_VARIABLE: &str = "STIGMER_SYNTHESIS_TIMEOUT";
/// How much of a failing program's output is shown, in bytes.
const SHOWN: usize = 64 * 1024;

/// Why a project did not give its resources.
#[derive(Debug, thiserror::Error)]
pub enum SynthesisError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("failed to create output directory {path}")]
    OutDir {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error("failed to lock {path}")]
    Lock {
        path: Utf8PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Cargo(#[from] cargo::CargoError),
    #[error(transparent)]
    Go(#[from] go::GoError),
    #[error("{LIMIT_VARIABLE}={0:?} is not a time above 0, such as 90s or 500ms")]
    Limit(String),
    #[error("failed to start program {path}")]
    Start { path: String, source: io::Error },
    #[error("program did not end within {limit:?} and was stopped ({entry}); {LIMIT_VARIABLE} sets another limit{}", after(.said))]
    TimedOut {
        entry: Utf8PathBuf,
        limit: Duration,
        said: String,
    },
    #[error("program {how} ({entry}){}", after(.said))]
    Failed {
        entry: Utf8PathBuf,
        how: String,
        said: String,
    },
    #[error("failed to read synthesis output")]
    Output(#[from] OutputError),
}

/// What a program described and what it said while doing so.
#[derive(Debug)]
pub struct Synthesis {
    pub resources: Resources,
    pub stdout: String,
    pub stderr: String,
}

/// Builds and runs the program of `project` and reads its resources. `waiting` is called when
/// another command is busy with the same project, before waiting for it.
pub async fn synthesize(
    project: &Project,
    waiting: impl FnOnce(),
) -> Result<Synthesis, SynthesisError> {
    let limit = limit(env::var(LIMIT_VARIABLE).ok())?;
    let entry = project.entry()?;
    let out = project.dir.join(OUT_DIR);
    fs::create_dir_all(&out).map_err(|source| SynthesisError::OutDir {
        path: out.clone(),
        source,
    })?;
    // Held until the folder is read: two commands on one project must not mix their files.
    let _lock = lock(&out.join(".lock"), waiting).await?;
    let (executable, working_dir) = match project.runtime {
        Runtime::Rust => (cargo::build(&entry).await?, project.dir.clone()),
        Runtime::Go => {
            let executable = out.join("program");
            go::build(&entry, &executable).await?;
            (executable, entry.parent().unwrap_or(&entry).to_owned())
        }
    };
    output::empty(&out)?;
    let mut program = Command::new(&executable);
    program
        .current_dir(working_dir)
        .env("STIGMER_OUT_DIR", &out);
    let finished = run(program, entry, limit).await?;
    Ok(Synthesis {
        resources: output::read(&out)?,
        stdout: finished.stdout,
        stderr: finished.stderr,
    })
}

/// Runs `program`, which was built from `entry`.
async fn run(
    program: Command,
    entry: Utf8PathBuf,
    limit: Duration,
) -> Result<process::Finished, SynthesisError> {
    let path = program
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let finished = process::run(program, Some(limit))
        .await
        .map_err(|source| SynthesisError::Start { path, source })?;
    if finished.succeeded() {
        return Ok(finished);
    }
    let output = format!("{}{}", finished.stdout, finished.stderr);
    let said = process::excerpt(&output, SHOWN, |_| false);
    Err(match finished.status {
        None => SynthesisError::TimedOut { entry, limit, said },
        Some(status) => SynthesisError::Failed {
            entry,
            how: process::describe(status),
            said,
        },
    })
}

/// What a program said, below the error, if it said anything.
fn after(said: &str) -> String {
    match said.trim_end() {
        "" => String::new(),
        text => format!("\n{text}"),
    }
}

/// The limit that the variable's `value` sets, else the default one.
fn limit(value: Option<String>) -> Result<Duration, SynthesisError> {
    match value.filter(|value| !value.is_empty()) {
        None => Ok(DEFAULT_LIMIT),
        Some(value) => parse_limit(&value).ok_or(SynthesisError::Limit(value)),
    }
}

/// `90s`, `500ms`, or `90` for seconds.
fn parse_limit(text: &str) -> Option<Duration> {
    let limit = match text.strip_suffix("ms") {
        Some(milliseconds) => Duration::from_millis(milliseconds.parse().ok()?),
        None => Duration::from_secs(text.strip_suffix('s').unwrap_or(text).parse().ok()?),
    };
    Some(limit).filter(|limit| !limit.is_zero())
}

async fn lock(path: &Utf8Path, waiting: impl FnOnce()) -> Result<File, SynthesisError> {
    let fail = |source: io::Error| SynthesisError::Lock {
        path: path.to_owned(),
        source,
    };
    let file = File::create(path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(source)) => Err(fail(source)),
        Err(TryLockError::WouldBlock) => {
            waiting();
            tokio::task::spawn_blocking(move || file.lock().map(|()| file))
                .await
                .map_err(|e| fail(io::Error::other(e)))?
                .map_err(fail)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn run_script(
        script: &str,
        limit: Duration,
    ) -> Result<process::Finished, SynthesisError> {
        let mut program = Command::new("sh");
        program.args(["-c", script]);
        run(program, "main.sh".into(), limit).await
    }

    #[tokio::test]
    async fn an_exit_code_is_passed_on_with_the_last_words() {
        let error = run_script("echo why >&2; exit 3", Duration::from_secs(10))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "program exited with code 3 (main.sh)\nwhy"
        );
        let error = run_script("exit 1", Duration::from_secs(10))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "program exited with code 1 (main.sh)");
    }

    #[tokio::test]
    async fn a_program_has_a_limit() {
        let error = run_script("sleep 1000", Duration::from_secs(1))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("program did not end within 1s and was stopped (main.sh)"),
            "{error}"
        );
    }

    #[test]
    fn a_program_has_a_minute_unless_the_variable_says_otherwise() {
        let minute = Duration::from_secs(60);
        assert_eq!(limit(None).unwrap(), minute);
        assert_eq!(limit(Some(String::new())).unwrap(), minute);
        let given = limit(Some("2s".to_owned())).unwrap();
        assert_eq!(given, Duration::from_secs(2));
        assert_eq!(
            limit(Some("soon".to_owned())).unwrap_err().to_string(),
            "STIGMER_SYNTHESIS_TIMEOUT=\"soon\" is not a time above 0, such as 90s or 500ms"
        );
    }

    #[test]
    fn a_limit_is_a_time_above_zero() {
        for (text, milliseconds) in [("90", 90_000), ("2s", 2000), ("500ms", 500)] {
            assert_eq!(
                parse_limit(text),
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "0", "0ms", "-1", "soon", "1h", "s"] {
            assert_eq!(parse_limit(text), None, "{text:?}");
        }
    }

    #[tokio::test]
    async fn two_commands_on_one_folder_take_turns() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(dir.path().join(".lock")).unwrap();
        let told = Cell::new(false);
        let first = lock(&path, || panic!("nobody holds it")).await.unwrap();
        let second = async {
            let guard = lock(&path, || told.set(true)).await.unwrap();
            drop(guard);
        };
        let release = async {
            while !told.get() {
                tokio::task::yield_now().await;
            }
            drop(first);
        };
        tokio::time::timeout(Duration::from_secs(10), async {
            tokio::join!(second, release)
        })
        .await
        .unwrap();
    }
}
