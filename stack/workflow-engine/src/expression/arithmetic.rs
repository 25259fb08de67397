//! What `+ - * / %` do to values, as jq defines them.

use std::{
    ops::{Add, Div, Mul, Neg, Rem, Sub},
    rc::Rc,
};

use jaq_core::{Error, ops::Math};

use super::{
    budget,
    value::{Fields, Result, Value, fields_of, items_of},
};

impl Add for Value {
    type Output = Result;

    fn add(self, other: Self) -> Result {
        step()?;
        match (self, other) {
            (Self::Null, x) | (x, Self::Null) => Ok(x),
            (Self::Int(a), Self::Int(b)) => Ok(a
                .checked_add(b)
                .map_or_else(|| Self::Float(a as f64 + b as f64), Self::Int)),
            (a, b) if numbers(&a, &b) => Ok(Self::Float(a.float() + b.float())),
            (Self::Text(a), Self::Text(b)) => {
                room_for(a.len() + b.len())?;
                Ok(Self::text(&[&*a, &*b].concat()))
            }
            (Self::List(a), Self::List(b)) => {
                room_for((a.items.len() + b.items.len()) * 8)?;
                let mut items = items_of(a);
                items.extend(b.items.iter().cloned());
                Ok(Self::list(items))
            }
            (Self::Object(a), Self::Object(b)) => {
                let mut fields = fields_of(a);
                fields.extend(b.fields.iter().map(|(k, v)| (k.clone(), v.clone())));
                Ok(Self::object(fields))
            }
            (a, b) => Err(Error::math(a, Math::Add, b)),
        }
    }
}

impl Sub for Value {
    type Output = Result;

    fn sub(self, other: Self) -> Result {
        step()?;
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Ok(a
                .checked_sub(b)
                .map_or_else(|| Self::Float(a as f64 - b as f64), Self::Int)),
            (a, b) if numbers(&a, &b) => Ok(Self::Float(a.float() - b.float())),
            (Self::List(a), Self::List(b)) => {
                let mut items = items_of(a);
                items.retain(|item| budget::excess().is_none() && !b.items.contains(item));
                Ok(Self::list(items))
            }
            (a, b) => Err(Error::math(a, Math::Sub, b)),
        }
    }
}

impl Mul for Value {
    type Output = Result;

    fn mul(self, other: Self) -> Result {
        step()?;
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Ok(a
                .checked_mul(b)
                .map_or_else(|| Self::Float(a as f64 * b as f64), Self::Int)),
            (a, b) if numbers(&a, &b) => Ok(Self::Float(a.float() * b.float())),
            (Self::Text(text), n @ (Self::Int(_) | Self::Float(_)))
            | (n @ (Self::Int(_) | Self::Float(_)), Self::Text(text)) => repeat(&text, n.float()),
            (Self::Object(a), Self::Object(b)) => merge(a, &b.fields),
            (a, b) => Err(Error::math(a, Math::Mul, b)),
        }
    }
}

fn repeat(text: &str, times: f64) -> Result {
    if times.is_nan() || times <= 0.0 {
        return Ok(Value::Null);
    }
    // A part of a time counts as one; a float above the range of `usize` becomes its maximum.
    let times = (times as usize).max(1);
    room_for(text.len().saturating_mul(times))?;
    Ok(Value::text(&text.repeat(times)))
}

/// Objects merged at every level.
fn merge(left: Rc<super::value::Object>, right: &Fields) -> Result {
    let mut fields = fields_of(left);
    for (name, value) in right {
        let merged = match (fields.remove(name), value) {
            (Some(Value::Object(a)), Value::Object(b)) => merge(a, &b.fields)?,
            _ => value.clone(),
        };
        fields.insert(name.clone(), merged);
    }
    Ok(Value::object(fields))
}

impl Div for Value {
    type Output = Result;

    fn div(self, other: Self) -> Result {
        step()?;
        match (self, other) {
            (Self::Int(a), Self::Int(b)) if b != 0 && a.checked_rem(b) == Some(0) => {
                Ok(Self::Int(a / b))
            }
            (a, b) if numbers(&a, &b) => Ok(Self::Float(a.float() / b.float())),
            (Self::Text(text), Self::Text(separator)) => Ok(split(&text, &separator)),
            (a, b) => Err(Error::math(a, Math::Div, b)),
        }
    }
}

fn split(text: &str, separator: &str) -> Value {
    let parts = |parts: &mut dyn Iterator<Item = &str>| parts.map(Value::text).collect();
    Value::list(if text.is_empty() {
        Vec::new()
    } else if separator.is_empty() {
        parts(
            &mut text
                .char_indices()
                .map(|(at, c)| &text[at..at + c.len_utf8()]),
        )
    } else {
        parts(&mut text.split(separator))
    })
}

impl Rem for Value {
    type Output = Result;

    fn rem(self, other: Self) -> Result {
        step()?;
        match (self, other) {
            (Self::Int(a), Self::Int(b)) if b != 0 => Ok(Self::Int(a.checked_rem(b).unwrap_or(0))),
            (a, b) if numbers(&a, &b) && b.float() != 0.0 => Ok(Self::Float(a.float() % b.float())),
            (a, b) => Err(Error::math(a, Math::Rem, b)),
        }
    }
}

impl Neg for Value {
    type Output = Result;

    fn neg(self) -> Result {
        step()?;
        match self {
            Self::Int(i) => Ok(i
                .checked_neg()
                .map_or_else(|| Self::Float(-(i as f64)), Self::Int)),
            Self::Float(f) => Ok(Self::Float(-f)),
            other => Err(Error::typ(other, "number")),
        }
    }
}

fn numbers(a: &Value, b: &Value) -> bool {
    let number = |v: &Value| matches!(v, Value::Int(_) | Value::Float(_));
    number(a) && number(b)
}

fn step() -> Result<()> {
    budget::spend(1);
    budget::check()
}

fn room_for(size: usize) -> Result<()> {
    budget::may_make(size);
    budget::check()
}
