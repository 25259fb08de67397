//! The checks, one function each.

use std::fs;

use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, size};

use super::{Remedy, Row, State};
use crate::{
    ask::{Version, ask, last_line, version_in},
    build::Built,
    checkout::{Checkout, nearest_existing},
    host::Python,
    provision::{Provisioned, free_bytes},
};

/// A cold build of the workspace and the projects of tests, as measured, and some air.
const SPACE_FOR_A_BUILD: u64 = 4_000_000_000;
/// Room for what changes once everything is built.
const SPACE_FOR_A_REBUILD: u64 = 500_000_000;
/// Room for some runs' results: logs, histories, and copies of databases.
const SPACE_FOR_RESULTS: u64 = 200_000_000;
/// The stack, Temporal, and the model need about 1 GB; rustc's largest crate needs 2.
const MEMORY: u64 = 2_000_000_000;

const BUILDING: &str = "building the stack and its tests";
const CHECKING: &str = "`cargo xtask test`";

/// The compiler.
pub fn rust() -> Row {
    let wanted: Version = env!("CARGO_PKG_RUST_VERSION")
        .parse()
        .unwrap_or(Version(0, 0, 0));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let get_it = format!("install Rust {wanted} or later, for instance by `rustup update`");
    match ask(&rustc, ["--version"]) {
        Ok(printed) => {
            let row = Row::ok(
                "rustc",
                printed.trim_start_matches("rustc ").to_owned(),
                BUILDING,
            );
            let new_enough = version_in(&printed).is_some_and(|version| version >= wanted);
            if new_enough {
                row
            } else {
                row.but(State::Missing, get_it, None)
            }
        }
        Err(why) => Row::ok("rustc", why.to_string(), BUILDING).but(State::Missing, get_it, None),
    }
}

/// The C compiler, which also links.
pub fn c_compiler() -> Row {
    let remedy = Remedy::Apt(&["gcc", "libc6-dev"]);
    on_path("C compiler (cc)", "cc", BUILDING, State::Missing, remedy)
}

/// Git, for naming the revision that was tested.
pub fn git() -> Row {
    on_path(
        "git",
        "git",
        "naming the tested revision in results",
        State::Warning,
        Remedy::Apt(&["git"]),
    )
}

fn on_path(
    what: &str,
    program: &str,
    needed_for: &'static str,
    without: State,
    remedy: Remedy,
) -> Row {
    let get_it = remedy.as_text();
    if which::which(program).is_err() {
        return Row::ok(what, format!("`{program}` is not on PATH"), needed_for).but(
            without,
            get_it,
            Some(remedy),
        );
    }
    match ask(program, ["--version"]) {
        Ok(printed) => Row::ok(
            what,
            printed.lines().next().unwrap_or("").to_owned(),
            needed_for,
        ),
        Err(why) => Row::ok(what, format!("`{program}` {why}"), needed_for).but(
            without,
            get_it,
            Some(remedy),
        ),
    }
}

/// Python, without which there is no pinned model.
pub fn python(python: &Result<Python, String>, model_needed: bool) -> Row {
    let needed_for = "fetching pinned tools, and tests in which the pinned model answers";
    match python {
        Ok(python) => Row::ok(
            "Python",
            format!("{} ({})", python.version, python.path),
            needed_for,
        ),
        Err(why) => {
            let remedy = Remedy::Apt(&["python3", "python3-pip"]);
            let state = if model_needed {
                State::Missing
            } else {
                State::Warning
            };
            Row::ok("Python", why, needed_for).but(state, remedy.as_text(), Some(remedy))
        }
    }
}

/// pip, which fetches.
pub fn pip(python: &Python) -> Row {
    let needed_for = "fetching pinned tools";
    match ask(python.path.as_str(), ["-m", "pip", "--version"]) {
        Ok(printed) => {
            let version =
                version_in(&printed).map_or(printed.clone(), |version| version.to_string());
            Row::ok("pip", version, needed_for)
        }
        Err(why) => {
            let remedy = Remedy::Apt(&["python3-pip"]);
            Row::ok("pip", format!("{} -m pip {why}", python.path), needed_for).but(
                State::Warning,
                remedy.as_text(),
                Some(remedy),
            )
        }
    }
}

/// A component of the Rust toolchain that only `cargo xtask test` needs.
pub fn component(cargo: &Utf8Path, component: &'static str, verb: &str) -> Row {
    match ask(cargo.as_str(), [verb, "--version"]) {
        Ok(printed) => Row::ok(component, last_line(&printed).to_owned(), CHECKING),
        Err(why) => {
            let remedy = Remedy::Rustup(component);
            Row::ok(component, why.to_string(), CHECKING).but(
                State::Warning,
                remedy.as_text(),
                Some(remedy),
            )
        }
    }
}

