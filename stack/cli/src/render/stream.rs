//! An execution as it is followed: from successive snapshots to what is new in each.

use stigmer_api::time::seconds_between;

use super::{Line, Mark, Piece};
use crate::api::{Entry, Phase, Snapshot, Speaker, TaskState};

/// Remembers what was shown, so that each phase, message, and task state is shown once and a
/// message that grows is continued instead of repeated.
#[derive(Debug, Default)]
pub struct LiveView {
    phase: Option<Phase>,
    shown: Vec<Shown>,
    /// The message that is the last thing shown and may grow.
    open: Option<usize>,
}

/// What was shown of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Message(String),
    Task(TaskState),
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
                Entry::Task { name, state, error } => {
                    self.task(index, name, *state, error, &mut pieces)
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
        let before = match self.shown.get(index) {
            Some(Shown::Message(before)) => before.clone(),
            _ => String::new(),
        };
        if text.is_empty() || text == before {
            return;
        }
        let growth = text
            .strip_prefix(before.as_str())
            .filter(|_| self.open == Some(index));
        match growth {
            Some(growth) => pieces.push(Piece::Text(growth.to_owned())),
            None => {
                self.close(pieces);
                pieces.push(Piece::Text(format!("{}{text}", prefix(speaker))));
                self.open = Some(index);
            }
        }
        self.remember(index, Shown::Message(text.to_owned()));
    }

    fn task(
        &mut self,
        index: usize,
        name: &str,
        state: TaskState,
        error: &str,
        pieces: &mut Vec<Piece>,
    ) {
        if self.shown.get(index) == Some(&Shown::Task(state)) {
            return;
        }
        let (icon, word) = match state {
            TaskState::Pending => ("⏳", "Pending"),
            TaskState::Running => ("⚙️", "Running"),
            TaskState::Completed => ("✓", "Completed"),
            TaskState::Failed => ("✗", "Failed"),
            TaskState::Skipped => ("⊘", "Skipped"),
        };
        self.close(pieces);
        pieces.push(Piece::Line(Line::plain(format!(
            "{icon} Task: {name} [{word}]"
        ))));
        if !error.is_empty() {
            pieces.push(Piece::Line(Line::plain(format!(
                "   ✗ Error: {}",
                visible(error)
            ))));
        }
        self.remember(index, Shown::Task(state));
    }

    fn remember(&mut self, index: usize, shown: Shown) {
        if index >= self.shown.len() {
            self.shown.resize(index + 1, Shown::Message(String::new()));
        }
        self.shown[index] = shown;
    }

    /// Ends the message that may grow, with the blank line that follows every message.
    fn close(&mut self, pieces: &mut Vec<Piece>) {
        if self.open.take().is_some() {
            pieces.push(Piece::Text("\n\n".to_owned()));
        }
    }
}

/// The summary after the last snapshot.
pub fn final_block(of: &str, snapshot: &Snapshot) -> Vec<Line> {
    let rule = || Line::plain("─".repeat(80));
    let name = if of == "workflow" {
        "Workflow execution"
    } else {
        "Execution"
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
    if of == "workflow" {
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
fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

#[cfg(test)]
mod tests;
