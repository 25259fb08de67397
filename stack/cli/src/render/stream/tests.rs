use super::*;

fn snapshot(phase: Phase, messages: &[(Speaker, &str)]) -> Snapshot {
    Snapshot {
        phase,
        error: String::new(),
        started_at: String::new(),
        completed_at: String::new(),
        entries: messages
            .iter()
            .map(|(speaker, text)| Entry::Message {
                speaker: *speaker,
                text: (*text).to_owned(),
            })
            .collect(),
        tool_calls: 0,
    }
}

fn tasks(phase: Phase, tasks: &[(&str, TaskState, &str)]) -> Snapshot {
    let entries = tasks.iter().map(|(name, state, error)| Entry::Task {
        id: (*name).to_owned(),
        name: name
            .rsplit('/')
            .next()
            .unwrap()
            .split('#')
            .next()
            .unwrap()
            .to_owned(),
        state: *state,
        error: (*error).to_owned(),
    });
    Snapshot {
        entries: entries.collect(),
        ..snapshot(phase, &[])
    }
}

/// Everything that following `snapshots` puts on the screen.
fn screen(snapshots: &[Snapshot]) -> String {
    let mut view = LiveView::default();
    let pieces = snapshots
        .iter()
        .flat_map(|snapshot| view.update(snapshot))
        .collect::<Vec<_>>();
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Line(line) => format!("{}\n", line.text),
        })
        .collect()
}

#[test]
fn each_phase_is_shown_once() {
    let phases = [
        Phase::Pending,
        Phase::Pending,
        Phase::InProgress,
        Phase::InProgress,
        Phase::Completed,
    ];
    assert_eq!(
        screen(&phases.map(|phase| snapshot(phase, &[]))),
        "⏳ Execution pending...\n▶️  Execution started\n✅ Execution completed\n"
    );
}

#[test]
fn a_growing_message_is_continued_not_repeated() {
    let human = (Speaker::Human, "hi");
    let shown = screen(&[
        snapshot(Phase::InProgress, &[human]),
        snapshot(Phase::InProgress, &[human, (Speaker::Agent, "")]),
        snapshot(Phase::InProgress, &[human, (Speaker::Agent, "Hel")]),
        snapshot(Phase::InProgress, &[human, (Speaker::Agent, "Hel")]),
        snapshot(Phase::InProgress, &[human, (Speaker::Agent, "Hello\nyou")]),
        snapshot(Phase::Completed, &[human, (Speaker::Agent, "Hello\nyou!")]),
    ]);
    assert_eq!(
        shown,
        "▶️  Execution started\n💬 You: hi\n\n🤖 Agent: Hello\nyou!\n\n✅ Execution completed\n"
    );
}

#[test]
fn growth_is_shown_as_soon_as_it_is_known() {
    let mut view = LiveView::default();
    view.update(&snapshot(Phase::InProgress, &[(Speaker::Agent, "a")]));
    let pieces = view.update(&snapshot(Phase::InProgress, &[(Speaker::Agent, "abc")]));
    assert_eq!(pieces, [Piece::Text("bc".into())]);
}

#[test]
fn a_message_that_was_rewritten_is_shown_again_whole() {
    let shown = screen(&[
        snapshot(Phase::InProgress, &[(Speaker::Agent, "Hello")]),
        snapshot(Phase::Completed, &[(Speaker::Agent, "Goodbye")]),
    ]);
    assert_eq!(
        shown,
        "▶️  Execution started\n🤖 Agent: Hello\n\n🤖 Agent: Goodbye\n\n✅ Execution completed\n"
    );
}

#[test]
fn a_late_snapshot_shows_everything_in_order() {
    let all = [
        (Speaker::Human, "hi"),
        (Speaker::Agent, "a"),
        (Speaker::Tool, "t"),
        (Speaker::System, "s"),
    ];
    assert_eq!(
        screen(&[snapshot(Phase::Failed, &all)]),
        "💬 You: hi\n\n🤖 Agent: a\n\n🔧 Tool: t\n\nℹ️ System: s\n\n❌ Execution failed\n"
    );
}

