use prost::Message as _;

use super::*;

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
    let error = Store::open(&path, Vault::default(), Vec::new())
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
    let error = Store::open(&path, Vault::default(), Vec::new())
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
    let error = Store::open(&path, Vault::default(), Vec::new())
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
