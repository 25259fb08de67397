//! What a stack does under load, in numbers: times, processes, and where more at once stops to pay.
//!
//! `times` keeps how long things took, `processes` looks at memory and open files, `knee` and `limits` are
//! pure, `record` is the file that a test of a load leaves for `cargo xtask load`.

mod knee;
mod limits;
mod processes;
mod record;
mod times;

pub use knee::{GAIN, Knee, Point, knee};
pub use limits::Figure;
pub use processes::{ProcessUse, Watched, Watching};
pub use record::{LevelRecord, LoadRecord};
pub use times::{Timed, TimesError};
