use std::sync::Mutex;

use prost::Message as _;
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
    Store::open(path, Vec::new()).expect("the store opens")
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

async fn list<R: Resource>(store: &Store, query: Query) -> Listing<R> {
    store
        .read(move |rows| rows.list(&query))
        .await
        .expect("the rows are listed")
}

fn ids<R: Resource>(listing: &Listing<R>) -> Vec<String> {
    listing.rows.iter().map(|row| row.id().to_owned()).collect()
}

#[tokio::test]
async fn what_is_written_is_there_after_a_restart_byte_for_byte() {
    let (_folder, path) = folder();
    let mut resource = agent("emoji", "local", 2);
    resource.spec.get_or_insert_default().instructions = "🙂 שלום\r\n\t\0 line".repeat(5000);
    let written = save(&open(&path), resource).await;
    let id = written.id().to_owned();
    let read: Option<Agent> = open(&path).read(move |rows| rows.load(&id)).await.unwrap();
    assert_eq!(read, Some(written));
}

#[tokio::test]
async fn a_failed_write_leaves_nothing_and_tells_nobody() {
    let (_folder, path) = folder();
    let recorder = Arc::new(Recorder::default());
    let store = Store::open(&path, vec![recorder.clone()]).unwrap();
    let resource = agent("a", "local", 2);
    let id = resource.id().to_owned();
    let failed: Result<(), StoreError> = store
        .write(move |tx| {
            tx.save(&resource)?;
            tx.load::<Agent>(resource.id())?
                .expect("it sees its own write");
            Err(StoreError::Sqlite {
                path: String::new(),
                source: rusqlite::Error::InvalidQuery,
            })
        })
        .await;
    assert!(failed.is_err());
    let read: Option<Agent> = store.read(move |rows| rows.load(&id)).await.unwrap();
    assert_eq!(read, None);
    assert_eq!(recorder.seen(), Vec::<String>::new());
}

#[derive(Default)]
struct Recorder {
    changes: Mutex<Vec<String>>,
}

impl Recorder {
    fn seen(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }
}

impl CommitObserver for Recorder {
    fn committed(&self, changes: &[Change]) {
        let mut seen = self.changes.lock().unwrap();
        seen.extend(changes.iter().map(|change| {
            let what = if change.data.is_some() {
                "saved"
            } else {
                "deleted"
            };
            format!("{} {} {what}", change.kind.as_str_name(), change.id)
        }));
    }
}

#[tokio::test]
async fn observers_hear_of_every_commit_in_order() {
    let (_folder, path) = folder();
    let recorder = Arc::new(Recorder::default());
    let store = Store::open(&path, vec![recorder.clone()]).unwrap();
    let saved = save(&store, agent("a", "local", 2)).await;
    let id = saved.id().to_owned();
    store
        .write({
            let id = id.clone();
            move |tx| tx.delete::<Agent>(&id)
        })
        .await
        .unwrap();
    assert_eq!(
        recorder.seen(),
        [format!("agent {id} saved"), format!("agent {id} deleted")]
    );
}

