//! From the command line to one resolved plan. Nothing after this reads the command line again.

use std::{collections::BTreeMap, time::SystemTime};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{
    DEFAULT_PORTS, ExitCode, Gguf, Hermetic, LlmChoice, LlmFiles, LoadPlan, PhaseRecord, Pin, Plan,
    Runtime, Selection, ServerAddress, Tier, Tools, Verb, failure,
};

use crate::{
    build::{Built, Extent},
    checkout::{Checkout, utf8},
    flags::{RunFlags, StackFlags},
    llm::{chosen_llm, describe_llm},
    pins::Tool,
    provision::Provisioned,
    run_id::{random, run_id},
};

/// Everything about a run that is known before anything is looked for.
#[derive(Clone, Debug)]
pub struct Outline {
    pub verb: Verb,
    pub run_id: String,
    pub results: Utf8PathBuf,
    pub seed: u64,
    pub jobs: usize,
    pub selection: Selection,
    pub keep: bool,
    pub allow_skip: bool,
    pub no_build: bool,
    pub json: bool,
    pub llm: LlmChoice,
    pub hermetic: Hermetic,
    pub runtime: Runtime,
    /// The server of somebody else that is asked.
    pub server: Option<ServerAddress>,
    pub idle_minutes: Option<u64>,
    /// What load the stack is put under, when that is what the run is for.
    pub load: Option<LoadPlan>,
    /// Everything else that must hold is checked as well (`cargo xtask test`).
    pub with_checks: bool,
}

impl Outline {
    /// The outline of `cargo xtask e2e`.
    pub fn of_run(flags: &RunFlags, checkout: &Checkout, json: bool) -> Result<Self> {
        let mut outline = Self::of_stack(&flags.stack, checkout, json)?;
        if flags.server.is_some() {
            // A run that only reads asks no model.
            outline.llm = LlmChoice::None;
        }
        Ok(Self {
            verb: Verb::Run,
            seed: flags.seed.unwrap_or(outline.seed),
            jobs: usize::from(flags.jobs),
            selection: Selection {
                tier: flags.tier,
                filters: flags.filters.clone(),
                shard: flags.shard,
                times: flags.times.as_deref().map(absolute).transpose()?,
                ..Selection::default()
            },
            keep: flags.keep,
            hermetic: hermetic(flags, &outline.llm)?,
            runtime: flags.runtime.clone(),
            server: flags.server.clone(),
            idle_minutes: flags.idle_minutes,
            ..outline
        })
    }

    /// The outline of a verb that runs the tests of `scenario`, or those that `filters` choose: nightly
    /// ones too, and without a model.
    pub fn of_scenario(
        scenario: &str,
        filters: &[String],
        results: Option<&Utf8Path>,
        checkout: &Checkout,
        json: bool,
    ) -> Result<Self> {
        let stack = StackFlags {
            results: results.map(Utf8Path::to_owned),
            ..StackFlags::again(LlmChoice::None)
        };
        Ok(Self {
            verb: Verb::Run,
            keep: false,
            selection: Selection {
                tier: Tier::Nightly,
                filters: match filters {
                    [] => vec![scenario.to_owned()],
                    filters => filters.to_vec(),
                },
                ..Selection::default()
            },
            ..Self::of_stack(&stack, checkout, json)?
        })
    }

    /// The outline of `cargo xtask images`.
    pub fn of_images(flags: &StackFlags, checkout: &Checkout, json: bool) -> Result<Self> {
        Ok(Self {
            verb: Verb::Images,
            llm: LlmChoice::None,
            runtime: Runtime::docker(),
            ..Self::of_stack(flags, checkout, json)?
        })
    }

    /// The outline of `cargo xtask up`.
    pub fn of_stack(flags: &StackFlags, checkout: &Checkout, json: bool) -> Result<Self> {
        if flags.allow_skip && in_ci() {
            let cause =
                "--allow-skip is refused when CI=true: there a missing prerequisite is a failure";
            return Err(failure(
                ExitCode::Usage,
                cause,
                "install what is missing (`cargo xtask doctor` names it)",
            ));
        }
        let run_id = run_id(SystemTime::now(), random());
        let results = match &flags.results {
            Some(folder) => chosen_results(folder)?,
            None => checkout.root.join("results").join(&run_id),
        };
        Ok(Self {
            verb: Verb::Up,
            run_id,
            results,
            // Short enough to be typed again.
            seed: random() % 1_000_000,
            jobs: 1,
            selection: Selection::default(),
            keep: true,
            allow_skip: flags.allow_skip,
            no_build: flags.no_build,
            json,
            llm: chosen_llm(&flags.llm, checkout)?,
            hermetic: Hermetic::Off,
            runtime: Runtime::default(),
            server: None,
            idle_minutes: None,
            load: None,
            with_checks: false,
        })
    }

    /// The pinned tools that this run needs.
    pub fn tools(&self) -> Vec<Tool> {
        let mut tools = vec![Tool::CargoNextest];
        if self.server.is_none() {
            tools.insert(0, Tool::TemporalCli);
        }
        match self.llm {
            LlmChoice::LlamaCpp => tools.extend([Tool::LlamaCpp, Tool::Model]),
            LlmChoice::Ollama { .. } => tools.push(Tool::Model),
            LlmChoice::OpenAi { .. } | LlmChoice::Replay { .. } | LlmChoice::None => {}
        }
        if self.with_checks {
            // pip is among what is tested: how it goes on after an interrupted download.
            tools.extend([Tool::CargoDeny, Tool::Zizmor, Tool::Pip]);
        }
        tools
    }

