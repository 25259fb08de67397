//! Reading and changing parts of values: `.a`, `.[0]`, `.[1:3]`, `.[]`, and their updates.

use std::rc::Rc;

use jaq_core::{Error, Exn, ValX, box_iter::BoxIter, path::Opt, val::Range};

use super::{
    budget,
    value::{Fields, List, Object, Result, Value, fields_of, items_of},
};

const ITERABLE: &str = "iterable (array or object)";

type Pair = (Value, Value);

impl Value {
    /// The child at `index`; `None` when there is none.
    pub(super) fn child(&self, index: &Self) -> Result<Option<Self>> {
        budget::spend(1);
        budget::check()?;
        match (self, index) {
            (
                Self::Null,
                Self::Null | Self::Int(_) | Self::Float(_) | Self::Text(_) | Self::Object(_),
            ) => Ok(None),
            (Self::Object(object), Self::Text(name)) => Ok(object.fields.get(&**name).cloned()),
            (Self::List(list), Self::Int(_) | Self::Float(_)) => {
                Ok(position(index.float(), list.items.len())
                    .and_then(|at| list.items.get(at))
                    .cloned())
            }
            (Self::List(list), Self::List(part)) => Ok(Some(positions_of(list, part))),
            (Self::List(_) | Self::Text(_), Self::Object(range)) => self
                .slice(range.fields.get("start")..range.fields.get("end"))
                .map(Some),
            _ => Err(Error::index(self.clone(), index.clone())),
        }
    }

    /// The part of a list or text, counted in items or characters.
    pub(super) fn slice(&self, range: Range<&Self>) -> Result {
        match self {
            Self::Null => Ok(Self::Null),
            Self::List(list) => {
                let (start, end) = bounds(&range, list.items.len())?;
                Ok(Self::list(list.items[start..end].to_vec()))
            }
            Self::Text(text) => {
                let (start, end) = bounds(&range, text.chars().count())?;
                Ok(Self::text(
                    &text
                        .chars()
                        .skip(start)
                        .take(end - start)
                        .collect::<String>(),
                ))
            }
            other => Err(Error::typ(other.clone(), "rangeable (array or string)")),
        }
    }

    /// Names or positions with their values.
    pub(super) fn pairs(self) -> BoxIter<'static, Result<Pair>> {
        match self {
            Self::List(list) => Box::new(counted(
                (0_i64..)
                    .zip(items_of(list))
                    .map(|(at, item)| (Self::Int(at), item)),
            )),
            Self::Object(object) => Box::new(counted(
                fields_of(object)
                    .into_iter()
                    .map(|(name, value)| (Self::Text(name), value)),
            )),
            other => Box::new(std::iter::once(Err(Error::typ(other, ITERABLE)))),
        }
    }

    pub(super) fn children(self) -> Box<dyn Iterator<Item = Result>> {
        match self {
            Self::List(list) => Box::new(counted(items_of(list).into_iter())),
            Self::Object(object) => Box::new(counted(fields_of(object).into_values())),
            other => Box::new(std::iter::once(Err(Error::typ(other, ITERABLE)))),
        }
    }

    pub(super) fn update_all<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Self::List(list) => Ok(Self::list(
                items_of(list)
                    .into_iter()
                    .flat_map(f)
                    .collect::<std::result::Result<_, _>>()?,
            )),
            Self::Object(object) => {
                let fields = fields_of(object)
                    .into_iter()
                    .filter_map(|(name, value)| f(value).next().map(|new| Ok((name, new?))));
                Ok(Self::object(
                    fields.collect::<std::result::Result<_, Exn<'_, _>>>()?,
                ))
            }
            other => opt.fail(other, |v| Exn::from(Error::typ(v, ITERABLE))),
        }
    }

    /// Replaces one child; as in jq, null becomes the list or object that is needed, a list grows
    /// with nulls, and a child updated to nothing is removed.
    pub(super) fn update_one<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        budget::spend(1);
        match (self, index) {
            (Self::Null, Self::Text(_)) => Self::object(Fields::new()).update_one(index, opt, f),
            (Self::Null, Self::Int(_) | Self::Float(_)) => {
                Self::list(Vec::new()).update_one(index, opt, f)
            }
            (value @ (Self::List(_) | Self::Text(_) | Self::Null), Self::Object(range)) => {
                value.update_slice(range.fields.get("start")..range.fields.get("end"), opt, f)
            }
            (Self::Object(object), Self::Text(name)) => update_field(object, name, f),
            (Self::List(list), Self::Int(_) | Self::Float(_)) => {
                update_item(list, index.float(), opt, f)
            }
            (value, _) => opt.fail(value, |v| Exn::from(Error::index(v, index.clone()))),
        }
    }

    pub(super) fn update_slice<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let list = match self {
            Self::List(list) => list,
            Self::Null => Rc::default(),
            other => return opt.fail(other, |v| Exn::from(Error::typ(v, "array"))),
        };
        let (start, end) = match bounds(&range, list.items.len()) {
            Ok(bounds) => bounds,
            Err(error) => return opt.fail(Self::List(list), |_| Exn::from(error)),
        };
        let mut items = items_of(list);
        let part = Self::list(items[start..end].to_vec());
        let new = match f(part).next().transpose()? {
            None => Vec::new(),
            Some(Self::List(new)) => items_of(new),
            Some(other) => return Err(Exn::from(Error::typ(other, "array"))),
        };
        items.splice(start..end, new);
        Ok(Self::list(items))
    }
}

