//! Starting, doing work, stopping.

use std::{
    collections::BTreeSet,
    net::TcpStream,
    time::{Duration, Instant},
};

use stigmer_api::agent::Agent;
use stigmer_e2e::{
    harness::{
        Component, Part, QUEUES,
        budget::{START, STOP, STOP_TARGET},
        story,
    },
    supervise::Identity,
};

#[test]
fn smk_01_a_fresh_environment_answers_and_each_part_says_what_it_is() {
    story(async |t| {
        let start = Instant::now();
        let env = t.environment().start().await?;
        t.step("ask the API for something that does not exist");
        let error = env.api().by_slug::<Agent>("nobody").await.unwrap_err();
        assert_eq!(error.code(), tonic::Code::NotFound);
        t.within(START, "the first query was answered", start.elapsed())?;

        t.step("compare what each part says about itself with the process table");
        let mut pids = Vec::new();
        for part in env.parts() {
            let ready = part.ready();
            assert_eq!(ready.component, part.component().name());
            assert!(
                Identity::of(part.pid()).is_some(),
                "{} is not running",
                ready.component
            );
            let executable = std::fs::read_link(format!("/proc/{}/exe", part.pid()))?;
            assert_eq!(
                executable,
                part.executable()?,
                "the pid belongs to another program"
            );
            assert!(!ready.version.is_empty());
            let is_hash =
                ready.build.len() >= 16 && ready.build.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(
                is_hash,
                "{} has no build hash: {:?}",
                ready.component, ready.build
            );
            let told = t
                .command(part.program())
                .args(["--version"])
                .run()
                .await?
                .stdout;
            assert_eq!(
                told.trim_end(),
                format!(
                    "{} {} (build {})",
                    ready.component, ready.version, ready.build
                )
            );
            pids.push(part.pid());
        }
        let distinct = pids.iter().collect::<std::collections::HashSet<_>>().len();
        assert_eq!(distinct, pids.len(), "parts share a process: {pids:?}");
        assert_eq!(pids.len(), 3);
        for runner in [env.workflow_runner(), env.agent_runner()] {
            assert_eq!(runner.ready().address, None);
        }
        let address = env.server().address();
        assert!(
            address.starts_with(&format!("{}:", env.server().ip())) && !address.ends_with(":7234"),
            "{address}"
        );
        Ok(())
    });
}

#[test]
fn smk_02_ready_means_that_every_queue_does_work() {
    story(async |t| {
        let env = t.environment().start().await?;
        t.step("the parts announce the seven queues of the stack, each one once");
        let announced = env.parts().flat_map(|part| part.ready().task_queues);
        let mut announced = announced.collect::<Vec<_>>();
        announced.sort();
        let expected = QUEUES.map(|(queue, _)| queue.default);
        let expected = BTreeSet::from(expected).into_iter().collect::<Vec<_>>();
        assert_eq!(expected.len(), 7);
        assert_eq!(announced, expected);
        t.step("every queue has a live poller, and it is one of these parts");
        let own = env.parts().map(|part| {
            let ready = part.ready();
            format!("{}@{}/", ready.component, ready.pid)
        });
        let own = own.collect::<Vec<_>>();
        for (queue, kind) in QUEUES {
            let pollers = env.temporal().pollers(queue.default, kind).await?;
            let identities = pollers.iter().map(|poller| poller.identity.as_str());
            let identities = identities.collect::<Vec<_>>();
            assert!(
                !identities.is_empty()
                    && identities
                        .iter()
                        .all(|identity| own.iter().any(|own| identity.starts_with(own))),
                "{kind:?} tasks of {} are polled by {identities:?}",
                queue.default
            );
        }
        t.step("a no-op is picked up from each of them");
        let quick = Duration::from_secs(2);
        let server_queues = env.server().ready().task_queues;
        for queue in &server_queues {
            env.temporal().ping(queue, None, quick).await?;
        }
        for runner in [env.workflow_runner(), env.agent_runner()] {
            for queue in runner.ready().task_queues {
                env.temporal()
                    .ping(&server_queues[0], Some(&queue), quick)
                    .await?;
            }
        }
        t.step("and a part that is frozen does not count as working");
        let briefly = Duration::from_millis(500);
        for runner in [env.workflow_runner(), env.agent_runner()] {
            runner.freeze().await;
            let queues = runner.ready().task_queues;
            let pings = queues
                .iter()
                .map(|queue| env.temporal().ping(&server_queues[0], Some(queue), briefly));
            let pings = futures_util::future::join_all(pings).await;
            runner.thaw().await;
            for (ping, queue) in pings.iter().zip(&queues) {
                assert!(
                    ping.is_err(),
                    "the ping passed through {queue} of a frozen runner"
                );
            }
        }
        Ok(())
    });
}

#[test]
fn smk_03_a_stop_is_quick_clean_and_leaves_nothing() {
    story(async |t| {
        let env = t.environment().start().await?;
        let address = env.server().address();
        let processes = env
            .parts()
            .map(|part| Identity::of(part.pid()).expect("it runs"))
            .collect::<Vec<_>>();
        t.step("stop every part");
        let start = Instant::now();
        for part in [env.workflow_runner(), env.agent_runner(), env.server()] {
            let stopped = part.stop().await?.expect("it was running");
            assert!(!stopped.forced, "{:?} had to be killed", part.component());
            let status = stopped.status.expect("it was running");
            assert_eq!(status.code(), Some(0), "{:?}: {status}", part.component());
        }
        t.within(STOP, "every part stopped", start.elapsed())?;
        assert!(
            start.elapsed() < STOP_TARGET,
            "stopping took {:?}",
            start.elapsed()
        );
        t.step("look for what is left");
        assert!(
            TcpStream::connect_timeout(&address.parse()?, Duration::from_secs(1)).is_err(),
            "{address} still listens"
        );
        assert!(
            !processes.iter().any(Identity::is_alive),
            "a part is still alive"
        );
        Ok(())
    });
}

#[test]
fn smk_04_two_environments_started_at_once_share_nothing() {
    story(async |t| {
        let (first, second) = tokio::try_join!(t.environment().start(), t.environment().start())?;
        assert_ne!(first.server().address(), second.server().address());
        assert_ne!(first.folder(), second.folder());
        assert_ne!(first.home(), second.home());
        assert_ne!(first.store().path(), second.store().path());
        assert_ne!(first.namespace(), second.namespace());
        let pids = |env: &stigmer_e2e::harness::Environment| {
            env.parts().map(Part::pid).collect::<Vec<_>>()
        };
        assert!(pids(&first).iter().all(|pid| !pids(&second).contains(pid)));
        t.step("both do work");
        let (one, two) = tokio::join!(
            first.ping(Duration::from_secs(5)),
            second.ping(Duration::from_secs(5))
        );
        one?;
        two?;
        Ok(())
    });
}

#[test]
fn smk_05_a_wrong_binary_path_fails_at_once_and_is_named() {
    story(async |t| {
        for component in [
            Component::Server,
            Component::WorkflowRunner,
            Component::AgentRunner,
        ] {
            let start = Instant::now();
            let error = t
                .environment()
                .with_program(component, "/nowhere/binary")
                .start()
                .await
                .err();
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "it took {:?}",
                start.elapsed()
            );
            let text = error.expect("a missing program cannot start").to_string();
            assert!(
                text.contains("/nowhere/binary"),
                "the path is not named: {text}"
            );
            assert!(
                text.contains(component.name()),
                "the part is not named: {text}"
            );
        }
        // Teardown fails this test if a part of either environment is still there.
        Ok(())
    });
}
