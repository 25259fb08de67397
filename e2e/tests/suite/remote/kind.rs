//! The kinds of the contract and how each is read, taken from its descriptors.

use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use serde_json::{Value, json};
use stigmer_api::{ApiResourceKind, DESCRIPTORS, LOCAL_ORG, kind::KindMeta, kind::meta};
use stigmer_e2e::harness::{Answer, Api};

/// One kind.
pub struct Kind {
    /// Its number in the contract.
    pub number: ApiResourceKind,
    /// Its names.
    pub meta: &'static KindMeta,
    query: ServiceDescriptor,
}

impl Kind {
    /// Every kind that a server of the contract has, in the contract's order.
    pub fn all() -> Vec<Self> {
        // Number 0 is no kind.
        let numbers = (1..100).filter_map(|number| ApiResourceKind::try_from(number).ok());
        let of = |number| {
            let name = format!(".{}QueryController", meta(number).name);
            let query = DESCRIPTORS
                .services()
                .find(|it| it.full_name().ends_with(&name));
            query.map(|query| Self {
                number,
                meta: meta(number),
                query,
            })
        };
        numbers.filter_map(of).collect()
    }

    /// The kind with this number.
    pub fn of(number: ApiResourceKind) -> Self {
        let found = Self::all().into_iter().find(|it| it.number == number);
        found.expect("the contract has it")
    }

    /// The method `name` of its query side, if it has one.
    pub fn method(&self, name: &str) -> Option<MethodDescriptor> {
        self.query.methods().find(|it| it.name() == name)
    }

    /// `get`, which every kind has.
    pub fn get(&self) -> MethodDescriptor {
        self.method("get").expect("every kind has `get`")
    }

    /// The methods that list what belongs to another record, and the field that names it.
    pub fn lists_by_owner(&self) -> Vec<(MethodDescriptor, String)> {
        let owner = |method: &MethodDescriptor| {
            let fields: Vec<_> = method.input().fields().collect();
            let mut names = fields.iter().map(|field| field.name());
            let field = names.find(|field| field.ends_with("_id"))?;
            method.name().split_once("By").map(|_| field.to_owned())
        };
        let methods = self.query.methods();
        methods
            .filter_map(|method| owner(&method).map(|field| (method, field)))
            .collect()
    }

    /// The records that its `list` answers with at first; none for a kind without one.
    pub async fn listed(&self, api: &Api) -> Answer<Vec<Value>> {
        match self.method("list") {
            Some(list) => Ok(rows(&api.call(&list, &asked(&list)).await?)),
            None => Ok(Vec::new()),
        }
    }

    /// The record `id`.
    pub async fn read(&self, api: &Api, id: &str) -> Answer<Value> {
        api.call(&self.get(), &json!({"value": id})).await
    }
}

/// What `list` has to be asked: some kinds are listed by organization.
pub fn asked(list: &MethodDescriptor) -> Value {
    match list.input().get_field_by_name("org") {
        Some(_) => json!({"org": LOCAL_ORG}),
        None => json!({}),
    }
}

/// The records in the answer of a list.
pub fn rows(answer: &Value) -> Vec<Value> {
    let fields = answer.as_object().into_iter().flat_map(|it| it.values());
    let lists = fields.filter_map(Value::as_array);
    lists.flatten().cloned().collect()
}

/// `metadata.id` of a record.
pub fn id_of(record: &Value) -> &str {
    record["metadata"]["id"].as_str().unwrap_or_default()
}
