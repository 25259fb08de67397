//! Section 13 of the acceptance list: a verdict is the truth about the product, not about the day.

mod faults;
mod front_door;
mod lint;
mod nightly;
mod retries;
pub mod rounds;
