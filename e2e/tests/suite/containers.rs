//! What holds for parts of the stack in containers, beyond what holds for them anyway.

use std::collections::HashSet;

use serde_json::{Value, json};
use stigmer_e2e::{
    containers::{Containers, EngineError, Image},
    harness::{Broken, Environment, Part, Probe, Test, budget::START, story},
    supervise::Signal,
};
use stigmer_e2e_plan::ContainerPart;

use crate::{given, isolation::killed::Victim};

fn containers(t: &Test) -> Result<&Containers, Broken> {
    let containers = t.session().containers.as_ref();
    containers.ok_or_else(|| Broken("this run has no containers".to_owned()))
}

/// The parts of `env` that are in containers, with what the engine says about these.
fn inspected<'a>(t: &Test, env: &'a Environment) -> Result<Vec<(&'a Part, Value)>, Broken> {
    let engine = &containers(t)?.engine;
    let inspect = |(part, name): (&'a Part, String)| {
        let told = engine.ask(&["inspect", &name]);
        let told = told.map_err(|error| Broken(error.to_string()))?;
        let told: Vec<Value> =
            serde_json::from_str(&told).map_err(|error| Broken(error.to_string()))?;
        let first = told.into_iter().next();
        let first = first.ok_or_else(|| Broken(format!("there is no container {name}")))?;
        Ok((part, first))
    };
    let contained = env
        .parts()
        .filter_map(|part| Some((part, part.container()?)));
    contained.map(inspect).collect()
}

#[test]
fn smk_01_a_part_in_a_container_can_do_no_more_than_it_has_to() {
    story(async |t| {
        let env = t.environment().start().await?;
        let network = &containers(&t)?.network.name;
        let parts = inspected(&t, &env)?;
        assert!(!parts.is_empty(), "no part is in a container");
        for (part, container) in parts {
            t.step(format!(
                "look at the container of {}",
                part.component().name()
            ));
            assert_eq!(container["State"]["Pid"], part.pid());
            let host = &container["HostConfig"];
            assert_eq!(host["ReadonlyRootfs"], true);
            assert_eq!(host["Privileged"], false);
            assert_eq!(host["CapDrop"], json!(["ALL"]));
            assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
            assert_eq!(host["PortBindings"], json!({}));
            assert_eq!(host["NetworkMode"], network.as_str());
            let user = container["Config"]["User"].as_str().unwrap_or_default();
            assert!(
                !matches!(user.split(':').next(), None | Some("" | "0" | "root")),
                "{user:?}"
            );
            let folder = env.folder();
            assert_eq!(host["Binds"], json!([format!("{folder}:{folder}")]));
            let labels = &container["Config"]["Labels"];
            assert_eq!(labels["stigmer.e2e.run"], t.session().run_id.as_str());
            let seen = std::fs::read_to_string(format!("/proc/{}/status", part.pid()))?;
            let of = |field: &str| {
                seen.lines()
                    .find_map(|line| line.strip_prefix(field))
                    .map(str::trim)
            };
            assert_eq!(of("CapEff:"), Some("0000000000000000"));
            assert_eq!(of("NoNewPrivs:"), Some("1"));
        }
        t.step("look at their network");
        let internal = ["network", "inspect", "--format", "{{.Internal}}", network];
        assert_eq!(containers(&t)?.engine.ask(&internal)?, "true");
        Ok(())
    });
}

#[test]
fn smk_04_containers_of_environments_have_neither_names_nor_addresses_in_common() {
    story(async |t| {
        let (first, second) = tokio::try_join!(t.environment().start(), t.environment().start())?;
        let mut known = HashSet::new();
        for env in [&first, &second] {
            for (part, _) in inspected(&t, env)? {
                let name = part.container().unwrap_or_default();
                assert!(known.insert(name.clone()), "{name} occurs twice");
                assert!(
                    known.insert(part.ip().to_string()),
                    "{} occurs twice",
                    part.ip()
                );
            }
        }
        Ok(())
    });
}

#[test]
fn iso_05_a_part_that_ends_takes_its_container_along() {
    story(async |t| {
        let env = t.environment().start().await?;
        let engine = containers(&t)?.engine.clone();
        let names = env.parts().filter_map(Part::container).collect::<Vec<_>>();
        let listed = || {
            let all = engine.ask(&["ps", "--all", "--format", "{{.Names}}"])?;
            Ok::<_, EngineError>(all.lines().map(str::to_owned).collect::<HashSet<_>>())
        };
        assert!(
            !names.is_empty()
                && names
                    .iter()
                    .all(|name| listed().is_ok_and(|it| it.contains(name)))
        );
        t.step("end one by SIGKILL, the others politely");
        env.agent_runner().kill9().await?;
        env.workflow_runner().stop().await?;
        env.server().stop().await?;
        let left = listed()?;
        assert!(
            !names.iter().any(|name| left.contains(name)),
            "{names:?} of {left:?}"
        );
        Ok(())
    });
}

#[test]
fn iso_05_a_run_that_is_killed_takes_its_containers_and_its_network_along() {
    story(async |t| {
        let engine = containers(&t)?.engine.clone();
        let victim = Victim::start(&t, &["specimen_goes_on_until_it_is_ended"]).await?;
        let of_run = format!("label=stigmer.e2e.run={}", victim.pending.run_id());
        let listed = |what: &[&str]| {
            let told = engine.ask(&[what, &["--filter", &of_run, "--quiet"]].concat());
            told.map(|told| told.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        let (containers, networks) = (&["ps", "--all"][..], &["network", "ls"][..]);
        t.eventually(
            "its parts are in containers",
            START,
            async || match listed(containers) {
                Ok(names) => given::at_least(2, names.len()),
                Err(error) => Probe::Hopeless(error.to_string()),
            },
        )
        .await?;
        assert_eq!(listed(networks)?.len(), 1);
        t.step("kill -9 the pipeline");
        assert!(victim.pipeline.signal(Signal::KILL), "it was gone before");
        let run = victim.pending.ended(victim.warden).await?;
        assert_eq!(run.leftovers()?, []);
        assert_eq!(listed(containers)?, [""; 0]);
        assert_eq!(listed(networks)?, [""; 0]);
        Ok(())
    });
}

#[test]
fn pre_08_an_image_made_again_from_the_same_program_has_the_same_digests() {
    story(async |t| {
        let containers = containers(&t)?;
        let stack = &t.session().stack;
        for (part, reference) in &containers.images {
            let program = match part {
                ContainerPart::Temporal => &t.session().temporal.cli,
                ContainerPart::Server => &stack.server,
                ContainerPart::WorkflowRunner => &stack.workflow_runner,
                ContainerPart::AgentRunner => &stack.agent_runner,
            };
            t.step(format!("make the image of {} again", part.name()));
            let again = Image::of(*part, &std::fs::read(program)?);
            assert_eq!(again.reference, *reference);
            assert!(
                containers.engine.has(&again),
                "the engine has another {reference}"
            );
        }
        Ok(())
    });
}
