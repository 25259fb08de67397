//! A world for tests: scripted answers, signals, and a clock that jumps to the next thing to do.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use stigmer_api::workflow_execution::{WorkflowTask, WorkflowTaskStatus};

use super::super::*;
use crate::{document, secrets};

type Script = dyn Fn(&Request) -> (u64, Result<Json, Fault>);

/// What the tests know of the world.
#[derive(Default)]
struct World {
    now: Cell<u64>,
    /// When something is due, in milliseconds since the start.
    due: RefCell<BTreeSet<u64>>,
    random: Cell<u64>,
    requests: RefCell<Vec<Request>>,
    running: Cell<usize>,
    most_running: Cell<usize>,
    signals: RefCell<Vec<(u64, String, Json)>>,
    cancelled: Cell<u32>,
    interrupt_at: Cell<Option<u64>>,
}

/// Effects on such a world.
#[derive(Clone)]
pub(super) struct Fake {
    world: Rc<World>,
    script: Rc<Script>,
}

/// What a run did.
pub(super) struct Ran {
    pub(super) result: Result<Outcome, Stop<TaskError, &'static str>>,
    pub(super) tasks: Vec<WorkflowTask>,
    pub(super) requests: Vec<Request>,
    pub(super) millis: u64,
    pub(super) most_running: usize,
    pub(super) cancelled: u32,
}

impl Ran {
    pub(super) fn output(&self) -> &Json {
        &self
            .result
            .as_ref()
            .unwrap_or_else(|stop| panic!("{stop:?}"))
            .output
    }

    pub(super) fn data(&self, name: &str) -> Json {
        self.result
            .as_ref()
            .unwrap_or_else(|stop| panic!("{stop:?}"))
            .data
            .get(name)
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn error(&self) -> String {
        match &self.result {
            Err(Stop::Failed(error)) => error.to_string(),
            other => panic!("a failure, not {other:?}"),
        }
    }

    /// `id: state` of every task, one letter for the state.
    pub(super) fn states(&self) -> Vec<String> {
        let letter = |task: &WorkflowTask| match task.status() {
            WorkflowTaskStatus::WorkflowTaskInProgress => 'i',
            WorkflowTaskStatus::WorkflowTaskCompleted => 'c',
            WorkflowTaskStatus::WorkflowTaskFailed => 'f',
            WorkflowTaskStatus::WorkflowTaskSkipped => 's',
            _ => '?',
        };
        self.tasks
            .iter()
            .map(|task| format!("{}:{}", task.task_id, letter(task)))
            .collect()
    }
}

/// A run to be made.
pub(super) struct Scenario {
    tasks: Json,
    script: Rc<Script>,
    world: World,
    input: Json,
}

/// A scenario of the DSL's list of tasks, in which every call answers null at once.
pub(super) fn scenario(tasks: Json) -> Scenario {
    Scenario {
        tasks,
        script: Rc::new(|_| (0, Ok(Json::Null))),
        world: World::default(),
        input: Json::Null,
    }
}

impl Scenario {
    /// Answers calls: after how many milliseconds, and what.
    pub(super) fn answering(
        mut self,
        script: impl Fn(&Request) -> (u64, Result<Json, Fault>) + 'static,
    ) -> Self {
        self.script = Rc::new(script);
        self
    }

    pub(super) fn signal(self, at: u64, id: &str, data: Json) -> Self {
        self.world
            .signals
            .borrow_mut()
            .push((at, id.to_owned(), data));
        self.world.due.borrow_mut().insert(at);
        self
    }

    pub(super) fn interrupted(self, at: u64) -> Self {
        self.world.interrupt_at.set(Some(at));
        self.world.due.borrow_mut().insert(at);
        self
    }

    pub(super) fn input(mut self, input: Json) -> Self {
        self.input = input;
        self
    }

    pub(super) fn run(self) -> Ran {
        let document = json!({"document": {"dsl": "1.0.0", "namespace": "n", "name": "w", "version": "1"}, "do": self.tasks});
        let workflow = document::read(&document.to_string()).unwrap_or_else(|e| panic!("{e}"));
        let environment = secrets::tests::environment();
        let interpreter = Interpreter::new(
            workflow,
            Constants {
                execution_id: "wex-1".into(),
                input: self.input,
                environment,
            },
        );
        let fake = Fake {
            world: Rc::new(self.world),
            script: self.script,
        };
        let world = fake.world.clone();
        let result = drive(&world, interpreter.run(&fake));
        Ran {
            result,
            tasks: interpreter.tasks(),
            requests: world.requests.take(),
            millis: world.now.get(),
            most_running: world.most_running.get(),
            cancelled: world.cancelled.get(),
        }
    }
}

/// Polls until ready, moving the clock to the next due time whenever nothing else can happen.
fn drive<T>(world: &World, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
        let now = world.now.get();
        let next = world.due.borrow().range(now + 1..).next().copied();
        world
            .now
            .set(next.unwrap_or_else(|| panic!("the run waits at {now} ms for nothing")));
    }
}

impl Fake {
    /// Ready at this time, or earlier with an interrupt.
    async fn until(&self, at: u64) -> Effect<(), &'static str> {
        self.world.due.borrow_mut().insert(at);
        poll_fn(|_| match self.world.interrupt_at.get() {
            Some(when) if when <= self.world.now.get() => {
                Poll::Ready(Err(Stop::Interrupted("cancelled")))
            }
            _ if at <= self.world.now.get() => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        })
        .await
    }
}

impl Effects for Fake {
    type Interrupt = &'static str;

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + self.world.now.get() as i64)
            .expect("a time of this century")
    }

    fn random(&self) -> u64 {
        self.world.random.set(self.world.random.get() + 1);
        self.world.random.get()
    }

    fn changed(&self) {}

    fn branch(&self) -> Self {
        self.clone()
    }

    fn cancel(&self) {
        self.world.cancelled.set(self.world.cancelled.get() + 1);
    }

    async fn call(&self, request: Request) -> Effect<Json, &'static str> {
        let (millis, answer) = (self.script)(&request);
        self.world.requests.borrow_mut().push(request);
        self.world.running.set(self.world.running.get() + 1);
        self.world
            .most_running
            .set(self.world.most_running.get().max(self.world.running.get()));
        let waited = self.until(self.world.now.get() + millis).await;
        self.world.running.set(self.world.running.get() - 1);
        waited?;
        answer.map_err(Stop::Failed)
    }

    async fn sleep(&self, duration: Duration) -> Effect<(), &'static str> {
        self.until(self.world.now.get() + duration.as_millis() as u64)
            .await
    }

    async fn take_turns(&self) -> Effect<(), &'static str> {
        self.until(self.world.now.get() + 1).await
    }

    async fn receive(
        &self,
        awaited: Awaited,
    ) -> Effect<Option<BTreeMap<String, Json>>, &'static str> {
        let end = self.world.now.get() + awaited.timeout.as_millis() as u64;
        self.world.due.borrow_mut().insert(end);
        let needed = if awaited.all { awaited.events.len() } else { 1 };
        Ok(poll_fn(|_| {
            let now = self.world.now.get();
            let signals = self.world.signals.borrow();
            let mut found = BTreeMap::new();
            for (_, id, data) in signals
                .iter()
                .filter(|(at, id, _)| *at <= now && awaited.events.iter().any(|e| e.id == *id))
            {
                if found.len() < needed {
                    found.entry(id.clone()).or_insert(data.clone());
                }
            }
            match found.len() >= needed {
                true => Poll::Ready(Some(found)),
                false if now >= end => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await)
    }
}
