//! What a disk can hold, and what its errors mean.

use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, failure, is_full};

use crate::{ask::ask, checkout::nearest_existing};

/// What to do about a full disk.
pub const MORE_SPACE: &str = "free some space, or set XDG_CACHE_HOME to a folder that has some";

/// Bytes that an ordinary user may still write at or below `path`, which need not exist yet.
/// `None` if `df` does not know.
pub fn free_bytes(path: &Utf8Path) -> Option<u64> {
    let printed = ask("df", ["-P", "-k", nearest_existing(path).as_str()]).ok()?;
    free_in(&printed)
}

/// The column "Available" of POSIX `df`, in bytes.
fn free_in(df: &str) -> Option<u64> {
    let kilobytes: u64 = df.lines().last()?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What to do about a cache that cannot be written.
pub const WRITABLE: &str = "make it writable, or set XDG_CACHE_HOME to a folder that is";

/// An error of writing to the cache at `path`, as a cause and a fix.
pub fn failure_at(path: &Utf8Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let error = error.into();
    let (code, fix) = match is_full(&error) {
        true => (ExitCode::DiskFull, MORE_SPACE),
        false => (ExitCode::CacheUnwritable, WRITABLE),
    };
    let cause = format!("the cache cannot be written at {path}: {error:#}");
    failure(code, cause, fix)
}

#[cfg(test)]
mod tests {
    use std::io;

    use stigmer_e2e_plan::exit_code_of;

    use super::*;

    #[test]
    fn free_space_is_the_fourth_column_in_kilobytes() {
        let df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 14000000 81000000 15% /\n";
        assert_eq!(free_in(df), Some(81_000_000 * 1024));
        assert_eq!(free_in("df: no such file"), None);
    }

    #[test]
    fn a_full_disk_and_a_forbidden_one_have_codes_of_their_own() {
        let code = |kind: io::ErrorKind| {
            let error = failure_at(Utf8Path::new("/c"), io::Error::from(kind));
            exit_code_of(&error)
        };
        assert_eq!(code(io::ErrorKind::StorageFull), ExitCode::DiskFull);
        assert_eq!(
            code(io::ErrorKind::ReadOnlyFilesystem),
            ExitCode::CacheUnwritable
        );
    }

    #[test]
    fn a_folder_that_does_not_exist_yet_has_the_space_of_its_parent() {
        assert!(free_bytes(Utf8Path::new("/tmp/not/there/yet")).is_some_and(|bytes| bytes > 0));
    }
}
