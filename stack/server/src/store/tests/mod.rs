//! The store on real files.

mod files;
mod rows;
mod secrets;

use stigmer_api::{
    ApiResourceKind, Resource,
    agent::Agent,
    agent_execution::{AgentExecution, AgentExecutionSpec},
    id::new_id,
    session::{Session, SessionSpec},
};
use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, Utf8PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let path =
        Utf8PathBuf::from_path_buf(folder.path().join("deep/er/stigmer.db")).expect("a UTF-8 path");
    (folder, path)
}

fn open(path: &Utf8Path) -> Store {
    Store::open(path, Vault::default(), Vec::new()).expect("the store opens")
}

fn agent(slug: &str, org: &str, scope: i32) -> Agent {
    let mut agent = Agent::envelope();
    let metadata = agent.metadata_mut();
    metadata.id = new_id(ApiResourceKind::Agent);
    slug.clone_into(&mut metadata.slug);
    org.clone_into(&mut metadata.org);
    metadata.owner_scope = scope;
    agent
}

fn session(instance: &str, tags: &[&str]) -> Session {
    let mut session = Session::envelope();
    session.metadata_mut().id = new_id(ApiResourceKind::Session);
    session.metadata_mut().tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    session.spec = Some(SessionSpec {
        agent_instance_id: instance.to_owned(),
        ..Default::default()
    });
    session
}

async fn save<R: Indexed>(store: &Store, resource: R) -> R {
    store
        .write(move |tx| tx.save(&resource).map(|()| resource))
        .await
        .expect("the resource is saved")
}

async fn list<R: Indexed>(store: &Store, query: Query) -> Listing<R> {
    store
        .read(move |rows| rows.list(&query))
        .await
        .expect("the rows are listed")
}

fn ids<R: Resource>(listing: &Listing<R>) -> Vec<String> {
    listing.rows.iter().map(|row| row.id().to_owned()).collect()
}