fn update_field<'a, I: Iterator<Item = ValX<'a, Value>>>(
    object: Rc<Object>,
    name: &Rc<str>,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let mut fields = fields_of(object);
    let old = fields.remove(name).unwrap_or_default();
    if let Some(new) = f(old).next().transpose()? {
        fields.insert(name.clone(), new);
    }
    Ok(Value::object(fields))
}

fn update_item<'a, I: Iterator<Item = ValX<'a, Value>>>(
    list: Rc<List>,
    index: f64,
    opt: Opt,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    let length = list.items.len();
    let Some(at) = position(index, length) else {
        return opt.fail(Value::List(list), |_| {
            Exn::from(Error::str(format_args!("index {index} out of bounds")))
        });
    };
    if at >= length && !budget::may_make(at.saturating_mul(8)) {
        return Err(Exn::from(Error::str("the list would grow too long")));
    }
    let mut items = items_of(list);
    if at >= items.len() {
        items.resize(at + 1, Value::Null);
    }
    match f(std::mem::take(&mut items[at])).next().transpose()? {
        Some(new) => items[at] = new,
        None => drop(items.remove(at)),
    }
    Ok(Value::list(items))
}

/// Where `index` points in a list of `length` items, from the end when negative; may be past the
/// end. `None` when before the start or not a number.
fn position(index: f64, length: usize) -> Option<usize> {
    let index = index.floor();
    let from_start = if index < 0.0 {
        index + length as f64
    } else {
        index
    };
    (from_start >= 0.0).then_some(from_start as usize)
}

fn bounds(range: &Range<&Value>, length: usize) -> Result<(usize, usize)> {
    let bound = |bound: Option<&Value>, default: usize, round: fn(f64) -> f64| match bound {
        None | Some(Value::Null) => Ok(default),
        Some(number @ (Value::Int(_) | Value::Float(_))) => {
            Ok(position(round(number.float()), length)
                .unwrap_or(0)
                .min(length))
        }
        Some(other) => Err(Error::typ(other.clone(), "number")),
    };
    let start = bound(range.start, 0, f64::floor)?;
    let end = bound(range.end, length, f64::ceil)?;
    Ok((start, end.max(start)))
}

/// Where `part` occurs in `list`, as `indices` says it.
pub(super) fn positions_of(list: &List, part: &List) -> Value {
    if part.items.is_empty() {
        return Value::list(Vec::new());
    }
    let found = list
        .items
        .windows(part.items.len())
        .enumerate()
        .filter(|(_, window)| *window == part.items);
    Value::list(found.map(|(at, _)| Value::Int(at as i64)).collect())
}

/// Each item costs a step; none comes after the budget is used up but its error.
fn counted<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = Result<T>> {
    let mut failed = false;
    items.map_while(move |item| {
        if failed {
            return None;
        }
        budget::spend(1);
        let checked = budget::check().map(|()| item);
        failed = checked.is_err();
        Some(checked)
    })
}
