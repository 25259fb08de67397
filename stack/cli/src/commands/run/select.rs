//! Which resource of a project to run.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Result, bail};
use stigmer_api::Resource;

use super::Target;
use crate::{api::Deployable, commands::apply::Deployed, render::Screen};

/// The project's only resource, or the one that the user picks.
pub async fn choose(deployed: Deployed, screen: &Screen) -> Result<Target> {
    let mut labels = labels(&deployed.agents);
    labels.extend(self::labels(&deployed.workflows));
    let mut targets = deployed
        .agents
        .into_iter()
        .map(Target::Agent)
        .collect::<Vec<_>>();
    targets.extend(deployed.workflows.into_iter().map(Target::Workflow));
    if targets.len() > 1 {
        let index = ask(&labels, screen).await?;
        return Ok(targets.swap_remove(index));
    }
    match targets.pop() {
        Some(target) => {
            let name = match &target {
                Target::Agent(agent) => agent.name(),
                Target::Workflow(workflow) => workflow.name(),
            };
            screen.info(format!("Auto-selected: {name}"));
            screen.blank();
            Ok(target)
        }
        None => bail!("the project defines no agent and no workflow to run"),
    }
}

/// `[Agent] name - description`.
fn labels<K: Deployable>(resources: &[K]) -> Vec<String> {
    let label = |resource: &K| match resource.description() {
        "" => format!("[{}] {}", K::TYPE, resource.name()),
        description => format!("[{}] {} - {description}", K::TYPE, resource.name()),
    };
    resources.iter().map(label).collect()
}

async fn ask(labels: &[String], screen: &Screen) -> Result<usize> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        bail!(
            "the project defines {} resources and there is no terminal to ask on; name one of them:\n  {}",
            labels.len(),
            labels.join("\n  ")
        );
    }
    screen.plain("Select resource to run:");
    for (number, label) in labels.iter().enumerate() {
        screen.plain(format!("  {}. {label}", number + 1));
    }
    screen.plain(format!("Number (1-{}):", labels.len()));
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    })
    .await??;
    match picked(&answer, labels.len()) {
        Some(index) => Ok(index),
        None => bail!("Selection cancelled"),
    }
}

/// The index that `answer` means, among `count` entries numbered from 1.
fn picked(answer: &str, count: usize) -> Option<usize> {
    answer
        .trim()
        .parse::<usize>()
        .ok()?
        .checked_sub(1)
        .filter(|index| *index < count)
}

#[cfg(test)]
mod tests {
    use stigmer_api::{ApiResourceMetadata, agent::Agent, agent::AgentSpec};

    use super::*;

    #[test]
    fn only_a_number_in_range_picks() {
        for (answer, wanted) in [
            ("1\n", Some(0)),
            (" 2 ", Some(1)),
            ("3", None),
            ("0", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(picked(answer, 2), wanted, "{answer:?}");
        }
    }

    #[test]
    fn labels_say_kind_name_and_description() {
        let agent = |description: &str| Agent {
            metadata: Some(ApiResourceMetadata {
                name: "a".into(),
                ..Default::default()
            }),
            spec: Some(AgentSpec {
                description: description.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(
            labels(&[agent(""), agent("reads")]),
            ["[Agent] a", "[Agent] a - reads"]
        );
    }
}
