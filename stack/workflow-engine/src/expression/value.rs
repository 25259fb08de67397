//! The values expressions compute with: JSON whose every list and object knows its own size, so
//! that growth is noticed where it happens.

use std::{cmp::Ordering, collections::BTreeMap, fmt, rc::Rc};

use jaq_core::Error;
use serde_json::{Number, Value as Json};

use super::{budget, scope::Shared};

/// A JSON value.
#[derive(Clone, Debug, Default)]
pub(super) enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    List(Rc<List>),
    Object(Rc<Object>),
}

/// The fields of an object, by name.
pub(super) type Fields = BTreeMap<Rc<str>, Value>;

/// A list and what it weighs.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    size: usize,
    depth: u32,
}

/// An object and what it weighs.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) fields: Fields,
    size: usize,
    depth: u32,
}

pub(super) type Result<T = Value> = std::result::Result<T, Error<Value>>;

impl Value {
    pub(super) fn text(text: &str) -> Self {
        budget::make(text.len(), 0);
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        let size = items.iter().map(Self::size).fold(2, usize::saturating_add);
        let depth = 1 + items.iter().map(Self::depth).max().unwrap_or(0);
        budget::make(items.len() * 16, 0);
        Self::weighed(size, depth, || {
            Self::List(Rc::new(List { items, size, depth }))
        })
    }

    pub(super) fn object(fields: Fields) -> Self {
        let size = fields
            .iter()
            .map(|(k, v)| k.len() + 4 + v.size())
            .fold(2, usize::saturating_add);
        let depth = 1 + fields.values().map(Self::depth).max().unwrap_or(0);
        budget::make(fields.len() * 32, 0);
        Self::weighed(size, depth, || {
            Self::Object(Rc::new(Object {
                fields,
                size,
                depth,
            }))
        })
    }

    /// A value too large or too deep is never made; the evaluation ends with that cause.
    fn weighed(size: usize, depth: u32, make: impl FnOnce() -> Self) -> Self {
        // Sharing makes nesting cheap, so the size alone is no cost.
        budget::make(0, depth);
        if budget::may_make(size) {
            make()
        } else {
            Self::Null
        }
    }

    /// About the bytes of its JSON text.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 8,
            Self::Text(text) => text.len() + 2,
            Self::List(list) => list.size,
            Self::Object(object) => object.size,
        }
    }

    fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth,
            Self::Object(object) => object.depth,
            _ => 0,
        }
    }

    pub(super) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => n
                .as_i64()
                .map_or_else(|| Self::Float(n.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(s) => Self::text(s),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Json::Object(fields) => Self::from_fields(fields),
        }
    }

    pub(super) fn from_fields<'j>(
        fields: impl IntoIterator<Item = (&'j String, &'j Json)>,
    ) -> Self {
        let field =
            |(name, value): (&String, &Json)| (Rc::from(name.as_str()), Self::from_json(value));
        Self::object(fields.into_iter().map(field).collect())
    }

    pub(super) fn from_shared(fields: &Shared) -> Self {
        Self::from_fields(fields.iter().map(|(name, value)| (name, &**value)))
    }

    /// As jq writes it: whole floats as integers, `nan` as null, infinities as the largest number.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(i) => Json::from(*i),
            Self::Float(f) => float_to_json(*f),
            Self::Text(s) => Json::from(&**s),
            Self::List(list) => list.items.iter().map(Self::to_json).collect(),
            Self::Object(object) => Json::Object(
                object
                    .fields
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_json()))
                    .collect(),
            ),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Int(_) | Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::List(_) => 5,
            Self::Object(_) => 6,
        }
    }
}

fn float_to_json(float: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.is_nan() {
        Json::Null
    } else if float.fract() == 0.0 && float.abs() <= EXACT {
        Json::from(float as i64)
    } else {
        Number::from_f64(float.clamp(f64::MIN, f64::MAX)).map_or(Json::Null, Json::Number)
    }
}

/// Values taken out of a list: its own ones when nobody else holds it, copies otherwise.
pub(super) fn items_of(list: Rc<List>) -> Vec<Value> {
    Rc::try_unwrap(list).map_or_else(
        |shared| {
            budget::spend(shared.items.len() as u64 / 8);
            shared.items.clone()
        },
        |own| own.items,
    )
}

/// Fields taken out of an object, as [`items_of`].
pub(super) fn fields_of(object: Rc<Object>) -> Fields {
    Rc::try_unwrap(object).map_or_else(
        |shared| {
            budget::spend(shared.fields.len() as u64 / 4);
            shared.fields.clone()
        },
        |own| own.fields,
    )
}

impl Ord for Value {
    /// jq's order: null, false, true, numbers (`nan` first), texts, lists, objects by their sorted
    /// names and then their values.
    fn cmp(&self, other: &Self) -> Ordering {
        budget::spend(1);
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => {
                let (a, b) = (self.float(), other.float());
                a.partial_cmp(&b)
                    .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
            }
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.items.cmp(&b.items),
            (Self::Object(a), Self::Object(b)) => {
                let (a, b) = (&a.fields, &b.fields);
                a.keys()
                    .cmp(b.keys())
                    .then_with(|| a.values().cmp(b.values()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Value {
    /// The number as a float; `nan` for anything else.
    pub(super) fn float(&self) -> f64 {
        match self {
            Self::Int(i) => *i as f64,
            Self::Float(f) => *f,
            _ => f64::NAN,
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

/// The value for an error text: its JSON, shortened.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self {
            Self::Text(text) => f.write_str(shorten(text, 4 * SHOWN)),
            Self::List(_) | Self::Object(_) if self.size() > 16 * SHOWN => {
                write!(f, "{} ({} bytes)", self.kind(), self.size())
            }
            _ => f.write_str(shorten(&self.to_json().to_string(), SHOWN)),
        }
    }
}

fn shorten(text: &str, limit: usize) -> &str {
    let end = text
        .char_indices()
        .nth(limit)
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}
