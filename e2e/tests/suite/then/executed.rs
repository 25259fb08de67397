//! Section 3: what holds after every `stigmer run`.

use stigmer_api::{
    ApiResourceKind,
    agent_execution::{AgentExecution, ExecutionPhase},
};
use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, CliOutput, Environment, Snapshot, budget::Budget},
};

/// An execution that reached its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The record, read back after the end.
    pub execution: AgentExecution,
    /// Each phase once, in the order it was seen.
    pub phases: Vec<ExecutionPhase>,
    /// The stream as it was seen.
    pub snapshots: Vec<Snapshot<AgentExecution>>,
}

/// The id behind `Execution ID:`: of the right kind, and known to the API.
pub async fn started(environment: &Environment, output: &CliOutput) -> Result<String, CheckError> {
    let id = output.execution_id(ApiResourceKind::AgentExecution)?;
    let execution: AgentExecution = environment.api().get(&id).await?;
    let stored = execution
        .metadata
        .map(|metadata| metadata.id)
        .unwrap_or_default();
    ensure!(stored == id, "asked for {id}, the API answered {stored}");
    Ok(id)
}

/// Follows an execution to a terminal phase within `budget`. Its phases have to come in order and
/// without a step back, and the stream has to close by itself.
pub async fn finished(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished, CheckError> {
    let watch = environment.api().subscribe::<AgentExecution>(id).await?;
    let snapshots = environment.test().until_closed(watch, budget).await?;
    let mut phases = snapshots
        .iter()
        .map(|snapshot| phase_of(&snapshot.resource))
        .collect::<Vec<_>>();
    phases.dedup();
    check_phases(&phases)?;
    let execution: AgentExecution = environment.api().get(id).await?;
    let last = phases.last().copied().unwrap_or_default();
    let stored = phase_of(&execution);
    ensure!(
        stored == last,
        "the stream of {id} ended with {last:?}, the record says {stored:?}"
    );
    Ok(Finished {
        execution,
        phases,
        snapshots,
    })
}

/// As [`finished`], and the phase is COMPLETED.
pub async fn completed(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished, CheckError> {
    let finished = finished(environment, id, budget).await?;
    let phase = phase_of(&finished.execution);
    let error = finished
        .execution
        .status
        .as_ref()
        .map_or("", |status| &status.error);
    ensure!(
        phase == ExecutionPhase::ExecutionCompleted,
        "{id} ended {phase:?} with error {error:?}"
    );
    Ok(finished)
}

/// The phase of an execution.
pub fn phase_of(execution: &AgentExecution) -> ExecutionPhase {
    execution
        .status
        .as_ref()
        .map_or(ExecutionPhase::Unspecified, |status| status.phase())
}

/// Phases only ever go forward and end with a terminal one.
pub fn check_phases(phases: &[ExecutionPhase]) -> Result<(), Broken> {
    let forward = phases.windows(2).all(|pair| pair[0] < pair[1]);
    ensure!(forward, "the phases went {phases:?}");
    let terminal = [
        ExecutionPhase::ExecutionCompleted,
        ExecutionPhase::ExecutionFailed,
        ExecutionPhase::ExecutionCancelled,
    ];
    let reached = phases
        .iter()
        .filter(|phase| terminal.contains(phase))
        .count();
    let ends_there = phases.last().is_some_and(|last| terminal.contains(last));
    ensure!(
        reached == 1 && ends_there,
        "the phases {phases:?} do not end with exactly one terminal phase"
    );
    Ok(())
}
