//! One run, resolved: nothing below reads the command line or guesses a path.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{
    ContainerPart, Faults, Gguf, Hermetic, LoadPlan, OllamaServer, PhaseRecord, Runtime,
    ServerAddress, Shard, Tier,
};

/// The ports that whoever works on a machine may use themselves: the default ones of Temporal,
/// `stigmer-server`, the two web pages of Temporal, the agent service, and Ollama.
pub const DEFAULT_PORTS: [u16; 6] = [7233, 7234, 8080, 8233, 8234, 11434];

/// Everything the driver needs to know about a run. Paths are absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What to do.
    pub verb: Verb,
    /// Names the run: UTC start time and a random part, such as `20261124T081500-k3f9`.
    pub run_id: String,
    /// The checkout.
    pub root: Utf8PathBuf,
    /// The results folder of this run.
    pub results: Utf8PathBuf,
    /// Orders the tests and seeds whatever they draw.
    pub seed: u64,
    /// How many tests run at once.
    pub jobs: usize,
    /// Which tests run.
    pub selection: Selection,
    /// How long the test phase may take, in seconds; what has not ended by then is aborted.
    pub suite_limit_seconds: u64,
    /// Keep the services and directories after the run.
    pub keep: bool,
    /// A missing prerequisite skips the tests that need it, counted, instead of failing the run.
    pub allow_skip: bool,
    /// Machine-readable output on stdout.
    pub json: bool,
    /// Which model answers.
    pub llm: LlmChoice,
    /// Whether the run is cut off from every other machine.
    #[serde(default)]
    pub hermetic: Hermetic,
    /// In what the parts of the stack run.
    #[serde(default)]
    pub runtime: Runtime,
    /// The server of somebody else that is only read from; with it, the run starts no service and no
    /// stack, and runs only the tests that ask such a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerAddress>,
    /// Ports that nothing of the run may connect to.
    #[serde(default)]
    pub forbidden_ports: Vec<u16>,
    /// The pinned tools.
    pub tools: Tools,
    /// The stack under test.
    pub stack: Stack,
    /// That the stack has deliberate faults compiled in; only `cargo xtask mutants` says so.
    #[serde(default)]
    pub faults: Option<Faults>,
    /// For how long chaos goes on, in minutes; the tests' own choice when unset.
    #[serde(default)]
    pub chaos_minutes: Option<u64>,
    /// What load the stack is put under; the tests' own choice when unset.
    #[serde(default)]
    pub load: Option<LoadPlan>,
    /// For how long a stack idles in the test of that, in minutes; an hour when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_minutes: Option<u64>,
    /// The suite's test binary.
    pub suite: Utf8PathBuf,
    /// What each program was built as that the run has for itself; nothing before it has taken them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub built_as: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// Target directory for projects that tests write and the CLI compiles.
    pub project_target: Utf8PathBuf,
    /// Every pinned artefact in use.
    pub pins: Vec<Pin>,
    /// Phases that are already over.
    pub phases: Vec<PhaseRecord>,
}

impl Plan {
    /// The programs of the stack that the run uses, by what they are: all of them, or the CLI where
    /// somebody else's server is asked.
    pub fn parts(&self) -> Vec<(&'static str, &Utf8PathBuf)> {
        let stack = &self.stack;
        let all = [
            ("cli", &stack.cli),
            ("server", &stack.server),
            ("workflow-runner", &stack.workflow_runner),
            ("agent-runner", &stack.agent_runner),
        ];
        let count = if self.server.is_some() { 1 } else { all.len() };
        all.into_iter().take(count).collect()
    }

    /// The program that is `part`.
    pub fn program(&self, part: ContainerPart) -> &Utf8PathBuf {
        match part {
            ContainerPart::Temporal => &self.tools.temporal,
            ContainerPart::Server => &self.stack.server,
            ContainerPart::WorkflowRunner => &self.stack.workflow_runner,
            ContainerPart::AgentRunner => &self.stack.agent_runner,
        }
    }
}

/// What the driver is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Services up, suite, results, services down.
    Run,
    /// Services up and kept.
    Up,
    /// Images of the parts made, and given to the engine.
    Images,
}

/// Which tests run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Tests of a later tier do not run, whatever the filters say.
    #[serde(default)]
    pub tier: Tier,
    /// Scenario ids (`APP-01`, `SMK`) or parts of test names; empty means all.
    pub filters: Vec<String>,
    /// Unless empty: exactly these tests, by their paths in the suite, started in this order; tier,
    /// filters, and seed have no say then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exactly: Vec<String>,
    /// One part of what is selected, to be run on a machine of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The file with the recorded times that balance the shards: a `history.jsonl`. Without one, that
    /// beside the results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Utf8PathBuf>,
}

impl Selection {
    /// Whether nothing is left out but what a tier leaves out.
    pub fn is_whole(&self) -> bool {
        self.filters.is_empty() && self.exactly.is_empty() && self.shard.is_none()
    }
}

/// Which model answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "provider")]
pub enum LlmChoice {
    /// The pinned model on the pinned llama.cpp server.
    LlamaCpp,
    /// Any server that speaks the OpenAI chat API.
    OpenAi {
        /// Up to and including `/v1`.
        base_url: String,
        /// The model's name there.
        model: String,
    },
    /// Nobody: the answers in this folder, each recorded by the test that gets it.
    Replay {
        /// The folder of the cassettes.
        cassettes: Utf8PathBuf,
    },
    /// The pinned model on an Ollama; nothing until one was found.
    Ollama {
        /// Which one.
        server: Option<OllamaServer>,
    },
    /// No model: tests that need one are skipped, counted.
    None,
}

/// Where the pinned tools are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tools {
    /// The Temporal CLI, which carries the dev server; a bare name if nothing needs it.
    pub temporal: Utf8PathBuf,
    /// cargo-nextest.
    pub nextest: Utf8PathBuf,
    /// A Python that can load the llama.cpp server.
    pub python: Utf8PathBuf,
    /// The cargo that builds projects.
    pub cargo: Utf8PathBuf,
    /// The llama.cpp server and its model, unless another provider was chosen.
    pub llm: Option<LlmFiles>,
    /// The pinned model for an Ollama, if that was chosen.
    #[serde(default)]
    pub gguf: Option<Gguf>,
}

/// The pinned LLM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LlmFiles {
    /// The folder that holds the Python package of the llama.cpp server.
    pub library: Utf8PathBuf,
    /// The GGUF file.
    pub model: Utf8PathBuf,
    /// The model's name in requests and reports.
    pub name: String,
    /// SHA-256 of the GGUF file, in hex.
    pub sha256: String,
}

/// The binaries under test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stack {
    /// The CLI, `stigmer`.
    pub cli: Utf8PathBuf,
    /// `stigmer-server`.
    pub server: Utf8PathBuf,
    /// `stigmer-workflow-runner`.
    pub workflow_runner: Utf8PathBuf,
    /// `stigmer-agent-runner`.
    pub agent_runner: Utf8PathBuf,
}

/// One pinned artefact that this run uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pin {
    /// Its name in `pins.json`.
    pub name: String,
    /// Its version there.
    pub version: String,
    /// The file that is used.
    pub path: Utf8PathBuf,
    /// SHA-256 of that file, in hex.
    pub sha256: String,
    /// `nix`, `cache`, `fetched`, or `path`.
    pub source: String,
    /// What it was taken from; nothing for a program that the machine had.
    #[serde(default)]
    pub package: Option<Package>,
}

/// A package of the Python index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
    /// SPDX expression.
    pub license: String,
}
