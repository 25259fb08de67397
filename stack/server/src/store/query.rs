//! What to list, and which part of it.

use rusqlite::types::Value;
use stigmer_api::{ApiResourceKind, Resource, kind};

/// Which resources of a kind, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Of this org only.
    pub org: Option<String>,
    /// Whose children.
    pub relation: Relation,
    /// One of these execution phases; empty for any.
    pub phases: Vec<i32>,
    /// All of these tags.
    pub tags: Vec<String>,
    /// The part wanted.
    pub page: Page,
}

/// How listed resources relate to another one.
#[derive(Clone, Debug, Default)]
pub enum Relation {
    /// Not at all.
    #[default]
    Any,
    /// They belong to the resource with this id.
    ChildOf(String),
    /// They belong to the resource with this id, or to one of kind `through` that belongs to it.
    DescendantOf {
        /// The id of the ancestor.
        id: String,
        /// The kind in between.
        through: ApiResourceKind,
    },
}

/// A part of a list, in id order.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it starts.
    pub start: Start,
    /// How many rows it holds at most.
    pub size: u32,
}

/// Where a page starts.
#[derive(Clone, Debug)]
pub enum Start {
    /// After the row with this id, which need not exist; the empty id is before all others.
    After(String),
    /// After this many rows.
    Offset(u64),
}

impl Default for Page {
    fn default() -> Self {
        Self {
            start: Start::After(String::new()),
            size: u32::MAX,
        }
    }
}

/// A page of resources.
#[derive(Clone, Debug)]
pub struct Listing<R> {
    /// The rows of the page.
    pub rows: Vec<R>,
    /// How many rows all pages hold.
    pub total: u64,
}

/// A condition in SQL and the values of its parameters, in order.
pub(super) struct Condition {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Condition {
    /// The rows `query` means, whatever the page.
    pub(super) fn matching<R: Resource>(query: &Query) -> Self {
        let mut condition = Self {
            sql: "i.kind = ?".to_owned(),
            values: vec![storage_name(R::KIND)],
        };
        if let Some(org) = &query.org {
            condition.and("i.org = ?", [org.clone().into()]);
        }
        match &query.relation {
            Relation::Any => {}
            Relation::ChildOf(id) => condition.and("i.parent = ?", [id.clone().into()]),
            Relation::DescendantOf { id, through } => condition.and(
                "i.parent IN (SELECT ? UNION ALL
                     SELECT id FROM resource_index WHERE kind = ? AND parent = ?)",
                [id.clone().into(), storage_name(*through), id.clone().into()],
            ),
        }
        if !query.phases.is_empty() {
            let marks = vec!["?"; query.phases.len()].join(", ");
            condition.and(
                &format!("i.phase IN ({marks})"),
                query.phases.iter().map(|&phase| i64::from(phase).into()),
            );
        }
        for tag in &query.tags {
            condition.and(
                "EXISTS (SELECT 1 FROM json_each(i.tags) WHERE value = ?)",
                [tag.clone().into()],
            );
        }
        condition
    }

    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

fn storage_name(kind: ApiResourceKind) -> Value {
    kind::meta(kind).storage_name.clone().into()
}
