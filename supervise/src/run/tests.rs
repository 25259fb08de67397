use std::{cell::Cell, rc::Rc, time::Duration};

use super::*;
use crate::{Failure, HealthPolicy, Phase, RestartPolicy, Signal, Spec, StopPolicy, lease::leased};

/// A shell script that is ready when its log says `up`.
struct Script {
    name: &'static str,
    depends_on: Vec<&'static str>,
    script: String,
    log: Utf8PathBuf,
    starts: Rc<Cell<u32>>,
    stop: StopPolicy,
    restart: Option<RestartPolicy>,
    health: Option<HealthPolicy>,
}

const STAYS: &str = "trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done";

impl Service for Script {
    fn name(&self) -> &str {
        self.name
    }

    fn depends_on(&self) -> &[&str] {
        &self.depends_on
    }

    fn command(&self) -> anyhow::Result<Spec> {
        self.starts.set(self.starts.get() + 1);
        let script = self
            .script
            .replace("$START", &self.starts.get().to_string());
        Ok(Spec::new(self.name, "/bin/sh", &self.log).args(["-c", &script]))
    }

    fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
        let log = self.log.clone();
        Box::pin(async move {
            match std::fs::read_to_string(log) {
                Ok(text) if text.contains("up\n") => Readiness::Ready,
                other => Readiness::NotYet(format!("{other:?}")),
            }
        })
    }

    fn health(&self) -> LocalBoxFuture<'static, Readiness> {
        let sick = self.log.with_extension("sick");
        Box::pin(async move {
            match sick.exists() {
                true => Readiness::NotYet("it is sick".to_owned()),
                false => Readiness::Ready,
            }
        })
    }

    fn health_policy(&self) -> Option<HealthPolicy> {
        self.health
    }

    fn restart_policy(&self) -> Option<RestartPolicy> {
        self.restart
    }

    fn stop_policy(&self) -> StopPolicy {
        self.stop
    }

    fn ready_within(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn was_unlucky(&self, log_tail: &[String]) -> bool {
        log_tail
            .iter()
            .any(|line| line.contains("address already in use"))
    }
}

fn mark() -> Mark {
    Mark {
        variable: "STIGMER_SUPERVISE_TEST",
        owner: "run-test".to_owned(),
    }
}

struct Fixture {
    _keep: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        Self {
            folder: Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap(),
            _keep: keep,
        }
    }

    fn script(&self, name: &'static str, depends_on: &[&'static str], script: &str) -> Script {
        Script {
            name,
            depends_on: depends_on.to_vec(),
            script: script.to_owned(),
            log: self.folder.join(format!("{name}.log")),
            starts: Rc::default(),
            stop: StopPolicy::default(),
            restart: None,
            health: None,
        }
    }

    fn supervisor(&self, scripts: Vec<Script>) -> Supervisor {
        let services = scripts
            .into_iter()
            .map(|script| Box::new(script) as Box<dyn Service>)
            .collect();
        Supervisor::new(
            services,
            mark(),
            Lease::take(&self.folder, "run-test").unwrap(),
        )
        .unwrap()
    }
}

#[tokio::test]
async fn services_come_up_by_dependency_and_go_down_in_reverse() {
    let fixture = Fixture::new();
    let mut supervisor = fixture.supervisor(vec![
        fixture.script("base", &[], STAYS),
        fixture.script("top", &["base"], STAYS),
    ]);
    let started = supervisor.up().await.unwrap();
    assert_eq!(
        started.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["base", "top"]
    );
    assert_eq!(leased(&fixture.folder, "run-test").len(), 2);
    let stopped = supervisor.down().await;
    assert_eq!(
        stopped.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["top", "base"]
    );
    assert!(stopped.iter().all(|s| !s.stopped.forced), "{stopped:?}");
    assert_eq!(leased(&fixture.folder, "run-test"), []);
}

#[tokio::test]
async fn a_service_that_dies_while_starting_ends_up_at_once_and_takes_the_others_down() {
    let fixture = Fixture::new();
    let scripts = vec![
        fixture.script("good", &[], STAYS),
        fixture.script("bad", &[], "echo out of memory; exit 4"),
    ];
    let mut supervisor = fixture.supervisor(scripts);
    let error = supervisor.up().await.unwrap_err();
    assert_eq!(
        (error.service.as_str(), &error.tail[..]),
        ("bad", &["out of memory".to_owned()][..])
    );
    assert_eq!(
        leased(&fixture.folder, "run-test"),
        [],
        "something was left running"
    );
}

#[tokio::test]
async fn a_death_after_ready_is_noticed_and_named() {
    let fixture = Fixture::new();
    let mut supervisor = fixture.supervisor(vec![fixture.script("temporal", &[], STAYS)]);
    let started = supervisor.up().await.unwrap();
    crate::Identity::of(started[0].pid)
        .unwrap()
        .signal(rustix::process::Signal::KILL);
    let error = tokio::time::timeout(Duration::from_secs(10), supervisor.failed())
        .await
        .unwrap();
    assert!(
        error.to_string().starts_with("temporal died (signal: 9"),
        "{error}"
    );
}

