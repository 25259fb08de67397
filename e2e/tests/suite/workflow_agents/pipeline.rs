//! Fixture 18: five agents on one deployment.

use std::cmp::Ordering;

use serde_json::{Value, json};
use stigmer_api::Resource;
use stigmer_e2e::harness::{
    Call, CheckError, Environment, Expectation, Reply, Response, Test, budget::NOWORKER, story,
};

use super::simple::agent_executions;
use crate::{fixture::Deployed, then};

/// The nine tasks.
const TASKS: [&str; 9] = [
    "fetchPR",
    "securityScan",
    "codeReview",
    "performanceAnalysis",
    "aggregateResults",
    "generateDeploymentPlan",
    "executeDeploy",
    "verifyDeployment",
    "notifyTeam",
];

const PULL: &str = "/api.github.com/repos/acme/shop/pulls/7";
const DEPLOYMENTS: &str = "/deploy.example.com/v1/deployments";

/// What starts each message, and what is answered.
const ANSWERS: [(&str, &str); 5] = [
    ("Scan this change.", r#"{"score": 9, "risks": []}"#),
    (
        "Review this change.",
        r#"{"score": 7, "comments": ["name it"]}"#,
    ),
    ("Analyze this change.", r#"{"score": 8}"#),
    (
        "Plan the deployment",
        r#"{"strategy": "rolling", "steps": ["a"]}"#,
    ),
    ("Verify this deployment.", r#"{"healthy": true}"#),
];

fn pull() -> Value {
    json!({"title": "feat: add cart", "body": "Adds a cart"})
}

/// The fixture where its calls are answered, and what a run of it is given.
struct Story {
    env: Environment,
    deployed: Deployed,
    arguments: Vec<String>,
    hook: String,
}

impl Story {
    async fn begin(t: &Test) -> Result<Self, CheckError> {
        let env = t.environment().start().await?;
        let deployed = Deployed::apply(t, &env, "18").await?;
        env.hub().expect(Call::get(PULL), Response::json(pull()));
        let hook = format!("/services/{}", t.secret("SLACK_WEBHOOK"));
        let mut arguments = vec![
            "PR_NUMBER=7".to_owned(),
            "REPOSITORY=acme/shop".to_owned(),
            "AWS_REGION=eu-central-1".to_owned(),
            format!("secret:SLACK_WEBHOOK={}", env.hub().url(&hook)),
        ];
        for name in ["GITHUB_TOKEN", "SCAN_TOKEN", "DEPLOY_TOKEN"] {
            arguments.push(format!("secret:{name}={}", t.secret(name)));
        }
        Ok(Self {
            env,
            deployed,
            arguments,
            hook,
        })
    }

    fn arguments(&self) -> Vec<&str> {
        let arguments = self.arguments.iter();
        arguments.flat_map(|it| ["--runtime-env", it]).collect()
    }

    /// What the model was asked, in order.
    fn asked(&self) -> Vec<String> {
        let requests = self.env.llm().requests();
        let messages = requests.iter();
        messages
            .map(|it| it.last_user_message().to_owned())
            .collect()
    }
}

#[test]
fn wca_12_wca_16_five_agents_in_order_deploy_with_nine_records() {
    story(async |t| {
        let story = Story::begin(&t).await?;
        let hub = story.env.hub();
        let deployment = json!({"deployment": "d-1", "state": "done"});
        hub.expect(Call::post(DEPLOYMENTS), Response::json(deployment));
        hub.expect(Call::post(&story.hook), Response::json(json!({"ok": true})));
        for (message, answer) in ANSWERS {
            let expectation = Expectation::message_containing(message, Reply::text(answer));
            story.env.llm().expect(expectation);
        }
        let execution = story
            .deployed
            .completes(&story.arguments())
            .await?
            .execution;
        t.step("five agent executions, in order");
        let asked = story.asked();
        assert_eq!(asked.len(), 5);
        for (asked, (message, _)) in asked.iter().zip(ANSWERS) {
            assert!(asked.contains(message), "{asked:?} has no {message:?}");
        }
        let mut executions = agent_executions(&story.env).await?;
        // Ids grow with time.
        executions.sort_by(|a, b| a.id().cmp(b.id()));
        let agents = executions.iter().map(|it| it.name().to_owned());
        let agents = agents.map(|name| name.split("-execution-").next().map(str::to_owned));
        assert_eq!(
            agents.flatten().collect::<Vec<_>>(),
            [
                "security-scanner",
                "code-reviewer",
                "performance-analyzer",
                "devops-planner",
                "qa-verifier"
            ]
        );
        t.step("what they said is used");
        assert_eq!(
            then::workflow::output(&execution, "aggregateResults")?,
            json!({
                "prTitle": "feat: add cart",
                "securityScore": 9.0,
                "reviewScore": 7.0,
                "performanceScore": 8.0,
                "status": "analyzed",
            })
        );
        let received = hub.received();
        let deployed = received[1].json();
        assert_eq!(deployed["environment"], "staging");
        assert_eq!(deployed["strategy"], "rolling");
        let told = received[2].json();
        let scores = ["security", "review", "performance"].map(|name| &told["scores"][name]);
        assert_eq!(scores.map(Value::as_f64), [9.0, 7.0, 8.0].map(Some));
        assert_eq!(told["healthy"], true);
        t.step("nine records, each with its end");
        let states = then::workflow::states(&execution);
        assert_eq!(states, TASKS.map(|name| (name, "completed")));
        for task in then::workflow::tasks(&execution) {
            let times = !task.started_at.is_empty() && task.started_at <= task.completed_at;
            assert!(times, "{task:?}");
        }
        Ok(())
    });
}

/// Where the tasks of the five agents are among the nine.
const OF_AGENTS: [usize; 5] = [1, 2, 3, 5, 7];

#[test]
fn wca_12_whichever_agent_fails_nothing_after_it_happens() {
    story(async |t| {
        let story = Story::begin(&t).await?;
        let hub = story.env.hub();
        hub.always(
            Call::post(DEPLOYMENTS),
            Response::json(json!({"state": "done"})),
        );
        for (number, failing) in OF_AGENTS.into_iter().enumerate() {
            t.step(format!("{} fails", TASKS[failing]));
            if number > 0 {
                hub.expect(Call::get(PULL), Response::json(pull()));
            }
            let before = (story.asked().len(), hub.received().len());
            for (message, answer) in &ANSWERS[..number] {
                let expectation = Expectation::message_containing(message, Reply::text(answer));
                story.env.llm().expect(expectation);
            }
            let failure = Reply::status(400, "not today");
            let (message, _) = ANSWERS[number];
            story
                .env
                .llm()
                .expect(Expectation::message_containing(message, failure));
            let id = story.deployed.start(&story.arguments()).await?;
            let says = [TASKS[failing], "not today"];
            let finished = then::workflow::failed(&story.env, &id, NOWORKER, &says).await?;
            let states = then::workflow::states(&finished.execution);
            let expected = TASKS.iter().enumerate().map(|(index, name)| {
                let state = match index.cmp(&failing) {
                    Ordering::Less => "completed",
                    Ordering::Equal => "failed",
                    Ordering::Greater => "skipped",
                };
                (*name, state)
            });
            assert_eq!(states, expected.collect::<Vec<_>>());
            // The pull request is always fetched, the deployment comes after the plan.
            let calls = if failing > 6 { 2 } else { 1 };
            let after = (story.asked().len(), hub.received().len());
            assert_eq!(after, (before.0 + number + 1, before.1 + calls));
        }
        Ok(())
    });
}
