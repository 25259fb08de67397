//! What a model remembers of a session: the last turns that completed, as far as there is room.

use stigmer_api::{
    Resource,
    agent_execution::{AgentExecution, ExecutionPhase},
};

use super::{answer_of, user_text};

/// The most turns that are told again.
const MOST_TURNS: usize = 50;

/// The most that is told again, in characters: about a quarter of what small models can read.
const MOST_CHARACTERS: usize = 32 * 1024;

/// The turns before `execution` in their order. Ids are ordered by creation, so comparing them tells
/// earlier from later. When not all have room, the newest count.
pub fn earlier_turns<'a>(
    session: &'a [AgentExecution],
    execution: &AgentExecution,
) -> Vec<&'a AgentExecution> {
    let mut turns = session
        .iter()
        .filter(|turn| turn.id() < execution.id())
        .filter(|turn| {
            turn.status
                .as_ref()
                .is_some_and(|s| s.phase() == ExecutionPhase::ExecutionCompleted)
        })
        .collect::<Vec<_>>();
    turns.sort_by_key(|turn| turn.id());
    stigmer_fault::inject!(MemoryLost, { turns.clear() });
    let mut left = MOST_CHARACTERS;
    let fitting = turns.iter().rev().take(MOST_TURNS).take_while(|turn| {
        let size = user_text(turn).chars().count() + answer_of(turn).chars().count();
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let kept = fitting.count();
    turns.split_off(turns.len() - kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::tests::execution;

    fn turn(number: usize, answer: &str) -> AgentExecution {
        let id = format!("aex-{number:04}");
        execution(&id, "question", ExecutionPhase::ExecutionCompleted, answer)
    }

    fn remembered(session: &[AgentExecution]) -> Vec<&str> {
        let now = turn(9999, "");
        earlier_turns(session, &now)
            .iter()
            .map(|turn| turn.id())
            .collect()
    }

    #[test]
    fn the_newest_turns_are_remembered() {
        let session = (0..80)
            .map(|number| turn(number, "short"))
            .collect::<Vec<_>>();
        let remembered = remembered(&session);
        assert_eq!(remembered.len(), MOST_TURNS);
        assert_eq!(
            (remembered[0], *remembered.last().unwrap()),
            ("aex-0030", "aex-0079")
        );
    }

    #[test]
    fn a_turn_for_which_there_is_no_room_ends_the_memory() {
        let session = [
            turn(1, "short"),
            turn(2, &"x".repeat(MOST_CHARACTERS)),
            turn(3, "short"),
            turn(4, "short"),
        ];
        assert_eq!(remembered(&session), ["aex-0003", "aex-0004"]);
    }
}
