//! Filters implemented here: those that need the value type, those the outside answers in a
//! replay-safe way, and the guards of the budget.

use std::cell::{Cell, RefCell};

use jaq_core::{
    Error, Exn, Native, RunPtr,
    box_iter::box_once,
    data::JustLut,
    native::{Fun, bome, run, unary, v},
};
use jaq_std::ValT as _;

use super::{
    access::positions_of,
    budget,
    value::{Result, Value},
};

type Data = JustLut<Value>;

/// Filters of the standard library that would look at or touch the outside of the workflow.
const FORBIDDEN: [&str; 7] = [
    "env",
    "now",
    "halt",
    "debug_empty",
    "stderr_empty",
    "localtime",
    "strflocaltime",
];

/// Called before every body of a definition, so that recursion is counted.
pub(super) const ENTER: &str = "stigmer_enter";
/// Called before a regular expression is matched, with its arguments.
pub(super) const MATCH: &str = "stigmer_match";

/// What expressions may ask of the workflow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// The workflow's time in seconds since the epoch.
    pub now: f64,
    /// Where the identifiers made by `uuid` start from.
    pub seed: u64,
}

thread_local! {
    static NOW: Cell<f64> = const { Cell::new(0.0) };
    static RANDOM: RefCell<u64> = const { RefCell::new(0) };
}

/// Sets what expressions on this thread are told.
pub(super) fn surround(surroundings: Surroundings) {
    NOW.set(surroundings.now);
    RANDOM.set(surroundings.seed);
}

/// Every native filter that expressions may use.
pub(super) fn funs() -> impl Iterator<Item = Fun<Data>> {
    let std = jaq_std::funs::<Data>().filter(|(name, ..)| !FORBIDDEN.contains(name));
    jaq_core::funs().chain(std).chain(own()).chain([guard()])
}

fn guard() -> Fun<Data> {
    // In a path or an update, the guard stands for `.`.
    let native = Native::new(|cv| box_once(enter().map(|()| cv.1)))
        .with_paths(|cv| box_once(enter().map(|()| cv.1)))
        .with_update(|cv, update| match enter() {
            Ok(()) => update(cv.1),
            Err(end) => box_once(Err(end)),
        });
    (ENTER, v(0), native)
}

/// Ends the evaluation in a way that no `try` catches.
fn enter<'a>() -> std::result::Result<(), Exn<'a, Value>> {
    if budget::enter() {
        Ok(())
    } else {
        Err(Exn::halt(1))
    }
}

