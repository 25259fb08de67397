//! The server's SQLite file, read only: counts where no list RPC exists, and the records as
//! evidence when the server is gone (`docs/contract/behaviour.md`, section 2).

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use rusqlite::{
    Connection, OpenFlags, Row,
    types::{self, Type},
};
use serde_json::{Map, Value, json};
use stigmer_api::{ApiResourceKind, DESCRIPTORS, Resource, kind};

use super::api::Acknowledged;

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {path}: {source}")]
pub struct StoreError {
    path: Utf8PathBuf,
    source: rusqlite::Error,
}

/// The store of one environment.
#[derive(Clone, Debug)]
pub struct Store {
    path: Utf8PathBuf,
}

impl Store {
    /// The store in the file `path`.
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// How many resources of `kind` there are.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn count(&self, kind: ApiResourceKind) -> Result<usize, StoreError> {
        Ok(self
            .counts()?
            .get(kind::meta(kind).storage_name.as_str())
            .copied()
            .unwrap_or(0))
    }

    /// How many resources there are of each kind that has any, by storage name.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn counts(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT kind, count(*) FROM resources GROUP BY kind")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            rows.map(|row| row.map(|(kind, n)| (kind, usize::try_from(n).unwrap_or(0))))
                .collect()
        })
    }

    /// Every resource as protobuf JSON, by storage name; a row that does not decode is told as such.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn dump(&self) -> Result<Value, StoreError> {
        let rows: Vec<(String, String, Vec<u8>)> = self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT kind, id, data FROM resources ORDER BY kind, id")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect()
        })?;
        let mut kinds = Map::new();
        for (kind, id, data) in rows {
            let record = decode(&kind, &data)
                .unwrap_or_else(|reason| json!({"id": id, "undecodable": reason}));
            if let Value::Array(records) = kinds.entry(kind).or_insert_with(|| json!([])) {
                records.push(record);
            }
        }
        Ok(Value::Object(kinds))
    }

    /// All that is in the file, as it is stored: the rows of each table in the order of their columns.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn rows(&self) -> Result<BTreeMap<String, Vec<Vec<types::Value>>>, StoreError> {
        self.read(|connection| {
            let mut tables =
                connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
            let tables = tables.query_map([], |row| row.get::<_, String>(0))?;
            let tables = tables.collect::<rusqlite::Result<Vec<_>>>()?;
            let read = |table: String| {
                let mut all = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
                let columns = all.column_count();
                let order: Vec<_> = (1..=columns).map(|column| column.to_string()).collect();
                let ordered = format!("SELECT * FROM \"{table}\" ORDER BY {}", order.join(", "));
                all = connection.prepare(&ordered)?;
                let row = |row: &Row<'_>| (0..columns).map(|column| row.get(column)).collect();
                let rows = all.query_map([], row)?.collect::<rusqlite::Result<_>>()?;
                Ok((table, rows))
            };
            tables.into_iter().map(read).collect()
        })
    }

    /// Every resource, by its message and id.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn resources(&self) -> Result<Vec<Acknowledged>, StoreError> {
        let rows: Vec<(String, String)> = self.read(|connection| {
            let mut statement = connection.prepare("SELECT kind, id FROM resources")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let resource = |(kind, id): (String, String)| {
            let message = message_of(&kind)?.full_name().to_owned();
            Some(Acknowledged { message, id })
        };
        Ok(rows.into_iter().filter_map(resource).collect())
    }

    /// Every resource of one kind.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or a row does not decode.
    pub fn all<R: Resource>(&self) -> Result<Vec<R>, StoreError> {
        let name = &kind::meta(R::KIND).storage_name;
        self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT data FROM resources WHERE kind = ?1 ORDER BY id")?;
            let rows = statement.query_map([name], |row| {
                let data = row.get::<_, Vec<u8>>(0)?;
                R::decode(data.as_slice()).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
                })
            })?;
            rows.collect()
        })
    }

    /// What SQLite finds damaged in the whole file, one line each.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare("PRAGMA integrity_check")?;
            let findings = statement.query_map([], |row| row.get::<_, String>(0))?;
            let findings = findings.filter(|finding| finding.as_deref() != Ok("ok"));
            findings.collect()
        })
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let open = || {
            let connection =
                Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            query(&connection)
        };
        open().map_err(|source| StoreError {
            path: self.path.clone(),
            source,
        })
    }
}

fn decode(storage_name: &str, data: &[u8]) -> Result<Value, String> {
    let descriptor =
        message_of(storage_name).ok_or_else(|| format!("unknown kind {storage_name}"))?;
    let message = DynamicMessage::decode(descriptor, data).map_err(|error| error.to_string())?;
    serde_json::to_value(message).map_err(|error| error.to_string())
}

/// The message that rows of a kind hold: `agent_execution` is `AgentExecution` of its own package.
fn message_of(storage_name: &str) -> Option<MessageDescriptor> {
    let name = storage_name.split('_').map(capitalised).collect::<String>();
    let package = storage_name.replace('_', "");
    DESCRIPTORS.get_message_by_name(&format!("ai.stigmer.agentic.{package}.v1.{name}"))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use stigmer_api::{Resource, agent::Agent};

    use super::*;

    fn store_with(rows: &[(&str, &str, Vec<u8>)]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8Path::from_path(folder.path())
            .expect("a UTF-8 path")
            .join("stigmer.db");
        let connection = Connection::open(&path).expect("a new database");
        connection
            .execute_batch("CREATE TABLE resources (kind TEXT, id TEXT, data BLOB, updated_at TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID")
            .expect("a new table");
        for (kind, id, data) in rows {
            connection
                .execute(
                    "INSERT INTO resources VALUES (?1, ?2, ?3, '')",
                    (kind, id, data),
                )
                .expect("a new row");
        }
        (folder, Store::new(path))
    }

    #[test]
    fn every_stored_kind_has_a_message() {
        for name in [
            "agent",
            "agent_instance",
            "agent_execution",
            "session",
            "workflow_execution",
            "execution_context",
        ] {
            assert!(message_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn rows_are_counted_and_decoded() {
        let mut agent = Agent::envelope();
        agent.metadata_mut().name = "reviewer".to_owned();
        let (_folder, store) = store_with(&[
            ("agent", "agt-1", agent.encode_to_vec()),
            ("agent", "agt-2", vec![0xff]),
        ]);
        assert_eq!(store.count(ApiResourceKind::Agent).unwrap(), 2);
        assert_eq!(store.count(ApiResourceKind::Session).unwrap(), 0);
        let dump = store.dump().unwrap();
        assert_eq!(dump["agent"][0]["metadata"]["name"], "reviewer");
        assert_eq!(dump["agent"][1]["id"], "agt-2");
    }

    #[test]
    fn a_missing_file_is_an_error_that_names_it() {
        let error = Store::new("/nowhere/stigmer.db".into())
            .counts()
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("failed to read /nowhere/stigmer.db"),
            "{error}"
        );
    }
}
