use std::process::ExitCode;

fn main() -> ExitCode {
    stigmer_workflow_runner::main()
}