fn own() -> impl Iterator<Item = Fun<Data>> {
    let filters: [(&'static str, usize, RunPtr<Data>); 13] = [
        (MATCH, 2, |mut cv| {
            let (_flags, regex) = (cv.0.pop_var(), cv.0.pop_var());
            bome(afford_match(&cv.1, &regex).map(|()| cv.1))
        }),
        ("now", 0, |_| bome(Ok(Value::Float(NOW.get())))),
        ("uuid", 0, |_| bome(Ok(Value::text(&uuid())))),
        ("isnan", 0, |cv| {
            bome(number(&cv.1).map(|n| Value::Bool(n.is_nan())))
        }),
        ("fromjson", 0, |cv| bome(from_json(&cv.1))),
        ("tojson", 0, |cv| {
            bome(Ok(Value::text(&cv.1.to_json().to_string())))
        }),
        ("tonumber", 0, |cv| bome(to_number(cv.1))),
        ("length", 0, |cv| bome(length(cv.1))),
        ("contains", 1, |cv| {
            unary(cv, |a, b| contains(&a, &b).map(Value::Bool))
        }),
        ("has", 1, |cv| unary(cv, |value, key| has(&value, &key))),
        ("indices", 1, |cv| {
            unary(cv, |value, part| indices(&value, &part))
        }),
        ("bsearch", 1, |cv| {
            unary(cv, |list, wanted| binary_search(list, &wanted))
        }),
        ("ascii", 0, |cv| bome(ascii(&cv.1))),
    ];
    filters
        .into_iter()
        .map(|(name, arity, filter)| run::<Data>((name, v(arity), filter)))
}

/// Matching costs the length of the text times that of the expression, repetitions counted out.
fn afford_match(text: &Value, regex: &Value) -> Result<()> {
    let (Value::Text(text), Value::Text(regex)) = (text, regex) else {
        return Ok(());
    };
    let repetitions = regex
        .split('{')
        .skip(1)
        .filter_map(|rest| {
            rest.split(['}', ','])
                .filter_map(|n| n.trim().parse::<u64>().ok())
                .max()
        })
        .fold(1, u64::saturating_mul);
    let states = (regex.len() as u64).saturating_mul(repetitions.max(1));
    budget::spend(states.saturating_mul(1 + text.len() as u64) / 64);
    budget::check()
}

/// A version 4 identifier; the same seed gives the same sequence (SplitMix64).
fn uuid() -> String {
    let next = || {
        RANDOM.with_borrow_mut(|state| {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    };
    let (a, b) = (next(), next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}

fn number(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .ok_or_else(|| Error::typ(value.clone(), "number"))
}

fn from_json(value: &Value) -> Result {
    let Value::Text(text) = value else {
        return Err(Error::typ(value.clone(), "string"));
    };
    budget::spend(text.len() as u64 / 8);
    let json = serde_json::from_str(text)
        .map_err(|e| Error::str(format_args!("cannot parse {value} as JSON: {e}")))?;
    Ok(Value::from_json(&json))
}

fn to_number(value: Value) -> Result {
    let Value::Text(text) = &value else {
        return number(&value).map(|_| value);
    };
    let parsed = text
        .trim()
        .parse()
        .map(Value::Int)
        .or_else(|_| text.trim().parse().map(Value::Float));
    parsed.map_err(|_| Error::str(format_args!("cannot parse {value} as number")))
}

fn length(value: Value) -> Result {
    Ok(match &value {
        Value::Null => Value::Int(0),
        Value::Bool(_) => return Err(Error::str(format_args!("boolean ({value}) has no length"))),
        Value::Int(i) => i
            .checked_abs()
            .map_or_else(|| Value::Float(i.unsigned_abs() as f64), Value::Int),
        Value::Float(f) => Value::Float(f.abs()),
        Value::Text(text) => Value::from(text.chars().count()),
        Value::List(list) => Value::from(list.items.len()),
        Value::Object(object) => Value::from(object.fields.len()),
    })
}

fn contains(a: &Value, b: &Value) -> Result<bool> {
    budget::spend(1);
    budget::check()?;
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(a.contains(&**b)),
        (Value::List(a), Value::List(b)) => every(&b.items, |b| {
            a.items
                .iter()
                .map(|a| contains(a, b))
                .find(|found| !matches!(found, Ok(false)))
                .unwrap_or(Ok(false))
        }),
        (Value::Object(a), Value::Object(b)) => every(&b.fields, |(name, b)| {
            a.fields.get(name).map_or(Ok(false), |a| contains(a, b))
        }),
        _ => Ok(a == b),
    }
}

fn every<T>(items: impl IntoIterator<Item = T>, holds: impl Fn(T) -> Result<bool>) -> Result<bool> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has(value: &Value, key: &Value) -> Result {
    match (value, key) {
        (Value::Object(object), Value::Text(name)) => {
            Ok(Value::Bool(object.fields.contains_key(&**name)))
        }
        (Value::List(list), Value::Int(_) | Value::Float(_)) => Ok(Value::Bool(
            (0.0..list.items.len() as f64).contains(&key.float()),
        )),
        _ => Err(Error::index(value.clone(), key.clone())),
    }
}

fn indices(value: &Value, part: &Value) -> Result {
    match (value, part) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(_), Value::Text(part)) if part.is_empty() => Ok(Value::list(Vec::new())),
        (Value::Text(text), Value::Text(part)) => {
            let starts = text
                .char_indices()
                .enumerate()
                .filter(|(_, (at, _))| text[*at..].starts_with(&**part));
            Ok(Value::list(
                starts.map(|(nth, _)| Value::from(nth)).collect(),
            ))
        }
        (Value::List(list), Value::List(part)) => Ok(positions_of(list, part)),
        (Value::List(list), wanted) => {
            let found = list
                .items
                .iter()
                .enumerate()
                .filter(|(_, item)| *item == wanted);
            Ok(Value::list(found.map(|(at, _)| Value::from(at)).collect()))
        }
        _ => Err(Error::index(value.clone(), part.clone())),
    }
}

fn binary_search(list: Value, wanted: &Value) -> Result {
    match &list {
        Value::List(items) => Ok(match items.items.binary_search(wanted) {
            Ok(at) => Value::from(at),
            Err(at) => Value::from(-1 - at as isize),
        }),
        _ => Err(Error::typ(list, "array")),
    }
}

fn ascii(value: &Value) -> Result {
    let code = u8::try_from(value.as_isize().unwrap_or(-1))
        .ok()
        .filter(u8::is_ascii);
    let code = code.ok_or_else(|| Error::typ(value.clone(), "ASCII code"))?;
    Ok(Value::text(&char::from(code).to_string()))
}
