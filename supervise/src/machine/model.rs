//! Whatever happens, in whatever order: a model of the world, checked at every action.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use proptest::prelude::*;
use rustix::process::Signal;

use super::*;
use crate::{
    Failure, HealthPolicy, Phase, Readiness, RestartPolicy,
    lifecycle::{Action as Do, Event as Happened, KILL_LIMIT},
};

const READY_WITHIN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(10);
/// Nothing is forgiven, so that the number of starts is bounded.
const RESTART: RestartPolicy = RestartPolicy {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(15),
    limit: 3,
    forgiven_after: Duration::MAX,
};
/// Starts of one service: the first and each restart, four times each with bad luck.
const MOST_SPAWNS: u32 = (1 + RESTART.limit) * 4;

/// The world a machine acts on: real state of each process, checked at every action.
#[derive(Clone, Copy, Debug, PartialEq)]
enum World {
    Absent,
    Asked,
    Running {
        obeys: bool,
        dying: bool,
    },
    /// Ended, and its number may belong to somebody else by now.
    Reaped,
    /// Killed longer ago than the limit, and still there: all that is left is to say so.
    Stuck,
}

struct Model {
    machine: Machine,
    now: Instant,
    members: Vec<Member>,
    world: Vec<World>,
    probing: Vec<bool>,
    ready: Vec<bool>,
    spawns: Vec<u32>,
    told: (usize, usize),
}

/// What chance may do to one service, or to all.
#[derive(Clone, Copy, Debug)]
enum Chance {
    Spawn { obeys: bool },
    FailSpawn,
    ProbeReady,
    ProbeNot,
    Die { unlucky: bool },
    Wait(u64),
}

fn any_chance() -> impl Strategy<Value = (usize, Chance)> {
    let chance = prop_oneof![
        8 => any::<bool>().prop_map(|obeys| Chance::Spawn { obeys }),
        1 => Just(Chance::FailSpawn),
        8 => Just(Chance::ProbeReady),
        4 => Just(Chance::ProbeNot),
        2 => any::<bool>().prop_map(|unlucky| Chance::Die { unlucky }),
        6 => (0u64..12_000).prop_map(Chance::Wait),
    ];
    (0usize..6, chance)
}

fn any_members() -> impl Strategy<Value = Vec<Member>> {
    prop::collection::vec((any::<u8>(), any::<bool>(), any::<bool>()), 1..6).prop_map(|raw| {
        let policy = |kill| {
            if kill {
                StopPolicy::Kill
            } else {
                StopPolicy::Graceful { grace: GRACE }
            }
        };
        raw.iter()
            .enumerate()
            .map(|(index, (mask, kill, supervised))| Member {
                depends_on: (0..index)
                    .filter(|other| mask & (1 << other) != 0)
                    .collect(),
                stop: policy(*kill),
                ready_within: READY_WITHIN,
                restart: supervised.then_some(RESTART),
                health: supervised.then(HealthPolicy::default),
            })
            .collect()
    })
}

impl Model {
    fn new(members: Vec<Member>) -> Self {
        let n = members.len();
        Self {
            machine: Machine::new(members.clone(), 1),
            now: Instant::now(),
            members,
            world: vec![World::Absent; n],
            probing: vec![false; n],
            ready: vec![false; n],
            spawns: vec![0; n],
            told: (0, 0),
        }
    }

    fn tell(&mut self, event: Event) -> Result<(), TestCaseError> {
        for action in self.machine.on_event(event, self.now) {
            match action {
                Action::Service(index, action) => self.obey(index, action)?,
                Action::AllReady => {
                    self.told.0 += 1;
                    prop_assert!(
                        self.ready.iter().all(|ready| *ready),
                        "all ready is told too early"
                    );
                }
                Action::AllGone => {
                    self.told.1 += 1;
                    prop_assert!(
                        !self
                            .world
                            .iter()
                            .any(|w| matches!(w, World::Running { .. } | World::Asked)),
                        "all gone is told too early"
                    );
                }
            }
        }
        Ok(())
    }

