//! What an environment is to be like; [`start`](super::start) makes it so.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use stigmer_e2e_plan::RemoteTemporal;

use super::{Component, model::ModelChoice, settings::Variables};
use crate::{
    harness::{Test, edge::Reply},
    session::SharedModel,
};

/// How the link to Temporal is when the parts start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    Open,
    Cut,
}

/// An environment to be started. Without further calls it has a server, both runners, and a scripted
/// model that refuses every request.
pub struct Builder {
    pub(super) test: Test,
    pub(super) workflow_runner: bool,
    pub(super) agent_runner: bool,
    pub(super) model: ModelChoice,
    pub(super) answer: Option<Reply>,
    pub(super) temporal_address: Option<String>,
    pub(super) link: Option<Begins>,
    pub(super) link_knows_calls: bool,
    pub(super) server_link: bool,
    pub(super) own_temporal: bool,
    pub(super) remote_temporal: Option<RemoteTemporal>,
    pub(super) of_each_runner: u16,
    pub(super) settings: BTreeMap<&'static str, Variables>,
    pub(super) programs: BTreeMap<&'static str, Utf8PathBuf>,
}

impl Builder {
    pub(crate) fn new(test: Test) -> Self {
        Self {
            test,
            workflow_runner: true,
            agent_runner: true,
            model: ModelChoice::default(),
            answer: None,
            temporal_address: None,
            link: None,
            link_knows_calls: false,
            server_link: false,
            own_temporal: false,
            remote_temporal: None,
            of_each_runner: 1,
            settings: BTreeMap::new(),
            programs: BTreeMap::new(),
        }
    }

    /// Leaves the agent-runner out.
    #[must_use]
    pub fn without_agent_runner(mut self) -> Self {
        self.agent_runner = false;
        self
    }

    /// Leaves the workflow-runner out.
    #[must_use]
    pub fn without_workflow_runner(mut self) -> Self {
        self.workflow_runner = false;
        self
    }

    /// Leaves both runners out, for what the server does alone.
    #[must_use]
    pub fn without_runners(self) -> Self {
        self.without_agent_runner().without_workflow_runner()
    }

    /// Talks to the run's model instead of a scripted one, in a way that makes its answers short and,
    /// as far as the model's server allows, the same each time. They are recorded; in a run that replays
    /// (`--llm replay`), what was recorded for this test answers.
    #[must_use]
    pub fn with_real_model(mut self) -> Self {
        self.model = ModelChoice::Run;
        self
    }

    /// Starts the pinned model for this environment alone, which the test may kill. Nothing is recorded.
    #[must_use]
    pub fn with_own_model(mut self) -> Self {
        self.model = ModelChoice::Own;
        self
    }

    /// Talks to `model`, and records what it answers.
    #[must_use]
    pub fn recording(mut self, model: SharedModel) -> Self {
        self.model = ModelChoice::Given(model);
        self
    }

    /// Is answered by what is recorded in the file `cassette`, and by nothing else.
    #[must_use]
    pub fn replaying(mut self, cassette: impl Into<Utf8PathBuf>) -> Self {
        self.model = ModelChoice::Recorded(cassette.into());
        self
    }

    /// Answers every request to the scripted model that no expectation fits with `text`.
    #[must_use]
    pub fn answering(mut self, text: &str) -> Self {
        self.answer = Some(Reply::text(text));
        self
    }

    /// Sets a variable of one part.
    #[must_use]
    pub fn setting(
        mut self,
        component: Component,
        variable: &str,
        value: impl Into<String>,
    ) -> Self {
        self.settings
            .entry(component.name())
            .or_default()
            .push((variable.to_owned(), value.into()));
        self
    }

    /// Starts `program` in place of the stack's own.
    #[must_use]
    pub fn with_program(mut self, component: Component, program: &str) -> Self {
        self.programs.insert(component.name(), program.into());
        self
    }

    /// Starts a Temporal for this environment alone, which the test may kill.
    #[must_use]
    pub fn with_own_temporal(mut self) -> Self {
        self.own_temporal = true;
        self
    }

    /// Has the work carried by a Temporal that is not the run's own. A namespace that it names has to be
    /// there, and nobody may poll the stack's queues in it.
    #[must_use]
    pub fn on_temporal(mut self, remote: RemoteTemporal) -> Self {
        self.remote_temporal = Some(remote);
        self
    }

    /// Starts `count` processes of each runner in place of one: Temporal shares the work out.
    #[must_use]
    pub fn with_runners(mut self, count: u16) -> Self {
        self.of_each_runner = count;
        self
    }

    /// Puts a [`Link`](crate::harness::Link) between the parts and Temporal. The test itself reaches
    /// Temporal directly.
    #[must_use]
    pub fn over_link(mut self) -> Self {
        self.link = Some(Begins::Open);
        self
    }

    /// As [`over_link`](Self::over_link), and the link knows gRPC: `env.link().calls()`.
    #[must_use]
    pub fn over_call_link(mut self) -> Self {
        self.link_knows_calls = true;
        self.over_link()
    }

    /// Puts a [`Link`](crate::harness::Link) that knows gRPC between the runners and the server. The test
    /// itself reaches the server directly.
    #[must_use]
    pub fn over_server_link(mut self) -> Self {
        self.server_link = true;
        self
    }

    /// As [`over_link`](Self::over_link), and the link is cut at first. The environment is started
    /// when the server is; the runners only begin to start.
    #[must_use]
    pub fn with_temporal_absent(mut self) -> Self {
        self.link = Some(Begins::Cut);
        self
    }

    /// Gives the server `address` in place of Temporal's. There are no runners then, since they
    /// could not become ready.
    #[must_use]
    pub fn with_temporal_at(mut self, address: impl Into<String>) -> Self {
        self.temporal_address = Some(address.into());
        self.without_runners()
    }
}
