//! Earlier versions of resources, kept beside them in `resource_audit`.

use rusqlite::params;
use stigmer_api::Resource;

use super::{Indexed, Rows, StoreError, Tx, rows::storage_name};

/// Which earlier version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version<'v> {
    /// The one with this content hash.
    Hash(&'v str),
    /// The latest one with this tag.
    Tag(&'v str),
}

impl Rows<'_> {
    /// An archived version of the resource with this id.
    pub fn load_version<R: Indexed>(
        &self,
        id: &str,
        version: Version<'_>,
    ) -> Result<Option<R>, StoreError> {
        let (column, value) = match version {
            Version::Hash(hash) => ("version_hash", hash),
            Version::Tag(tag) => ("tag", tag),
        };
        let sql = format!(
            "SELECT resource_id, data FROM resource_audit WHERE kind = ?1 AND resource_id = ?2 AND {column} = ?3
             ORDER BY archived_at DESC, id DESC LIMIT 1"
        );
        self.one(&sql, params![storage_name::<R>(), id, value])
    }
}

impl Tx<'_> {
    /// Archives the resource as it is now.
    pub fn archive<R: Resource>(
        &self,
        resource: &R,
        hash: &str,
        tag: &str,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO resource_audit (kind, resource_id, data, archived_at, version_hash, tag)
                 VALUES (?1, ?2, ?3, datetime('now'), ?4, ?5)",
            )
            .and_then(|mut statement| {
                let data = resource.encode_to_vec();
                statement.execute(params![storage_name::<R>(), resource.id(), data, hash, tag])
            })
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    /// Deletes all archived versions of the resource with this id.
    pub fn delete_versions<R: Resource>(&self, id: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM resource_audit WHERE kind = ?1 AND resource_id = ?2")
            .and_then(|mut statement| statement.execute(params![storage_name::<R>(), id]))
            .map(drop)
            .map_err(|error| self.failed(error))
    }
}
