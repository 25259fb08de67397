//! Section 3: what holds after every `stigmer run`, whatever was run. The functions whose names say
//! nothing else are about agents; [`workflow`](super::workflow) has those about workflows.

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, ExecutionPhase},
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    ensure,
    harness::{Broken, CheckError, CliOutput, Environment, Snapshot, budget::Budget},
};

/// An execution of an agent or of a workflow. Both have the same phases.
pub trait Execution: Resource + PartialEq + std::fmt::Debug {
    /// Where it stands.
    fn phase(&self) -> ExecutionPhase;
    /// Why it failed, or an empty text.
    fn error(&self) -> &str;
}

impl Execution for AgentExecution {
    fn phase(&self) -> ExecutionPhase {
        self.status
            .as_ref()
            .map_or(ExecutionPhase::Unspecified, |status| status.phase())
    }

    fn error(&self) -> &str {
        self.status.as_ref().map_or("", |status| &status.error)
    }
}

impl Execution for WorkflowExecution {
    fn phase(&self) -> ExecutionPhase {
        let number = self.status.as_ref().map_or(0, |status| status.phase);
        ExecutionPhase::try_from(number).unwrap_or_default()
    }

    fn error(&self) -> &str {
        self.status.as_ref().map_or("", |status| &status.error)
    }
}

/// Whether the execution has ended, however.
pub fn is_over(execution: &impl Execution) -> bool {
    execution.phase() > ExecutionPhase::ExecutionInProgress
}

/// An execution that reached its end.
#[derive(Clone, Debug)]
pub struct Finished<E = AgentExecution> {
    /// The record, read back after the end.
    pub execution: E,
    /// Each phase once, in the order it was seen.
    pub phases: Vec<ExecutionPhase>,
    /// The stream as it was seen.
    pub snapshots: Vec<Snapshot<E>>,
}

/// The id behind `Execution ID:`: of the right kind, and known to the API.
pub async fn started(environment: &Environment, output: &CliOutput) -> Result<String, CheckError> {
    started_of::<AgentExecution>(environment, output).await
}

/// Follows an execution to a terminal phase within `budget`. Its phases have to come in order and
/// without a step back, and the stream has to close by itself.
pub async fn finished(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished, CheckError> {
    finished_of(environment, id, budget).await
}

/// As [`finished`], and the phase is COMPLETED.
pub async fn completed(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished, CheckError> {
    ended_of(environment, id, budget, ExecutionPhase::ExecutionCompleted).await
}

/// The phase of an execution.
pub fn phase_of(execution: &AgentExecution) -> ExecutionPhase {
    execution.phase()
}

pub(super) async fn started_of<E: Execution>(
    environment: &Environment,
    output: &CliOutput,
) -> Result<String, CheckError> {
    let id = output.execution_id(E::KIND)?;
    let execution: E = environment.api().get(&id).await?;
    ensure!(
        execution.id() == id,
        "asked for {id}, the API answered {}",
        execution.id()
    );
    Ok(id)
}

pub(super) async fn finished_of<E: Execution>(
    environment: &Environment,
    id: &str,
    budget: Budget,
) -> Result<Finished<E>, CheckError> {
    let watch = environment.api().subscribe::<E>(id).await?;
    let snapshots = environment.test().until_closed(watch, budget).await?;
    let seen = snapshots.iter().map(|snapshot| snapshot.resource.phase());
    let mut phases = seen.collect::<Vec<_>>();
    phases.dedup();
    check_phases(&phases)?;
    let execution: E = environment.api().get(id).await?;
    let last = phases.last().copied().unwrap_or_default();
    let stored = execution.phase();
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

pub(super) async fn ended_of<E: Execution>(
    environment: &Environment,
    id: &str,
    budget: Budget,
    wanted: ExecutionPhase,
) -> Result<Finished<E>, CheckError> {
    let finished = finished_of::<E>(environment, id, budget).await?;
    let phase = finished.execution.phase();
    ensure!(
        phase == wanted,
        "{id} ended {phase:?}, not {wanted:?}, with error {:?}",
        finished.execution.error()
    );
    Ok(finished)
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
