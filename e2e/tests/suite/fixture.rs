//! A fixture on stage: applied in an environment of its own, and run.

use stigmer_api::{
    Resource, agent_execution::AgentExecution, workflow_execution::WorkflowExecution,
};
use stigmer_e2e::{
    ensure,
    harness::{
        Broken, CheckError, CliOutput, Environment, Fixture, Manifest, Probe, Project, Stage, Test,
        budget::{AGENT, WF},
    },
};

use crate::then::{self, Applied, Execution, Finished};

/// Where the calls of a program go, read at synthesis.
const FIXTURE_BASE_URL: &str = "STIGMER_FIXTURE_BASE_URL";

/// A fixture that was applied.
pub struct Deployed {
    /// Where.
    pub env: Environment,
    /// What the manifest says of it.
    pub fixture: Fixture,
    /// Its project.
    pub project: Project,
    /// What was applied: agents, then workflows, as the manifest names them.
    pub rows: Vec<Applied>,
}

/// The rows that a table of the fixture's resources has: type and name.
pub fn resources(fixture: &Fixture) -> Vec<(&str, &str)> {
    let agents = fixture.agents.iter().map(|agent| agent.name.as_str());
    let workflows = fixture.workflows.iter().map(|flow| flow.name.as_str());
    let agents = agents.map(|name| ("Agent", name));
    agents
        .chain(workflows.map(|name| ("Workflow", name)))
        .collect()
}

impl Deployed {
    /// Applies the fixture `id` to `env`, where none of it is yet.
    pub async fn apply(t: &Test, env: &Environment, id: &str) -> Result<Self, CheckError> {
        let fixture = Manifest::load(t)?.fixture(id)?.clone();
        let project = Project::fixture(t, fixture.project())?;
        t.step(format!("apply fixture {id}"));
        let mut cli = project.cli(env).args(["apply"]);
        if id == "GRPC_CALL" {
            cli = cli.env("STIGMER_FIXTURE_GRPC_ADDRESS", env.server().address());
        }
        let output = cli.run().await?;
        let rows = then::applied(env, &output).await?;
        let known = rows.iter().map(Applied::known).collect::<Vec<_>>();
        let created = resources(&fixture).into_iter();
        let created = created.map(|(kind, name)| (kind, name, "✓ Created"));
        let created = created.collect::<Vec<_>>();
        ensure!(
            known == created,
            "fixture {id} was applied as {known:?}, not as {created:?}"
        );
        t.covers(id, Stage::Apply);
        Ok(Self {
            env: env.clone(),
            fixture,
            project,
            rows,
        })
    }

    /// The id of what is called `name`.
    pub fn id(&self, name: &str) -> Result<&str, Broken> {
        let row = self.rows.iter().find(|row| row.name == name);
        row.map(|row| row.id.as_str())
            .ok_or_else(|| Broken(format!("{name} is none of {:?}", self.rows)))
    }

    /// The one workflow's name.
    pub fn workflow(&self) -> Result<&str, Broken> {
        match self.fixture.workflows.as_slice() {
            [workflow] => Ok(&workflow.name),
            _ => Err(Broken(format!(
                "fixture {} has not one workflow",
                self.fixture.id
            ))),
        }
    }

    /// `stigmer run NAME --follow=false` with further arguments.
    pub async fn run(&self, name: &str, arguments: &[&str]) -> Result<CliOutput, CheckError> {
        let cli = self.env.cli().args(["run", name, "--follow=false"]);
        let output = cli.args(arguments.iter().copied()).run().await?;
        output.exited_with(0)?;
        Ok(output)
    }

    /// Starts the one workflow; the execution's id.
    pub async fn start(&self, arguments: &[&str]) -> Result<String, CheckError> {
        let output = self.run(self.workflow()?, arguments).await?;
        then::workflow::started(&self.env, &output).await
    }

    /// Applies the fixture again, for the server at `base`, and starts the one workflow. Returns
    /// once a task of it began, when the next one may be applied.
    pub async fn start_at(&self, base: &str) -> Result<String, CheckError> {
        let cli = self.project.cli(&self.env).args(["apply"]);
        let output = cli.env(FIXTURE_BASE_URL, base).run().await?;
        then::applied(&self.env, &output).await?;
        let id = self.start(&[]).await?;
        let began = format!("a task of {id} began");
        let look = async || match self.env.api().get::<WorkflowExecution>(&id).await {
            Ok(execution) if then::workflow::tasks(&execution).is_empty() => {
                Probe::NotYet(format!("{:?}", execution.phase()))
            }
            Ok(_) => Probe::Done(()),
            Err(error) => Probe::Hopeless(error.to_string()),
        };
        self.env.test().eventually(began, WF, look).await?;
        Ok(id)
    }

    /// Starts the one workflow and follows it to a good end.
    pub async fn completes(
        &self,
        arguments: &[&str],
    ) -> Result<Finished<WorkflowExecution>, CheckError> {
        let id = self.start(arguments).await?;
        let finished = then::workflow::completed(&self.env, &id, WF).await?;
        self.ran();
        Ok(finished)
    }

    /// Starts the one workflow and follows it to a failure whose error holds each of `says`.
    pub async fn fails(
        &self,
        arguments: &[&str],
        says: &[&str],
    ) -> Result<Finished<WorkflowExecution>, CheckError> {
        let id = self.start(arguments).await?;
        then::workflow::failed(&self.env, &id, WF, says).await
    }

    /// Runs the agent `name` with `message` to a good end.
    pub async fn agent_completes(
        &self,
        name: &str,
        message: &str,
    ) -> Result<Finished<AgentExecution>, CheckError> {
        let output = self.run(name, &["--message", message]).await?;
        let id = then::started(&self.env, &output).await?;
        then::completed(&self.env, &id, AGENT).await
    }

    /// Writes down that the fixture was run to the end that it is made for.
    pub fn ran(&self) {
        self.env.test().covers(&self.fixture.id, Stage::Run);
    }

    /// What the program described, of one kind, in its order.
    pub fn described<R: Resource>(&self, kind: &str) -> Result<Vec<R>, Broken> {
        let folder = self.project.directory().join(".stigmer");
        let read = |index: usize| {
            let file = folder.join(format!("{kind}-{index}.pb"));
            let bytes = std::fs::read(&file).ok()?;
            Some(R::decode(bytes.as_slice()).map_err(|e| Broken(format!("{file}: {e}"))))
        };
        (0..).map_while(read).collect()
    }
}
