//! The shared services of a plan: brought up, described, brought down.

use std::{collections::HashSet, time::Instant};

use anyhow::Result;
use camino::Utf8Path;
use stigmer_e2e::{
    containers::{Containers, Removed},
    services::{Model, Server, Temporal},
    session::{OwnModel, Playground, Session},
    supervise::{
        Identity, Lease, Service, ServiceError, ServiceStarted, Supervisor, leftovers, mark_of,
    },
};
use stigmer_e2e_plan::{
    ExitCode, Output, PhaseName, PhaseRecord, Plan, Selection, Tier, Verb, count, failure,
};

use super::{leases, verdict::code_of_service};
use crate::results::versions_of;

/// Temporal, the model, and for `up` a stack to play with.
pub struct Shared {
    /// Runs them.
    pub supervisor: Supervisor,
    temporal: Temporal,
    model: Model,
    server: Option<Server>,
    containers: Option<Containers>,
}

/// How the services went down.
#[derive(Debug)]
pub struct Down {
    /// The phase.
    pub record: PhaseRecord,
    /// Services that had to be killed because they did not end when asked.
    pub forced_kills: usize,
    /// Processes that were still there, now killed; nothing when nobody could look.
    pub leftovers: Option<Vec<leftovers::Leftover>>,
    /// Names of containers that were still there, now removed.
    pub containers: Vec<String>,
}

impl Shared {
    /// The services of `plan`, entered in a lease; in `containers` as far as these have images. Nothing
    /// is started yet; logs go to the results.
    pub fn of(plan: &Plan, containers: Option<Containers>) -> Result<Self> {
        let lease = Lease::take(&leases(&plan.root), &plan.run_id)?;
        let folder = plan.results.join("services");
        let temporal = Temporal::new(&plan.tools.temporal, &folder).beside(containers.clone());
        let model = Model::of(&plan.llm, &plan.tools, &folder)?;
        let mut services: Vec<Box<dyn Service>> = Vec::new();
        if plan.server.is_none() {
            services.push(Box::new(temporal.clone()));
        }
        match &model {
            Model::Pinned(server) => services.push(Box::new(server.clone())),
            Model::Ollama(server) => services.push(Box::new(server.clone())),
            Model::Given(_) | Model::Recorded(_) | Model::None => {}
        }
        let mut server = None;
        if plan.verb == Verb::Up {
            let (stack_server, runners) =
                Server::with_runners(&plan.stack, &temporal, &model, &folder);
            services.push(Box::new(stack_server.clone()));
            for runner in runners {
                services.push(Box::new(runner));
            }
            server = Some(stack_server);
        }
        Ok(Self {
            supervisor: Supervisor::new(services, mark_of(&plan.run_id), lease)?,
            temporal,
            model,
            server,
            containers,
        })
    }

    /// Starts everything and waits until it is ready.
    pub async fn up(&mut self) -> Result<Vec<ServiceStarted>, ServiceError> {
        self.supervisor.up().await
    }

    /// What tests need to know; once everything is ready.
    pub fn session(&self, plan: &Plan) -> Session {
        Session {
            run_id: plan.run_id.clone(),
            seed: plan.seed,
            root: plan.root.clone(),
            results: plan.results.clone(),
            stack: plan.stack.clone(),
            faults: plan.faults.clone(),
            chaos_minutes: plan.chaos_minutes,
            load: plan.load.clone(),
            versions: versions_of(plan),
            temporal: self.temporal.shared(),
            llm: self.model.shared(),
            cassettes: self.model.cassettes(),
            own_llm: plan.tools.llm.clone().map(|files| OwnModel {
                python: plan.tools.python.clone(),
                files,
            }),
            playground: self
                .server
                .as_ref()
                .and_then(Service::address)
                .map(|server| Playground { server }),
            server: plan.server.clone(),
            idle_minutes: plan.idle_minutes,
            project_target: plan.project_target.clone(),
            cargo: plan.tools.cargo.clone(),
            keep: plan.keep,
            allow_skip: plan.allow_skip,
            inspect_every: inspect_every(plan),
            owner: Identity::own(),
            containers: self.containers.clone(),
            services: self.supervisor.started().to_vec(),
        }
    }

    /// Stops everything, looks for what is left, kills that too, and gives the lease back.
    pub async fn down(mut self, plan: &Plan) -> Result<Down> {
        let begin = Instant::now();
        let stopped = self.supervisor.down().await;
        remove_attached(&plan.root);
        let found = leftovers::find_lasting(&HashSet::from([plan.run_id.clone()])).await;
        if let Ok(found) = &found {
            leftovers::kill(found);
        }
        let removed = match &self.containers {
            Some(containers) => containers.engine.remove_all_of(&plan.run_id)?,
            None => Removed::default(),
        };
        self.supervisor.give_back_lease()?;
        let left = match &found {
            Ok(found) => (found.len() + removed.containers.len()).to_string(),
            Err(error) => format!("not looked for ({error})"),
        };
        let summary = format!(
            "{} stopped · leftovers: {left}",
            count(stopped.len(), "service")
        );
        let forced_kills = stopped
            .iter()
            .filter(|service| service.stopped.forced)
            .count();
        Ok(Down {
            record: finished(PhaseName::Down, begin, summary),
            forced_kills,
            leftovers: found.ok(),
            containers: removed.containers,
        })
    }
}

/// How many tests are inspected at their end ([`Session::inspect_every`]): all where time allows or
/// few were chosen, a sample otherwise.
fn inspect_every(plan: &Plan) -> u64 {
    const SAMPLE: u64 = 8;
    let Selection { tier, filters, .. } = &plan.selection;
    match *tier >= Tier::Nightly || !filters.is_empty() {
        true => 1,
        false => SAMPLE,
    }
}

/// The record of a phase that began at `begin` and ends now.
pub fn finished(name: PhaseName, begin: Instant, summary: String) -> PhaseRecord {
    // 2^64 milliseconds outlast any run.
    PhaseRecord {
        name,
        ms: begin.elapsed().as_millis() as u64,
        summary,
    }
}

/// `temporal 0.41 s · llm 0.92 s`.
pub fn breakdown(started: &[ServiceStarted]) -> String {
    let one =
        |service: &ServiceStarted| format!("{} {:.2} s", service.name, service.ms as f64 / 1000.0);
    started.iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// Says which service failed and how, and shows the end of its log.
pub fn report(output: Output, error: &ServiceError) {
    let code = code_of_service(error);
    let fix = match code {
        ExitCode::PortTaken => "end what takes every free port (`ss -ltnp` names it); ",
        _ => "",
    };
    let fix = format!("{fix}its log is {}", error.log);
    output.error(&failure(code, error.headline(), fix));
    for line in &error.tail {
        eprintln!("  | {line}");
    }
}

/// Removes the session file that `up` leaves in a checkout, if this process wrote it.
fn remove_attached(root: &Utf8Path) {
    let file = Session::attached_file(root);
    if Session::of(&file).is_ok_and(|session| session.owner == Identity::own()) {
        // A session file whose owner is gone is refused by whoever reads it.
        let _ = std::fs::remove_file(file);
    }
}
