//! The faults, and for each the tests that promise to notice it.

/// A fault of `stack/fault`, by its name there.
#[derive(Debug)]
pub struct Mutant {
    /// Its name.
    pub fault: &'static str,
    /// What is wrong with a stack that has it.
    pub damage: &'static str,
    /// The functions of the tests that promise the opposite. One red is enough.
    pub tests: &'static [&'static str],
}

/// Every fault there is.
pub const MUTANTS: [Mutant; 20] = [
    Mutant {
        fault: "completed-too-early",
        damage: "an execution is COMPLETED with the first word of its answer",
        tests: &[
            "str_09_a_subscription_before_the_end_sees_every_phase_and_closes_by_itself",
            "run_16_ctrl_c_ends_the_command_at_once_and_not_the_execution",
        ],
    },
    Mutant {
        fault: "message-dropped",
        damage: "the last message is not in the record of a completed execution",
        tests: &["run_02_the_record_holds_the_message_the_answer_and_the_session"],
    },
    Mutant {
        fault: "tool-call-twice",
        damage: "a tool call is on record twice",
        tests: &["agt_01_a_tool_is_offered_called_and_its_result_goes_back"],
    },
    Mutant {
        fault: "temperature-dropped",
        damage: "a temperature of 0 is not sent to the model",
        tests: &[
            "agt_10_a_temperature_of_zero_is_sent_as_such",
            "wca_13_the_model_is_asked_with_the_settings_of_each_call",
        ],
    },
    Mutant {
        fault: "memory-lost",
        damage: "earlier executions of a session are not told to the model",
        tests: &["run_17_a_second_run_in_a_session_reads_what_was_said_before"],
    },
    Mutant {
        fault: "secret-logged",
        damage: "the runner writes the variables of an execution to its log",
        tests: &[
            "wca_11_secrets_reach_the_calls_and_the_agent_and_nobody_else",
            "agt_07_a_secret_reaches_the_server_that_names_it_and_nobody_else",
        ],
    },
    Mutant {
        fault: "process-left",
        damage: "the program of an MCP server outlives its execution",
        tests: &[
            "agt_01_a_tool_is_offered_called_and_its_result_goes_back",
            "agt_08_cancelling_in_the_middle_of_a_call_ends_the_server_and_stays",
        ],
    },
    Mutant {
        fault: "mask-off",
        damage: "secret values leave by the API as they are",
        tests: &["run_12_a_task_sees_every_value_as_given_and_nobody_reads_a_secret_back"],
    },
    Mutant {
        fault: "wrong-instance",
        damage: "an agent or workflow notes its own id as that of its default instance",
        tests: &[
            "app_03_each_agent_has_a_default_instance_that_points_back",
            "app_08_it_has_a_default_instance_that_points_back",
        ],
    },
    Mutant {
        fault: "terminal-update-lost",
        damage: "watchers are not told that an execution has ended",
        tests: &[
            "str_01_a_subscription_before_the_end_sees_every_phase_and_closes_by_itself",
            "str_05_five_subscribers_get_the_same_end_and_one_leaving_disturbs_none",
        ],
    },
    Mutant {
        fault: "environment-reversed",
        damage: "a default wins over what the caller of an execution gave",
        tests: &["run_12_what_the_caller_gives_wins_over_what_is_declared"],
    },
    Mutant {
        fault: "cancel-ignored",
        damage: "what is cancelled is stored as such, and works on",
        tests: &[
            "ext_13_a_cancelled_agent_execution_ends_its_request_to_the_model",
            "ext_06_a_cancelled_execution_ends_with_all_it_runs",
        ],
    },
    Mutant {
        fault: "first-page-only",
        damage: "every page of a list is the first",
        tests: &["app_23_a_list_of_several_pages_has_each_resource_once"],
    },
    Mutant {
        fault: "never-reconnects",
        damage: "a Temporal that went away is never looked for again",
        tests: &["tmp_04_a_temporal_that_crashed_and_was_restarted_is_used_again"],
    },
    Mutant {
        fault: "exit-zero",
        damage: "the CLI tells an error and ends with 0",
        tests: &[
            "err_01_an_unknown_name_is_not_found_and_the_search_is_told",
            "run_15_a_failed_execution_is_told_with_its_cause_and_fails_the_command",
        ],
    },
    Mutant {
        fault: "stored-on-dry-run",
        damage: "a dry run stores what it shows",
        tests: &["app_11_a_dry_run_tells_what_it_would_do_and_stores_nothing"],
    },
    Mutant {
        fault: "branch-skipped",
        damage: "the last branch of a fork is left out",
        tests: &["fix_11_three_branches_of_a_second_each_run_at_the_same_time"],
    },
    Mutant {
        fault: "loop-once",
        damage: "a loop ends after its first iteration",
        tests: &["fix_09_each_commit_is_one_iteration_in_order"],
    },
    Mutant {
        fault: "wrong-case",
        damage: "a switch takes its first case, whatever that asks for",
        tests: &[
            "fix_08a_the_state_chooses_exactly_one_deployment",
            "fix_08b_the_boundaries_of_the_metrics_are_exact",
        ],
    },
    Mutant {
        fault: "catch-ignored",
        damage: "an error passes the catch that is there for it",
        tests: &["fix_00e_raise_fails_the_workflow_or_is_caught_with_type_message_and_task"],
    },
];

#[cfg(test)]
mod tests {
    use stigmer_fault::Fault;

    use super::*;

    #[test]
    fn the_table_has_every_fault_of_the_stack_once_each_with_a_test() {
        let listed = MUTANTS.map(|mutant| mutant.fault);
        assert_eq!(listed, Fault::ALL.map(Fault::name));
        assert!(MUTANTS.iter().all(|mutant| !mutant.tests.is_empty()));
    }
}
