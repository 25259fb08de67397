//! The `stigmer` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    stigmer_cli::main()
}
