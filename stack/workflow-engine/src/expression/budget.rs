//! What one evaluation may cost, counted in steps so that a replay counts the same.
//!
//! The counter belongs to the thread, because the interpreter's arithmetic has no other way to
//! reach it; an evaluation has its thread for itself.

use std::cell::Cell;

use jaq_core::Error;

use super::value::Value;

/// Steps of one evaluation: about half a second of work in an unoptimised build.
const STEPS: u64 = 500_000;

/// The size of a value in bytes of JSON, about, that no expression may exceed.
const MAX_SIZE: usize = 4 * 1024 * 1024;

/// The nesting of lists and objects that no value may exceed.
const MAX_DEPTH: u32 = 128;

/// Stack of the evaluating thread, and how much of it recursion may use.
pub(super) const STACK_BYTES: usize = 128 * 1024 * 1024;
const MAX_STACK_USE: usize = STACK_BYTES / 2;

/// Why an evaluation was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Steps,
    Size,
    Depth,
    Recursion,
}

impl Excess {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Steps => "it takes more than 500000 steps; does it loop for ever?",
            Self::Size => "it makes a value larger than 4 MiB",
            Self::Depth => "it nests a value deeper than 128 levels",
            Self::Recursion => "it recurses too deep",
        }
    }

    /// As [`Excess::text`], when it is what the expression is given.
    pub(super) fn text_of_state(self) -> &'static str {
        match self {
            Self::Depth => "what it works on is nested deeper than 128 levels",
            _ => "what it works on is larger than 4 MiB",
        }
    }
}

thread_local! {
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
    static STACK_BASE: Cell<usize> = const { Cell::new(0) };
    static EXCESS: Cell<Option<Excess>> = const { Cell::new(None) };
}

/// Before what an expression may name is converted: steps are not counted, and the sizes and the
/// depth are still bounded.
pub(super) fn start_conversion() {
    start();
    STEPS_LEFT.set(u64::MAX);
}

/// Starts counting for one evaluation on this thread.
pub(super) fn start() {
    STEPS_LEFT.set(STEPS);
    STACK_BASE.set(stack_position());
    EXCESS.set(None);
}

/// Counts `steps`.
pub(super) fn spend(steps: u64) {
    let left = STEPS_LEFT.get().saturating_sub(steps);
    STEPS_LEFT.set(left);
    if left == 0 {
        exceed(Excess::Steps);
    }
}

/// Counts the making of a value of `size` bytes and `depth` levels.
pub(super) fn make(size: usize, depth: u32) {
    // Copying 64 bytes costs about as much as a step.
    spend(1 + size as u64 / 64);
    if size > MAX_SIZE {
        exceed(Excess::Size);
    } else if depth > MAX_DEPTH {
        exceed(Excess::Depth);
    }
}

/// Whether a value of `size` bytes may be made; counts as exceeding when not.
pub(super) fn may_make(size: usize) -> bool {
    if size > MAX_SIZE {
        exceed(Excess::Size);
    }
    EXCESS.get().is_none()
}

/// Counts one call of a definition; false when the evaluation must end.
pub(super) fn enter() -> bool {
    spend(1);
    if STACK_BASE.get().abs_diff(stack_position()) > MAX_STACK_USE {
        exceed(Excess::Recursion);
    }
    EXCESS.get().is_none()
}

/// Ends the evaluation. The first cause is the one reported.
pub(super) fn exceed(excess: Excess) {
    if EXCESS.get().is_none() {
        EXCESS.set(Some(excess));
    }
}

/// What was exceeded so far.
pub(super) fn excess() -> Option<Excess> {
    EXCESS.get()
}

/// The interpreter's error once something was exceeded. A `try` can catch it, but every further
/// step fails as well, and the outcome of the evaluation is this error.
pub(super) fn check() -> Result<(), Error<Value>> {
    match excess() {
        None => Ok(()),
        Some(excess) => Err(Error::str(excess.text())),
    }
}

fn stack_position() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here) as usize
}
