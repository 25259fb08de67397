//! Workflows outlive the programs that began them: what the parts recorded in Temporal must replay to
//! the same commands, or the next one to take it up could not go on.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use camino::Utf8Path;
use serde::Deserialize;
use stigmer_api::temporal_names::ZIGFLOW_EXECUTION;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::{Environment, QUEUES, environment::settings::common, evidence::History};

/// How long one program may take to replay the workflows of a test.
const LIMIT: Duration = Duration::from_secs(60);

/// What a program says of one history.
#[derive(Debug, Deserialize)]
struct Replayed {
    workflow_id: String,
    failure: Option<String>,
}

/// Replays `histories` of `environment` against the programs that recorded them, and returns a line
/// for each that does not come to the same commands. It needs the key of the payloads.
pub(super) async fn check(environment: &Environment, histories: &[History]) -> Vec<String> {
    let stack = &environment.test().session().stack;
    // A test may have workflows of its own on a queue of its own.
    let of_stack = |history: &&History| {
        let mut queues = QUEUES.iter().map(|(queue, _)| queue.default);
        queues.any(|queue| queue == history.task_queue)
    };
    let (runner, server): (Vec<_>, Vec<_>) = histories
        .iter()
        .filter(of_stack)
        .partition(|history| history.task_queue == ZIGFLOW_EXECUTION.default);
    let (of_runner, of_server) = tokio::join!(
        check_with(environment, &stack.workflow_runner, &runner),
        check_with(environment, &stack.server, &server)
    );
    [of_runner, of_server].concat()
}

async fn check_with(
    environment: &Environment,
    program: &Utf8Path,
    histories: &[&History],
) -> Vec<String> {
    if histories.is_empty() {
        return Vec::new();
    }
    match replay(environment, program, histories).await {
        Ok(replayed) => failures(&replayed),
        Err(error) => vec![format!("`{program} replay` failed: {error:#}")],
    }
}

fn failures(replayed: &[Replayed]) -> Vec<String> {
    let failed = replayed
        .iter()
        .filter_map(|one| Some((&one.workflow_id, one.failure.as_ref()?)));
    failed
        .map(|(id, failure)| format!("workflow {id} does not replay: {failure}"))
        .collect()
}

async fn replay(
    environment: &Environment,
    program: &Utf8Path,
    histories: &[&History],
) -> anyhow::Result<Vec<Replayed>> {
    let mut child = Command::new(program)
        .arg("replay")
        .env_clear()
        .envs(common(environment.test(), &environment.home()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("it has no standard input")?;
    let lines = histories
        .iter()
        .map(|history| format!("{}\n", history.json));
    let lines = lines.collect::<String>();
    let (written, ended) = timeout(LIMIT, async {
        let write = async {
            let written = stdin.write_all(lines.as_bytes()).await;
            drop(stdin);
            written
        };
        tokio::join!(write, child.wait_with_output())
    })
    .await
    .with_context(|| format!("it did not end within {LIMIT:?}"))?;
    let output = ended?;
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("{}: {}", output.status, stderr.trim());
    }
    written?;
    let replayed = stdout
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Replayed>, _>>()
        .context("it says something else than expected")?;
    if replayed.len() != histories.len() {
        bail!(
            "it told of {} of {} workflows",
            replayed.len(),
            histories.len()
        );
    }
    Ok(replayed)
}