#[test]
fn a_task_is_shown_once_per_state_with_its_error() {
    let shown = screen(&[
        tasks(Phase::InProgress, &[("fetch", TaskState::Running, "")]),
        tasks(Phase::InProgress, &[("fetch", TaskState::Running, "")]),
        tasks(
            Phase::Failed,
            &[
                ("fetch", TaskState::Failed, "404"),
                ("store", TaskState::Skipped, ""),
            ],
        ),
    ]);
    assert_eq!(
        shown,
        "▶️  Execution started\n⚙️ Task: fetch [Running]\n✗ Task: fetch [Failed]\n   ✗ Error: 404\n\
         ⊘ Task: store [Skipped]\n❌ Execution failed\n"
    );
}

#[test]
fn a_task_inside_of_another_or_in_another_round_says_where_it_is() {
    let shown = screen(&[
        tasks(Phase::InProgress, &[("send", TaskState::Completed, "")]),
        tasks(
            Phase::Completed,
            &[
                ("send", TaskState::Completed, ""),
                ("send#2", TaskState::Completed, ""),
                ("each/0/fetch", TaskState::Completed, ""),
            ],
        ),
    ]);
    assert_eq!(
        shown,
        "▶️  Execution started\n✓ Task: send [Completed]\n✓ Task: send [Completed] (send#2)\n\
         ✓ Task: fetch [Completed] (each/0/fetch)\n✅ Execution completed\n"
    );
}

#[test]
fn tasks_are_known_by_their_ids_and_not_by_their_places() {
    let shown = screen(&[
        tasks(Phase::InProgress, &[("a", TaskState::Completed, "")]),
        tasks(Phase::InProgress, &[("b", TaskState::Completed, "")]),
        tasks(
            Phase::Completed,
            &[
                ("a", TaskState::Completed, ""),
                ("b", TaskState::Completed, ""),
            ],
        ),
    ]);
    assert_eq!(
        shown,
        "▶️  Execution started\n✓ Task: a [Completed]\n✓ Task: b [Completed]\n✅ Execution completed\n"
    );
}

#[test]
fn a_model_cannot_drive_the_terminal() {
    let shown = screen(&[snapshot(
        Phase::Completed,
        &[(Speaker::Agent, "a\x1b[2J\x07b\tc")],
    )]);
    assert!(
        shown.contains("a[2Jb\tc") && !shown.contains('\x1b'),
        "{shown:?}"
    );
}

#[test]
fn the_summary_counts_and_says_how_it_ended() {
    let mut done = snapshot(
        Phase::Completed,
        &[(Speaker::Human, "hi"), (Speaker::Agent, "ho")],
    );
    done.started_at = "2026-01-01T00:00:00Z".into();
    done.completed_at = "2026-01-01T00:00:12Z".into();
    done.tool_calls = 3;
    let texts = |lines: Vec<Line>| lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
    let rule = "─".repeat(80);
    assert_eq!(
        texts(final_block(false, &done)),
        [
            "",
            &rule,
            "Done!",
            "Duration: 12s",
            "Total messages: 2",
            "Tool calls: 3",
            &rule,
            ""
        ]
    );

    let mut failed = tasks(
        Phase::Failed,
        &[
            ("a", TaskState::Completed, ""),
            ("b", TaskState::Failed, "no"),
            ("c", TaskState::Skipped, ""),
        ],
    );
    failed.error = "b: no".into();
    assert_eq!(
        texts(final_block(true, &failed)),
        [
            "",
            &rule,
            "Workflow execution failed",
            "Error: b: no",
            "Total tasks: 3",
            "Completed: 1",
            "Failed: 1",
            "Skipped: 1",
            &rule,
            ""
        ]
    );
}
