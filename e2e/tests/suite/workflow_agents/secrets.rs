//! Fixture 17: a pull request is fetched with one secret, reviewed by an agent that is given it, and
//! announced at a URL that is a secret itself.

use std::collections::BTreeMap;

use serde_json::json;
use stigmer_api::{json::to_json, workflow_execution::WorkflowExecution};
use stigmer_e2e::harness::{Call, Expectation, Reply, Response, budget::AGENT, story};

use super::simple::only_agent_execution;
use crate::{fixture::Deployed, given, then};

#[test]
fn wca_11_secrets_reach_the_calls_and_the_agent_and_nobody_else() {
    story(async |t| {
        let env = t.environment().start().await?;
        env.api()
            .create(given::agent(
                "code-reviewer",
                "Review pull requests with care.",
            ))
            .await?;
        let deployed = Deployed::apply(&t, &env, "17").await?;
        let pull = json!({
            "title": "feat: add greeting", "body": "Adds a greeting", "changed_files": 4,
        });
        env.hub().expect(
            Call::get("/repos/myorg/myrepo/pulls/42"),
            Response::json(pull),
        );
        let (token, hook) = (t.secret("GITHUB_TOKEN"), t.secret("SLACK_WEBHOOK"));
        let path = format!("/services/{hook}");
        env.hub()
            .expect(Call::post(&path), Response::json(json!({"ok": true})));
        let answer = "Looks good to me.";
        env.llm().expect(Expectation::message_containing(
            "Review this pull request.",
            Reply::text(answer),
        ));
        t.step("run it");
        let variables = [
            "PR_NUMBER=42".to_owned(),
            format!("secret:GITHUB_TOKEN={token}"),
            format!("secret:SLACK_WEBHOOK={}", env.hub().url(&path)),
        ];
        let arguments = variables.iter().flat_map(|it| ["--runtime-env", it]);
        let finished = deployed.completes(&arguments.collect::<Vec<_>>()).await?;
        t.step("what went out");
        let received = env.hub().received();
        assert_eq!(
            received[0].header("Authorization"),
            format!("Bearer {token}")
        );
        let posted = received[1].json();
        assert_eq!(
            posted["text"],
            format!("Review of PR #42 is done: {answer}")
        );
        let requests = env.llm().requests();
        let message = requests[0].last_user_message();
        for line in [
            "Title: feat: add greeting",
            "Text: Adds a greeting",
            "Changed files: 4",
        ] {
            assert!(message.contains(line), "{message}");
        }
        t.step("what the agent's execution was given");
        let agent = only_agent_execution(&env).await?;
        let given = agent.spec.unwrap_or_default().runtime_env;
        let given = given
            .iter()
            .map(|(name, value)| (name.as_str(), (value.value.as_str(), value.is_secret)))
            .collect::<BTreeMap<_, _>>();
        assert_eq!(
            given,
            BTreeMap::from([
                ("GITHUB_REPO", ("myorg/myrepo", false)),
                ("GITHUB_TOKEN", ("***", true)),
                ("PR_NUMBER", ("42", false)),
                ("REVIEW_DEPTH", ("thorough", false)),
            ])
        );
        t.step("where the secrets are not");
        let execution: WorkflowExecution = finished.execution;
        let told = to_json(&execution).to_string();
        let asked = requests[0].body.to_string();
        for secret in [&token, &hook] {
            assert!(!told.contains(secret), "the execution tells a secret");
            assert!(!asked.contains(secret), "the model was told a secret");
        }
        // Teardown looks for them in every file.
        assert!(then::Execution::error(&execution).is_empty());
        t.within(AGENT, "the whole review", t.elapsed())?;
        Ok(())
    });
}
