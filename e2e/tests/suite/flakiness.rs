//! Section 13 of the acceptance list: a verdict is the truth about the product, not about the day.

mod front_door;
mod lint;
mod retries;
