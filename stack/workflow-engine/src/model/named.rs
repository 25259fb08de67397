//! Lists of named things, which the DSL writes as a list of objects with one key each.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::Task;

/// Something with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// The name.
    pub name: String,
    /// The thing.
    pub body: T,
}

/// Tasks in order.
pub type TaskList = Vec<Named<Task>>;

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.name, &self.body)?;
        map.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneKey<T>(std::marker::PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for OneKey<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one key, the name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let name = map
                    .next_key::<String>()?
                    .ok_or_else(|| de::Error::custom("a name is missing"))?;
                // By way of a JSON value, so that the error can say whose it is.
                let body = map.next_value::<serde_json::Value>()?;
                let body = serde_json::from_value(body)
                    .map_err(|e| de::Error::custom(format_args!("{name}: {e}")))?;
                match map.next_key::<String>()? {
                    None => Ok(Named { name, body }),
                    Some(other) => Err(de::Error::custom(format_args!(
                        "{name} and {other} need list entries of their own"
                    ))),
                }
            }
        }

        deserializer.deserialize_map(OneKey(std::marker::PhantomData))
    }
}

pub(super) fn serialize<S: Serializer>(tasks: &TaskList, serializer: S) -> Result<S::Ok, S::Error> {
    tasks.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<TaskList, D::Error> {
    TaskList::deserialize(deserializer)
}