    fn obey(&mut self, index: usize, action: Do) -> Result<(), TestCaseError> {
        match action {
            Do::Spawn => {
                prop_assert!(
                    matches!(self.world[index], World::Absent | World::Reaped),
                    "started twice"
                );
                // Another start does not wait: what it depends on comes back by itself.
                prop_assert!(
                    self.spawns[index] > 0
                        || self.members[index]
                            .depends_on
                            .iter()
                            .all(|other| self.ready[*other]),
                    "started before what it depends on"
                );
                self.spawns[index] += 1;
                prop_assert!(self.spawns[index] <= MOST_SPAWNS, "started again for ever");
                self.world[index] = World::Asked;
            }
            Do::Probe => {
                let runs = matches!(self.world[index], World::Running { .. });
                prop_assert!(runs && !self.probing[index], "a probe too many");
                self.probing[index] = true;
            }
            Do::CheckHealth => {
                let runs = matches!(self.world[index], World::Running { .. });
                prop_assert!(runs && self.ready[index], "a look at what is not ready");
                self.probing[index] = true;
            }
            Do::Signal(signal) => {
                self.probing[index] = false;
                let World::Running { obeys, dying } = &mut self.world[index] else {
                    return Err(TestCaseError::fail(format!(
                        "{signal:?} to a process that is not there"
                    )));
                };
                *dying |= signal == Signal::KILL || (signal == Signal::TERM && *obeys);
                let replaced = self.machine.phase(index) == Phase::Unhealthy;
                if signal == Signal::TERM && !replaced {
                    let busy = self.members.iter().zip(&self.world).any(|(member, world)| {
                        member.depends_on.contains(&index)
                            && matches!(world, World::Running { .. } | World::Asked)
                    });
                    prop_assert!(!busy, "{index} is asked to stop while something needs it");
                }
            }
            Do::Report(Report::Ready(_)) => {
                prop_assert!(
                    matches!(self.world[index], World::Running { .. }),
                    "a dead process is called ready"
                );
                self.ready[index] = true;
            }
            Do::Report(Report::Failed(Failure::Unkillable)) => {
                prop_assert!(
                    matches!(self.world[index], World::Running { dying: true, .. }),
                    "given up without a kill"
                );
                self.world[index] = World::Stuck;
            }
            Do::Report(_) => self.ready[index] = false,
        }
        Ok(())
    }

    fn happen(&mut self, index: usize, chance: Chance) -> Result<(), TestCaseError> {
        let index = index % self.members.len();
        match (chance, self.world[index]) {
            (Chance::Spawn { obeys }, World::Asked) => {
                self.world[index] = World::Running {
                    obeys,
                    dying: false,
                };
                self.tell(Event::Service(index, Happened::Spawned))
            }
            (Chance::FailSpawn, World::Asked) => {
                self.world[index] = World::Absent;
                self.tell(Event::Service(index, Happened::SpawnFailed("no".into())))
            }
            (Chance::ProbeReady, World::Running { .. }) if self.probing[index] => {
                self.probed(index, Readiness::Ready)
            }
            (Chance::ProbeNot, World::Running { .. }) if self.probing[index] => {
                self.probed(index, Readiness::NotYet("x".into()))
            }
            (Chance::Die { unlucky }, World::Running { .. }) => self.die(index, unlucky),
            (Chance::Wait(ms), _) => {
                self.now += Duration::from_millis(ms);
                self.tell(Event::Tick)
            }
            _ => Ok(()),
        }
    }

    fn probed(&mut self, index: usize, readiness: Readiness) -> Result<(), TestCaseError> {
        self.probing[index] = false;
        self.tell(Event::Service(index, Happened::Probed(readiness)))
    }

    fn die(&mut self, index: usize, unlucky: bool) -> Result<(), TestCaseError> {
        self.world[index] = World::Reaped;
        self.probing[index] = false;
        self.tell(Event::Service(
            index,
            Happened::Exited {
                status: ExitStatus::from_raw(0),
                unlucky,
            },
        ))
    }

    /// Lets the dying die and, when nothing dies, time pass, until nothing is left; fails if that
    /// takes too long.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        let depth = self.members.len() as u32;
        let limit = self.now + (GRACE + KILL_LIMIT) * depth;
        while !self.machine.all_gone() {
            let due =
                |world: &World| matches!(world, World::Asked | World::Running { dying: true, .. });
            if let Some(index) = self.world.iter().position(due) {
                match self.world[index] {
                    World::Asked => self.happen(index, Chance::Spawn { obeys: false })?,
                    _ => self.die(index, false)?,
                }
            } else if let Some(deadline) = self.machine.deadline() {
                prop_assert!(deadline <= limit, "the end is not bounded");
                self.now = self.now.max(deadline);
                self.tell(Event::Tick)?;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_comes_in_bounded_time_and_leaves_nothing(
        members in any_members(),
        before in prop::collection::vec(any_chance(), 0..80),
        kill in any::<bool>(),
        after in prop::collection::vec(any_chance(), 0..20),
    ) {
        let mut model = Model::new(members);
        model.tell(Event::Start)?;
        for (index, chance) in before {
            model.happen(index, chance)?;
        }
        model.tell(if kill { Event::Kill } else { Event::Stop })?;
        for (index, chance) in after {
            model.happen(index, chance)?;
        }
        model.settle()?;
        prop_assert!(!model.world.iter().any(|world| matches!(world, World::Running { .. })), "{:?}", model.world);
        prop_assert!(model.told.0 <= 1 && model.told.1 == 1, "told {:?} times", model.told);
    }

    #[test]
    fn when_nothing_fails_everything_becomes_ready(members in any_members(), order in prop::collection::vec(0usize..6, 64)) {
        let mut model = Model::new(members);
        model.tell(Event::Start)?;
        for index in order.into_iter().chain((0..6).cycle().take(64)) {
            model.happen(index, Chance::Spawn { obeys: true })?;
            model.happen(index, Chance::ProbeReady)?;
        }
        prop_assert_eq!(model.told, (1, 0));
    }
}
