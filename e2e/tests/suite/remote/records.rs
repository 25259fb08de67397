//! Every record that can be found is read, and is what the contract says.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use stigmer_api::{id::is_id, validate::validate};
use stigmer_e2e::{
    ensure,
    harness::{Api, Broken, CheckError, story},
};
use tonic::Code;

use super::kind::{Kind, id_of, rows};

/// How many records of a kind are read one by one, and how many are asked for what belongs to them.
const SAMPLE: usize = 25;

/// Records of each kind, by the name of the kind.
type Found = BTreeMap<&'static str, Vec<Value>>;

/// The records that lists answer with, and those that belong to them or are named in them.
async fn found(api: &Api) -> Result<Found, CheckError> {
    let kinds = Kind::all();
    let mut found = Found::new();
    for kind in &kinds {
        found.insert(&kind.meta.name, kind.listed(api).await?);
    }
    for kind in &kinds {
        for (method, field) in kind.lists_by_owner() {
            let owner = field.trim_end_matches("_id");
            let owner = kinds.iter().find(|it| it.meta.storage_name == owner);
            let owners = owner.and_then(|it| found.get(it.meta.name.as_str()));
            let owners: Vec<String> = owners
                .into_iter()
                .flatten()
                .map(|it| id_of(it).into())
                .collect();
            for id in owners.iter().take(SAMPLE) {
                let owned = api.call(&method, &json!({&field: id})).await?;
                let known = found.entry(&kind.meta.name).or_default();
                known.extend(rows(&owned));
            }
        }
    }
    for reference in references(&found) {
        let named = kinds
            .iter()
            .find(|it| reference["kind"] == it.meta.storage_name);
        let Some((kind, method)) = named.and_then(|it| Some((it, it.method("getByReference")?)))
        else {
            continue;
        };
        match api.call(&method, &reference).await {
            Ok(record) => found.entry(&kind.meta.name).or_default().push(record),
            // Nothing says that what a record names is there.
            Err(error) if error.code() == Code::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    for records in found.values_mut() {
        let mut seen = BTreeSet::new();
        records.retain(|record| seen.insert(id_of(record).to_owned()));
    }
    Ok(found)
}

/// The references to other records in all of `found`, each once.
fn references(found: &Found) -> Vec<Value> {
    let mut references = Vec::new();
    let records = found.values().flatten();
    records.for_each(|record| {
        visit(record, &mut |object| {
            let is_reference = object["kind"].is_string() && object["slug"].is_string();
            if is_reference && !references.contains(object) {
                references.push(object.clone());
            }
        });
    });
    references
}

/// Shows `see` every object in `value`, itself included.
fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(fields) => {
            see(value);
            fields.values().for_each(|field| visit(field, see));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

/// Whether `record` is a record of `kind` as the contract says, and is stored under its id.
fn check(kind: &Kind, record: &Value) -> Result<(), CheckError> {
    let name = &kind.meta.name;
    let id = id_of(record);
    ensure!(
        record["kind"] == name.as_str(),
        "{id} is listed as {name} and is {}",
        record["kind"]
    );
    ensure!(is_id(kind.number, id), "{id:?} is no id of {name}");
    let message = DynamicMessage::deserialize(kind.get().output(), record);
    let message = message.map_err(|error| Broken(format!("{name} {id}: {error}")))?;
    let valid = validate(&message);
    valid.map_err(|error| Broken(format!("{name} {id} breaks the contract: {error}")))?;
    Ok(())
}

/// The paths of secrets in `record` that are told.
fn told_secrets(record: &Value) -> Vec<String> {
    const HIDDEN: &str = "***";
    let mut told = Vec::new();
    visit(record, &mut |object| {
        let Some(fields) = object.as_object() else {
            return;
        };
        for (name, field) in fields {
            let value = field["value"].as_str().unwrap_or_default();
            if field["isSecret"] == true && !value.is_empty() && value != HIDDEN {
                told.push(name.clone());
            }
        }
    });
    told
}

#[test]
fn ext_08_every_record_that_can_be_found_is_valid_and_is_read_by_its_id() {
    story(async |t| {
        let server = t.given_server()?;
        let api = server.api();
        t.step("list every kind, and what belongs to its records or is named in them");
        let found = found(api).await?;
        for kind in Kind::all() {
            let records = found.get(kind.meta.name.as_str());
            let records: Vec<&Value> = records.into_iter().flatten().collect();
            t.fact(&format!("{}: records", kind.meta.name), records.len());
            for listed in records.iter().take(SAMPLE) {
                check(&kind, listed)?;
                let id = id_of(listed);
                match kind.read(api, id).await {
                    Ok(read) => {
                        ensure!(id_of(&read) == id, "asked for {id}, got {}", id_of(&read));
                        check(&kind, &read)?;
                    }
                    Err(error) if error.code() == Code::NotFound => {
                        // Somebody deleted it meanwhile; then it is listed no more.
                        let now = kind.listed(api).await?;
                        ensure!(
                            now.iter().all(|it| id_of(it) != id),
                            "{id} is listed, and {error}"
                        );
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    });
}

#[test]
fn ext_08_no_record_that_can_be_found_tells_a_secret() {
    story(async |t| {
        let server = t.given_server()?;
        let found = found(server.api()).await?;
        let mut secrets = 0;
        for record in found.values().flatten() {
            visit(record, &mut |object| {
                secrets += usize::from(object["isSecret"] == true)
            });
            let told = told_secrets(record);
            // Their names are told, and never what they are.
            ensure!(
                told.is_empty(),
                "{} tells its secrets {told:?}",
                id_of(record)
            );
        }
        t.fact("secrets", secrets);
        Ok(())
    });
}
