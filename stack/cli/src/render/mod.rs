//! What people and programs see. Everything but [`Screen`] is a pure function.

mod lines;
mod report;
mod stream;
mod table;

pub use lines::{Line, Mark, Piece, Screen, to_stderr};
pub use report::{ApplyReport, Change, ResourceReport, RunReport, print as print_json};
pub use stream::{LiveView, final_block};
pub use table::{Table, terminal_width};
