//! The parts take their settings from the environment; all they answer is `--version`.

/// Answers `--version` and refuses every other argument. Returns the exit code when the process
/// should end.
pub(crate) fn answer(component: &str, version: &str) -> Option<i32> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    match arguments.as_slice() {
        [] => None,
        [flag] if flag == "--version" => {
            println!("{component} {}", crate::version(version));
            Some(0)
        }
        other => {
            eprintln!(
                "Error: {component} takes no arguments but --version, got {:?}; it is configured by environment variables",
                other.join(" ")
            );
            Some(2)
        }
    }
}
