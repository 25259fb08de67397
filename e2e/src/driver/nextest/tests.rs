use stigmer_e2e_plan::Tier;

use super::*;

fn test(path: &str, real_model: bool) -> SuiteTest {
    SuiteTest {
        path: path.into(),
        ids: vec![],
        real_model,
        tier: Tier::Commit,
    }
}

#[test]
fn the_lines_of_the_pinned_nextest_are_understood() {
    let started = r#"{"type":"test","event":"started","name":"stigmer-e2e::suite$deep::log_01_x"}"#;
    assert_eq!(
        parse(started).unwrap(),
        Some(Message::Started {
            test: "deep::log_01_x".into()
        })
    );
    let ok = r#"{"type":"test","event":"ok","name":"stigmer-e2e::suite$a","exec_time":0.25}"#;
    assert_eq!(
        parse(ok).unwrap(),
        Some(Message::Ended {
            test: "a".into(),
            end: End::Passed,
            seconds: 0.25,
            printed: None
        })
    );
    let failed =
        r#"{"type":"test","event":"failed","name":"s$a","exec_time":1.5,"stdout":"boom\n"}"#;
    assert_eq!(
        parse(failed).unwrap(),
        Some(Message::Ended {
            test: "a".into(),
            end: End::Failed,
            seconds: 1.5,
            printed: Some("boom\n".into())
        })
    );
    let late = r#"{"type":"test","event":"failed","name":"s$a","exec_time":2.0,"reason":"time limit exceeded"}"#;
    assert!(matches!(
        parse(late).unwrap(),
        Some(Message::Ended {
            end: End::TimedOut,
            ..
        })
    ));
    let suite = r#"{"type":"suite","event":"started","test_count":6,"nextest":{"crate":"c","test_binary":"suite","kind":"test"}}"#;
    assert_eq!(parse(suite).unwrap(), None);
}

#[test]
fn another_language_is_an_error_and_not_silence() {
    assert!(parse("Starting 6 tests").is_err());
}

#[test]
fn every_test_has_its_priority_and_real_ones_share_a_group() {
    let tests = [test("a::b", false), test("c", true), test("d", true)];
    let names: Vec<_> = tests.iter().map(|test| test.path.clone()).collect();
    let config = config(4, &Order::new(&names, 1), &tests);
    assert!(config.contains("test-threads = 4\n"), "{config}");
    for priority in [100, 99, 98] {
        assert!(
            config.contains(&format!("\npriority = {priority}\n")),
            "{config}"
        );
    }
    assert!(
        config.contains("filter = \"test(=c) | test(=d)\"\ntest-group = \"llm\"\nslow-timeout = "),
        "{config}"
    );
}

#[test]
fn without_real_tests_no_group_is_used() {
    assert!(
        !config(1, &Order::new(&["a".into()], 1), &[test("a", false)]).contains("test-group =")
    );
}

#[test]
fn a_hung_test_has_the_time_to_end_itself_and_to_tear_down_before_nextest_kills_it() {
    use stigmer_e2e::harness::budget::{STOP, of_test};
    for path in ["a::b", "a::real_model::b", "a::nightly::b", "a::weekly::b"] {
        let limit = std::time::Duration::from_secs(kill_after(path));
        assert!(limit > of_test(path).limit + STOP.limit, "{path}");
    }
}

/// Whoever runs the suite without the driver, against what `up` started, gets the same protection.
#[test]
fn the_configuration_for_plain_nextest_has_the_drivers_limits_and_group() {
    let committed = include_str!("../../../../.config/nextest.toml");
    let later = |tier| SuiteTest {
        tier,
        ..test("later::b", false)
    };
    let (nightly, weekly) = (later(Tier::Nightly), later(Tier::Weekly));
    let of_driver = config(
        1,
        &Order::new(&["a".into()], 1),
        &[test("a", true), nightly, weekly],
    );
    for setting in ["slow-timeout = ", "llm = ", "test-group = ", "retries = "] {
        let lines = |text: &str| {
            let found = text.lines().filter(|line| line.starts_with(setting));
            found.map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!lines(committed).is_empty(), "no {setting}in the file");
        assert_eq!(lines(committed), lines(&of_driver));
    }
    assert!(
        committed.contains("default-filter = \"not test(/(^|::)(nightly|weekly|remote)::/)\"\n")
    );
}
