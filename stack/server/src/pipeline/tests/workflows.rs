use stigmer_api::{
    workflow::{Workflow, WorkflowSpec},
    workflow_execution::{WorkflowExecution, WorkflowExecutionSpec},
    workflow_instance::{WorkflowInstance, WorkflowInstanceSpec},
};

use super::*;

fn workflow(name: &str) -> Workflow {
    let mut workflow = Workflow::envelope();
    workflow.metadata = agent(name).metadata;
    workflow.spec = Some(WorkflowSpec::default());
    workflow
}

fn instance(name: &str, workflow_id: &str, org: &str) -> WorkflowInstance {
    let mut instance = WorkflowInstance::envelope();
    instance.metadata = agent(name).metadata;
    instance.metadata_mut().org = org.to_owned();
    instance.spec = Some(WorkflowInstanceSpec {
        workflow_id: workflow_id.to_owned(),
        ..Default::default()
    });
    instance
}

fn run_of(workflow_id: &str, instance_id: &str) -> WorkflowExecution {
    let mut execution = WorkflowExecution::envelope();
    execution.metadata = agent("execution-1").metadata;
    execution.spec = Some(WorkflowExecutionSpec {
        workflow_id: workflow_id.to_owned(),
        workflow_instance_id: instance_id.to_owned(),
        ..Default::default()
    });
    execution
}

fn default_of(workflow: &Workflow) -> &str {
    &workflow.status.as_ref().unwrap().default_instance_id
}

#[tokio::test]
async fn a_workflow_comes_and_goes_with_its_default_instance() {
    let bench = Bench::new();
    let stored = bench.create(workflow("basic-data-fetch")).await.unwrap();
    let default: WorkflowInstance = bench.get(default_of(&stored)).await.unwrap();
    assert_eq!(default.name(), "basic-data-fetch-default");
    assert_eq!(default.spec.as_ref().unwrap().workflow_id, stored.id());
    assert_eq!(
        default.metadata().unwrap().org,
        stored.metadata().unwrap().org
    );
    assert_eq!(bench.get::<Workflow>(stored.id()).await.unwrap(), stored);

    bench.delete::<Workflow>(stored.id()).await.unwrap();
    assert_eq!(bench.count::<WorkflowInstance>().await, 0);
}

#[tokio::test]
async fn a_default_instance_left_over_from_a_workflow_is_adopted() {
    let bench = Bench::new();
    let other = bench.create(workflow("other")).await.unwrap();
    let leftover = instance("fetch-default", other.id(), "local");
    let leftover = bench.create(leftover).await.unwrap();
    assert_refused(
        bench.create(workflow("fetch")).await,
        Code::AlreadyExists,
        &["WorkflowInstance", "fetch-default", leftover.id()],
    );
    assert_eq!(
        bench.count::<Workflow>().await,
        1,
        "the refused workflow left no row"
    );
    bench.delete::<Workflow>(other.id()).await.unwrap();
    let fetch = bench.create(workflow("fetch")).await.unwrap();
    assert_eq!(default_of(&fetch), leftover.id());
    let adopted: WorkflowInstance = bench.get(leftover.id()).await.unwrap();
    assert_eq!(adopted.spec.unwrap().workflow_id, fetch.id());
}

#[tokio::test]
async fn an_instance_belongs_to_a_workflow_of_its_org() {
    let bench = Bench::new();
    for workflow_id in ["", "wfl-ghost"] {
        assert_refused(
            bench.create(instance("i", workflow_id, "local")).await,
            Code::NotFound,
            &["pipeline step LoadParentWorkflow failed", "Workflow"],
        );
    }
    let stored = bench.create(workflow("fetch")).await.unwrap();
    assert_refused(
        bench.create(instance("i", stored.id(), "acme")).await,
        Code::InvalidArgument,
        &["metadata.org", "acme", "local"],
    );
    bench
        .create(instance("i", stored.id(), "local"))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_execution_knows_its_workflow_and_its_instance_whichever_is_named() {
    let bench = Bench::new();
    let stored = bench.create(workflow("fetch")).await.unwrap();
    let named = bench
        .create(instance("named", stored.id(), "local"))
        .await
        .unwrap();
    let mut second = run_of("", named.id());
    second.metadata_mut().name = "execution-2".to_owned();
    for (request, instance_id) in [
        (run_of(stored.id(), ""), default_of(&stored)),
        (second, named.id()),
    ] {
        let execution = bench.create(request).await.unwrap();
        assert_eq!(execution.status.unwrap().phase, 1);
        let spec = execution.spec.unwrap();
        assert_eq!(
            (
                spec.workflow_id.as_str(),
                spec.workflow_instance_id.as_str()
            ),
            (stored.id(), instance_id)
        );
    }
    assert_refused(
        bench.create(run_of(stored.id(), "")).await,
        Code::AlreadyExists,
        &["execution-1"],
    );
}

#[tokio::test]
async fn an_execution_of_nothing_is_refused_without_a_trace() {
    let bench = Bench::new();
    let (one, two) = (
        bench.create(workflow("one")).await.unwrap(),
        bench.create(workflow("two")).await.unwrap(),
    );
    let missing = bench.create(run_of("", "")).await;
    assert_refused(
        missing,
        Code::InvalidArgument,
        &["spec.workflow_id", "spec.workflow_instance_id"],
    );
    for ghost in [run_of("wfl-ghost", ""), run_of("", "win-ghost")] {
        assert_refused(bench.create(ghost).await, Code::NotFound, &["ghost"]);
    }
    assert_refused(
        bench.create(run_of(one.id(), default_of(&two))).await,
        Code::InvalidArgument,
        &["spec.workflow_id", two.id()],
    );
    assert_eq!(bench.count::<WorkflowExecution>().await, 0);
}

#[tokio::test]
async fn a_task_that_breaks_its_rules_is_refused_by_the_name_of_the_field() {
    let bench = Bench::new();
    let mut broken = workflow("fetch");
    broken.spec = stigmer_api::json::from_json(&serde_json::json!({"tasks": [{
        "name": "fetch",
        "kind": "WORKFLOW_TASK_KIND_HTTP_CALL",
        "taskConfig": {"method": "FETCH", "endpoint": {"uri": "http://x"}, "timeout_seconds": 30},
    }]}))
    .ok();
    assert_refused(
        bench.create(broken).await,
        Code::InvalidArgument,
        &["spec.tasks[0].task_config.method", "GET"],
    );
    let mut without = workflow("fetch");
    without.spec = None;
    assert_refused(
        bench.create(without).await,
        Code::InvalidArgument,
        &["spec"],
    );
    assert_eq!(
        (
            bench.count::<Workflow>().await,
            bench.count::<WorkflowInstance>().await
        ),
        (0, 0)
    );
}
