use camino::Utf8PathBuf;
use stigmer_api::{
    ApiResourceMetadata, Resource as _,
    agent::{Agent, AgentSpec},
    agent_execution::{AgentExecution, AgentExecutionSpec},
    agent_instance::AgentInstance,
    execution_context::ExecutionValue,
    session::Session,
};
use tempfile::TempDir;
use tonic::{Code, Status};

use super::*;
use crate::store::Store;

struct Bench {
    store: Store,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path =
            Utf8PathBuf::from_path_buf(folder.path().join("stigmer.db")).expect("a UTF-8 path");
        Self {
            store: Store::open(&path, Vec::new()).expect("the store opens"),
            _folder: folder,
        }
    }

    async fn create<K: Kind>(&self, resource: K) -> Result<K, StepError> {
        self.store.write(move |tx| create(tx, resource)).await
    }

    async fn update<K: Kind>(&self, request: K) -> Result<K, StepError> {
        self.store.write(move |tx| update(tx, request)).await
    }

    async fn apply<K: Kind>(&self, request: K) -> Result<K, StepError> {
        self.store.write(move |tx| apply(tx, request)).await
    }

    async fn delete<K: Kind>(&self, id: &str) -> Result<K, StepError> {
        let id = id.to_owned();
        self.store.write(move |tx| delete(tx, &id)).await
    }

    async fn get<K: Kind>(&self, id: &str) -> Result<K, StepError> {
        let id = id.to_owned();
        self.store.read(move |rows| get(rows, &id)).await
    }

    async fn count<K: Kind>(&self) -> u64 {
        let listing = self
            .store
            .read(|rows| rows.list::<K>(&Default::default()))
            .await;
        listing.expect("the rows are listed").total
    }
}

fn agent(name: &str) -> Agent {
    let mut agent = Agent::envelope();
    agent.metadata = Some(ApiResourceMetadata {
        name: name.to_owned(),
        org: "local".to_owned(),
        owner_scope: 2,
        ..Default::default()
    });
    agent.spec = Some(AgentSpec {
        instructions: "Review the code.".to_owned(),
        ..Default::default()
    });
    agent
}

fn execution(agent_id: &str, session_id: &str) -> AgentExecution {
    let mut execution = AgentExecution::envelope();
    execution.metadata_mut().name = "execution-1".to_owned();
    execution.spec = Some(AgentExecutionSpec {
        agent_id: agent_id.to_owned(),
        session_id: session_id.to_owned(),
        message: "hello".to_owned(),
        ..Default::default()
    });
    execution
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, StepError>, code: Code, parts: &[&str]) {
    let status = Status::from(result.expect_err("it is refused"));
    assert_eq!(status.code(), code, "{status:?}");
    for part in parts {
        assert!(
            status.message().contains(part),
            "{part:?} is missing in {:?}",
            status.message()
        );
    }
}

fn default_instance(agent: &Agent) -> &str {
    &agent
        .status
        .as_ref()
        .expect("an agent has a status")
        .default_instance_id
}

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