#[tokio::test]
async fn slugs_are_found_within_org_and_scope_and_a_reference_prefers_its_scope() {
    let (_folder, path) = folder();
    let store = open(&path);
    let platform = save(&store, agent("reviewer", "", 1)).await;
    let mine = save(&store, agent("reviewer", "local", 2)).await;
    let other = save(&store, agent("reviewer", "acme", 2)).await;
    store
        .read(move |rows| {
            assert_eq!(rows.find("local", 2, "reviewer")?, Some(mine.clone()));
            assert_eq!(rows.find::<Agent>("local", 1, "reviewer")?, None);
            assert_eq!(
                rows.find::<Session>("local", 2, "reviewer")?,
                None,
                "another kind"
            );
            assert_eq!(rows.resolve("acme", 0, "reviewer")?, Some(other));
            assert_eq!(
                rows.resolve("", 0, "reviewer")?,
                Some(platform.clone()),
                "the first in id order"
            );
            assert_eq!(rows.resolve("", 2, "reviewer")?, Some(mine));
            assert_eq!(
                rows.resolve("", 3, "reviewer")?,
                Some(platform),
                "no scope excludes a match"
            );
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn pages_cover_every_row_once_in_id_order() {
    let (_folder, path) = folder();
    let store = open(&path);
    let mut all = Vec::new();
    for _ in 0..25 {
        all.push(save(&store, session("ain-1", &[])).await.id().to_owned());
    }
    all.sort();
    let (mut seen, mut last) = (Vec::new(), String::new());
    loop {
        let page = Page {
            start: Start::After(last.clone()),
            size: 10,
        };
        let listing = list::<Session>(
            &store,
            Query {
                page,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(listing.total, 25);
        let Some(end) = listing.rows.last() else {
            break;
        };
        end.id().clone_into(&mut last);
        seen.extend(ids(&listing));
    }
    assert_eq!(seen, all);

    let page = Page {
        start: Start::Offset(20),
        size: 10,
    };
    let listing = list::<Session>(
        &store,
        Query {
            page,
            ..Query::default()
        },
    )
    .await;
    assert_eq!(ids(&listing), all[20..]);
}

#[tokio::test]
async fn a_page_ends_before_it_outgrows_a_message_and_the_next_goes_on() {
    let (_folder, path) = folder();
    let store = open(&path);
    for _ in 0..5 {
        let mut execution = AgentExecution::envelope();
        execution.metadata_mut().id = new_id(ApiResourceKind::AgentExecution);
        execution.spec = Some(AgentExecutionSpec {
            message: "x".repeat(3 << 20),
            ..Default::default()
        });
        save(&store, execution).await;
    }
    let first = list::<AgentExecution>(&store, Query::default()).await;
    assert_eq!((first.rows.len(), first.total), (2, 5));
    let after = first.rows[1].id().to_owned();
    let page = Page {
        start: Start::After(after.clone()),
        size: 100,
    };
    let second = list::<AgentExecution>(
        &store,
        Query {
            page,
            ..Query::default()
        },
    )
    .await;
    assert_eq!(second.rows.len(), 2);
    assert!(second.rows[0].id() > after.as_str());
}

#[tokio::test]
async fn lists_filter_by_relation_and_by_all_tags() {
    let (_folder, path) = folder();
    let store = open(&path);
    let mut instance = stigmer_api::agent_instance::AgentInstance::envelope();
    instance.metadata_mut().id = new_id(ApiResourceKind::AgentInstance);
    instance.spec.get_or_insert_default().agent_id = "agt-1".to_owned();
    let instance = save(&store, instance).await.id().to_owned();
    let mine = save(&store, session(&instance, &["a", "b"]))
        .await
        .id()
        .to_owned();
    let others = save(&store, session("ain-2", &["a", "b\"c"]))
        .await
        .id()
        .to_owned();

    let of = |id: &str| Relation::DescendantOf {
        id: id.to_owned(),
        through: ApiResourceKind::AgentInstance,
    };
    for (relation, expected) in [
        (of("agt-1"), vec![mine.clone()]),
        (of(&instance), vec![mine.clone()]),
        (of("agt-2"), vec![]),
        (Relation::ChildOf("ain-2".to_owned()), vec![others.clone()]),
        (Relation::ChildOf("agt-1".to_owned()), vec![]),
    ] {
        let listing = list::<Session>(
            &store,
            Query {
                relation,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(ids(&listing), expected);
    }
    for (tags, expected) in [
        (vec!["a"], 2),
        (vec!["a", "b"], 1),
        (vec!["b\"c"], 1),
        (vec!["c"], 0),
    ] {
        let tags = tags.into_iter().map(str::to_owned).collect();
        let listing = list::<Session>(
            &store,
            Query {
                tags,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(listing.total, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_read_modify_writes_lose_nothing() {
    let (_folder, path) = folder();
    let store = open(&path);
    let id = save(&store, session("ain-1", &[])).await.id().to_owned();
    let tasks = (0..50).map(|number| {
        let (store, id) = (store.clone(), id.clone());
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    let mut session: Session = tx.load(&id)?.expect("it was saved");
                    session.metadata_mut().tags.push(number.to_string());
                    tx.save(&session)
                })
                .await
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap().unwrap();
    }
    let read: Session = store
        .read(move |rows| rows.load(&id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.metadata().unwrap().tags.len(), 50);
}

#[tokio::test]
async fn a_file_of_schema_2_is_migrated_and_its_rows_are_found() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (old, session) = (agent("old", "local", 2), session("ain-1", &["kept"]));
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT DEFAULT (datetime('now')));
             INSERT INTO schema_version (version) VALUES (1), (2);
             CREATE TABLE resources (kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL,
                 updated_at TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
             CREATE INDEX idx_resources_kind_id ON resources (kind, id);
             CREATE TABLE resource_audit (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
                 resource_id TEXT NOT NULL, data BLOB NOT NULL, archived_at TEXT NOT NULL,
                 version_hash TEXT, tag TEXT);",
        )
        .unwrap();
    let rows = [
        ("agent", old.id().to_owned(), old.encode_to_vec()),
        ("session", session.id().to_owned(), session.encode_to_vec()),
        ("agent", "agt-damaged".to_owned(), b"\xff\xff".to_vec()),
        ("of_a_later_server", "x-1".to_owned(), b"whatever".to_vec()),
    ];
    for (kind, id, data) in &rows {
        connection
            .execute(
                "INSERT INTO resources VALUES (?1, ?2, ?3, '2026-01-02 03:04:05')",
                (kind, id, data),
            )
            .unwrap();
    }
    drop(connection);

    let store = open(&path);
    let found: Option<Agent> = store
        .read(|rows| rows.find("local", 2, "old"))
        .await
        .unwrap();
    assert_eq!(found, Some(old));
    let tagged = Query {
        tags: vec!["kept".to_owned()],
        ..Query::default()
    };
    assert_eq!(list::<Session>(&store, tagged).await.rows, [session]);
    let damaged = store
        .read(|rows| rows.load::<Agent>("agt-damaged"))
        .await
        .unwrap_err();
    assert!(damaged.to_string().contains("agt-damaged"), "{damaged}");
    drop(store);

    let connection = Connection::open(&path).unwrap();
    let count = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(
        count("SELECT count(*) FROM resources WHERE updated_at = '2026-01-02 03:04:05'"),
        4
    );
    assert_eq!(count("SELECT max(version) FROM schema_version"), 3);
    assert_eq!(count("SELECT count(*) FROM schema_version"), 3);
}

#[test]
fn archived_rows_of_schema_1_move_to_their_table() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT DEFAULT (datetime('now')));
             INSERT INTO schema_version (version) VALUES (1);
             CREATE TABLE resources (kind TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL,
                 updated_at TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
             INSERT INTO resources VALUES ('skill', 'skl-1', x'00', '2026-01-01 00:00:00'),
                 ('skill', 'skill_audit/skl-1/1767225600', x'01', '2026-01-02 00:00:00');",
        )
        .unwrap();
    drop(connection);
    drop(open(&path));

    let connection = Connection::open(&path).unwrap();
    let archived: (String, String, Vec<u8>, String) = connection
        .query_row(
            "SELECT kind, resource_id, data, archived_at FROM resource_audit",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let expected = (
        "skill".to_owned(),
        "skl-1".to_owned(),
        vec![1],
        "2026-01-02 00:00:00".to_owned(),
    );
    assert_eq!(archived, expected);
    let left: i64 = connection
        .query_row("SELECT count(*) FROM resources", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 1);
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let (_folder, path) = folder();
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    connection
        .execute("INSERT INTO schema_version (version) VALUES (99)", [])
        .unwrap();
    let error = Store::open(&path, Vec::new())
        .err()
        .expect("too new")
        .to_string();
    for part in [path.as_str(), "99", "up to 3", "newer server"] {
        assert!(error.contains(part), "{part:?} is missing in {error:?}");
    }
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let (_folder, path) = folder();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(
        &path,
        "this is not a database, however long one makes it".repeat(100),
    )
    .unwrap();
    let error = Store::open(&path, Vec::new())
        .err()
        .expect("no database")
        .to_string();
    assert!(
        error.contains(path.as_str()) && error.contains("not a database"),
        "{error}"
    );
}

#[tokio::test]
async fn a_truncated_file_is_refused_by_name() {
    let (_folder, path) = folder();
    let store = open(&path);
    for _ in 0..200 {
        save(&store, session("ain-1", &["some", "tags"])).await;
    }
    store.checkpoint().await.unwrap();
    drop(store);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = Store::open(&path, Vec::new())
        .err()
        .expect("half a database")
        .to_string();
    assert!(error.contains(path.as_str()), "{error}");
}

#[tokio::test]
async fn every_connection_has_the_settings_of_the_contract() {
    let (_folder, path) = folder();
    let store = open(&path);
    let writer = locked(&store.inner.writer);
    let readers = locked(&store.inner.readers);
    assert_eq!(readers.len(), READERS);
    for connection in readers.iter().chain([&*writer]) {
        let value = |pragma: &str| {
            connection
                .pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0))
                .unwrap()
        };
        assert_eq!(value("journal_mode"), "wal".to_owned().into());
        assert_eq!(value("synchronous"), 1.into());
        assert_eq!(value("busy_timeout"), 5000.into());
        assert_eq!(value("cache_size"), (-64_000).into());
        assert_eq!(value("foreign_keys"), 1.into());
        assert_eq!(value("temp_store"), 2.into());
    }
}
