//! An execution as it is followed: from successive snapshots to what is new in each.

use std::collections::HashMap;

use stigmer_api::time::seconds_between;

use super::{Line, Mark, Piece};
use crate::api::{Entry, Phase, Snapshot, Speaker, TaskState};

/// Remembers what was shown, so that each phase, message, and task state is shown once and a
/// message that grows is continued instead of repeated.
#[derive(Debug, Default)]
pub struct LiveView {
    phase: Option<Phase>,
    /// The texts of the messages, by their places.
    messages: Vec<String>,
    /// The message that is the last thing shown and may grow.
    open: Option<usize>,
    /// The states of the tasks, by their ids: a server may tell only of the tasks under way.
    tasks: HashMap<String, TaskState>,
}

impl LiveView {
    /// What `snapshot` adds to what was shown before.
    pub fn update(&mut self, snapshot: &Snapshot) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let ends = snapshot.phase.is_terminal();
        if !ends {
            self.phase_line(snapshot.phase, &mut pieces);
        }
        for (index, entry) in snapshot.entries.iter().enumerate() {
            match entry {
                Entry::Message { speaker, text } => {
                    self.message(index, *speaker, &visible(text), &mut pieces)
                }
                Entry::Task {
                    id,
                    name,
                    state,
                    error,
                } => {
                    if self.tasks.insert(id.clone(), *state) != Some(*state) {
                        self.close(&mut pieces);
                        pieces.extend(task(id, name, *state, error));
                    }
                }
            }
        }
        if ends {
            self.close(&mut pieces);
            self.phase_line(snapshot.phase, &mut pieces);
        }
        pieces
    }

    fn phase_line(&mut self, phase: Phase, pieces: &mut Vec<Piece>) {
        if self.phase == Some(phase) {
            return;
        }
        self.phase = Some(phase);
        let (mark, text) = match phase {
            Phase::Unspecified => return,
            Phase::Pending => (Mark::Info, "⏳ Execution pending..."),
            Phase::InProgress => (Mark::Success, "▶️  Execution started"),
            Phase::Completed => (Mark::Success, "✅ Execution completed"),
            Phase::Failed => (Mark::Error, "❌ Execution failed"),
            Phase::Cancelled => (Mark::Warning, "⚠️  Execution cancelled"),
        };
        self.close(pieces);
        pieces.push(Piece::Line(Line::new(mark, text)));
    }

    fn message(&mut self, index: usize, speaker: Speaker, text: &str, pieces: &mut Vec<Piece>) {
        let before = self.messages.get(index).map_or("", String::as_str);
        if text.is_empty() || text == before {
            return;
        }
        let growth = text
            .strip_prefix(before)
            .filter(|_| self.open == Some(index))
            .map(str::to_owned);
        match growth {
            Some(growth) => pieces.push(Piece::Text(growth)),
            None => {
                self.close(pieces);
                pieces.push(Piece::Text(format!("{}{text}", prefix(speaker))));
                self.open = Some(index);
            }
        }
        if index >= self.messages.len() {
            self.messages.resize(index + 1, String::new());
        }
        text.clone_into(&mut self.messages[index]);
    }

    /// Ends the message that may grow, with the blank line that follows every message.
    fn close(&mut self, pieces: &mut Vec<Piece>) {
        if self.open.take().is_some() {
            pieces.push(Piece::Text("\n\n".to_owned()));
        }
    }
}

/// The lines for a task that is in a new state.
fn task(id: &str, name: &str, state: TaskState, error: &str) -> Vec<Piece> {
    let (icon, word) = match state {
        TaskState::Pending => ("⏳", "Pending"),
        TaskState::Running => ("⚙️", "Running"),
        TaskState::Completed => ("✓", "Completed"),
        TaskState::Failed => ("✗", "Failed"),
        TaskState::Skipped => ("⊘", "Skipped"),
    };
    let name = visible(name);
    let place = place(id, &name).map_or_else(String::new, |place| format!(" ({place})"));
    let mut lines = vec![format!("{icon} Task: {name} [{word}]{place}")];
    if !error.is_empty() {
        lines.push(format!("   ✗ Error: {}", visible(error)));
    }
    let lines = lines.into_iter().map(Line::plain);
    lines.map(Piece::Line).collect()
}

/// Where a task is, if it is inside of another or runs again: its id is a path of names, iterations,
/// and branches, such as `each/2/send`, with `#2` after it for the second round.
fn place(id: &str, name: &str) -> Option<String> {
    let last = id.rsplit('/').next().unwrap_or(id);
    let named = last
        .strip_prefix(name)
        .map(|rest| rest.is_empty() || rest.starts_with('#'));
    (named == Some(true) && id != name).then(|| visible(id))
}

/// The summary after the last snapshot, of an execution that has tasks or else messages.
pub fn final_block(has_tasks: bool, snapshot: &Snapshot) -> Vec<Line> {
    let rule = || Line::plain("─".repeat(80));
    let name = match has_tasks {
        true => "Workflow execution",
        false => "Execution",
    };
    let mut lines = vec![Line::plain(""), rule()];
    match snapshot.phase {
        Phase::Failed => {
            lines.push(Line::new(Mark::Error, format!("{name} failed")));
            if !snapshot.error.is_empty() {
                lines.push(Line::new(
                    Mark::Error,
                    format!("Error: {}", visible(&snapshot.error)),
                ));
            }
        }
        Phase::Cancelled => lines.push(Line::new(Mark::Warning, format!("{name} cancelled"))),
        _ => lines.push(Line::new(Mark::Success, "Done!")),
    }
    if let Some(seconds) = seconds_between(&snapshot.started_at, &snapshot.completed_at) {
        lines.push(Line::new(Mark::Success, format!("Duration: {seconds}s")));
    }
    let tasks = |wanted: TaskState| {
        snapshot
            .entries
            .iter()
            .filter(|e| matches!(e, Entry::Task { state, .. } if *state == wanted))
            .count()
    };
    let mut count =
        |mark: Mark, what: &str, n: usize| lines.push(Line::new(mark, format!("{what}: {n}")));
    if has_tasks {
        count(Mark::Success, "Total tasks", snapshot.entries.len());
        count(Mark::Success, "Completed", tasks(TaskState::Completed));
        for (mark, what, n) in [
            (Mark::Error, "Failed", tasks(TaskState::Failed)),
            (Mark::Info, "Skipped", tasks(TaskState::Skipped)),
        ] {
            if n > 0 {
                count(mark, what, n);
            }
        }
    } else {
        count(Mark::Success, "Total messages", snapshot.entries.len());
        count(Mark::Success, "Tool calls", snapshot.tool_calls);
    }
    lines.extend([rule(), Line::plain("")]);
    lines
}

fn prefix(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Human => "💬 You: ",
        Speaker::Agent => "🤖 Agent: ",
        Speaker::Tool => "🔧 Tool: ",
        Speaker::System => "ℹ️ System: ",
    }
}

/// `text` without the control characters by which a model could drive the terminal.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

#[cfg(test)]
mod tests;
