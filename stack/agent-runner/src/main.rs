use std::process::ExitCode;

fn main() -> ExitCode {
    stigmer_agent_runner::main()
}
