use stigmer_api::{
    LOCAL_ORG, agent::AgentSpec, agent_execution::AgentExecutionSpec,
    agent_instance::AgentInstanceSpec, environment::EnvironmentValue, session::SessionSpec,
    workflow::WorkflowSpec, workflow_execution::WorkflowExecutionSpec,
    workflow_instance::WorkflowInstanceSpec,
};
use tonic::Code;

use super::*;
use crate::{
    store::{Indexed, Tx},
    testing::TestState,
};

/// `NAME=value`, or `NAME!value` for a secret.
fn entries(texts: &[&str]) -> Vec<(String, String, bool)> {
    let entry = |text: &&str| {
        let (name, value) = text.split_once(['=', '!']).expect("a name and a value");
        (name.to_owned(), value.to_owned(), text.contains('!'))
    };
    texts.iter().map(entry).collect()
}

fn spec(texts: &[&str]) -> EnvironmentSpec {
    let value = |(name, value, is_secret)| {
        let value = EnvironmentValue {
            value,
            is_secret,
            ..Default::default()
        };
        (name, value)
    };
    EnvironmentSpec {
        data: entries(texts).into_iter().map(value).collect(),
        ..Default::default()
    }
}

fn given(texts: &[&str]) -> HashMap<String, ExecutionValue> {
    let value = |(name, value, is_secret)| (name, ExecutionValue { value, is_secret });
    entries(texts).into_iter().map(value).collect()
}

fn shown(values: &HashMap<String, ExecutionValue>) -> Vec<String> {
    let show = |(name, value): (&String, &ExecutionValue)| {
        let sign = if value.is_secret { '!' } else { '=' };
        format!("{name}{sign}{}", value.value)
    };
    let mut shown = values.iter().map(show).collect::<Vec<_>>();
    shown.sort();
    shown
}

fn save<R: Resource + Indexed>(tx: &Tx<'_>, id: &str, change: impl FnOnce(&mut R)) {
    let mut resource = R::envelope();
    let metadata = resource.metadata_mut();
    metadata.id = id.to_owned();
    metadata.name = id.to_owned();
    metadata.slug = id.to_owned();
    metadata.org = LOCAL_ORG.to_owned();
    metadata.owner_scope = 2;
    change(&mut resource);
    tx.save(&resource).expect("the resource is stored");
}

fn environment(tx: &Tx<'_>, id: &str, texts: &[&str]) {
    save::<Environment>(tx, id, |environment| environment.spec = Some(spec(texts)));
}

fn references(slugs: &[&str]) -> Vec<ApiResourceReference> {
    let reference = |slug: &&str| ApiResourceReference {
        slug: (*slug).to_owned(),
        ..Default::default()
    };
    slugs.iter().map(reference).collect()
}

/// Stores an agent that declares, and an instance that refers; an execution of them is given `env`.
fn agent_execution(
    tx: &Tx<'_>,
    declares: &[&str],
    refers: &[&str],
    env: &[&str],
) -> AgentExecution {
    save::<Agent>(tx, "agt-1", |agent| {
        agent.spec = Some(AgentSpec {
            env_spec: Some(spec(declares)),
            ..Default::default()
        });
    });
    save::<AgentInstance>(tx, "ain-1", |instance| {
        instance.spec = Some(AgentInstanceSpec {
            agent_id: "agt-1".to_owned(),
            environment_refs: references(refers),
            ..Default::default()
        });
    });
    save::<Session>(tx, "ses-1", |session| {
        session.spec = Some(SessionSpec {
            agent_instance_id: "ain-1".to_owned(),
            ..Default::default()
        });
    });
    let mut execution = AgentExecution::envelope();
    execution.spec = Some(AgentExecutionSpec {
        session_id: "ses-1".to_owned(),
        runtime_env: given(env),
        ..Default::default()
    });
    execution
}

fn workflow_execution(
    tx: &Tx<'_>,
    declares: &[&str],
    refers: &[&str],
    env: &[&str],
) -> WorkflowExecution {
    save::<Workflow>(tx, "wfl-1", |workflow| {
        workflow.spec = Some(WorkflowSpec {
            env_spec: Some(spec(declares)),
            ..Default::default()
        });
    });
    save::<WorkflowInstance>(tx, "win-1", |instance| {
        instance.spec = Some(WorkflowInstanceSpec {
            workflow_id: "wfl-1".to_owned(),
            env_refs: references(refers),
            ..Default::default()
        });
    });
    let mut execution = WorkflowExecution::envelope();
    execution.spec = Some(WorkflowExecutionSpec {
        workflow_instance_id: "win-1".to_owned(),
        runtime_env: given(env),
        ..Default::default()
    });
    execution
}

