use super::*;

#[tokio::test]
async fn a_name_or_slug_is_needed_and_the_error_names_it() {
    let bench = Bench::new();
    for name in ["", "!!!"] {
        let mut session = Session::envelope();
        session.metadata_mut().name = name.to_owned();
        let parts = ["pipeline step ResolveSlug failed", "metadata.name"];
        assert_refused(bench.create(session).await, Code::InvalidArgument, &parts);
    }
    let mut session = Session::envelope();
    session.metadata_mut().slug = "Chosen_Slug".to_owned();
    assert_eq!(bench.create(session).await.unwrap().slug(), "Chosen_Slug");
}

#[tokio::test]
async fn slugs_are_unique_within_kind_org_and_scope_only() {
    let bench = Bench::new();
    let first = bench.create(agent("reviewer")).await.unwrap();
    let parts = [
        "pipeline step CheckDuplicate failed",
        "reviewer",
        first.id(),
    ];
    assert_refused(
        bench.create(agent("reviewer")).await,
        Code::AlreadyExists,
        &parts,
    );

    let mut other_org = agent("reviewer");
    other_org.metadata_mut().org = "acme".to_owned();
    let mut platform = agent("reviewer");
    platform.metadata_mut().owner_scope = 1;
    for other in [other_org, platform] {
        bench.create(other).await.unwrap();
    }
    assert_eq!(
        (
            bench.count::<Agent>().await,
            bench.count::<AgentInstance>().await
        ),
        (3, 3)
    );
}

#[tokio::test]
async fn a_caller_cannot_choose_an_id() {
    let bench = Bench::new();
    let stored = bench.create(agent("victim")).await.unwrap();
    let mut intruder = agent("intruder");
    intruder.metadata_mut().id = stored.id().to_owned();
    assert_refused(
        bench.create(intruder.clone()).await,
        Code::InvalidArgument,
        &["metadata.id"],
    );
    assert_refused(
        bench.apply(intruder).await,
        Code::InvalidArgument,
        &["metadata.id"],
    );

    let mut same = agent("victim");
    same.metadata_mut().id = stored.id().to_owned();
    assert_eq!(bench.apply(same).await.unwrap(), stored);
    let mut wrong = agent("victim");
    wrong.metadata_mut().id = "agt-other".to_owned();
    assert_refused(
        bench.apply(wrong).await,
        Code::InvalidArgument,
        &["metadata.id", stored.id()],
    );
}

#[tokio::test]
async fn an_apply_that_changes_nothing_leaves_the_resource_alone() {
    let bench = Bench::new();
    let created = bench.apply(agent("code-reviewer")).await.unwrap();
    assert_eq!(bench.apply(agent("code-reviewer")).await.unwrap(), created);
    assert_eq!(bench.get::<Agent>(created.id()).await.unwrap(), created);
    assert_eq!(
        (
            bench.count::<Agent>().await,
            bench.count::<AgentInstance>().await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn an_update_by_id_may_leave_out_the_name_and_keeps_org_and_scope() {
    let bench = Bench::new();
    let created = bench.create(agent("code-reviewer")).await.unwrap();
    let mut request = agent("");
    let metadata = request.metadata_mut();
    metadata.id = created.id().to_owned();
    metadata.org = "acme".to_owned();
    metadata.owner_scope = 1;
    metadata.labels.insert("team".to_owned(), "blue".to_owned());
    let updated = bench.update(request).await.unwrap();
    let metadata = updated.metadata().unwrap();
    assert_eq!(
        (metadata.name.as_str(), metadata.org.as_str()),
        ("code-reviewer", "local")
    );
    assert_eq!(
        (metadata.owner_scope, metadata.labels["team"].as_str()),
        (2, "blue")
    );
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_by_name() {
    let bench = Bench::new();
    let mut ghost = agent("ghost");
    assert_refused(
        bench.update(ghost.clone()).await,
        Code::NotFound,
        &["Agent ghost not found"],
    );
    ghost.metadata_mut().id = "agt-ghost".to_owned();
    assert_refused(
        bench.update(ghost).await,
        Code::NotFound,
        &["Agent agt-ghost not found"],
    );
    assert_refused(
        bench.get::<Agent>("agt-ghost").await,
        Code::NotFound,
        &["pipeline step LoadTarget failed"],
    );
    assert_refused(
        bench.delete::<Agent>("agt-ghost").await,
        Code::NotFound,
        &["agt-ghost"],
    );
}

#[tokio::test]
async fn references_are_checked_and_resolved() {
    let bench = Bench::new();
    let stored = bench.create(agent("reviewer")).await.unwrap();
    let reference = |slug: &str, org: &str, kind: i32| ApiResourceReference {
        slug: slug.to_owned(),
        org: org.to_owned(),
        kind,
        ..Default::default()
    };
    let resolve = async |reference: ApiResourceReference| {
        bench
            .store
            .read(move |rows| get_by_reference::<Agent>(rows, &reference))
            .await
    };
    for good in [
        reference("reviewer", "local", 40),
        reference("reviewer", "", 0),
    ] {
        assert_eq!(resolve(good).await.unwrap(), stored);
    }
    assert_refused(
        resolve(reference("", "local", 0)).await,
        Code::InvalidArgument,
        &["slug"],
    );
    assert_refused(
        resolve(reference("reviewer", "", 50)).await,
        Code::InvalidArgument,
        &["kind", "40"],
    );
    assert_refused(
        resolve(reference("reviewer", "acme", 0)).await,
        Code::NotFound,
        &["reviewer", "acme"],
    );
}
