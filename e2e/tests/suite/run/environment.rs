//! `--runtime-env`: what reaches the tasks, and what can be read of it.

use std::collections::BTreeMap;

use serde_json::json;
use stigmer_api::{
    Resource,
    environment::{EnvironmentSpec, EnvironmentValue},
    workflow::Workflow,
    workflow_execution::WorkflowExecution,
};
use stigmer_e2e::harness::{Call, Response, budget::WF, story};

use crate::{given, then};

#[test]
fn run_12_a_task_sees_every_value_as_given_and_nobody_reads_a_secret_back() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        t.step("a workflow that sends its environment to the hub");
        let call = given::task(
            "send",
            "HTTP_CALL",
            json!({
                "method": "POST", "endpoint": {"uri": env.hub().url("/environment")},
                "headers": {"X-B": "${.secrets.B}"},
                "body": {"a": "${.env_vars.A}", "b": "${.secrets.B}", "c": "${.env_vars.C}"},
                "timeout_seconds": 30,
            }),
        );
        env.api()
            .apply(given::workflow("send-environment", &[call]))
            .await?;
        env.hub()
            .expect(Call::post("/environment"), Response::json(json!({})));
        t.step("run it with a value, a secret with signs and blanks in it, and an empty value");
        let secret = format!("{}=2=3 ", t.secret("B"));
        let b = format!("secret:B={secret}");
        let arguments = ["run", "send-environment", "--follow=false"];
        let variables = ["A=1", &b, "C="].map(|variable| ["--runtime-env", variable]);
        let output = env
            .cli()
            .args(arguments.into_iter().chain(variables.into_iter().flatten()))
            .run()
            .await?;
        output.exited_with(0)?;
        let id = then::workflow::started(&env, &output).await?;
        then::workflow::completed(&env, &id, WF).await?;
        t.step("the hub got the values");
        let received = env.hub().received();
        assert_eq!(
            received[0].json(),
            json!({"a": "1", "b": secret, "c": ""}),
            "the values were changed"
        );
        // HTTP does not keep blanks at the end of a header.
        assert_eq!(received[0].header("x-b"), secret.trim_end());
        t.step("the record has exactly these keys, and hides the secret");
        let execution: WorkflowExecution = env.api().get(&id).await?;
        let values = execution.spec.unwrap_or_default().runtime_env;
        let values = values
            .iter()
            .map(|(key, value)| (key.as_str(), (value.value.as_str(), value.is_secret)))
            .collect::<BTreeMap<_, _>>();
        assert_eq!(
            values,
            BTreeMap::from([
                ("A", ("1", false)),
                ("B", ("***", true)),
                ("C", ("", false))
            ])
        );
        // That the secret is in no file, teardown looks for.
        Ok(())
    });
}

#[test]
fn run_12_what_the_caller_gives_wins_over_what_is_declared() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let call = given::task(
            "send",
            "HTTP_CALL",
            json!({
                "method": "POST", "endpoint": {"uri": env.hub().url("/environment")},
                "body": {"a": "${.env_vars.A}", "b": "${.env_vars.B}"}, "timeout_seconds": 30,
            }),
        );
        let mut workflow = given::workflow("send-environment", &[call]);
        let declared = |value: &str| EnvironmentValue {
            value: value.to_owned(),
            ..Default::default()
        };
        workflow.spec.get_or_insert_default().env_spec = Some(EnvironmentSpec {
            data: [("A", "declared"), ("B", "declared")]
                .map(|(name, value)| (name.to_owned(), declared(value)))
                .into(),
            ..Default::default()
        });
        let workflow: Workflow = env.api().apply(workflow).await?;
        env.hub()
            .expect(Call::post("/environment"), Response::json(json!({})));
        let run = [
            "run",
            workflow.id(),
            "--follow=false",
            "--runtime-env",
            "A=given",
        ];
        let output = env.cli().args(run).run().await?;
        let id = then::workflow::started(&env, &output).await?;
        then::workflow::completed(&env, &id, WF).await?;
        let received = env.hub().received();
        assert_eq!(received[0].json(), json!({"a": "given", "b": "declared"}));
        Ok(())
    });
}
