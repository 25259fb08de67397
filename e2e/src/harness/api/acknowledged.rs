//! Which resources the server said it had taken, and not deleted since.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

/// A resource: its message, such as `ai.stigmer.agentic.agent.v1.Agent`, and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::harness) struct Acknowledged {
    /// The full name of its message.
    pub(in crate::harness) message: String,
    /// Its id.
    pub(in crate::harness) id: String,
}

/// What one client learned; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<BTreeSet<Acknowledged>>>);

impl Ledger {
    /// Keeps what `method` answered with success: `response`, in its JSON form, a `message`.
    pub(super) fn note(&self, method: &str, message: &str, response: &Value) {
        let Some((controller, verb)) = method.rsplit_once('/') else {
            return;
        };
        let id = response.pointer("/metadata/id").and_then(Value::as_str);
        let Some(id) = id.filter(|_| controller.ends_with("CommandController")) else {
            return;
        };
        let resource = Acknowledged {
            message: message.to_owned(),
            id: id.to_owned(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match verb {
            "delete" => all.remove(&resource),
            _ => all.insert(resource),
        };
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeSet<Acknowledged> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_deleted_need_not_be_there() {
        let ledger = Ledger::default();
        let note = |verb: &str, id: &str| {
            let method = format!("/a.v1.AgentCommandController/{verb}");
            ledger.note(&method, "a.v1.Agent", &json!({"metadata": {"id": id}}));
        };
        note("create", "agt-1");
        note("apply", "agt-2");
        note("delete", "agt-1");
        ledger.note(
            "/a.v1.AgentQueryController/get",
            "a.v1.Agent",
            &json!({"metadata": {"id": "agt-3"}}),
        );
        let ids = ledger
            .all()
            .into_iter()
            .map(|one| one.id)
            .collect::<Vec<_>>();
        assert_eq!(ids, ["agt-2"]);
    }
}
