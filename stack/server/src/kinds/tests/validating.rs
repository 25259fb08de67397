use stigmer_api::workflow_instance::WorkflowInstance;

use super::*;
use crate::executions::ValidationFailure;

fn validation_of(workflow: &Workflow) -> Option<&ServerlessWorkflowValidation> {
    let status = workflow.status.as_ref()?;
    status.serverless_workflow_validation.as_ref()
}

#[tokio::test]
async fn a_workflow_is_stored_with_its_validation() {
    let bench = Bench::new();
    let request = workflow("fetch", "1");
    let stored = workflow::create(&bench.state, request.clone())
        .await
        .unwrap();
    assert_eq!(bench.temporal.validated(), [request.spec.unwrap()]);
    assert_eq!(
        validation_of(&stored).unwrap().state(),
        ValidationState::Valid
    );
    let id = stigmer_api::workflow::WorkflowId {
        value: stored.id().to_owned(),
    };
    let read: Workflow = crate::requests::get(&bench.state, id).await.unwrap();
    assert_eq!(read, stored);
}

#[tokio::test]
async fn only_a_spec_that_changed_is_validated_again() {
    let bench = Bench::new();
    let first = workflow::apply(&bench.state, workflow("fetch", "1"))
        .await
        .unwrap();
    let mut labelled = workflow("fetch", "1");
    labelled
        .metadata_mut()
        .labels
        .insert("team".to_owned(), "blue".to_owned());
    let again = workflow::apply(&bench.state, workflow("fetch", "1")).await;
    assert_eq!(again.unwrap(), first);
    let labelled = workflow::apply(&bench.state, labelled).await.unwrap();
    assert_eq!(validation_of(&labelled), validation_of(&first));
    assert_eq!(bench.temporal.validated().len(), 1);

    let mut changed = workflow("fetch", "2");
    changed.metadata_mut().id = first.id().to_owned();
    workflow::update(&bench.state, changed).await.unwrap();
    assert_eq!(bench.temporal.validated().len(), 2);
}

#[tokio::test]
async fn what_cannot_run_is_refused_with_its_first_error_and_not_stored() {
    let bench = Bench::new();
    let known = workflow::apply(&bench.state, workflow("known", "1"))
        .await
        .unwrap();
    let errors = ["task 'pause': no such task", "second"];
    bench
        .temporal
        .validates(Ok(outcome(ValidationState::Invalid, &errors)));
    for request in [workflow("fetch", "1"), workflow("known", "2")] {
        let status = status_of(workflow::apply(&bench.state, request).await);
        assert_eq!(
            (status.code(), status.message()),
            (
                Code::InvalidArgument,
                "pipeline step ValidateWorkflowSpec failed: workflow validation failed: task 'pause': no such task"
            )
        );
    }
    assert_eq!(
        (
            bench.count::<Workflow>().await,
            bench.count::<WorkflowInstance>().await
        ),
        (1, 1)
    );
    let unchanged = workflow::apply(&bench.state, workflow("known", "1")).await;
    assert_eq!(unchanged.unwrap(), known);
}

#[tokio::test]
async fn broken_rules_are_told_before_anybody_is_asked() {
    let bench = Bench::new();
    let mut broken = workflow("fetch", "1");
    broken.spec.as_mut().unwrap().tasks.clear();
    let status = status_of(workflow::apply(&bench.state, broken).await);
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("spec.tasks"), "{status:?}");
    assert!(bench.temporal.validated().is_empty());
}

#[tokio::test]
async fn what_nobody_can_validate_is_not_accepted() {
    let bench = Bench::new();
    for (outcome, code, part) in [
        (
            Err(ValidationFailure::Unavailable("no worker".to_owned())),
            Code::Unavailable,
            "no worker",
        ),
        (
            Err(ValidationFailure::Failed("it broke".to_owned())),
            Code::Internal,
            "workflow validation system error: it broke",
        ),
        (
            Ok(outcome(
                ValidationState::Failed,
                &["WorkflowSpec cannot be nil"],
            )),
            Code::Internal,
            "cannot be nil",
        ),
    ] {
        bench.temporal.validates(outcome);
        let status = status_of(workflow::apply(&bench.state, workflow("fetch", "1")).await);
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(part), "{status:?}");
    }
    bench.test.connection.send_replace(None);
    let status = status_of(workflow::create(&bench.state, workflow("fetch", "1")).await);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("Temporal is not connected"),
        "{status:?}"
    );
    assert_eq!(bench.count::<Workflow>().await, 0);
}