async fn with_tx<T: Send + 'static>(test: impl FnOnce(&Tx<'_>) -> T + Send + 'static) -> T {
    let bench = TestState::new();
    let result = bench
        .state
        .store
        .write(move |tx| Ok::<_, StepError>(test(tx)))
        .await;
    result.expect("the transaction commits")
}

fn resolved<E: Execution>(tx: &Tx<'_>, mut execution: E) -> Vec<String> {
    resolve(tx, &mut execution).expect("the environment is there");
    shown(execution.runtime_env_mut())
}

#[tokio::test]
async fn the_caller_wins_over_environments_in_order_and_they_over_defaults() {
    with_tx(|tx| {
        environment(tx, "base", &["B=base", "C=base", "D=base"]);
        environment(tx, "prod", &["C=prod", "D=prod"]);
        let (declares, refers, env) = (
            ["A=default", "B=default", "C=default", "D=default"],
            ["base", "prod"],
            ["D=given", "E=given"],
        );
        let expected = ["A=default", "B=base", "C=prod", "D=given", "E=given"];
        let agent = agent_execution(tx, &declares, &refers, &env);
        assert_eq!(resolved(tx, agent), expected);
        let workflow = workflow_execution(tx, &declares, &refers, &env);
        assert_eq!(resolved(tx, workflow), expected);
    })
    .await;
}

#[tokio::test]
async fn what_anybody_calls_secret_is_secret() {
    with_tx(|tx| {
        environment(tx, "base", &["FROM_ENV!x", "OPEN=x"]);
        let execution = agent_execution(
            tx,
            &["TOKEN!", "KEY!k", "OPEN=o"],
            &["base"],
            &["TOKEN=t", "FROM_ENV=y", "MINE!m"],
        );
        let expected = ["FROM_ENV!y", "KEY!k", "MINE!m", "OPEN=x", "TOKEN!t"];
        assert_eq!(resolved(tx, execution.clone()), expected);

        let mut stored = execution;
        mark_secrets(tx, &mut stored).expect("the environment is there");
        let kept = ["FROM_ENV!y", "MINE!m", "TOKEN!t"];
        assert_eq!(shown(stored.runtime_env_mut()), kept);
    })
    .await;
}

#[tokio::test]
async fn only_the_caller_can_give_an_empty_value() {
    with_tx(|tx| {
        environment(tx, "base", &["A=", "B="]);
        let execution = workflow_execution(tx, &["A=", "B=kept", "C="], &["base"], &["C="]);
        assert_eq!(resolved(tx, execution), ["B=kept", "C="]);
    })
    .await;
}

#[tokio::test]
async fn a_missing_environment_is_refused_by_name() {
    with_tx(|tx| {
        environment(tx, "base", &["A=1"]);
        let refers = ["base", "staging"];
        let refusals = [
            resolve(tx, &mut agent_execution(tx, &[], &refers, &[])),
            resolve(tx, &mut workflow_execution(tx, &[], &refers, &[])),
        ];
        for refused in refusals {
            let status = tonic::Status::from(refused.expect_err("there is no staging"));
            assert_eq!(status.code(), Code::FailedPrecondition);
            let message = status.message();
            assert!(
                message.contains("\"staging\" of org \"local\"") && message.contains("Instance"),
                "{message}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_reference_without_an_org_means_that_of_the_instance() {
    with_tx(|tx| {
        save::<Environment>(tx, "env-theirs", |environment| {
            environment.metadata_mut().org = "acme".to_owned();
            environment.metadata_mut().slug = "base".to_owned();
            environment.spec = Some(spec(&["A=theirs"]));
        });
        let mut execution = agent_execution(tx, &[], &["base"], &[]);
        assert!(resolve(tx, &mut execution).is_err());
    })
    .await;
}

#[tokio::test]
async fn without_an_instance_there_is_what_the_caller_gave() {
    with_tx(|tx| {
        let mut execution = AgentExecution::envelope();
        execution.spec = Some(AgentExecutionSpec {
            session_id: "ses-gone".to_owned(),
            runtime_env: given(&["A=1"]),
            ..Default::default()
        });
        assert_eq!(resolved(tx, execution), ["A=1"]);
    })
    .await;
}
