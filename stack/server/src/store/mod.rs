//! Resources in one SQLite file: a single writer, a few readers, and whoever wants to hear of
//! commits. Nothing here knows what a kind means.

mod archive;
mod error;
mod index;
mod query;
mod rows;
mod schema;
mod vault;

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Semaphore;

use crate::blocking::blocking;

pub use archive::Version;
pub use error::{OpenError, StoreError};
pub use index::Indexed;
pub use query::{Listing, Page, Query, Relation, Start};
pub use rows::{Change, Rows, Tx};
pub use vault::{Vault, is_sealed};

use schema::MigrateError;

/// How many reads run at a time; the writer is not one of them.
const READERS: usize = 4;

/// Files up to this size are checked for damage at start; larger ones would delay it.
const CHECKED_BYTES: u64 = 16 * 1024 * 1024;

/// Hears of every commit, in commit order, before the next write begins. Must be quick.
pub trait CommitObserver: Send + Sync + 'static {
    /// The changes of one commit.
    fn committed(&self, changes: &[Change]);
}

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    permits: Semaphore,
    vault: Vault,
    observers: Vec<Arc<dyn CommitObserver>>,
}

impl Store {
    /// Opens the file, makes it and its folder when absent, and brings it to the current schema. Its
    /// secrets are sealed in `vault`.
    pub fn open(
        path: &Utf8Path,
        vault: Vault,
        observers: Vec<Arc<dyn CommitObserver>>,
    ) -> Result<Self, OpenError> {
        let unusable = |cause: rusqlite::Error| OpenError::Unusable {
            path: path.to_owned(),
            cause,
        };
        make_folder(path)?;
        let mut writer = Connection::open(path).map_err(unusable)?;
        configure(&writer).map_err(unusable)?;
        check(&writer, path)?;
        schema::migrate(&mut writer).map_err(|error| match error {
            MigrateError::Sqlite(cause) => unusable(cause),
            MigrateError::TooNew(found) => OpenError::TooNew {
                path: path.to_owned(),
                found,
                known: schema::VERSION,
            },
        })?;
        let readers = (0..READERS)
            .map(|_| open_reader(path))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unusable)?;
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Mutex::new(writer),
                permits: Semaphore::new(readers.len()),
                readers: Mutex::new(readers),
                vault,
                observers,
            }),
        })
    }

    /// Runs `read` on a consistent view of all committed rows.
    pub async fn read<T, E>(
        &self,
        read: impl FnOnce(&Rows<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // The semaphore is never closed.
        let _permit = self
            .inner
            .permits
            .acquire()
            .await
            .expect("the readers stay open");
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            // A permit is only held while one of the connections is free.
            let mut connection = locked(&inner.readers)
                .pop()
                .expect("a permit stands for a connection");
            let result = view(&mut connection, &inner.vault, read);
            locked(&inner.readers).push(connection);
            result
        })
        .await
    }

    /// Runs `write` in a transaction that is committed when it returns `Ok`, and undone otherwise.
    /// Writes run one after another. When this returns `Ok`, the commit has happened and every
    /// observer has heard of it.
    pub async fn write<T, E>(
        &self,
        write: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let mut writer = locked(&inner.writer);
            let (value, changes) = commit(&mut writer, &inner.vault, write)?;
            if !changes.is_empty() {
                inner
                    .observers
                    .iter()
                    .for_each(|observer| observer.committed(&changes));
            }
            Ok(value)
        })
        .await
    }

    /// Runs `read` between two writes: observers have heard of everything it sees and of nothing
    /// it does not see.
    pub async fn between_writes<T, E>(
        &self,
        read: impl FnOnce(&Rows<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        blocking(move || view(&mut locked(&inner.writer), &inner.vault, read)).await
    }

    /// Moves the write-ahead log into the file, so that it can be copied on its own.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let writer = locked(&inner.writer);
            writer
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(|error| rows::failed(&writer, error))
        })
        .await
    }
}

fn view<T, E: From<StoreError>>(
    connection: &mut Connection,
    vault: &Vault,
    read: impl FnOnce(&Rows<'_>) -> Result<T, E>,
) -> Result<T, E> {
    match connection.unchecked_transaction() {
        Ok(transaction) => read(&Rows::new(&transaction, vault)),
        Err(error) => Err(rows::failed(connection, error).into()),
    }
}

fn commit<T, E: From<StoreError>>(
    connection: &mut Connection,
    vault: &Vault,
    write: impl FnOnce(&Tx<'_>) -> Result<T, E>,
) -> Result<(T, Vec<Change>), E> {
    let path = connection.path().unwrap_or_default().to_owned();
    let failed = |cause| E::from(StoreError::Sqlite { path, cause });
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return Err(failed(error)),
    };
    let tx = Tx::new(&transaction, vault);
    let value = write(&tx)?;
    let changes = tx.into_changes();
    transaction.commit().map_err(failed)?;
    Ok((value, changes))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic inside a transaction has rolled it back, so what the lock guards is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_folder(path: &Utf8Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let Some(folder) = folder else { return Ok(()) };
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder);
    match made {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(OpenError::Folder {
            path: Utf8PathBuf::from(folder),
            cause,
        }),
        _ => Ok(()),
    }
}

fn open_reader(path: &Utf8Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// The settings of the contract; they belong to a connection, so every connection gets them.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -64_000)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn check(connection: &Connection, path: &Utf8Path) -> Result<(), OpenError> {
    if fs::metadata(path).is_ok_and(|file| file.len() > CHECKED_BYTES) {
        return Ok(());
    }
    let finding = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        .map_err(|cause| OpenError::Unusable {
            path: path.to_owned(),
            cause,
        })?;
    if finding == "ok" {
        Ok(())
    } else {
        Err(OpenError::Damaged {
            path: path.to_owned(),
            finding,
        })
    }
}
