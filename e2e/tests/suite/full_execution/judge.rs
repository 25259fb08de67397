//! The judge of answers (FUL-07, FUL-08): a table of texts, good and bad.

use std::time::{Duration, Instant};

use stigmer_api::agent_execution::{
    AgentExecution, AgentExecutionStatus, AgentMessage, ExecutionPhase, MessageType,
};
use stigmer_e2e::harness::{
    Expectation, NoAnswer, Probe, Reply, answer_of, budget::AGENT, check_answer, check_not_empty,
    greets, own_words, story,
};

use crate::{fixture::Deployed, then};

const GOOD: [(&str, &str); 9] = [
    ("a plain sentence", "Hello! Yes, I can respond."),
    ("a Markdown rule", "Summary\n\n-----\n\nAll is well here."),
    (
        "a Markdown table",
        "| file | verdict |\n|------|---------|\n| a.rs | fine |",
    ),
    (
        "a code block",
        "Use this:\n```rust\nfn main() { panic!(\"x\") }\n```\nThat is all.",
    ),
    (
        "a trace quoted in a code block",
        "Your log says:\n```\nTraceback (most recent call last)\n  File \"a.py\", line 3\n```\nFix line 3.",
    ),
    (
        "`failed to` in a review",
        "The function failed to check its argument for zero.",
    ),
    (
        "the word error in a review",
        "There is one error: the divisor may be zero. Error handling is missing.",
    ),
    ("another script", "Привет! Я могу отвечать на вопросы."),
    ("one long word and another", "aaaaaaaaaa b"),
];

#[test]
fn ful_07_good_answers_are_accepted() {
    story(async |_| {
        for (what, text) in GOOD {
            assert_eq!(check_answer(text), Ok(()), "{what}");
        }
        Ok(())
    });
}

#[test]
fn ful_07_bad_answers_are_rejected_each_for_its_own_reason() {
    story(async |_| {
        type Fits = fn(&NoAnswer) -> bool;
        let table: [(&str, Fits); 14] = [
            ("", |e| matches!(e, NoAnswer::Empty)),
            ("  \n\t         \n", |e| matches!(e, NoAnswer::Empty)),
            ("Hi there.", |e| {
                matches!(e, NoAnswer::TooShort { length: 9, .. })
            }),
            ("eeeeeeeeeeeeeeee", |e| {
                matches!(
                    e,
                    NoAnswer::OneLetter {
                        letter: 'e',
                        length: 16
                    }
                )
            }),
            ("a a a a a a a a a a", |e| {
                matches!(e, NoAnswer::OneLetter { letter: 'a', .. })
            }),
            ("--------- -----------", |e| {
                matches!(e, NoAnswer::OneLetter { letter: '-', .. })
            }),
            ("Supercalifragilistic", |e| {
                matches!(e, NoAnswer::NoWords { spaces: 0, .. })
            }),
            ("12 34 56 78 90", |e| {
                matches!(e, NoAnswer::NoWords { letters: 0, .. })
            }),
            (
                "Traceback (most recent call last):\n  File \"x.py\", line 1",
                |e| matches!(e, NoAnswer::StackTrace { .. }),
            ),
            (
                "thread 'main' (1) panicked at src/main.rs:3:5:\nboom",
                |e| matches!(e, NoAnswer::StackTrace { .. }),
            ),
            ("It broke:\ngoroutine 1 [running]:\nmain.main()", |e| {
                matches!(e, NoAnswer::StackTrace { .. })
            }),
            ("❌ Error: Execution failed: connection refused", |e| {
                matches!(e, NoAnswer::ErrorText { .. })
            }),
            (
                "{\"error\": {\"code\": 500, \"message\": \"no model\"}}",
                |e| matches!(e, NoAnswer::ErrorText { .. }),
            ),
            ("model 'smollm2' not found, try pulling it first", |e| {
                matches!(e, NoAnswer::ErrorText { .. })
            }),
        ];
        for (text, expected) in table {
            let error = check_answer(text).expect_err(text);
            assert!(expected(&error), "{text:?} was rejected as {error:?}");
        }
        Ok(())
    });
}

#[test]
fn ful_07_a_rejection_prints_real_lengths() {
    story(async |_| {
        let error = check_answer("héllo").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer has 5 characters, fewer than 10: \"héllo\""
        );
        Ok(())
    });
}

#[test]
fn ful_07_a_greeting_is_a_word_not_a_part_of_one() {
    story(async |_| {
        assert!(greets("Oh, hello there!"));
        assert!(greets("Hi."));
        assert!(!greets("This is something else."));
        Ok(())
    });
}

#[test]
fn ful_07_a_single_word_is_an_answer_where_prose_is_not_asked_for() {
    story(async |_| {
        assert_eq!(check_not_empty("PING-7391"), Ok(()));
        assert_eq!(check_not_empty(" \n"), Err(NoAnswer::Empty));
        Ok(())
    });
}

#[test]
fn ful_07_a_question_said_back_is_no_answer_but_a_word_of_it_is() {
    story(async |_| {
        let question = "Hello! Please greet me back.";
        for (answer, own) in [
            ("Hello! Please greet me back.", ""),
            ("hello!  please\ngreet me back.\n\n---", "---"),
            (
                "Hello! Please greet me back.\n\nHi, how are you?",
                "Hi, how are you?",
            ),
            ("Hello! I am well.", "Hello! I am well."),
        ] {
            assert_eq!(own_words(answer, &[question, ""]), own, "{answer:?}");
        }
        assert!(!greets(&own_words(question, &[question])));
        Ok(())
    });
}

#[test]
fn ful_08_the_last_ai_message_is_read_and_not_the_last_of_any_kind() {
    story(async |_| {
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
        let status = Some(AgentExecutionStatus {
            messages,
            ..Default::default()
        });
        assert_eq!(
            answer_of(&AgentExecution {
                status,
                ..Default::default()
            }),
            Some("second")
        );
        assert_eq!(answer_of(&AgentExecution::default()), None);
        Ok(())
    });
}

#[test]
fn ful_08_a_failed_or_cancelled_execution_ends_the_wait_at_once() {
    story(async |t| {
        let env = t.environment().start().await?;
        Deployed::apply(&t, &env, "01").await?;
        for (asked, phase) in [
            (1, ExecutionPhase::ExecutionFailed),
            (2, ExecutionPhase::ExecutionCancelled),
        ] {
            t.step(format!("report {phase:?} while the model is silent"));
            env.llm()
                .expect(Expectation::message_containing("", Reply::silence()));
            let run = env
                .cli()
                .args(["run", "code-reviewer", "--follow=false"])
                .run()
                .await?;
            let id = then::started(&env, &run).await?;
            t.eventually(
                format!("the model was asked {asked} times"),
                AGENT,
                async || {
                    let so_far = env.llm().requests().len();
                    if so_far == asked {
                        Probe::Done(())
                    } else {
                        Probe::NotYet(format!("{so_far} times"))
                    }
                },
            )
            .await?;
            let wait = then::completed(&env, &id, AGENT);
            let report = env.api().update_status(
                &id,
                AgentExecutionStatus {
                    phase: phase as i32,
                    ..Default::default()
                },
            );
            let start = Instant::now();
            let (waited, reported) = tokio::join!(wait, report);
            reported?;
            let error = waited.expect_err("it did not complete").to_string();
            assert!(error.contains(&format!("{phase:?}")), "{error}");
            assert!(
                start.elapsed() < Duration::from_secs(1),
                "the wait went on for {:?}",
                start.elapsed()
            );
        }
        Ok(())
    });
}
