use stigmer_api::agent_execution::{AgentExecutionStatus, AgentMessage};

use super::*;

const GOOD: [(&str, &str); 9] = [
    ("a plain sentence", "Hello! Yes, I can respond."),
    ("a Markdown rule", "Summary\n\n-----\n\nAll is well here."),
    ("a Markdown table", "| file | verdict |\n|------|---------|\n| a.rs | fine |"),
    ("a code block", "Use this:\n```rust\nfn main() { panic!(\"x\") }\n```\nThat is all."),
    ("a trace quoted in a code block", "Your log says:\n```\nTraceback (most recent call last)\n  File \"a.py\", line 3\n```\nFix line 3."),
    ("`failed to` in a review", "The function failed to check its argument for zero."),
    ("the word error in a review", "There is one error: the divisor may be zero. Error handling is missing."),
    ("another script", "Привет! Я могу отвечать на вопросы."),
    ("one long word and another", "aaaaaaaaaa b"),
];

#[test]
fn ful_07_good_answers_are_accepted() {
    for (what, text) in GOOD {
        assert_eq!(check_answer(text), Ok(()), "{what}");
    }
}

#[test]
fn ful_07_bad_answers_are_rejected_each_for_its_own_reason() {
    let table: [(&str, fn(&NoAnswer) -> bool); 14] = [
        ("", |e| matches!(e, NoAnswer::TooShort { length: 0, .. })),
        ("  \n\t         \n", |e| matches!(e, NoAnswer::TooShort { length: 0, .. })),
        ("Hi there.", |e| matches!(e, NoAnswer::TooShort { length: 9, .. })),
        ("eeeeeeeeeeeeeeee", |e| matches!(e, NoAnswer::OneLetter { letter: 'e', length: 16 })),
        ("a a a a a a a a a a", |e| matches!(e, NoAnswer::OneLetter { letter: 'a', .. })),
        ("--------- -----------", |e| matches!(e, NoAnswer::OneLetter { letter: '-', .. })),
        ("Supercalifragilistic", |e| matches!(e, NoAnswer::NoWords { spaces: 0, .. })),
        ("12 34 56 78 90", |e| matches!(e, NoAnswer::NoWords { letters: 0, .. })),
        ("Traceback (most recent call last):\n  File \"x.py\", line 1", |e| matches!(e, NoAnswer::StackTrace { .. })),
        ("thread 'main' (1) panicked at src/main.rs:3:5:\nboom", |e| matches!(e, NoAnswer::StackTrace { .. })),
        ("It broke:\ngoroutine 1 [running]:\nmain.main()", |e| matches!(e, NoAnswer::StackTrace { .. })),
        ("❌ Error: Execution failed: connection refused", |e| matches!(e, NoAnswer::ErrorText { .. })),
        ("{\"error\": {\"code\": 500, \"message\": \"no model\"}}", |e| matches!(e, NoAnswer::ErrorText { .. })),
        ("model 'smollm2' not found, try pulling it first", |e| matches!(e, NoAnswer::ErrorText { .. })),
    ];
    for (text, expected) in table {
        let error = check_answer(text).expect_err(text);
        assert!(expected(&error), "{text:?} was rejected as {error:?}");
    }
}

#[test]
fn ful_07_a_rejection_prints_real_lengths() {
    let error = check_answer("héllo").unwrap_err();
    assert_eq!(error.to_string(), "the answer has 5 characters, fewer than 10: \"héllo\"");
}

#[test]
fn ful_07_a_greeting_is_a_word_not_a_part_of_one() {
    assert!(greets("Oh, hello there!"));
    assert!(greets("Hi."));
    assert!(!greets("This is something else."));
}

#[test]
fn ful_08_the_last_ai_message_is_read_and_not_the_last_of_any_kind() {
    let message = |kind: MessageType, content: &str| AgentMessage {
        r#type: kind as i32,
        content: content.to_owned(),
        ..Default::default()
    };
    let messages = vec![
        message(MessageType::MessageHuman, "question"),
        message(MessageType::MessageAi, "first"),
        message(MessageType::MessageTool, "tool"),
        message(MessageType::MessageAi, "second"),
        message(MessageType::MessageSystem, "note"),
        message(MessageType::MessageHuman, "thanks"),
    ];
    let status = Some(AgentExecutionStatus { messages, ..Default::default() });
    assert_eq!(answer_of(&AgentExecution { status, ..Default::default() }), Some("second"));
    assert_eq!(answer_of(&AgentExecution::default()), None);
}
