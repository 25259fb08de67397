//! What people and programs see. Everything but [`Screen`] and [`Output`] is a pure function.

mod details;
mod lines;
mod output;
mod report;
mod stream;
mod table;

pub use details::Details;
pub use lines::{Line, Mark, Piece, Screen, to_stderr};
pub use output::{Output, OutputFormat};
pub use report::{
    ApplyReport, Change, ExecutionReport, ExecutionRow, ProjectReport, ResourceReport, ResourceRow,
    RunReport,
};
pub use stream::{LiveView, final_block};
pub use table::{Table, terminal_width};
