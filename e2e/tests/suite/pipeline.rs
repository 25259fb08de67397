//! The pipeline under test: its driver, run inside a test on a small selection, with a results
//! folder of its own.

use std::time::Duration;

use crate::own;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use stigmer_e2e::{
    harness::{Broken, Cli, CliError, CliOutput, Failure, RunningCli, Test, TestRecord},
    supervise::{Identity, leftovers},
};
use stigmer_e2e_flakes::{FlakyPlan, PolluterPlan, StopRule, Stress};
use stigmer_e2e_plan::{Hermetic, LlmChoice, Plan, Selection, Tier, Verb, read_json, write_json};

/// A run to be started inside the running one. It has no model and runs one test at a time.
pub struct Inner {
    test: Test,
    plan: Plan,
    variables: Vec<(String, String)>,
    limit: Duration,
    inside: Vec<String>,
    verb: InnerVerb,
}

/// What the driver is to do with the plan.
enum InnerVerb {
    Run,
    Flaky(StopRule, Vec<Stress>, Option<f64>),
    Polluter(String, Vec<String>, u64),
}

/// An inner run that has ended.
pub struct Ended {
    /// What the driver printed.
    pub output: CliOutput,
    /// Its results folder.
    pub results: Utf8PathBuf,
    run_id: String,
}

impl Inner {
    /// The plan of the outer run, for `filters` only.
    pub fn of(test: &Test, filters: &[&str]) -> Result<Self, Failure> {
        let outer = test.session().results.join("plan.json");
        let Ok(mut plan) = read_json::<Plan>(&outer) else {
            return Err(test.skip(&format!(
                "there is no {outer}: this session was not started by the pipeline"
            )));
        };
        let number = (1..)
            .find(|n| !runs(test).join(n.to_string()).exists())
            .unwrap_or_default();
        // What the outer run has for itself, as it is ours.
        plan.stack = test.session().stack.clone();
        plan.suite = own::suite()?;
        plan.verb = Verb::Run;
        plan.results = runs(test).join(number.to_string());
        plan.run_id = format!("{}-in-{}-{number}", plan.run_id, std::process::id());
        plan.selection = Selection {
            tier: Tier::Commit,
            filters: filters.iter().map(|filter| (*filter).to_owned()).collect(),
            ..Selection::default()
        };
        (plan.llm, plan.hermetic) = (LlmChoice::None, Hermetic::Off);
        (plan.jobs, plan.keep, plan.json, plan.allow_skip) = (1, false, false, false);
        Ok(Self {
            test: test.clone(),
            plan,
            variables: Vec::new(),
            limit: Duration::from_secs(60),
            inside: Vec::new(),
            verb: InnerVerb::Run,
        })
    }

    /// The same with a variable in the driver's environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The same with more time.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same, started by `command`, which gets the driver's command line as its last arguments.
    pub fn inside(mut self, command: &[&str]) -> Self {
        self.inside = command.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The same with a change.
    pub fn with(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self
    }

    /// The same in rounds until `stop`, beside `stress`, and with a gate.
    pub fn rounds(mut self, stop: StopRule, stress: &[Stress], gate: Option<f64>) -> Self {
        self.verb = InnerVerb::Flaky(stop, stress.to_vec(), gate);
        self
    }

    /// A search for those of `earlier` that make `victim` fail, each selection tried `tries` times.
    pub fn polluter(mut self, victim: &str, earlier: &[String], tries: u64) -> Self {
        self.verb = InnerVerb::Polluter(victim.to_owned(), earlier.to_vec(), tries);
        self
    }

    /// Runs it to its end.
    pub async fn run(self) -> Result<Ended, Failure> {
        let (results, run_id) = (self.plan.results.clone(), self.plan.run_id.clone());
        let output = self.command()?.run().await?;
        Ok(Ended {
            output,
            results,
            run_id,
        })
    }

    /// Starts it; also returns what it will have ended as.
    pub fn spawn(self) -> Result<(RunningCli, Pending), Failure> {
        let pending = Pending {
            results: self.plan.results.clone(),
            run_id: self.plan.run_id.clone(),
        };
        Ok((self.command()?.spawn()?, pending))
    }

    fn command(&self) -> Result<Cli, Broken> {
        let file = self.plan.results.join("plan.json");
        let run = self.plan.clone();
        let (verb, written) = match &self.verb {
            InnerVerb::Run => ("run", write_json(&file, &run)),
            InnerVerb::Flaky(stop, stress, gate) => {
                let (stop, stress, gate) = (*stop, stress.clone(), *gate);
                let plan = FlakyPlan {
                    run,
                    stop,
                    gate,
                    stress,
                };
                ("flaky", write_json(&file, &plan))
            }
            InnerVerb::Polluter(victim, earlier, tries) => {
                let plan = PolluterPlan {
                    run,
                    victim: victim.clone(),
                    earlier: earlier.clone(),
                    tries: *tries,
                };
                ("polluter", write_json(&file, &plan))
            }
        };
        written.map_err(|error| Broken(format!("{error:#}")))?;
        let driver = own::driver();
        let driver = [driver.as_str(), verb, "--plan", file.as_str()];
        let mut words = self.inside.iter().map(String::as_str).chain(driver);
        let program = words.next().unwrap_or_default();
        let mut command = self
            .test
            .command(Utf8Path::new(program))
            .args(words)
            .within(self.limit);
        for (name, value) in &self.variables {
            command = command.env(name, value);
        }
        Ok(command)
    }
}

/// An inner run that goes on.
pub struct Pending {
    /// Its results folder.
    pub results: Utf8PathBuf,
    run_id: String,
}

impl Pending {
    /// The process that carries the run out, once it has begun.
    pub fn pipeline(&self) -> Option<Identity> {
        let events = self.events();
        let started = events
            .iter()
            .find(|event| event["event"] == "run-started")?;
        Identity::of(u32::try_from(started["pid"].as_u64()?).ok()?)
    }

