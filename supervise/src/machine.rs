//! A set of services with dependencies, as a pure state machine: events in, actions out, no I/O.
//!
//! Up: each service starts as soon as all it depends on is ready. Down: each stops as soon as all
//! that depend on it are gone. The first failure turns up into down, except that of a service that
//! is started again after failures: once everything was ready, the others outlive it.

use std::time::{Duration, Instant};

use crate::{
    StopPolicy,
    lifecycle::{self, HealthPolicy, Lifecycle, Phase, Report, RestartPolicy},
};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Bring everything up.
    Start,
    /// Something happened to one service.
    Service(usize, lifecycle::Event),
    /// Bring everything down in order.
    Stop,
    /// Kill everything at once.
    Kill,
    /// Time has passed, see [`Machine::deadline`].
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Do this for, or report this about, one service.
    Service(usize, lifecycle::Action),
    /// Everything is ready.
    AllReady,
    /// Nothing runs any more, and nothing will.
    AllGone,
}

/// One service as the machine sees it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Which services must be ready first, by index; each stands before it in the list, so there
    /// are no cycles.
    pub depends_on: Vec<usize>,
    /// How it is stopped.
    pub stop: StopPolicy,
    /// How long it may take to become ready.
    pub ready_within: Duration,
    /// Whether and how it is started again when it fails after it was ready.
    pub restart: Option<RestartPolicy>,
    /// Whether and how it is watched while it is ready.
    pub health: Option<HealthPolicy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Idle,
    Up,
    Down,
    Kill,
}

/// The state of all services.
#[derive(Debug)]
pub struct Machine {
    members: Vec<(Member, Lifecycle)>,
    mode: Mode,
    retired: bool,
    told_ready: bool,
    told_gone: bool,
}

impl Machine {
    /// Services that are not started; `seed` draws the waits between probes.
    ///
    /// # Panics
    ///
    /// When a service depends on itself or on one that stands after it.
    pub fn new(members: Vec<Member>, seed: u64) -> Self {
        let members: Vec<_> = members
            .into_iter()
            .enumerate()
            .map(|(index, member)| {
                assert!(
                    member.depends_on.iter().all(|other| *other < index),
                    "service {index} depends on a later one"
                );
                let lifecycle = Lifecycle::new(
                    member.ready_within,
                    seed.wrapping_mul(31).wrapping_add(index as u64),
                )
                .with_restarts(member.restart)
                .with_health(member.health);
                (member, lifecycle)
            })
            .collect();
        Self {
            members,
            mode: Mode::Idle,
            retired: false,
            told_ready: false,
            told_gone: false,
        }
    }

    /// When [`Event::Tick`] is due at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.members
            .iter()
            .filter_map(|(_, lifecycle)| lifecycle.deadline())
            .min()
    }

    /// Where one service stands.
    pub fn phase(&self, index: usize) -> Phase {
        self.members[index].1.phase()
    }

    /// Whether everything is ready.
    pub fn all_ready(&self) -> bool {
        self.members
            .iter()
            .all(|(_, lifecycle)| lifecycle.is_ready())
    }

    /// Whether nothing runs any more, and nothing will.
    pub fn all_gone(&self) -> bool {
        self.members
            .iter()
            .all(|(_, lifecycle)| lifecycle.is_gone())
    }

    /// Takes in what happened and says what to do.
    pub fn on_event(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Start => self.mode = self.mode.max(Mode::Up),
            Event::Stop => self.mode = self.mode.max(Mode::Down),
            Event::Kill => self.mode = Mode::Kill,
            Event::Service(index, event) => self.feed(index, event, now, &mut actions),
            Event::Tick => {
                for index in 0..self.members.len() {
                    self.feed(index, lifecycle::Event::Tick, now, &mut actions);
                }
            }
        }
        if self.mode >= Mode::Down && !self.retired {
            self.retired = true;
            for index in 0..self.members.len() {
                self.feed(index, lifecycle::Event::Retire, now, &mut actions);
            }
        }
        match self.mode {
            Mode::Idle => {}
            Mode::Up => self.start_what_can(now, &mut actions),
            Mode::Down => self.stop_what_can(now, &mut actions),
            Mode::Kill => self.kill_all(now, &mut actions),
        }
        if self.mode == Mode::Up && !self.told_ready && self.all_ready() {
            self.told_ready = true;
            actions.push(Action::AllReady);
        }
        if self.mode >= Mode::Down && !self.told_gone && self.all_gone() {
            self.told_gone = true;
            actions.push(Action::AllGone);
        }
        actions
    }

    fn feed(
        &mut self,
        index: usize,
        event: lifecycle::Event,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        for action in self.members[index].1.on_event(event, now) {
            let outlived = self.told_ready && self.members[index].0.restart.is_some();
            let failed = matches!(action, lifecycle::Action::Report(Report::Failed(_)));
            if failed && !outlived {
                self.mode = self.mode.max(Mode::Down);
            }
            actions.push(Action::Service(index, action));
        }
    }

    fn start_what_can(&mut self, now: Instant, actions: &mut Vec<Action>) {
        for index in 0..self.members.len() {
            let (member, lifecycle) = &self.members[index];
            if lifecycle.is_idle()
                && member
                    .depends_on
                    .iter()
                    .all(|other| self.members[*other].1.is_ready())
            {
                self.feed(index, lifecycle::Event::Start, now, actions);
            }
        }
    }

    fn stop_what_can(&mut self, now: Instant, actions: &mut Vec<Action>) {
        // Dependents stand behind what they depend on: backwards, one pass is enough for all that
        // are gone at once.
        for index in (0..self.members.len()).rev() {
            if !self.members[index].1.is_ending() && self.dependents(index).all(Lifecycle::is_gone)
            {
                let policy = self.members[index].0.stop;
                self.feed(index, lifecycle::Event::Stop(policy), now, actions);
            }
        }
    }

    fn kill_all(&mut self, now: Instant, actions: &mut Vec<Action>) {
        for index in 0..self.members.len() {
            self.feed(index, lifecycle::Event::Kill, now, actions);
        }
    }

    fn dependents(&self, index: usize) -> impl Iterator<Item = &Lifecycle> {
        self.members
            .iter()
            .filter(move |(member, _)| member.depends_on.contains(&index))
            .map(|(_, lifecycle)| lifecycle)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