/// Processor cores.
pub fn cores() -> Row {
    let needed_for = "running tests at once";
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() >= 2 => Row::ok("cores", cores.to_string(), needed_for),
        Ok(cores) => Row::ok("cores", cores.to_string(), needed_for).but(
            State::Warning,
            "use --jobs 1",
            None,
        ),
        Err(error) => Row::ok("cores", format!("unknown: {error}"), needed_for),
    }
}

/// Memory that is not in use.
pub fn memory() -> Row {
    let needed_for = "compiling, Temporal, and the model";
    let Some(free) = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available_in(&text))
    else {
        return Row::ok("memory", "not measured on this system", needed_for);
    };
    let row = Row::ok("memory", format!("{} available", size(free)), needed_for);
    if free >= MEMORY {
        row
    } else {
        row.but(
            State::Warning,
            format!("close programs until {} are free", size(MEMORY)),
            None,
        )
    }
}

fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Room for the build.
pub fn build_space(checkout: &Checkout) -> Row {
    let built = checkout.driver().exists();
    space(
        "disk of target",
        &checkout.target,
        if built {
            SPACE_FOR_A_REBUILD
        } else {
            SPACE_FOR_A_BUILD
        },
        BUILDING,
    )
}

fn space(what: &str, path: &Utf8Path, wanted: u64, needed_for: &'static str) -> Row {
    match free_bytes(path) {
        Some(free) if free < wanted => Row::ok(
            what,
            format!("{} free on the disk of {path}", size(free)),
            needed_for,
        )
        .but(State::Missing, format!("free {} there", size(wanted)), None),
        Some(free) => Row::ok(what, format!("{} free", size(free)), needed_for),
        None => Row::ok(what, "`df` does not say", needed_for),
    }
}

/// Room for results, and permission to write them.
pub fn results_folder(results: &Utf8Path) -> Row {
    let needed_for = "writing results";
    match writable(results) {
        Ok(()) => space("results folder", results, SPACE_FOR_RESULTS, needed_for)
            .code(ExitCode::ResultsUnwritable),
        Err(error) => Row::ok(
            "results folder",
            format!("{results} cannot be written: {error}"),
            needed_for,
        )
        .but(State::Missing, "name another folder with --results", None)
        .code(ExitCode::ResultsUnwritable),
    }
}

/// Permission to write the cache. A cache that is complete may well be read-only; provisioning
/// knows whether it is.
pub fn cache_folder(cache: &Utf8Path) -> Row {
    let needed_for = "fetching pinned tools";
    match writable(cache) {
        Ok(()) => Row::ok("cache folder", cache.to_string(), needed_for),
        Err(error) => Row::ok(
            "cache folder",
            format!("{cache} cannot be written: {error}"),
            needed_for,
        )
        .but(
            State::Warning,
            "make it writable, or set XDG_CACHE_HOME to a folder that is",
            None,
        ),
    }
}

/// Tries to create a file where `folder` is, or will be.
fn writable(folder: &Utf8Path) -> std::io::Result<()> {
    let probe = nearest_existing(folder).join(format!(
        ".stigmer-e2e-probe-{}-{:x}",
        std::process::id(),
        crate::run_id::random()
    ));
    fs::File::create_new(&probe)?;
    fs::remove_file(&probe)
}

/// The pinned tools of a run, all of which have been proven by now.
pub fn rows_of_tools(tools: &[Provisioned]) -> Vec<Row> {
    let row = |tool: &Provisioned| {
        Row::ok(
            tool.tool.name(),
            format!("{} ({})", tool.version, tool.source),
            "the tests",
        )
    };
    tools.iter().map(row).collect()
}

/// The binaries of a build.
pub fn rows_of_binaries(built: &Built) -> Vec<Row> {
    let row = |binary: &camino::Utf8PathBuf| {
        let name = binary.file_name().unwrap_or(binary.as_str());
        let row = Row::ok(name, binary.to_string(), "the tests");
        if binary.is_file() {
            row
        } else {
            row.but(State::Missing, Remedy::Build.as_text(), Some(Remedy::Build))
        }
    };
    built.binaries().map(row).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_linux_calls_available() {
        let meminfo =
            "MemTotal:       24676704 kB\nMemFree:        1 kB\nMemAvailable:   24301568 kB\n";
        assert_eq!(available_in(meminfo), Some(24_301_568 * 1024));
        assert_eq!(available_in(""), None);
    }

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
    fn pre_01_a_hidden_program_is_named_with_its_package() {
        let row = on_path(
            "frob",
            "no-such-program-at-all",
            "x",
            State::Missing,
            Remedy::Apt(&["frob-dev"]),
        );
        assert_eq!(
            (row.state, row.found.as_str()),
            (State::Missing, "`no-such-program-at-all` is not on PATH")
        );
        assert_eq!(row.get_it, "Debian: apt-get install frob-dev");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found_out_by_writing() {
        assert!(writable(Utf8Path::new("/proc/self/fd/x")).is_err());
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        writable(&path.join("not/there/yet")).expect("its parent can be written");
        assert_eq!(
            path.read_dir_utf8().expect("readable").count(),
            0,
            "the probe is gone"
        );
    }
}