    /// Its run id.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether an event of this name has happened.
    pub fn has(&self, event: &str) -> bool {
        self.event(event).is_some()
    }

    /// The first event of this name, once it has happened.
    pub fn event(&self, name: &str) -> Option<Value> {
        let mut events = self.events().into_iter();
        events.find(|happened| happened["event"] == name)
    }

    /// The name of the last event so far; with a phase, which one.
    pub fn last_event(&self) -> String {
        let last = self.events().pop().unwrap_or_default();
        let text = |name: &str| last[name].as_str().unwrap_or_default();
        match text("event") {
            "phase" => format!("phase {}", text("name")),
            event => event.to_owned(),
        }
    }

    /// The processes of the run.
    pub fn leftovers(&self) -> std::io::Result<Vec<leftovers::Leftover>> {
        marked(&self.run_id)
    }

    /// What has happened so far; the last line may not be whole yet.
    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.results.join("events.jsonl")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits for its end.
    pub async fn ended(self, running: RunningCli) -> Result<Ended, CliError> {
        let output = running.finish().await?;
        Ok(Ended {
            output,
            results: self.results,
            run_id: self.run_id,
        })
    }
}

impl Ended {
    /// A JSON file of its results.
    pub fn json(&self, name: &str) -> Result<Value, Broken> {
        read_json(&self.results.join(name)).map_err(|error| Broken(format!("{error:#}")))
    }

    /// A text file of its results.
    pub fn text(&self, name: &str) -> Result<String, Broken> {
        let file = self.results.join(name);
        std::fs::read_to_string(&file)
            .map_err(|error| Broken(format!("failed to read {file}: {error}")))
    }

    /// The events of its `events.jsonl`, each a JSON object.
    pub fn events(&self) -> Result<Vec<Value>, Broken> {
        let text = self.text("events.jsonl")?;
        let parse = |line: &str| {
            serde_json::from_str(line).map_err(|error| Broken(format!("{error} in {line:?}")))
        };
        text.lines().map(parse).collect()
    }

    /// What the test `name`, its path or its function, wrote about itself.
    pub fn record(&self, name: &str) -> Result<TestRecord, Broken> {
        let function = name.rsplit("::").next().unwrap_or(name);
        let file = self.results.join("tests").join(function).join("test.json");
        read_json(&file).map_err(|error| Broken(format!("{error:#}")))
    }

    /// The verdict of every test, in the order of their ends.
    pub fn verdicts(&self) -> Result<Vec<(String, String)>, Broken> {
        let ended = self
            .events()?
            .into_iter()
            .filter(|event| event["event"] == "test-ended");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(ended
            .map(|event| (text(&event["name"]), text(&event["verdict"])))
            .collect())
    }

    /// The last line on standard output.
    pub fn last_line(&self) -> &str {
        self.output.stdout.lines().last().unwrap_or_default()
    }

    /// The processes it left behind.
    pub fn leftovers(&self) -> std::io::Result<Vec<leftovers::Leftover>> {
        marked(&self.run_id)
    }
}

/// The front door, as built beside the driver; `cargo xtask` would build it again.
pub fn xtask(test: &Test) -> Result<Cli, Failure> {
    let program = Utf8Path::new(env!("CARGO_BIN_EXE_stigmer-e2e")).with_file_name("xtask");
    if !program.exists() {
        return Err(test.skip(&format!(
            "{program} is not built: this session was not started by `cargo xtask`"
        )));
    }
    // `cargo run` tells a program where its package is; by hand, so do we.
    let package = test.session().root.join("xtask");
    Ok(test
        .command(&program)
        .env("CARGO_MANIFEST_DIR", package.as_str())
        .env("XDG_CACHE_HOME", cache()))
}

/// The pinned tools of whoever runs the suite: a command of a test has another HOME.
fn cache() -> String {
    let home = || std::env::var("HOME").map(|home| format!("{home}/.cache"));
    let of_user = std::env::var("XDG_CACHE_HOME").or_else(|_| home());
    of_user.unwrap_or_default()
}

fn runs(test: &Test) -> Utf8PathBuf {
    test.folder().join("runs")
}

fn marked(run_id: &str) -> std::io::Result<Vec<leftovers::Leftover>> {
    leftovers::find(&std::collections::HashSet::from([run_id.to_owned()]))
}