#[tokio::test]
async fn a_taken_port_gets_another_try() {
    let fixture = Fixture::new();
    let script = "[ $START -lt 3 ] && { echo 'listen: address already in use'; exit 1; }; "
        .to_owned()
        + STAYS;
    let script = fixture.script("temporal", &[], &script);
    let starts = script.starts.clone();
    let mut supervisor = fixture.supervisor(vec![script]);
    supervisor.up().await.unwrap();
    assert_eq!(starts.get(), 3);
    supervisor.down().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    struct Missing(Script);
    impl Service for Missing {
        fn name(&self) -> &str {
            "llm"
        }
        fn command(&self) -> anyhow::Result<Spec> {
            Ok(Spec::new("llm", "/no/such/python", &self.0.log))
        }
        fn probe(&self) -> LocalBoxFuture<'static, Readiness> {
            self.0.probe()
        }
    }
    let services: Vec<Box<dyn Service>> = vec![Box::new(Missing(fixture.script("llm", &[], "")))];
    let mut supervisor = Supervisor::new(
        services,
        mark(),
        Lease::take(&fixture.folder, "run-test").unwrap(),
    )
    .unwrap();
    let error = supervisor.up().await.unwrap_err();
    assert!(
        matches!(&error.failure, Failure::Spawn(cause) if cause.contains("/no/such/python")),
        "{error}"
    );
}

#[tokio::test]
async fn kill_ends_even_what_ignores_every_request() {
    let fixture = Fixture::new();
    let stubborn = "trap '' TERM INT HUP; echo up; while :; do sleep 0.01; done";
    let mut supervisor = fixture.supervisor(vec![fixture.script("stubborn", &[], stubborn)]);
    supervisor.up().await.unwrap();
    let begin = Instant::now();
    supervisor.kill().await;
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(leased(&fixture.folder, "run-test"), []);
}

#[tokio::test]
async fn a_dependency_that_is_not_listed_is_refused() {
    let fixture = Fixture::new();
    let services: Vec<Box<dyn Service>> = vec![Box::new(fixture.script("top", &["base"], STAYS))];
    let error = Supervisor::new(services, mark(), Lease::take(&fixture.folder, "r").unwrap())
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "top depends on base, which is not listed before it"
    );
}

const QUICKLY: RestartPolicy = RestartPolicy {
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    limit: 4,
    forgiven_after: Duration::from_secs(60),
};

/// Waits until the states of `supervisor` are as wanted.
async fn until_states(supervisor: &mut Supervisor, wanted: impl Fn(&[ServiceState]) -> bool) {
    let wait = async {
        while !wanted(&supervisor.states()) {
            supervisor.changed().await;
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(outcome.is_ok(), "{:#?}", supervisor.states());
}

#[tokio::test]
async fn a_supervised_service_that_is_killed_comes_back_as_another_process() {
    let fixture = Fixture::new();
    let mut runner = fixture.script("runner", &["base"], STAYS);
    runner.restart = Some(QUICKLY);
    let mut supervisor = fixture.supervisor(vec![fixture.script("base", &[], STAYS), runner]);
    supervisor.up().await.unwrap();
    let before = supervisor.states();
    before[1].process.unwrap().signal(Signal::KILL);
    until_states(&mut supervisor, |states| {
        states[1].restarts == 1 && states[1].phase == Phase::Ready
    })
    .await;
    let after = supervisor.states();
    assert_ne!(before[1].process, after[1].process);
    assert_eq!(before[0].process, after[0].process, "the other one stays");
    let told = after[1].last_failure.as_deref().unwrap();
    assert!(told.starts_with("died (signal: 9"), "{told}");
    assert_eq!(leased(&fixture.folder, "run-test").len(), 2);
    supervisor.down().await;
}

#[tokio::test]
async fn a_supervised_service_that_always_dies_is_given_up_and_the_others_stay() {
    let fixture = Fixture::new();
    let dies_later = "[ $START -gt 1 ] && exit 7; ".to_owned() + STAYS;
    let mut runner = fixture.script("runner", &["base"], &dies_later);
    runner.restart = Some(QUICKLY);
    let starts = runner.starts.clone();
    let mut supervisor = fixture.supervisor(vec![fixture.script("base", &[], STAYS), runner]);
    supervisor.up().await.unwrap();
    let runner = supervisor.states()[1].process.unwrap();
    runner.signal(Signal::KILL);
    until_states(&mut supervisor, |states| states[1].failed).await;
    assert_eq!(starts.get(), 1 + QUICKLY.limit);
    let states = supervisor.states();
    assert_eq!(
        (states[0].phase, states[1].phase),
        (Phase::Ready, Phase::Gone)
    );
    assert!(supervisor.failure().is_some());
    let stopped = supervisor.down().await;
    assert_eq!(stopped.len(), 1, "{stopped:?}");
}

#[tokio::test]
async fn a_service_that_says_it_is_sick_is_replaced() {
    let fixture = Fixture::new();
    let mut runner = fixture.script("runner", &[], STAYS);
    runner.restart = Some(QUICKLY);
    runner.health = Some(HealthPolicy {
        every: Duration::from_millis(10),
        answer_within: Duration::from_secs(5),
        failures: 2,
    });
    let sick = runner.log.with_extension("sick");
    let mut supervisor = fixture.supervisor(vec![runner]);
    supervisor.up().await.unwrap();
    std::fs::write(&sick, "").unwrap();
    until_states(&mut supervisor, |states| {
        states[0].phase == Phase::Unhealthy
    })
    .await;
    std::fs::remove_file(&sick).unwrap();
    until_states(&mut supervisor, |states| {
        states[0].restarts == 1 && states[0].phase == Phase::Ready
    })
    .await;
    let told = supervisor.states()[0].last_failure.clone().unwrap();
    assert_eq!(told, "does not work any more; last seen: it is sick");
    supervisor.down().await;
}
