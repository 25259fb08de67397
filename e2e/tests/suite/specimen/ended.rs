//! Tests whose story holds, and that have to fail for how something ended: too early, or not at all.

use stigmer_e2e::{
    harness::{Probe, budget::COMMAND, story},
    supervise::{Identity, Signal},
};

#[test]
#[ignore = "it has to fail; scenario LOG-07 runs it"]
fn specimen_whose_runner_crashes() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        let runner = env.agent_runner().pid();
        t.step("kill -9 the runner, behind the back of the harness");
        let killed = Identity::of(runner).is_some_and(|it| it.signal(Signal::KILL));
        assert!(killed, "it was gone before");
        t.eventually("it is gone", COMMAND, async || match Identity::of(runner) {
            None => Probe::Done(()),
            Some(_) => Probe::NotYet("it is there".to_owned()),
        })
        .await?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario LOG-07 runs it"]
fn specimen_leaves_a_process_behind() {
    story(async |t| {
        t.step("a process that outlives the command that started it");
        // It has left the group of the command before that ends, which would take it along.
        let leave = "setsid sh -c 'echo away >left; exec sleep 600' </dev/null >/dev/null 2>&1 & \
                     until [ -s left ]; do :; done";
        let left = t
            .command("/bin/sh".into())
            .args(["-c", leave])
            .run()
            .await?;
        left.exited_with(0)?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario ISO-05 ends it"]
fn specimen_goes_on_until_it_is_ended() {
    story(async |t| {
        let _env = t.environment().without_workflow_runner().start().await?;
        t.step("everything is up, and the story goes on");
        let nobody = async || Probe::<()>::NotYet("nobody has".to_owned());
        t.eventually("somebody ends this test", COMMAND, nobody)
            .await?;
        Ok(())
    });
}

#[test]
#[ignore = "it has to fail; scenario ISO-01 runs it"]
fn specimen_uses_the_home_of_the_run() {
    story(async |t| {
        let home = std::env::home_dir().unwrap_or_default();
        let guard = home.join(".stigmer");
        // Nobody else's: a run of the pipeline gives its tests a HOME in its results.
        assert!(home.starts_with(&t.session().results), "{home:?}");
        std::fs::remove_file(&guard)?;
        std::fs::create_dir_all(guard.join("data"))?;
        Ok(())
    });
}
