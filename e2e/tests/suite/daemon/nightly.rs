//! What takes its time.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use stigmer_e2e::{
    ensure,
    harness::{Daemon, Failure, Probe, budget::Budget, story},
    supervise::{Identity, Signal},
};

use super::{agent, agent_completes, true_status};

/// Ten restarts with growing waits, and some for the starts.
const GIVEN_UP: Budget = Budget {
    name: "GIVEN_UP",
    limit: Duration::from_secs(120),
};

#[test]
fn dmn_14_a_runner_that_always_dies_is_given_up_and_the_server_stays() {
    story(async |t| {
        let daemon = Daemon::prepare(&t).await?;
        let program = t.session().stack.agent_runner.clone();
        let (script, starts) = (daemon.home().join("runner"), daemon.home().join("starts"));
        let write = |text: String| -> Result<(), Failure> {
            // Renamed, since a script that runs must not be written to.
            let part = script.with_extension("part");
            fs::write(&part, text)?;
            fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
            fs::rename(&part, &script)?;
            Ok(())
        };
        write(format!("#!/bin/sh\nexec {program}\n"))?;
        let daemon = daemon.setting("STIGMER_AGENT_RUNNER_BIN", script.as_str());
        let report = daemon.start().await?;
        let server = report.pid("stigmer-server")?;
        t.step("from now on the runner dies at once");
        write(format!("#!/bin/sh\ndate +%s.%N >> {starts}\nexit 7\n"))?;
        let runner = Identity::of(report.pid("agent-runner")?);
        runner
            .ok_or_else(|| Failure::new("no runner"))?
            .signal(Signal::KILL);
        let failed = async || match daemon.status().await {
            Ok(report) => match report.part("agent-runner") {
                Ok(row) if row.state == "failed" && row.restarts > 0 => Probe::Done(row.clone()),
                row => Probe::NotYet(format!("{row:?}")),
            },
            Err(error) => Probe::NotYet(error.to_string()),
        };
        // A runner that just died is called failed until the supervisor says what comes next.
        let settled = async || match failed().await {
            Probe::Done(row) if row.last_failure.is_some() && row.restarts >= 10 => {
                Probe::Done(row)
            }
            Probe::Done(row) => Probe::NotYet(format!("{row:?}")),
            other => other,
        };
        let row = t
            .eventually("the runner is given up", GIVEN_UP, settled)
            .await?;
        assert_eq!(row.restarts, 10);
        let times = fs::read_to_string(&starts)?;
        let times: Vec<f64> = times.lines().filter_map(|line| line.parse().ok()).collect();
        assert_eq!(times.len(), 10, "{times:?}");
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        t.fact("gaps_s", gaps.clone());
        // The longest wait is reached at the end; until then each is twice the one before.
        let growing = gaps.windows(2).take(6).all(|pair| pair[1] > pair[0] * 1.3);
        ensure!(growing && gaps[0] < 1.0, "the waits do not grow: {gaps:?}");
        t.step("the server stays, and a start mends everything");
        let report = daemon.status().await?;
        assert_eq!(
            (report.state.as_str(), report.pid("stigmer-server")?),
            ("running", server)
        );
        let given_up = times.len();
        write(format!("#!/bin/sh\nexec {program}\n"))?;
        assert_eq!(
            fs::read_to_string(&starts)?.lines().count(),
            given_up,
            "it was started again"
        );
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        agent_completes(&t, &api, &agent(&api, "mended").await?).await?;
        daemon.stop().await?;
        Ok(())
    });
}

#[test]
fn dmn_15_twenty_rounds_leave_nothing_and_do_not_get_slower() {
    story(async |t| {
        let daemon = Daemon::with_own_temporal(&t).await?;
        let mut seconds = Vec::new();
        for round in 1..=20 {
            t.step(format!("round {round}"));
            let start = daemon.try_start().await?;
            start.exited_with(0)?;
            seconds.push(start.duration.as_secs_f64());
            true_status(&t, &daemon).await?;
            daemon.stop().await?;
        }
        t.fact("start_s", seconds.clone());
        // The quickest of each half: what else the machine does makes a start slower, never quicker.
        let quickest = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
        // The first makes Temporal's store.
        let (early, late) = (quickest(&seconds[1..10]), quickest(&seconds[10..]));
        ensure!(late < early * 1.5 + 0.2, "starts get slower: {seconds:?}");
        Ok(())
    });
}

