//! What every test has to hold without asking for it: clean logs, data that survives, workflows that
//! replay.

use stigmer_e2e::harness::{Failure, Test, story};

use crate::specimen;

/// Runs a specimen whose story holds, and returns what its teardown found.
async fn findings(t: &Test, specimen: &str) -> Result<Vec<String>, Failure> {
    let record = specimen::fail_at_the_end(t, &format!("inspected::{specimen}")).await?;
    Ok(record.teardown_findings)
}

#[test]
fn log_11_an_error_that_nobody_expects_and_an_expected_one_that_never_comes_fail_a_test() {
    story(async |t| {
        let findings = findings(&t, "specimen_whose_server_logs_an_error").await?;
        assert_eq!(findings.len(), 2, "{findings:#?}");
        let unexpected = "stigmer-server logged an error that nobody expected: ";
        assert!(
            findings[0].starts_with(unexpected) && findings[0].contains("AgentExecution"),
            "{findings:#?}"
        );
        assert!(
            findings[1].contains("was expected to log an error with \"the sky falls\""),
            "{findings:#?}"
        );
        Ok(())
    });
}

#[test]
fn log_12_what_was_acknowledged_and_does_not_survive_a_crash_fails_a_test() {
    story(async |t| {
        let findings = findings(&t, "specimen_whose_server_loses_data").await?;
        assert!(
            findings
                .iter()
                .any(|finding| finding.starts_with("Agent agt-")
                    && finding.ends_with("of the server it is lost")),
            "{findings:#?}"
        );
        Ok(())
    });
}

#[test]
fn log_13_a_workflow_that_does_not_replay_fails_a_test_and_the_event_is_named() {
    story(async |t| {
        let findings = findings(&t, "specimen_whose_workflow_does_not_replay").await?;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        for part in [
            "workflow stigmer/system/ping/agent_execution_runner/",
            "does not replay",
            "Timer",
        ] {
            assert!(
                findings[0].contains(part),
                "{part:?} is not in {findings:#?}"
            );
        }
        Ok(())
    });
}
