//! Noticing a model that goes round in circles.

use std::collections::VecDeque;

use crate::llm::ToolRequest;

/// How many calls are remembered.
const HISTORY: usize = 10;

/// From this many equal calls in a row on, the model is told.
const WARN: usize = 3;

/// At this many equal calls among those remembered, the turn ends.
const STOP: usize = 5;

/// What to do about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Fine,
    /// Tell the model that this is its call of this number in a row.
    Warn(usize),
    /// End the turn: this is the call of this number.
    Stop(usize),
}

/// The last calls of one agent.
#[derive(Debug, Default)]
pub struct Repetition {
    last: VecDeque<(String, String)>,
}

impl Repetition {
    /// Takes note of a call.
    pub fn note(&mut self, request: &ToolRequest) -> Verdict {
        // Equal objects are written alike, whatever the order of their fields.
        let arguments = request.parsed_arguments().map_or_else(
            |_| request.arguments.clone(),
            |object| sorted(object.into()),
        );
        let call = (request.name.clone(), arguments);
        let in_a_row = 1 + self.last.iter().rev().take_while(|c| **c == call).count();
        let in_all = 1 + self.last.iter().filter(|c| **c == call).count();
        self.last.push_back(call);
        if self.last.len() > HISTORY {
            self.last.pop_front();
        }
        match (in_all, in_a_row) {
            (STOP.., _) => Verdict::Stop(in_all),
            (_, WARN..) => Verdict::Warn(in_a_row),
            _ => Verdict::Fine,
        }
    }
}

fn sorted(value: serde_json::Value) -> String {
    let mut value = value;
    value.sort_all_objects();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, arguments: &str) -> ToolRequest {
        ToolRequest {
            id: String::new(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        }
    }

    #[test]
    fn equal_calls_in_a_row_are_warned_of_and_then_stopped() {
        let mut repetition = Repetition::default();
        let verdicts = (0..5).map(|n| {
            let arguments = if n % 2 == 0 {
                r#"{"a":1,"b":2}"#
            } else {
                r#"{ "b":2, "a":1 }"#
            };
            repetition.note(&request("poll", arguments))
        });
        assert_eq!(
            verdicts.collect::<Vec<_>>(),
            [
                Verdict::Fine,
                Verdict::Fine,
                Verdict::Warn(3),
                Verdict::Warn(4),
                Verdict::Stop(5)
            ]
        );
    }

    #[test]
    fn going_to_and_fro_is_stopped_as_well() {
        let mut repetition = Repetition::default();
        let last = (0..9)
            .map(|n| repetition.note(&request(["a", "b"][n % 2], "{}")))
            .last();
        assert_eq!(last, Some(Verdict::Stop(5)));
    }

    #[test]
    fn different_calls_are_fine_and_old_ones_forgotten() {
        let mut repetition = Repetition::default();
        for n in 0..100 {
            let arguments = format!("{{\"page\":{n}}}");
            assert_eq!(repetition.note(&request("list", &arguments)), Verdict::Fine);
            if n % 8 == 0 {
                assert_eq!(repetition.note(&request("poll", "{}")), Verdict::Fine);
            }
        }
    }
}
