//! Making a schedule happen.

use std::{
    collections::HashMap,
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use tokio::sync::Mutex;

use super::{Disturbance, Planned, Schedule, Victim, disk, schedule::Place};
use crate::{
    harness::{Builder, Component, Environment, Part, Test},
    supervise::ServiceError,
};

/// Something could not be done to the stack, or it did not come back from it.
#[derive(Debug, thiserror::Error)]
pub enum ChaosError {
    /// A process that was started again did not become ready.
    #[error("it did not come back: {0}")]
    Back(#[from] ServiceError),
    /// The system refused.
    #[error("{what} was not possible: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The database could not be held.
    #[error("the database could not be held: {0}")]
    Store(#[from] rusqlite::Error),
}

/// A disturbance that took place, by the time of the test.
#[derive(Clone, Copy, Debug)]
pub struct Inflicted {
    /// What.
    pub disturbance: Disturbance,
    /// From when.
    pub begin: Duration,
    /// Until everything worked again.
    pub end: Duration,
}

/// A server that is told by an error that a file may not grow, and not by the signal that would end
/// it: only disks that are full do without the signal.
pub fn withstands_a_full_disk(test: &Test, builder: Builder) -> io::Result<Builder> {
    let program = test.folder().join("server-on-a-small-disk");
    let server = &test.session().stack.server;
    std::fs::write(
        &program,
        format!("#!/bin/sh\ntrap '' XFSZ\nexec '{server}' \"$@\"\n"),
    )?;
    std::fs::set_permissions(&program, Permissions::from_mode(0o755))?;
    Ok(builder.with_program(Component::Server, program.as_str()))
}

/// Makes `schedule` happen to `env`, which has a Temporal of its own behind a link. Ends when everything
/// is over and works again; each disturbance is a step of the test. One that finds its place still coming
/// back from the one before waits for that.
///
/// # Errors
///
/// When something did not come back.
pub async fn unleash(env: &Environment, schedule: &Schedule) -> Result<Vec<Inflicted>, ChaosError> {
    let begin = Instant::now();
    let planned = schedule.planned();
    let places: HashMap<Place, Mutex<()>> = planned
        .iter()
        .map(|planned| (planned.disturbance.place(), Mutex::default()))
        .collect();
    let all = planned.iter().map(async |planned| {
        tokio::time::sleep_until((begin + planned.at).into()).await;
        let _turn = places[&planned.disturbance.place()].lock().await;
        let test = env.test();
        test.step(planned.to_string());
        let begin = test.elapsed();
        inflict(env, planned).await?;
        Ok(Inflicted {
            disturbance: planned.disturbance,
            begin,
            end: test.elapsed(),
        })
    });
    try_join_all(all).await
}

async fn inflict(env: &Environment, planned: &Planned) -> Result<(), ChaosError> {
    let lasting = tokio::time::sleep(planned.lasting);
    match planned.disturbance {
        Disturbance::Kill(Victim::Temporal) => {
            env.own_temporal().kill9().await?;
            lasting.await;
            env.own_temporal().start().await?;
        }
        Disturbance::Kill(victim) => {
            let part = part(env, victim);
            part.kill9().await?;
            lasting.await;
            part.start_again().await?;
        }
        Disturbance::Freeze(Victim::Temporal) => {
            env.own_temporal().freeze().await;
            lasting.await;
            env.own_temporal().thaw().await;
        }
        Disturbance::Freeze(victim) => {
            part(env, victim).freeze().await;
            lasting.await;
            part(env, victim).thaw().await;
        }
        Disturbance::Cut => {
            env.link().cut();
            lasting.await;
            env.link().restore().map_err(system("restoring the link"))?;
        }
        Disturbance::Stall => {
            env.link().freeze();
            lasting.await;
            env.link().thaw();
        }
        Disturbance::FullDisk => {
            let pid = env.server().ready().pid;
            disk::fill(pid, env.store().path()).map_err(system("filling the disk"))?;
            lasting.await;
            disk::empty(pid).map_err(system("emptying the disk"))?;
        }
        Disturbance::SlowDisk => {
            let (database, lasting) = (env.store().path().to_owned(), planned.lasting);
            tokio::task::spawn_blocking(move || disk::stall(&database, lasting))
                .await
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        }
    }
    Ok(())
}

/// The part; Temporal is none.
fn part(env: &Environment, victim: Victim) -> &Part {
    match victim {
        Victim::Server => env.server(),
        Victim::WorkflowRunner => env.workflow_runner(),
        Victim::AgentRunner => env.agent_runner(),
        Victim::Temporal => unreachable!("Temporal is told apart before"),
    }
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> ChaosError {
    move |source| ChaosError::System { what, source }
}
