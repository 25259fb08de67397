//! An agent that reviews pull requests, and a workflow that has it review one.
//!
//! This program only describes them: `stigmer apply` runs it and deploys what it describes.

use std::process::ExitCode;

use stigmer::{
    Agent, AgentArgs, AgentCall, EnvironmentVariable, HttpCall, Set, Workflow, WorkflowArgs,
    runtime_env,
};

fn main() -> ExitCode {
    stigmer::run(|ctx| {
        let reviewer = Agent::new(
            ctx,
            "pr-reviewer",
            AgentArgs {
                description: "Reviews pull requests".into(),
                instructions:
                    "You are an experienced reviewer. Say what the change does, then name \
                               every defect you find, the most serious one first. Be brief."
                        .into(),
                ..Default::default()
            },
        )?;

        // Whoever runs the workflow may choose another pull request:
        // stigmer run review-demo-pr --runtime-env PR_URL=...
        let url = runtime_env("PR_URL")?;
        let workflow = Workflow::new(
            ctx,
            "quickstart/review-demo-pr",
            WorkflowArgs {
                version: "1.0.0".into(),
                description: "Reviews a pull request".into(),
                environment: vec![
                    EnvironmentVariable::new("PR_URL")?
                        .description("The pull request, in the API of GitHub")
                        .default_value("http://localhost:8080/repos/stigmer/hello-stigmer/pulls/1"),
                ],
                ..Default::default()
            },
        )?;
        let pull = workflow.add(
            HttpCall::get("fetch-pr", &url)
                .header("Accept", "application/vnd.github.v3+json")
                .header("User-Agent", "stigmer"),
        );
        let diff = workflow.add(
            HttpCall::get("fetch-diff", &url)
                .header("Accept", "application/vnd.github.v3.diff")
                .header("User-Agent", "stigmer"),
        );
        let review = workflow.add(AgentCall::new(
            "analyze-pr",
            &reviewer,
            format!(
                "Review this pull request.\n\nTitle: {}\nText: {}\n\n{}",
                pull.field("title"),
                pull.field("body"),
                diff.output()
            ),
        ));
        workflow.add(
            Set::new("store-results")
                .variable("title", pull.field("title"))
                .variable("review", review.output()),
        );
        Ok(())
    })
}
