//! Processors, memory, disks, and folders.

use std::{
    fs, io,
    time::{Duration, SystemTime},
};

use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, size};

use crate::{
    checkout::{Checkout, nearest_existing},
    doctor::{Row, State},
    provision::{CACHE_WRITABLE, free_bytes},
    run_id::random,
};

/// A cold build of the workspace and of the projects of tests, as measured, and some air.
const SPACE_FOR_A_BUILD: u64 = 4_000_000_000;
/// Room for what changes once everything is built.
const SPACE_FOR_A_REBUILD: u64 = 500_000_000;
/// Room for some runs' results: logs, histories, and copies of databases.
const SPACE_FOR_RESULTS: u64 = 200_000_000;
/// The stack, Temporal, and the model take about 1 GB; the compiler's largest crate takes 2.
const MEMORY: u64 = 2_000_000_000;
/// File systems may round times.
const CLOCK_NOISE: Duration = Duration::from_secs(2);

/// Processor cores.
pub fn cores() -> Row {
    // It is unknown only where there is no operating system.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let row = Row::ok("cores", cores.to_string(), "running tests at once");
    if cores >= 2 {
        row
    } else {
        row.but(State::Warning, "use --jobs 1")
    }
}

/// The clock: one that is behind makes new sources look old, and certificates not yet valid.
pub fn clock() -> Row {
    let built = std::env::current_exe().and_then(|program| fs::metadata(program)?.modified());
    clock_at(SystemTime::now(), built.ok())
}

/// The clock that says `now`, on a machine that built this program at `built`.
fn clock_at(now: SystemTime, built: Option<SystemTime>) -> Row {
    let row = |found: &str| Row::ok("clock", found, "telling new files from old, and fetching");
    let behind = built.and_then(|built| built.duration_since(now).ok());
    match behind.filter(|behind| *behind > CLOCK_NOISE) {
        None => row("later than the last build"),
        Some(behind) => {
            let get_it = "set the clock, for instance by `timedatectl set-ntp true`";
            row(&format!("{} s behind the last build", behind.as_secs()))
                .but(State::Warning, get_it)
        }
    }
}

/// Memory that is not in use.
pub fn memory() -> Row {
    let needed_for = "compiling, Temporal, and the model";
    let meminfo = fs::read_to_string("/proc/meminfo").ok();
    let Some(free) = meminfo.as_deref().and_then(available_in) else {
        return Row::ok("memory", "not measured on this system", needed_for);
    };
    let row = Row::ok("memory", format!("{} available", size(free)), needed_for);
    let get_it = format!("close programs until {} are free", size(MEMORY));
    if free >= MEMORY {
        row
    } else {
        row.but(State::Warning, get_it)
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
    let wanted = if built {
        SPACE_FOR_A_REBUILD
    } else {
        SPACE_FOR_A_BUILD
    };
    space(
        "disk of target",
        &checkout.target,
        wanted,
        "building the stack and its tests",
    )
}

fn space(what: &str, path: &Utf8Path, wanted: u64, needed_for: &str) -> Row {
    let Some(free) = free_bytes(path) else {
        return Row::ok(what, "`df` does not say", needed_for);
    };
    let row = Row::ok(what, format!("{} free", size(free)), needed_for).code(ExitCode::DiskFull);
    let get_it = format!("free {} on the disk of {path}", size(wanted));
    if free >= wanted {
        row
    } else {
        row.but(State::Missing, get_it)
    }
}

/// Room for results, and permission to write them.
pub fn results_folder(results: &Utf8Path) -> Row {
    let (what, needed_for) = ("results folder", "writing results");
    match writable(results) {
        Ok(()) => space(what, results, SPACE_FOR_RESULTS, needed_for),
        Err(error) => {
            let found = format!("{results} cannot be written: {error}");
            let get_it = "name another folder with --results";
            Row::ok(what, found, needed_for)
                .but(State::Missing, get_it)
                .code(ExitCode::ResultsUnwritable)
        }
    }
}

/// Permission to write the cache. A cache that is complete may well be read-only; provisioning
/// knows whether it is.
pub fn cache_folder(cache: &Utf8Path) -> Row {
    let (what, needed_for) = ("cache folder", "fetching pinned tools");
    match writable(cache) {
        Ok(()) => Row::ok(what, cache.as_str(), needed_for),
        Err(error) => {
            let found = format!("{cache} cannot be written: {error}");
            Row::ok(what, found, needed_for).but(State::Warning, CACHE_WRITABLE)
        }
    }
}

/// Tries to create a file where `folder` is, or will be.
fn writable(folder: &Utf8Path) -> io::Result<()> {
    let name = format!(".stigmer-e2e-probe-{:x}", random());
    let probe = nearest_existing(folder).join(name);
    fs::File::create_new(&probe)?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_the_last_build_is_told_by_how_much() {
        let built = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let row = |now: u64| {
            clock_at(
                SystemTime::UNIX_EPOCH + Duration::from_secs(now),
                Some(built),
            )
        };
        assert_eq!((row(1000).state, row(999).state), (State::Ok, State::Ok));
        assert_eq!(row(400).found, "600 s behind the last build");
        assert_eq!(row(400).state, State::Warning);
    }

    #[test]
    fn memory_is_what_linux_calls_available() {
        let meminfo = "MemTotal:       24676704 kB\nMemAvailable:   24301568 kB\n";
        assert_eq!(available_in(meminfo), Some(24_301_568 * 1024));
        assert_eq!(available_in(""), None);
    }

    #[test]
    fn a_folder_is_tried_by_writing_where_it_will_be() {
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

    #[test]
    fn too_little_space_says_how_much_and_where() {
        let row = space("disk", Utf8Path::new("/tmp"), u64::MAX, "x");
        assert_eq!((row.state, row.code), (State::Missing, ExitCode::DiskFull));
        assert!(
            row.get_it.ends_with("on the disk of /tmp"),
            "{}",
            row.get_it
        );
    }
}
