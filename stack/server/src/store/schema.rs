//! The tables, and how an older file becomes a current one.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::index::{Entry, entry_of_row};

/// The newest schema version.
pub(super) const VERSION: i64 = 3;

/// A migration failed, or the file is newer than this server.
pub(super) enum MigrateError {
    Sqlite(rusqlite::Error),
    TooNew(i64),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Brings the file to [`VERSION`], one transaction for each step, and records every step.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (
             version INTEGER PRIMARY KEY,
             applied_at TEXT NOT NULL DEFAULT (datetime('now'))
         );",
    )?;
    transaction.commit()?;

    let found = version(connection)?;
    if found > VERSION {
        return Err(MigrateError::TooNew(found));
    }
    for step in found + 1..=VERSION {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match step {
            1 => resources(&transaction)?,
            2 => audit(&transaction)?,
            _ => index(&transaction)?,
        }
        transaction.execute("INSERT INTO schema_version (version) VALUES (?1)", [step])?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .query_row("SELECT max(version) FROM schema_version", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .optional()
        .map(|version| version.flatten().unwrap_or(0))
}

fn resources(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS resources (
             kind TEXT NOT NULL,
             id TEXT NOT NULL,
             data BLOB NOT NULL,
             updated_at TEXT NOT NULL DEFAULT (datetime('now')),
             PRIMARY KEY (kind, id)
         ) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS idx_resources_kind_id ON resources (kind, id);",
    )
}

/// Archived versions used to be rows whose id is `<kind>_audit/<resource id>/<time>`.
fn audit(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS resource_audit (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             kind TEXT NOT NULL,
             resource_id TEXT NOT NULL,
             data BLOB NOT NULL,
             archived_at TEXT NOT NULL DEFAULT (datetime('now')),
             version_hash TEXT,
             tag TEXT
         );
         CREATE INDEX IF NOT EXISTS idx_audit_resource ON resource_audit (kind, resource_id);
         CREATE INDEX IF NOT EXISTS idx_audit_hash ON resource_audit (kind, resource_id, version_hash);
         CREATE INDEX IF NOT EXISTS idx_audit_tag ON resource_audit (kind, resource_id, tag, archived_at DESC);

         INSERT INTO resource_audit (kind, resource_id, data, archived_at)
             SELECT kind, substr(rest, 1, instr(rest || '/', '/') - 1), data, updated_at
             FROM (SELECT kind, data, updated_at, substr(id, instr(id, '/') + 1) AS rest
                   FROM resources WHERE instr(id, '_audit/') > 0);
         DELETE FROM resources WHERE instr(id, '_audit/') > 0;",
    )
}

/// Look-ups by slug, parent, phase, and tag without decoding rows. `resources` keeps its shape.
fn index(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE resource_index (
             kind TEXT NOT NULL,
             id TEXT NOT NULL,
             org TEXT NOT NULL,
             scope INTEGER NOT NULL,
             slug TEXT NOT NULL,
             parent TEXT NOT NULL,
             phase INTEGER NOT NULL,
             tags TEXT NOT NULL,
             PRIMARY KEY (kind, id),
             FOREIGN KEY (kind, id) REFERENCES resources (kind, id) ON DELETE CASCADE
         ) WITHOUT ROWID;
         CREATE INDEX idx_index_slug ON resource_index (kind, slug, org);
         CREATE INDEX idx_index_parent ON resource_index (kind, parent);
         CREATE INDEX idx_index_phase ON resource_index (kind, phase);",
    )?;
    let mut rows = transaction.prepare("SELECT kind, id, data FROM resources")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, id, data): (String, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match entry_of_row(&kind, &data) {
            Some(Ok(entry)) => insert(transaction, &kind, &id, &entry)?,
            Some(Err(error)) => {
                tracing::warn!(kind, id, %error, "this row is damaged; it is kept but cannot be listed");
            }
            None => {}
        }
    }
    Ok(())
}

/// Writes the index entry of a stored resource.
pub(super) fn insert(
    connection: &Connection,
    kind: &str,
    id: &str,
    entry: &Entry,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO resource_index (kind, id, org, scope, slug, parent, phase, tags)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (kind, id) DO UPDATE SET org = excluded.org, scope = excluded.scope,
                 slug = excluded.slug, parent = excluded.parent, phase = excluded.phase,
                 tags = excluded.tags",
        )?
        .execute(params![
            kind,
            id,
            entry.org,
            entry.scope,
            entry.slug,
            entry.parent,
            entry.phase,
            entry.tags
        ])?;
    Ok(())
}
