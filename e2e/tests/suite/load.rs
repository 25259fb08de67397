//! How much the stack carries at once, beside what bare Temporal and the model carry in the same run.
//! Whatever is accepted has to complete; what is measured, `cargo xtask load` judges.

mod bare;
mod level;
mod nightly;
mod work;
