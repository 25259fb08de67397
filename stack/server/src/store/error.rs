//! What can go wrong with the database.

use camino::Utf8PathBuf;
use stigmer_cipher::SealError;

/// A read or a write failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused: disk full, file damaged, and the like.
    #[error("the database {path} failed: {cause}")]
    Sqlite {
        /// The database file.
        path: String,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// A secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A row does not hold the message that its kind promises.
    #[error("the stored {kind} {id} is damaged: {cause}")]
    Damaged {
        /// The kind, as in the store.
        kind: String,
        /// The id of the row.
        id: String,
        /// What the decoder objected to.
        cause: prost::DecodeError,
    },
}

impl StoreError {
    /// Whether the same may succeed later: somebody else holds the database, or the disk takes nothing
    /// at the moment. Nothing was changed.
    pub fn may_pass(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};

        let Self::Sqlite { cause, .. } = self else {
            return false;
        };
        matches!(
            cause.sqlite_error_code(),
            Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure)
        )
    }
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the file cannot be made.
    #[error("failed to make the folder {path} of the database (DB_PATH): {cause}")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// SQLite cannot use the file.
    #[error(
        "failed to open the database {path} (DB_PATH): {cause}; restore the file from a copy, or move it away to start empty"
    )]
    Unusable {
        /// The database file.
        path: Utf8PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// The integrity check found damage.
    #[error(
        "the database {path} (DB_PATH) is damaged: {finding}; restore the file from a copy, or move it away to start empty"
    )]
    Damaged {
        /// The database file.
        path: Utf8PathBuf,
        /// The first finding of the check.
        finding: String,
    },
    /// A newer server wrote it.
    #[error(
        "the database {path} (DB_PATH) has schema version {found}, this server knows versions up to {known}; use the newer server that wrote it"
    )]
    TooNew {
        /// The database file.
        path: Utf8PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version this server knows.
        known: i64,
    },
}
