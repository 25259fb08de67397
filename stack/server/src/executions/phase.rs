//! The phases of an execution, the same for agents and workflows, and the order they come in.

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing is said.
    Unspecified,
    /// Accepted; no runner has begun.
    Pending,
    /// A runner works on it.
    InProgress,
    /// It ended as it should.
    Completed,
    /// It ended with an error.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Unspecified,
        Self::Pending,
        Self::InProgress,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The phase with this number on the wire, or `None` for a number the contract does not know.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.number() == number)
    }

    /// The number on the wire.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        self >= Self::Completed
    }

    /// Whether `next` may follow: no step back, and nothing after the end.
    pub fn allows(self, next: Self) -> bool {
        !self.is_terminal() && next >= self
    }

    /// The phases that something must still follow, as numbers on the wire.
    pub fn unfinished() -> Vec<i32> {
        Self::ALL
            .into_iter()
            .filter(|phase| !phase.is_terminal())
            .map(Self::number)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::{agent_execution, workflow_execution};

    use super::*;

    #[test]
    fn numbers_are_those_of_both_execution_kinds() {
        for phase in Phase::ALL {
            let agent = agent_execution::ExecutionPhase::try_from(phase.number()).unwrap();
            let workflow = workflow_execution::ExecutionPhase::try_from(phase.number()).unwrap();
            assert_eq!(agent.as_str_name(), workflow.as_str_name());
            assert_eq!(Phase::from_number(phase.number()), Some(phase));
        }
        assert_eq!(Phase::from_number(6), None);
        assert_eq!(Phase::from_number(-1), None);
    }

    #[test]
    fn no_phase_steps_back_and_none_follows_the_end() {
        for from in Phase::ALL {
            for to in Phase::ALL {
                let expected = !from.is_terminal() && to.number() >= from.number();
                assert_eq!(from.allows(to), expected, "{from:?} -> {to:?}");
            }
        }
        assert_eq!(Phase::unfinished(), [0, 1, 2]);
    }
}
