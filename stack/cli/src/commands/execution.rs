//! `stigmer execution`: looking at executions, following, ending, and deleting them.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use stigmer_api::{
    Resource, agent::Agent, agent_execution::AgentExecution, id, json::to_json, workflow::Workflow,
    workflow_execution::WorkflowExecution,
};

use super::{
    connect::connect,
    follow::{self, Followed},
};
use crate::{
    api::{Api, Execution, Phase, absent_as_none, delete, get},
    cli::{ExecutionCommand, ExecutionKind, PhaseFilter},
    render::{
        Details, ExecutionReport, ExecutionRow, LiveView, Output, Table, final_block,
        terminal_width,
    },
};

/// Does what `command` says.
pub async fn execute(command: ExecutionCommand, out: &Output) -> Result<ExitCode> {
    let action = match command {
        ExecutionCommand::List { kind, phase, limit } => {
            let api = connect().await?;
            list(
                &api,
                kind,
                phase.map_or(Phase::Unspecified, Phase::from),
                limit,
                out,
            )
            .await?;
            return Ok(ExitCode::SUCCESS);
        }
        ExecutionCommand::Get { id } => (Action::Get, id),
        ExecutionCommand::Watch { id } => (Action::Watch, id),
        ExecutionCommand::Cancel { id } => (Action::Cancel, id),
        ExecutionCommand::Delete { id } => (Action::Delete, id),
    };
    let (action, id) = action;
    if id::is_id(AgentExecution::KIND, &id) {
        one::<AgentExecution>(action, &id, out).await
    } else if id::is_id(WorkflowExecution::KIND, &id) {
        one::<WorkflowExecution>(action, &id, out).await
    } else {
        bail!(
            "{id:?} is not the id of an execution (aex-… or wex-…); to see all: stigmer execution list"
        )
    }
}

/// What is done with one execution.
#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Watch,
    Cancel,
    Delete,
}

async fn one<E: Execution>(action: Action, id: &str, out: &Output) -> Result<ExitCode> {
    let api = connect().await?;
    let screen = out.screen();
    match action {
        Action::Get => {
            let execution = get::<E>(&api, id).await?;
            show(&api, &execution, out).await?;
            out.report(&to_json(&execution));
        }
        Action::Watch => match follow::follow::<E>(&api, id, screen).await? {
            Followed::Interrupted => return Ok(follow::interrupted()),
            Followed::ToTheEnd(last) => {
                out.report(&ExecutionReport::new::<E>(id, &last));
                return follow::verdict(id, &last);
            }
        },
        Action::Cancel => {
            let cancelled = E::cancel(&api, id)
                .await
                .with_context(|| format!("failed to cancel execution {id}"))?;
            screen.success(format!("Execution cancelled: {id}"));
            out.report(&ExecutionReport::new::<E>(id, &cancelled.snapshot()));
        }
        Action::Delete => {
            let deleted = delete::<E>(&api, id).await?;
            screen.success(format!("Execution deleted: {id}"));
            let snapshot = deleted.snapshot();
            out.report(&json!({"deleted": ExecutionReport::new::<E>(id, &snapshot)}));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what an execution is and everything that it has done so far.
async fn show<E: Execution>(api: &Api, execution: &E, out: &Output) -> Result<()> {
    if out.is_json() {
        return Ok(());
    }
    let screen = out.screen();
    let snapshot = execution.snapshot();
    let mut details = Details::default();
    details
        .add("ID", execution.id())
        .add(
            "Of",
            format!("{} {}", E::OF, name_of(api, execution.target()).await?),
        )
        .add("Phase", snapshot.phase.label())
        .add("Started", snapshot.started_at.as_str())
        .add("Completed", snapshot.completed_at.as_str());
    screen.plain(details);
    for piece in LiveView::default().update(&snapshot) {
        screen.piece(&piece);
    }
    if snapshot.phase.is_terminal() {
        for line in final_block(E::HAS_TASKS, &snapshot) {
            screen.line(&line);
        }
    }
    Ok(())
}

async fn list(
    api: &Api,
    kind: Option<ExecutionKind>,
    phase: Phase,
    limit: usize,
    out: &Output,
) -> Result<()> {
    let mut rows = Vec::new();
    if kind != Some(ExecutionKind::Workflow) {
        rows.extend(AgentExecution::list(api, phase).await?.iter().map(row));
    }
    if kind != Some(ExecutionKind::Agent) {
        let listed = absent_as_none(WorkflowExecution::list(api, phase).await)?;
        rows.extend(listed.unwrap_or_default().iter().map(row));
    }
    // An id without its prefix begins with the time at which it was made.
    let made = |row: &ExecutionRow| row.id.split_once('-').map(|(_, ulid)| ulid.to_owned());
    rows.sort_by_cached_key(|row| std::cmp::Reverse(made(row)));
    let total = rows.len();
    if limit > 0 {
        rows.truncate(limit);
    }
    name_targets(api, &mut rows).await?;
    let screen = out.screen();
    if rows.is_empty() {
        screen.info("No executions");
        screen.info("To start one: stigmer run <name-or-id>");
    } else {
        let heading = ["TYPE", "NAME", "PHASE", "STARTED", "ID"];
        let mut table = Table::new(heading, terminal_width());
        for row in &rows {
            let phase = row.phase.label().to_owned();
            let (target, started) = (row.target.clone(), row.started_at.clone());
            table.row([row.of.to_owned(), target, phase, started, row.id.clone()]);
        }
        screen.plain(table.to_string().trim_end());
        if rows.len() < total {
            screen.info(format!("{} of {total}; all: --limit 0", rows.len()));
        }
    }
    out.report(&json!({"total": total, "executions": rows}));
    Ok(())
}

fn row<E: Execution>(execution: &E) -> ExecutionRow {
    let snapshot = execution.snapshot();
    ExecutionRow {
        of: E::OF,
        target: execution.target().to_owned(),
        phase: snapshot.phase,
        started_at: snapshot.started_at,
        id: execution.id().to_owned(),
    }
}

/// Puts names in place of ids, asking for each once.
async fn name_targets(api: &Api, rows: &mut [ExecutionRow]) -> Result<()> {
    let mut names = BTreeMap::new();
    for row in rows {
        if !names.contains_key(&row.target) {
            names.insert(row.target.clone(), name_of(api, &row.target).await?);
        }
        row.target.clone_from(&names[&row.target]);
    }
    Ok(())
}

/// The name of the agent or workflow `target`; an id that names nothing any more stays as it is.
async fn name_of(api: &Api, target: &str) -> Result<String> {
    let found = if id::is_id(Agent::KIND, target) {
        absent_as_none(get::<Agent>(api, target).await)?.map(|agent| agent.name().to_owned())
    } else if id::is_id(Workflow::KIND, target) {
        absent_as_none(get::<Workflow>(api, target).await)?.map(|found| found.name().to_owned())
    } else {
        None
    };
    Ok(found.unwrap_or_else(|| target.to_owned()))
}

impl From<PhaseFilter> for Phase {
    fn from(filter: PhaseFilter) -> Self {
        match filter {
            PhaseFilter::Pending => Self::Pending,
            PhaseFilter::InProgress => Self::InProgress,
            PhaseFilter::Completed => Self::Completed,
            PhaseFilter::Failed => Self::Failed,
            PhaseFilter::Cancelled => Self::Cancelled,
        }
    }
}