/// A small file system, mounted for one test by its owner alone.
struct SmallDisk(camino::Utf8PathBuf);

impl SmallDisk {
    fn mount(on: &camino::Utf8Path, size: &str) -> Result<Self, Failure> {
        fs::create_dir_all(on)?;
        let options = format!("size={size}");
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs", on.as_str()])
            .output()?;
        match mount.status.success() {
            true => Ok(Self(on.to_owned())),
            false => Err(Failure::new(String::from_utf8_lossy(&mount.stderr))),
        }
    }

    fn remount(&self, options: &str) -> Result<(), Failure> {
        let options = format!("remount,{options}");
        let mount = std::process::Command::new("mount")
            .args(["-o", &options, self.0.as_str()])
            .output()?;
        match mount.status.success() {
            true => Ok(()),
            false => Err(Failure::new(String::from_utf8_lossy(&mount.stderr))),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still mounted shows in the results folder.
        let _ = std::process::Command::new("umount")
            .args(["-l", self.0.as_str()])
            .output();
    }
}

#[test]
fn dmn_19_a_full_or_read_only_disk_is_told_and_loses_nothing() {
    story(async |t| {
        for (text, reason) in [
            (
                "disk is full",
                "a server that starts on a full disk says so",
            ),
            (
                "unable to open database file",
                "and so does one that may not write there",
            ),
        ] {
            t.expects_error("stigmer-server", text, reason);
        }
        let daemon = Daemon::prepare(&t).await?;
        let place = daemon.home().join("disk");
        let disk = match SmallDisk::mount(&place, "4m") {
            Ok(disk) => disk,
            Err(error) => {
                return Err(t.skip(&format!("no file system can be mounted here: {error}")));
            }
        };
        let daemon = daemon.setting("DB_PATH", place.join("stigmer.db").as_str());
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        let kept = agent(&api, "kept").await?;

        t.step("fill the disk: what does not fit is refused, what is stored stays");
        let long = "x".repeat(200_000);
        let mut stored = vec![kept];
        let refused = loop {
            let name = format!("filler-{}", stored.len());
            match api.apply(crate::given::agent(&name, &long)).await {
                Ok(agent) => stored.push(agent),
                Err(error) => break error,
            }
            ensure!(
                stored.len() < 100,
                "4 MB hold {} agents of 200 KB",
                stored.len()
            );
        };
        ensure!(
            refused.status.message().contains("full") || refused.status.message().contains("space"),
            "the error does not say why: {refused}"
        );
        reads_all(&api, &stored).await?;
        assert_eq!(
            daemon.status().await?.state,
            "running",
            "a full disk ends no server"
        );

        t.step("read-only: writes are refused, reads go on");
        daemon.stop().await?;
        disk.remount("size=16m")?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        reads_all(&api, &stored).await?;
        daemon.stop().await?;
        disk.remount("ro")?;
        let start = daemon.try_start().await?;
        start.exited_with(1)?.says(place.as_str())?;
        daemon.nothing_is_left(&[])?;

        t.step("the data survives");
        disk.remount("rw,size=16m")?;
        let report = daemon.start().await?;
        let api = daemon.api(report.address()?);
        reads_all(&api, &stored).await?;
        agent_completes(&t, &api, &stored[0]).await?;
        daemon.stop().await?;
        drop(daemon);
        drop(disk);
        Ok(())
    });
}

async fn reads_all(
    api: &stigmer_e2e::harness::Api,
    stored: &[stigmer_api::agent::Agent],
) -> Result<(), Failure> {
    use stigmer_api::Resource as _;
    for agent in stored {
        let read: stigmer_api::agent::Agent = api.get(agent.id()).await?;
        assert_eq!(read.spec, agent.spec);
    }
    Ok(())
}
