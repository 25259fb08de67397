//! Beside somebody who works with Stigmer on the same machine.

use std::{collections::BTreeMap, fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_api::{
    Resource as _,
    agent_execution::{AgentExecution, ExecutionPhase},
};
use stigmer_e2e::{
    harness::{Daemon, HomeProcess, Probe, budget::AGENT, story},
    supervise::Signal,
};

use super::killed::{Victim, nothing_left};
use crate::{given, pipeline::Inner, then::Execution as _};

/// Every file below `folder` that says something of value: not logs, signs of life, nor what SQLite
/// keeps beside a database.
fn contents(folder: &Utf8Path, into: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let path = entry.path();
        let moves = ["logs", "temporal-data", "run"].contains(&entry.file_name())
            || [".log", "-wal", "-shm", ".ready.json"]
                .iter()
                .any(|end| path.as_str().ends_with(end));
        match entry.file_type()?.is_dir() {
            _ if moves => {}
            true => contents(path, into)?,
            false => {
                into.insert(path.to_owned(), fs::read(path)?);
            }
        }
    }
    Ok(())
}

#[test]
fn iso_08_a_developers_own_daemon_is_not_touched_by_runs_that_end_or_are_killed() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        let agent = given::agent("mine", "Answer whoever asks.");
        let agent = api.create(agent).await?;
        let of_daemon = || -> Vec<HomeProcess> { daemon.processes() };
        let known = of_daemon();
        let records = daemon.store().dump()?;
        let files = || -> io::Result<_> {
            let mut files = BTreeMap::new();
            contents(&daemon.folder(), &mut files)?;
            Ok(files)
        };
        let before = files()?;
        t.step("a run of the pipeline beside it, with daemons and environments of its own");
        let run = Inner::of(&t, &["dmn_01", "iso_06"])?.run().await?;
        run.output.exited_with(0)?;
        t.step("another one that is killed");
        let victim = Victim::start(&t, &["iso_06"]).await?;
        victim.in_a_test(&t).await?;
        victim.warden.signal(Signal::KILL);
        victim.pipeline.signal(Signal::KILL);
        nothing_left(&t, &victim.pending).await?;
        victim.pending.ended(victim.warden).await?;
        t.step("the daemon has its processes, its files, and its records, and works");
        assert_eq!(of_daemon(), known);
        assert_eq!(daemon.store().dump()?, records);
        let (changed, after) = (before.keys().collect::<Vec<_>>(), files()?);
        assert_eq!(changed, after.keys().collect::<Vec<_>>());
        for (path, content) in &before {
            assert!(after[path] == *content, "{path} is changed");
        }
        let execution = given::execution("ask", agent.id(), "Are you well?");
        let id = api.create(execution).await?.id().to_owned();
        let ended = async || match api.get::<AgentExecution>(&id).await {
            Ok(execution) if execution.phase() == ExecutionPhase::ExecutionCompleted => {
                Probe::Done(())
            }
            Ok(execution) => Probe::NotYet(format!("{:?}", execution.phase())),
            Err(error) => Probe::NotYet(error.to_string()),
        };
        t.eventually("the daemon's agent answers", AGENT, ended)
            .await?;
        daemon.stop().await?;
        Ok(())
    });
}
