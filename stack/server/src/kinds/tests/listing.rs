use stigmer_api::{
    FindApiResourcesRequest,
    pagination::PageInfo,
    workflow::WorkflowList,
    workflow_execution::{ListWorkflowExecutionsByWorkflowRequest, ListWorkflowExecutionsRequest},
};

use super::*;
use crate::requests;

async fn page(bench: &Bench, org: &str, number: i32) -> (Vec<String>, i32) {
    let request = FindApiResourcesRequest {
        org: org.to_owned(),
        page: Some(PageInfo {
            num: number,
            size: 2,
        }),
        ..Default::default()
    };
    let list: WorkflowList = requests::list_of_org(&bench.state, request).await.unwrap();
    let names = list.entries.iter().map(|w| w.name().to_owned()).collect();
    (names, list.total_pages)
}

#[tokio::test]
async fn the_workflows_of_an_org_come_in_pages() {
    let bench = Bench::new();
    for name in ["one", "two", "three"] {
        workflow::create(&bench.state, workflow(name, "1"))
            .await
            .unwrap();
    }
    let mut foreign = workflow("foreign", "1");
    foreign.metadata_mut().org = "acme".to_owned();
    workflow::create(&bench.state, foreign).await.unwrap();

    let (mut names, pages) = page(&bench, "local", 1).await;
    assert_eq!((names.len(), pages), (2, 2));
    names.extend(page(&bench, "local", 2).await.0);
    names.sort();
    assert_eq!(names, ["one", "three", "two"]);
    assert_eq!(
        page(&bench, "acme", 0).await,
        (vec!["foreign".to_owned()], 1)
    );
}

#[tokio::test]
async fn a_list_needs_an_org_and_is_of_one_kind() {
    let bench = Bench::new();
    for (org, kind, part) in [("", "", "org"), ("local", "Agent", "kind")] {
        let request = FindApiResourcesRequest {
            org: org.to_owned(),
            kind: kind.to_owned(),
            ..Default::default()
        };
        let listed = requests::list_of_org::<WorkflowList>(&bench.state, request).await;
        let status = status_of(listed);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(part), "{status:?}");
    }
}

#[tokio::test]
async fn executions_are_listed_by_workflow_and_by_phase() {
    let bench = Bench::new();
    let first = bench.pending().await;
    let second = bench.pending().await;
    let of = async |workflow_id: &str, page_token: &str| {
        let request = ListWorkflowExecutionsByWorkflowRequest {
            workflow_id: workflow_id.to_owned(),
            page_size: 1,
            page_token: page_token.to_owned(),
        };
        let list = workflow_execution::list_by_workflow(&bench.state, request).await;
        list.unwrap()
    };
    let workflow_id = first.spec.as_ref().unwrap().workflow_id.clone();
    let page = of(&workflow_id, "").await;
    assert_eq!((page.entries.len(), page.total_pages), (1, 2));
    let rest = of(&workflow_id, page.entries[0].id()).await;
    let mut ids = [page.entries[0].id(), rest.entries[0].id()];
    ids.sort_unstable();
    let mut wanted = [first.id(), second.id()];
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert!(of("wfl-other", "").await.entries.is_empty());

    for (phase, count) in [(0, 2), (1, 2), (3, 0)] {
        let request = ListWorkflowExecutionsRequest {
            phase,
            ..Default::default()
        };
        let list = workflow_execution::list(&bench.state, request).await;
        assert_eq!(list.unwrap().entries.len(), count, "phase {phase}");
    }
}
