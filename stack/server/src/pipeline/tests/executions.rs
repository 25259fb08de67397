use super::*;

#[tokio::test]
async fn an_execution_gets_a_session_at_the_default_instance_of_its_agent() {
    let bench = Bench::new();
    let agent = bench.create(agent("reviewer")).await.unwrap();
    for _ in 0..2 {
        // The name is the same both times: executions need no unique slug.
        let stored = bench.create(execution(agent.id(), "")).await.unwrap();
        assert_eq!(stored.status.as_ref().unwrap().phase, 1);
        let session: Session = bench.get(&stored.spec.unwrap().session_id).await.unwrap();
        assert_eq!(
            session.spec.unwrap().agent_instance_id,
            default_instance(&agent)
        );
    }
    assert_eq!(
        (
            bench.count::<AgentExecution>().await,
            bench.count::<Session>().await
        ),
        (2, 2)
    );
}

#[tokio::test]
async fn a_missing_default_instance_is_made_for_an_execution() {
    let bench = Bench::new();
    let stored = bench.create(agent("reviewer")).await.unwrap();
    bench
        .delete::<AgentInstance>(default_instance(&stored))
        .await
        .unwrap();
    bench.create(execution(stored.id(), "")).await.unwrap();
    let now: Agent = bench.get(stored.id()).await.unwrap();
    bench
        .get::<AgentInstance>(default_instance(&now))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_session_of_a_platform_agent_belongs_to_the_local_organization() {
    let bench = Bench::new();
    let mut platform = agent("reviewer");
    platform.metadata_mut().owner_scope = 1;
    platform.metadata_mut().org.clear();
    let platform = bench.create(platform).await.unwrap();
    let stored = bench.create(execution(platform.id(), "")).await.unwrap();
    let session: Session = bench.get(&stored.spec.unwrap().session_id).await.unwrap();
    let metadata = session.metadata.unwrap();
    assert_eq!((metadata.owner_scope, metadata.org.as_str()), (2, "local"));
}

#[tokio::test]
async fn an_execution_of_nobody_is_refused_without_a_trace() {
    let bench = Bench::new();
    let refused = bench.create(execution("", "")).await;
    assert_refused(
        refused,
        Code::InvalidArgument,
        &["spec.agent_id", "spec.session_id"],
    );
    for (agent_id, session_id) in [("agt-ghost", ""), ("", "ses-ghost")] {
        let refused = bench.create(execution(agent_id, session_id)).await;
        assert_refused(refused, Code::NotFound, &["ghost"]);
    }
    assert_eq!(
        (
            bench.count::<AgentExecution>().await,
            bench.count::<Session>().await
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn an_update_with_hidden_secrets_keeps_them() {
    let bench = Bench::new();
    let agent = bench.create(agent("reviewer")).await.unwrap();
    let mut request = execution(agent.id(), "");
    let secret = ExecutionValue {
        value: "marker".to_owned(),
        is_secret: true,
    };
    request
        .spec
        .as_mut()
        .unwrap()
        .runtime_env
        .insert("TOKEN".to_owned(), secret.clone());
    let stored = bench.create(request).await.unwrap();
    let sent_back = crate::mask::Outgoing::masked(stored.clone());
    assert_ne!(sent_back, stored);
    let updated = bench.update(sent_back).await.unwrap();
    assert_eq!(updated.spec.unwrap().runtime_env["TOKEN"], secret);
}
