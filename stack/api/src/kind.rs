//! What the contract says about each resource kind: its name, storage name, and id prefix.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::Value;

use crate::{ApiResourceKind, DESCRIPTORS};

/// The `kind_meta` option of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindMeta {
    /// The message name, such as `AgentExecution`.
    pub name: String,
    /// The name shown to people, such as `Agent Execution`.
    pub display_name: String,
    /// The first part of an id, such as `aex`.
    pub id_prefix: String,
    /// The enum value name, such as `agent_execution`; also the `kind` column of the store.
    pub storage_name: String,
}

static METAS: LazyLock<HashMap<i32, KindMeta>> = LazyLock::new(|| {
    let package = "ai.stigmer.commons.apiresource.apiresourcekind";
    // Both names are declared in `proto/`; a test reads every kind.
    let kinds = DESCRIPTORS
        .get_enum_by_name(&format!("{package}.ApiResourceKind"))
        .expect("the kind enum is part of the contract");
    let option = DESCRIPTORS
        .get_extension_by_name(&format!("{package}.kind_meta"))
        .expect("the kind_meta option is part of the contract");
    kinds
        .values()
        .filter_map(|value| {
            let options = value.options();
            if !options.has_extension(&option) {
                return None;
            }
            let meta = options.get_extension(&option).into_owned();
            let text = |field: &str| {
                meta.as_message()
                    .and_then(|m| m.get_field_by_name(field))
                    .and_then(|v| match v.into_owned() {
                        Value::String(s) => Some(s),
                        _ => None,
                    })
                    .unwrap_or_default()
            };
            Some((
                value.number(),
                KindMeta {
                    name: text("name"),
                    display_name: text("display_name"),
                    id_prefix: text("id_prefix"),
                    storage_name: value.name().to_owned(),
                },
            ))
        })
        .collect()
});

/// The contract's entry for `kind`.
///
/// # Panics
///
/// For `ApiResourceKindUnknown`, which names no resource.
pub fn meta(kind: ApiResourceKind) -> &'static KindMeta {
    METAS
        .get(&(kind as i32))
        .unwrap_or_else(|| panic!("{kind:?} is not a resource kind"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_knows_its_prefix_and_storage_name() {
        let execution = meta(ApiResourceKind::AgentExecution);
        assert_eq!(execution.name, "AgentExecution");
        assert_eq!(execution.id_prefix, "aex");
        assert_eq!(execution.storage_name, "agent_execution");
        assert_eq!(meta(ApiResourceKind::ExecutionContext).id_prefix, "exec");
    }
}