    /// How much has to be built.
    pub fn extent(&self) -> Extent {
        match self.server {
            Some(_) => Extent::Client,
            None => Extent::Whole,
        }
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let llm = describe_llm(&self.llm);
        let llm = match self.runtime.needs_engine() {
            true => format!("{llm}, runtime {}", self.runtime),
            false => llm,
        };
        match self.verb {
            Verb::Run => {
                let tier = match self.selection.tier {
                    Tier::Commit => String::new(),
                    tier => format!(", tier {tier}"),
                };
                let whom = match &self.server {
                    Some(server) => format!("server {server}, only reading"),
                    None => format!("llm {llm}"),
                };
                format!("run {}, seed {}, {whom}{tier}", self.run_id, self.seed)
            }
            Verb::Up => format!("run {}, llm {llm}", self.run_id),
            Verb::Images => "images of all parts".to_owned(),
        }
    }

    /// The whole plan, once everything it names is there.
    pub fn into_plan(
        self,
        checkout: &Checkout,
        found: &Found,
        built: Built,
        phases: Vec<PhaseRecord>,
    ) -> Plan {
        let file = |tool| found.tool(tool).map(|found| found.file.clone());
        let llm_files =
            found
                .tool(Tool::LlamaCpp)
                .zip(found.tool(Tool::Model))
                .map(|(library, model)| LlmFiles {
                    library: library.folder.clone(),
                    model: model.file.clone(),
                    name: model_name(&model.file),
                    sha256: model.sha256.to_string(),
                });
        let gguf = matches!(self.llm, LlmChoice::Ollama { .. })
            .then(|| found.tool(Tool::Model))
            .flatten()
            .map(|model| Gguf {
                file: model.file.clone(),
                name: model_name(&model.file),
                sha256: model.sha256.to_string(),
            });
        let suite_limit_seconds = self.selection.tier.limit_seconds();
        Plan {
            verb: self.verb,
            run_id: self.run_id,
            root: checkout.root.clone(),
            results: self.results,
            seed: self.seed,
            jobs: self.jobs,
            selection: self.selection,
            suite_limit_seconds,
            forbidden_ports: match &self.server {
                // It may well have one of them.
                Some(_) => Vec::new(),
                None => DEFAULT_PORTS.to_vec(),
            },
            server: self.server,
            keep: self.keep,
            allow_skip: self.allow_skip,
            json: self.json,
            llm: self.llm,
            hermetic: self.hermetic,
            runtime: self.runtime,
            tools: Tools {
                // A run that asks somebody else's server needs none.
                temporal: file(Tool::TemporalCli).unwrap_or_else(|| "temporal".into()),
                nextest: file(Tool::CargoNextest).expect("every run provisions cargo-nextest"),
                python: found.python.clone(),
                cargo: found.cargo.clone(),
                llm: llm_files,
                gguf,
            },
            stack: built.stack,
            faults: None,
            chaos_minutes: None,
            idle_minutes: self.idle_minutes,
            load: self.load,
            suite: built.suite,
            built_as: BTreeMap::new(),
            project_target: checkout.project_target(),
            pins: found.tools.iter().map(as_pin).collect(),
            phases,
        }
    }
}

/// What provisioning and the machine gave.
#[derive(Debug)]
pub struct Found {
    /// The pinned tools of this run.
    pub tools: Vec<Provisioned>,
    /// The Python that loads the llama.cpp server; a bare name if there is none and none is needed.
    pub python: Utf8PathBuf,
    /// The cargo that builds projects.
    pub cargo: Utf8PathBuf,
}

impl Found {
    fn tool(&self, tool: Tool) -> Option<&Provisioned> {
        self.tools.iter().find(|found| found.tool == tool)
    }
}

fn as_pin(found: &Provisioned) -> Pin {
    Pin {
        name: found.tool.to_string(),
        version: found.version.clone(),
        path: found.file.clone(),
        sha256: found.sha256.to_string(),
        source: found.source.to_string(),
        package: found.package.clone(),
    }
}

/// The model's name in requests and reports: its file's, without the ending.
fn model_name(file: &Utf8Path) -> String {
    file.file_stem().unwrap_or(file.as_str()).to_owned()
}

/// What `--hermetic` says, or what holds without it.
fn hermetic(flags: &RunFlags, llm: &LlmChoice) -> Result<Hermetic> {
    let obstacle = Hermetic::obstacle(llm, &flags.runtime, flags.server.as_ref(), flags.keep);
    match (flags.hermetic, obstacle) {
        (Some(true), Some(obstacle)) => Err(failure(
            ExitCode::Usage,
            format!("--hermetic is not possible: {obstacle}"),
            "leave one of the two away",
        )),
        (Some(true), None) => Ok(Hermetic::Required),
        (None, _) if in_ci() => Ok(Hermetic::WherePossible),
        (Some(false) | None, _) => Ok(Hermetic::Off),
    }
}

/// Whether this is a continuous-integration job, by the variable that all of them set.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1")
}

/// A path as it is meant by whoever typed it, wherever it is read.
pub fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    utf8(std::path::absolute(path)?)
}

/// `--results`: a folder that is not there yet, or is empty, so that no earlier result is lost.
fn chosen_results(folder: &Utf8Path) -> Result<Utf8PathBuf> {
    new_folder("--results", folder)
}

/// The folder that `flag` names, which must be new or empty.
pub fn new_folder(flag: &str, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let absolute = absolute(folder)?;
    let refuse = |why: String| {
        failure(
            ExitCode::Usage,
            format!("{flag} {folder} {why}"),
            "name a new folder",
        )
    };
    match absolute
        .read_dir_utf8()
        .map(|mut entries| entries.next().is_some())
    {
        Ok(true) => Err(refuse("is not empty".to_owned())),
        Err(error) if absolute.exists() => Err(refuse(format!("cannot be read: {error}"))),
        Ok(false) | Err(_) => Ok(absolute),
    }
}

#[cfg(test)]
mod tests;
