//! The test phase: the suite under nextest, followed line by line.

use std::{collections::HashSet, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;
use stigmer_e2e::{
    harness::TestRecord,
    session::SESSION_VARIABLE,
    supervise::{
        Child, RUN_VARIABLE, ServiceStarted, Spec, StopPolicy, Supervisor, leftovers,
        leftovers::Leftover, log_tail,
    },
    tripwire,
};
use stigmer_e2e_plan::{Output, Plan, read_json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::ChildStdout,
    time::{Instant, sleep_until},
};

use super::{
    board::Board,
    interrupt::Interrupt,
    nextest::{self, Files, Message},
    progress::Progress,
    selection::SuiteTest,
    shuffle::Order,
    verdict::Ending,
};
use crate::results::{Event, Results};

/// How long nextest may take to end its tests when asked.
const GRACE: Duration = Duration::from_secs(10);

/// Runs `tests`; returns how that ended. The board knows every test at any moment.
pub async fn run(
    plan: &Plan,
    results: &mut Results,
    board: &mut Board,
    tests: &[SuiteTest],
    order: &Order,
    supervisor: &mut Supervisor,
    interrupt: &mut Interrupt,
) -> Result<Ending> {
    let mut runner = start(plan, results, tests, order)?;
    let stdout = runner
        .take_stdout()
        .expect("stdout was asked to be a pipe and is taken once");
    let mut lines =
        BufReader::new(ChildStdout::from_std(stdout).context("failed to read from nextest")?)
            .lines();
    let mut follower = Follower {
        progress: Progress::new(plan, tests.len()),
        plan,
        results,
        board,
    };
    let ending = follower.follow(&mut lines, supervisor, interrupt).await;
    drop(follower);
    match ending {
        Ok(Ending::Completed) => check_end(&mut runner).await.map(|()| Ending::Completed),
        other => {
            // The tests that still run are aborted; what they say while they end is no verdict.
            runner.stop(StopPolicy::Graceful { grace: GRACE }).await?;
            end_what_tests_started(plan, supervisor.started());
            other
        }
    }
}

/// An aborted test has no teardown: what it started and did not take along with it is ended here.
fn end_what_tests_started(plan: &Plan, services: &[ServiceStarted]) {
    // Without `/proc` there is nothing to find them by.
    let marked = leftovers::find(&HashSet::from([plan.run_id.clone()])).unwrap_or_default();
    let is_service = |leftover: &Leftover| {
        services
            .iter()
            .any(|service| service.pid == leftover.identity.pid)
    };
    leftovers::kill(
        &marked
            .into_iter()
            .filter(|leftover| !is_service(leftover))
            .collect::<Vec<_>>(),
    );
}

fn start(plan: &Plan, results: &Results, tests: &[SuiteTest], order: &Order) -> Result<Child> {
    let json = |value: serde_json::Value| value.to_string().into_bytes();
    let files = Files {
        config: results.write_file(
            "nextest/nextest.toml",
            nextest::config(plan.jobs, order, tests).as_bytes(),
        )?,
        cargo_metadata: results.write_file(
            "nextest/cargo-metadata.json",
            &json(nextest::cargo_metadata(&plan.root)),
        )?,
        binaries_metadata: results.write_file(
            "nextest/binaries-metadata.json",
            &json(nextest::binaries_metadata(&plan.root, &plan.suite)),
        )?,
    };
    let mut spec = Spec::new(
        "nextest",
        &plan.tools.nextest,
        results.path().join("nextest/nextest.log"),
    )
    .args(nextest::arguments(&files, tests))
    .pipe_stdout();
    // A run inside a run must not inherit the outer one's settings.
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("NEXTEST")) {
        spec = spec.env_remove(variable);
    }
    let home = tripwire::guarded_home(results.path()).context("failed to make a HOME")?;
    for (variable, value) in tripwire::variables(&home) {
        spec = spec.env(&variable, &value);
    }
    let spec = spec
        .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1")
        .env(
            SESSION_VARIABLE,
            results.path().join("session.json").as_str(),
        )
        .env(RUN_VARIABLE, &plan.run_id);
    Ok(Child::spawn(spec)?)
}

/// Nextest ends with 0 or 100; anything else means that it did not do its work.
async fn check_end(runner: &mut Child) -> Result<()> {
    let status = runner.ended().await;
    if matches!(status.code(), Some(0 | 100)) {
        return Ok(());
    }
    let tail = log_tail(runner.log(), 5).join("; ");
    anyhow::bail!(
        "nextest ended with {status}: {tail} (all of it is in {})",
        runner.log()
    );
}

struct Follower<'a> {
    plan: &'a Plan,
    results: &'a mut Results,
    board: &'a mut Board,
    progress: Progress,
}

impl Follower<'_> {
    async fn follow(
        &mut self,
        lines: &mut Lines<BufReader<ChildStdout>>,
        supervisor: &mut Supervisor,
        interrupt: &mut Interrupt,
    ) -> Result<Ending> {
        let limit = Duration::from_secs(self.plan.suite_limit_seconds);
        let deadline = Instant::now() + limit;
        loop {
            tokio::select! {
                line = lines.next_line() => match line.context("failed to read from nextest")? {
                    Some(line) => self.take(&line)?,
                    None => return Ok(Ending::Completed),
                },
                error = supervisor.failed() => return Ok(Ending::Service(error)),
                () = interrupt.asked() => return Ok(Ending::Interrupted),
                () = sleep_until(deadline) => return Ok(self.overdue(limit)),
            }
        }
    }

    fn overdue(&self, limit: Duration) -> Ending {
        let running = self.board.running().map(str::to_owned).collect();
        Ending::Overdue { limit, running }
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let message = nextest::parse(line)
            .with_context(|| format!("nextest speaks another language: {line:?}"))?;
        let Some(message) = message else {
            return Ok(());
        };
        let tests = self.results.path().join("tests");
        let began = matches!(message, Message::Started { .. });
        let record = |name: &str| read_json::<TestRecord>(&tests.join(name).join("test.json")).ok();
        let Some(outcome) = self.board.take(message, record) else {
            return Ok(());
        };
        if began {
            report(
                self.results,
                self.plan.json,
                &Event::new("test-started", json!({"name": outcome.name})),
            )?;
        } else {
            let outcome = outcome.clone();
            // The event comes last: whoever sees it finds the files as it says.
            self.results.write_tests(self.board.outcomes())?;
            report(
                self.results,
                self.plan.json,
                &Event::new("test-ended", &outcome),
            )?;
            self.progress.ended(&outcome);
        }
        self.progress.running(self.board);
        Ok(())
    }
}

fn report<T: Serialize>(results: &mut Results, json: bool, event: &Event<'_, T>) -> Result<()> {
    Output::new(json).object(event);
    results.event(event)
}
