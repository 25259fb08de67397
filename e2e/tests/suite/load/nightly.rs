//! Scenario EXT-02, a test for each mix. `cargo xtask load` says at how many at once, with how many
//! runners, and on which Temporal.

use serde_json::json;
use stigmer_e2e::{
    baseline::Baseline,
    ensure,
    harness::{Broken, Environment, Failure, Test, story},
    load::{LevelRecord, LoadRecord, Watched, Watching},
};
use stigmer_e2e_plan::{BASELINE, Mix, RemoteTemporal, write_json};

use super::{
    bare::Model,
    level::{at_a_time, on_temporal, on_the_stack},
    work::Work,
};

/// How many times its stored number memory and open files may come to.
const LIMIT: f64 = 1.5;

#[test]
fn ext_02_agents_at_once_all_complete_and_the_stack_stays_within_its_limits() {
    story(async |t| load(&t, Mix::Agents).await);
}

#[test]
fn ext_02_workflows_at_once_all_complete_and_the_stack_stays_within_its_limits() {
    story(async |t| load(&t, Mix::Workflows).await);
}

#[test]
fn ext_02_mixed_executions_at_once_all_complete_and_the_stack_stays_within_its_limits() {
    story(async |t| load(&t, Mix::Mixed).await);
}

#[test]
fn ext_02_a_namespace_whose_queues_others_poll_is_refused_with_their_name() {
    story(async |t| {
        let env = t.environment().start().await?;
        let taken = RemoteTemporal {
            address: env.temporal_address().to_owned(),
            namespace: Some(env.namespace().to_owned()),
        };
        let refused = t.environment().on_temporal(taken).start().await;
        let error = refused.err().map(|error| error.to_string());
        let error = error.ok_or_else(|| Broken("it was taken all the same".to_owned()))?;
        ensure!(
            error.contains("is polled by stigmer-") && error.contains("another namespace"),
            "it is refused otherwise: {error}"
        );
        Ok(())
    });
}

async fn load(t: &Test, mix: Mix) -> Result<(), Failure> {
    // What counts is that everything completes all the same.
    t.allows_errors(
        "temporal",
        "at its limit its calls to its store are late, and are made again",
    );
    let plan = t.session().load.clone().unwrap_or_default();
    let mut builder = t
        .environment()
        .answering("Four.")
        .with_runners(plan.runners);
    if let Some(remote) = plan.temporal.clone() {
        builder = builder.on_temporal(remote);
    }
    let env = builder.start().await?;
    let work = Work::prepare(&env).await?;
    let mut levels = Vec::new();
    for at_once in plan.levels.numbers() {
        levels.push(level(t, &env, &work, mix, *at_once).await?);
    }
    work.stop().await?;
    let record = LoadRecord::of(mix, &plan, levels);
    write_json(&LoadRecord::file(t.folder()), &record)
        .map_err(|e| Failure::new(format!("{e:#}")))?;
    t.fact("knee", json!(record.knee));
    Ok(within_limits(t, &record)?)
}

/// Memory and open files stay within the stored baseline. Times are for `cargo xtask load` to judge, which
/// runs nothing beside the load.
fn within_limits(t: &Test, record: &LoadRecord) -> Result<(), Broken> {
    let file = t.session().root.join(BASELINE);
    let baseline = Baseline::read(&file).map_err(|error| Broken(format!("{error:#}")))?;
    for figure in record.figures().iter().filter(|it| it.is_steady()) {
        let Some(stored) = baseline.value(&figure.name) else {
            continue;
        };
        let (name, value, unit, limit) = (&figure.name, figure.value, figure.unit, stored * LIMIT);
        ensure!(
            value <= limit,
            "{name} is {value:.1} {unit}, and its limit {limit:.1}; if that is right, take the number out of {file} and run `cargo xtask load --save-baseline`"
        );
    }
    Ok(())
}

/// The stack first, then what is bare: both have the machine to themselves.
async fn level(
    t: &Test,
    env: &Environment,
    work: &Work,
    mix: Mix,
    at_once: usize,
) -> Result<LevelRecord, Failure> {
    t.step(format!("{mix}, {at_once} at once"));
    let folder = LoadRecord::folder(t.folder());
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("processes.jsonl");
    let watching = Watching::start(processes(env), &file, at_once)?;
    let stack = on_the_stack(env, work, mix, at_once).await?;
    let processes = watching.stop()?;
    t.step(format!("as many bare workflows, {at_once} at once"));
    let temporal = on_temporal(work, mix, at_once).await?;
    let model = match mix {
        Mix::Workflows => None,
        Mix::Agents | Mix::Mixed => {
            t.step(format!("as many calls to the model, {at_once} at once"));
            let model = Model::of(env.llm())?;
            let what = format!("direct calls to the model, {at_once} at once");
            let one = async |_| {
                let begin = std::time::Instant::now();
                model.ask().await?;
                Ok(Some(begin.elapsed()))
            };
            Some(at_a_time(&what, at_once, one).await?)
        }
    };
    for (name, timed) in [
        ("stack", Some(&stack)),
        ("temporal", Some(&temporal)),
        ("model", model.as_ref()),
    ] {
        if let Some(timed) = timed {
            timed.keep(&folder, &format!("{name}-{at_once}"))?;
            t.fact(
                &format!("{name}, {at_once} at once"),
                json!({
                    "per_second": timed.per_second, "p50_ms": timed.p50_ms, "p99_ms": timed.p99_ms,
                }),
            );
        }
    }
    Ok(LevelRecord {
        at_once,
        stack,
        temporal,
        model,
        processes,
    })
}

/// The parts, and the Temporal that the run started, unless another one carries the work.
fn processes(env: &Environment) -> Vec<Watched> {
    let parts = env.parts().map(|part| Watched {
        name: part.name(),
        pid: part.pid(),
    });
    let session = env.test().session();
    let own = session.services.iter().filter(|service| {
        service.name == "temporal" && env.temporal_address() == session.temporal.address
    });
    let own = own.map(|service| Watched {
        name: service.name.clone(),
        pid: service.pid,
    });
    parts.chain(own).collect()
}
