//! Programs of the machine.

use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, Runtime};

use crate::{
    ask::{Version, ask, last_line, version_in},
    doctor::{Remedy, Row, State},
    host::Python,
};

const BUILDING: &str = "building the stack and its tests";
const CHECKING: &str = "`cargo xtask test`";
const FETCHING: &str = "fetching pinned tools";

/// The compiler.
pub fn rust() -> Row {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    // Cargo takes it from the manifest, where a version that is none would not build at all.
    let wanted = env!("CARGO_PKG_RUST_VERSION")
        .parse()
        .unwrap_or(Version(0, 0, 0));
    let get_it = format!("install Rust {wanted} or later, for instance by `rustup update`");
    match ask(&rustc, ["--version"]) {
        Ok(printed) if version_in(&printed).is_some_and(|version| version >= wanted) => {
            Row::ok("rustc", printed.trim_start_matches("rustc "), BUILDING)
        }
        Ok(printed) => Row::ok("rustc", printed, BUILDING).but(State::Missing, get_it),
        Err(why) => Row::ok("rustc", why.to_string(), BUILDING).but(State::Missing, get_it),
    }
}

/// The C compiler, which also links.
pub fn c_compiler() -> Row {
    let packages = Remedy::Apt(&["gcc", "libc6-dev"]);
    match on_path("cc") {
        Ok(version) => Row::ok("C compiler", version, BUILDING),
        Err(why) => Row::ok("C compiler", why, BUILDING).lacks(State::Missing, packages),
    }
}

/// Git, without which a run is as good, but says less.
pub fn git() -> Row {
    let needed_for = "naming the tested revision in results";
    match on_path("git") {
        Ok(version) => Row::ok("git", version, needed_for),
        Err(why) => Row::ok("git", why, needed_for).lacks(State::Warning, Remedy::Apt(&["git"])),
    }
}

/// The container engine: asked for its server, because the program alone starts nothing. `lacking` is
/// what a machine without one is told.
pub fn engine(lacking: State) -> Row {
    let (program, needed_for) = (Runtime::ENGINE, "`--runtime docker`");
    let row = |found: String| Row::ok("container engine", found, needed_for);
    if !cfg!(target_os = "linux") {
        let found = "programs of this machine are no programs of containers".to_owned();
        return row(found).but(lacking, "run it on Linux, or use `--runtime process`");
    }
    if let Err(why) = on_path(program) {
        return row(why).but(lacking, "Debian: apt-get install docker.io");
    }
    let format = "{{.Server.Version}} ({{.Server.Os}}/{{.Server.Arch}})";
    match ask(program, ["version", "--format", format]) {
        Ok(version) => row(format!("{program} {version}")),
        Err(why) => {
            let get_it = "start it (`systemctl start docker`, or `dockerd`), and be allowed to use it (group `docker`, or root)";
            row(format!("`{program}` {why}")).but(lacking, get_it)
        }
    }
}

/// A browser, without which nobody looks at the report before its readers do.
pub fn browser() -> Row {
    let needed_for =
        "the report's own tests in `cargo xtask test`, `cargo xtask report --screenshots`";
    let row = |found: String| Row::ok("browser", found, needed_for);
    match stigmer_e2e_report::browser::find() {
        Ok(path) => row(path.into_string()),
        Err(_) => {
            let found = "no Chromium is on PATH".to_owned();
            row(found).but(State::Warning, "Debian: apt-get install chromium")
        }
    }
}

/// What a program calls itself, or why it does not answer.
fn on_path(program: &str) -> Result<String, String> {
    which::which(program).map_err(|_| format!("`{program}` is not on PATH"))?;
    let printed = ask(program, ["--version"]).map_err(|why| format!("`{program}` {why}"))?;
    Ok(printed.lines().next().unwrap_or("").to_owned())
}

/// Python, without which there is no pinned model.
pub fn python(python: &Result<Python, String>, model_needed: bool) -> Row {
    let needed_for = "fetching pinned tools, and tests in which the pinned model answers";
    let state = if model_needed {
        State::Missing
    } else {
        State::Warning
    };
    match python {
        Ok(Python { path, version }) => {
            Row::ok("Python", format!("{version} ({path})"), needed_for)
        }
        Err(why) => {
            let packages = Remedy::Apt(&["python3", "python3-pip"]);
            Row::ok("Python", why, needed_for)
                .lacks(state, packages)
                .code(ExitCode::PythonMissing)
        }
    }
}

/// pip, which fetches.
pub fn pip(python: &Python) -> Row {
    match ask(python.path.as_str(), ["-m", "pip", "--version"]) {
        Ok(printed) => {
            let version = version_in(&printed).map(|version| version.to_string());
            Row::ok("Python's pip", version.unwrap_or(printed), FETCHING)
        }
        Err(why) => {
            let found = format!("{} -m pip {why}", python.path);
            Row::ok("Python's pip", found, FETCHING)
                .lacks(State::Warning, Remedy::Apt(&["python3-pip"]))
                .code(ExitCode::PythonMissing)
        }
    }
}

/// A component of the Rust toolchain that only `cargo xtask test` needs, found by cargo's `verb`.
pub fn component(cargo: &Utf8Path, component: &'static str, verb: &str) -> Row {
    match ask(cargo.as_str(), [verb, "--version"]) {
        Ok(printed) => Row::ok(component, last_line(&printed), CHECKING),
        Err(why) => {
            let row = Row::ok(component, why.to_string(), CHECKING);
            row.lacks(State::Warning, Remedy::Rustup(component))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pre_01_a_missing_python_is_a_failure_only_if_the_model_has_to_answer() {
        let none = Err("python3 >= 3.10.0 is not on PATH".to_owned());
        assert_eq!(python(&none, true).state, State::Missing);
        assert_eq!(python(&none, false).state, State::Warning);
        assert!(
            python(&none, true)
                .get_it
                .contains("apt-get install python3 python3-pip")
        );
    }

    #[test]
    fn pre_01_a_hidden_program_is_named() {
        let why = on_path("no-such-program-at-all").expect_err("hidden");
        assert_eq!(why, "`no-such-program-at-all` is not on PATH");
        let row = Row::ok("frob", why, "x").lacks(State::Missing, Remedy::Apt(&["frob-dev"]));
        assert_eq!(row.get_it, "Debian: apt-get install frob-dev");
    }
}
