//! Typed access to the rows, inside a read or a write.

use std::{cell::RefCell, ops::Deref};

use prost::DecodeError;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use stigmer_api::{ApiResourceKind, Resource, kind};

use super::{
    StoreError,
    index::{Entry, Indexed},
    query::{Condition, Listing, Query, Start},
    schema,
    vault::Vault,
};

/// A page ends early rather than outgrow a gRPC message (10 MiB) with rows of this many bytes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The rows as one transaction sees them.
pub struct Rows<'c> {
    pub(super) connection: &'c Connection,
    vault: &'c Vault,
}

/// The rows inside a write transaction.
pub struct Tx<'c> {
    rows: Rows<'c>,
    changes: RefCell<Vec<Change>>,
}

/// One committed row change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The kind of the row.
    pub kind: ApiResourceKind,
    /// The id of the row.
    pub id: String,
    /// The bytes that are now stored; `None` after a deletion.
    pub data: Option<Vec<u8>>,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection, vault: &'c Vault) -> Self {
        Self { connection, vault }
    }

    /// The resource with this id.
    pub fn load<R: Indexed>(&self, id: &str) -> Result<Option<R>, StoreError> {
        self.one(
            "SELECT id, data FROM resources WHERE kind = ?1 AND id = ?2",
            params![storage_name::<R>(), id],
        )
    }

    /// The resource with this slug, org, and owner scope: at most one where slugs are unique, the
    /// first in id order otherwise.
    pub fn find<R: Indexed>(
        &self,
        org: &str,
        scope: i32,
        slug: &str,
    ) -> Result<Option<R>, StoreError> {
        self.one(
            "SELECT r.id, r.data FROM resource_index i JOIN resources r USING (kind, id)
             WHERE i.kind = ?1 AND i.slug = ?2 AND i.org = ?3 AND i.scope = ?4 ORDER BY i.id LIMIT 1",
            params![storage_name::<R>(), slug, org, scope],
        )
    }

    /// The resource a reference means: by slug, and by org unless that is empty. Of several, one
    /// with the owner scope asked for comes first, then the first in id order.
    pub fn resolve<R: Indexed>(
        &self,
        org: &str,
        scope: i32,
        slug: &str,
    ) -> Result<Option<R>, StoreError> {
        self.one(
            "SELECT r.id, r.data FROM resource_index i JOIN resources r USING (kind, id)
             WHERE i.kind = ?1 AND i.slug = ?2 AND (?3 = '' OR i.org = ?3)
             ORDER BY i.scope = ?4 DESC, i.id LIMIT 1",
            params![storage_name::<R>(), slug, org, scope],
        )
    }

    /// A page of the resources that match. Damaged rows are left out, with a warning.
    pub fn list<R: Indexed>(&self, query: &Query) -> Result<Listing<R>, StoreError> {
        let mut condition = Condition::matching::<R>(query);
        let total: i64 = self
            .connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM resource_index i WHERE {}",
                condition.sql
            ))
            .and_then(|mut statement| {
                statement.query_row(params_from_iter(&condition.values), |row| row.get(0))
            })
            .map_err(|error| self.failed(error))?;

        let (offset, budget) = match &query.page.start {
            Start::After(id) => {
                condition.and("i.id > ?", [id.clone().into()]);
                (0, PAGE_BYTES)
            }
            // The next offset is computed by the caller, so a short page would lose rows.
            Start::Offset(offset) => (*offset, usize::MAX),
        };
        condition
            .values
            .extend([i64::from(query.page.size).into(), (offset as i64).into()]);
        let sql = format!(
            "SELECT r.id, r.data FROM resource_index i JOIN resources r USING (kind, id)
             WHERE {} ORDER BY i.id LIMIT ? OFFSET ?",
            condition.sql
        );
        let rows = self
            .page(&sql, &condition, budget)
            .map_err(|error| self.failed(error))?;
        Ok(Listing {
            rows,
            total: total.unsigned_abs(),
        })
    }

    fn page<R: Indexed>(
        &self,
        sql: &str,
        condition: &Condition,
        budget: usize,
    ) -> rusqlite::Result<Vec<R>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(&condition.values))?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let data = row.get_ref(1)?.as_blob()?;
            if !page.is_empty() && bytes + data.len() > budget {
                break;
            }
            match self.decode::<R>(data) {
                Ok(resource) => {
                    bytes += data.len();
                    page.push(resource);
                }
                Err(error) => {
                    let id: String = row.get(0)?;
                    tracing::warn!(kind = R::kind_name(), id, %error, "a damaged row is not listed");
                }
            }
        }
        Ok(page)
    }

    /// The resource in the row of `(id, data)` that `sql` selects.
    pub(super) fn one<R: Indexed>(
        &self,
        sql: &str,
        key: impl rusqlite::Params,
    ) -> Result<Option<R>, StoreError> {
        let row = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement
                    .query_row(key, |row| {
                        Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
                    })
                    .optional()
            })
            .map_err(|error| self.failed(error))?;
        row.map(|(id, data)| {
            self.decode(&data).map_err(|cause| StoreError::Damaged {
                kind: storage_name::<R>().to_owned(),
                id,
                cause,
            })
        })
        .transpose()
    }

    fn decode<R: Indexed>(&self, data: &[u8]) -> Result<R, DecodeError> {
        let mut resource = R::decode(data)?;
        self.vault.open(&mut resource);
        Ok(resource)
    }

    pub(super) fn failed(&self, cause: rusqlite::Error) -> StoreError {
        failed(self.connection, cause)
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(connection: &'c Connection, vault: &'c Vault) -> Self {
        Self {
            rows: Rows::new(connection, vault),
            changes: RefCell::default(),
        }
    }

    /// Stores the resource under its id, its secrets sealed, replacing what is there.
    pub fn save<R: Indexed>(&self, resource: &R) -> Result<(), StoreError> {
        let mut sealed = resource.clone();
        self.rows.vault.seal(&mut sealed)?;
        let (kind, data) = (storage_name::<R>(), sealed.encode_to_vec());
        self.rows
            .connection
            .prepare_cached(
                "INSERT INTO resources (kind, id, data, updated_at) VALUES (?1, ?2, ?3, datetime('now'))
                 ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at",
            )
            .and_then(|mut statement| statement.execute(params![kind, resource.id(), data]))
            .and_then(|_| {
                schema::insert(self.rows.connection, kind, resource.id(), &Entry::of(resource))
            })
            .map_err(|error| self.rows.failed(error))?;
        self.changed::<R>(resource.id(), Some(data));
        Ok(())
    }

    /// Deletes the row with this id. No error when there is none.
    pub fn delete<R: Resource>(&self, id: &str) -> Result<(), StoreError> {
        self.rows
            .connection
            .prepare_cached("DELETE FROM resources WHERE kind = ?1 AND id = ?2")
            .and_then(|mut statement| statement.execute(params![storage_name::<R>(), id]))
            .map_err(|error| self.rows.failed(error))?;
        self.changed::<R>(id, None);
        Ok(())
    }

    fn changed<R: Resource>(&self, id: &str, data: Option<Vec<u8>>) {
        self.changes.borrow_mut().push(Change {
            kind: R::KIND,
            id: id.to_owned(),
            data,
        });
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes.into_inner()
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Rows<'c>;

    fn deref(&self) -> &Rows<'c> {
        &self.rows
    }
}

pub(super) fn failed(connection: &Connection, cause: rusqlite::Error) -> StoreError {
    StoreError::Sqlite {
        path: connection.path().unwrap_or_default().to_owned(),
        cause,
    }
}

pub(super) fn storage_name<R: Resource>() -> &'static str {
    &kind::meta(R::KIND).storage_name
}
