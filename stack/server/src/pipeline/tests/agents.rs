use super::*;

#[tokio::test]
async fn a_new_agent_has_id_slug_audit_and_a_default_instance() {
    let bench = Bench::new();
    let stored = bench.create(agent("code-reviewer")).await.unwrap();
    assert!(
        stigmer_api::id::is_id(Agent::KIND, stored.id()),
        "{}",
        stored.id()
    );
    assert_eq!(stored.slug(), "code-reviewer");
    let audit = stored.audit().unwrap();
    assert_eq!(audit.spec_audit, audit.status_audit);
    assert_eq!(audit.spec_audit.as_ref().unwrap().event, "created");
    assert_eq!(bench.get::<Agent>(stored.id()).await.unwrap(), stored);

    let instance: AgentInstance = bench.get(default_instance(&stored)).await.unwrap();
    assert_eq!(
        (instance.name(), instance.slug()),
        ("code-reviewer-default", "code-reviewer-default")
    );
    assert_eq!(instance.spec.unwrap().agent_id, stored.id());
    assert_eq!(instance.metadata.unwrap().org, "local");
}

#[tokio::test]
async fn a_status_sent_by_the_caller_is_dropped() {
    let bench = Bench::new();
    let mut request = agent("code-reviewer");
    request.status.get_or_insert_default().default_instance_id = "ain-mine".to_owned();
    let stored = bench.create(request).await.unwrap();
    assert_ne!(default_instance(&stored), "ain-mine");
}

#[tokio::test]
async fn names_of_agents_are_what_authors_may_choose() {
    let bench = Bench::new();
    for name in [
        "",
        "Upper",
        "a_b",
        "-a",
        "a-",
        "Invalid Name!",
        &"a".repeat(64),
    ] {
        let step = "pipeline step ValidateProtoConstraints failed";
        assert_refused(
            bench.create(agent(name)).await,
            Code::InvalidArgument,
            &[step, "metadata.name"],
        );
    }
    assert_eq!(bench.count::<Agent>().await, 0);
    bench.create(agent(&"a".repeat(63))).await.unwrap();
}

#[tokio::test]
async fn an_agent_has_a_spec() {
    let mut bare = agent("bare");
    bare.spec = None;
    assert_refused(
        Bench::new().create(bare).await,
        Code::InvalidArgument,
        &["spec"],
    );
}

#[tokio::test]
async fn an_apply_that_changes_something_keeps_identity_and_status() {
    let bench = Bench::new();
    let created = bench.apply(agent("code-reviewer")).await.unwrap();
    let mut changed = agent("code-reviewer");
    changed.spec.as_mut().unwrap().description = "new".to_owned();
    let updated = bench.apply(changed).await.unwrap();
    assert_eq!(
        (updated.id(), default_instance(&updated)),
        (created.id(), default_instance(&created))
    );
    assert_eq!(updated.spec.as_ref().unwrap().description, "new");
    let info = |agent: &Agent| agent.audit().unwrap().spec_audit.clone().unwrap();
    let (before, after) = (info(&created), info(&updated));
    assert_eq!(
        (after.created_at, after.event.as_str()),
        (before.created_at, "updated")
    );
    let nanos = |time: Option<prost_types::Timestamp>| {
        time.map(|t| i128::from(t.seconds) * 1_000_000_000 + i128::from(t.nanos))
    };
    assert!(
        nanos(after.updated_at) > nanos(after.created_at),
        "{after:?}"
    );
}

#[tokio::test]
async fn an_agent_can_be_made_again_after_its_deletion() {
    let bench = Bench::new();
    let first = bench.apply(agent("code-reviewer")).await.unwrap();
    assert_eq!(bench.delete::<Agent>(first.id()).await.unwrap(), first);
    assert_eq!(
        (
            bench.count::<Agent>().await,
            bench.count::<AgentInstance>().await
        ),
        (0, 0)
    );
    let second = bench.apply(agent("code-reviewer")).await.unwrap();
    assert_ne!(second.id(), first.id());
    bench
        .get::<AgentInstance>(default_instance(&second))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_default_instance_left_over_is_adopted_and_a_foreign_one_is_not() {
    let bench = Bench::new();
    let owner = bench.create(agent("owner")).await.unwrap();
    let mut leftover: AgentInstance = bench.get(default_instance(&owner)).await.unwrap();
    bench.delete::<AgentInstance>(leftover.id()).await.unwrap();
    leftover.metadata_mut().id.clear();
    leftover.metadata_mut().name = "reviewer-default".to_owned();
    leftover.metadata_mut().slug.clear();
    let foreign = bench.create(leftover).await.unwrap();

    let refused = bench.create(agent("reviewer")).await;
    assert_refused(
        refused,
        Code::AlreadyExists,
        &["AgentInstance", "reviewer-default", foreign.id()],
    );
    assert_eq!(
        bench.count::<Agent>().await,
        1,
        "the refused agent left no row"
    );

    // Without its default instance, deleting the owner leaves the foreign one behind.
    bench.delete::<Agent>(owner.id()).await.unwrap();
    let adopter = bench.create(agent("reviewer")).await.unwrap();
    assert_eq!(default_instance(&adopter), foreign.id());
    let adopted: AgentInstance = bench.get(foreign.id()).await.unwrap();
    assert_eq!(adopted.spec.unwrap().agent_id, adopter.id());
}
