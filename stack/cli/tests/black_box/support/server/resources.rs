//! The resources of one kind.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use stigmer_api::{ApiResourceReference, Resource, id, time::timestamp_now};
use tonic::{Response, Status};

use super::Answer;

/// By id, so in the order in which they were made.
#[derive(Clone)]
pub struct Resources<R>(Arc<Mutex<BTreeMap<String, R>>>);

impl<R> Default for Resources<R> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<R: Resource + PartialEq> Resources<R> {
    /// All of them.
    pub fn all(&self) -> Vec<R> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    /// The one with this name.
    pub fn named(&self, name: &str) -> R {
        let found = self
            .all()
            .into_iter()
            .find(|resource| resource.name() == name);
        found.unwrap_or_else(|| panic!("there is no {} named {name}", R::kind_name()))
    }

    /// Stores a new one, with an id.
    pub fn create(&self, mut new: R) -> R {
        new.metadata_mut().id = id::new_id(R::KIND);
        self.put(new)
    }

    /// Stores one as it is.
    pub fn put(&self, resource: R) -> R {
        let id = resource.id().to_owned();
        self.0.lock().unwrap().insert(id, resource.clone());
        resource
    }

    pub fn apply(&self, mut new: R) -> Answer<R> {
        if new.name() == "refused" {
            return Err(Status::invalid_argument("this server refuses it"));
        }
        let stored = self.all().into_iter().find(|r| r.slug() == new.slug());
        new.metadata_mut().id = match &stored {
            None => id::new_id(R::KIND),
            Some(stored) => stored.id().to_owned(),
        };
        if let Some(stored) = &stored {
            new.take_status_of(stored);
            if new == *stored {
                return Ok(Response::new(new));
            }
        }
        let audit = new.audit_mut().spec_audit.get_or_insert_default();
        audit.updated_at = Some(timestamp_now());
        Ok(Response::new(self.put(new)))
    }

    pub fn get(&self, id: &str) -> Answer<R> {
        let found = self.0.lock().unwrap().get(id).cloned();
        answer(found, id)
    }

    pub fn get_by_reference(&self, reference: &ApiResourceReference) -> Answer<R> {
        if reference.slug.is_empty() {
            return Err(Status::invalid_argument("slug is required"));
        }
        let found = self.all().into_iter().find(|r| r.slug() == reference.slug);
        answer(found, &reference.slug)
    }

    pub fn delete(&self, id: &str) -> Answer<R> {
        let found = self.0.lock().unwrap().remove(id);
        answer(found, id)
    }
}

fn answer<R: Resource>(found: Option<R>, what: &str) -> Answer<R> {
    let missing = || Status::not_found(format!("{} {what}", R::kind_name()));
    found.map(Response::new).ok_or_else(missing)
}

/// Part `number` (from 1) of `all`, in parts of `size`, and how many parts there are.
pub fn page<R>(all: Vec<R>, number: i32, size: i32) -> (Vec<R>, i32) {
    let (number, size) = (number.max(1) as usize, size.max(1) as usize);
    let pages = all.len().div_ceil(size).max(1);
    let part = all.into_iter().skip((number - 1) * size).take(size);
    (part.collect(), i32::try_from(pages).unwrap())
}

/// The first `size` of `all` after the one with the id `token`.
pub fn after<R: Resource>(all: Vec<R>, token: &str, size: i32) -> Vec<R> {
    let rest = all.into_iter().filter(|resource| resource.id() > token);
    rest.take(size as usize).collect()
}
