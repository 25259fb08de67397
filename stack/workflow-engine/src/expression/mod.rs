//! Expressions: jq between `${` and `}` in the texts of a workflow.
//!
//! - A text that is one expression has the expression's value, of any type. Inside a longer text
//!   every expression is written as text.
//! - Variables: `$data`, `$context`, `$env`, `$secrets`, `$input`, `$output`. `.` is what the
//!   caller makes it: the task's output in `export` and `output`, the current data elsewhere, so
//!   that `${ .item.x }` in a loop and `${ .error.message }` in a catch mean what they say.
//! - `uuid` and `now` come from the workflow, so a replay sees the same.
//! - Evaluation is bounded in steps, sizes, and depth: jq that loops ends with an error.

mod access;
mod arithmetic;
mod budget;
mod natives;
mod path;
mod program;
mod scope;
mod syntax;
mod text;
mod traits;
mod value;

pub use natives::Surroundings;
pub use program::ExpressionError;
pub use scope::{Scope, Shared, Variables};

use std::collections::BTreeSet;

use program::Program;
use text::Piece;

/// Reads the standard library, which the first expression would otherwise wait for.
pub fn warm_up() {
    scope::on_large_stack(program::warm_up);
}

/// A field taken out of a variable, such as `("$context", "fetch")` for `$context["fetch"].title`.
pub type Reference = (String, String);

/// Checks every expression in `text` and returns what they take out of variables.
pub fn references(text: &str) -> Result<BTreeSet<Reference>, ExpressionError> {
    let pieces = text::cut(text);
    let codes = pieces.iter().filter_map(|piece| match piece {
        Piece::Expression(code) => Some(*code),
        _ => None,
    });
    let codes = codes.collect::<Vec<_>>();
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    scope::on_large_stack(|| mentioned(codes))
}

/// As [`references`], of a condition, which is an expression also without `${ }`.
pub fn references_of_condition(text: &str) -> Result<BTreeSet<Reference>, ExpressionError> {
    let code = text::condition(text);
    scope::on_large_stack(|| mentioned([code.as_str()]))
}

fn mentioned<'a>(
    codes: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<Reference>, ExpressionError> {
    let mut found = BTreeSet::new();
    for code in codes {
        found.extend(Program::of(code)?.mentions.fields.iter().cloned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
