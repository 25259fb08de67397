//! What a disk can hold, and what its errors mean.

use std::io;

use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, failure};

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

/// An I/O error in the cache as a cause and a fix.
pub fn failure_at(path: &Utf8Path, error: io::Error) -> anyhow::Error {
    let fix = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => MORE_SPACE,
        _ => "make the cache writable, or set XDG_CACHE_HOME to a folder that is",
    };
    failure(
        ExitCode::ProvisionFailed,
        format!("the cache cannot be written at {path}: {error}"),
        fix,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_the_fourth_column_in_kilobytes() {
        let df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 14000000 81000000 15% /\n";
        assert_eq!(free_in(df), Some(81_000_000 * 1024));
        assert_eq!(free_in("df: no such file"), None);
    }

    #[test]
    fn a_folder_that_does_not_exist_yet_has_the_space_of_its_parent() {
        assert!(free_bytes(Utf8Path::new("/tmp/not/there/yet")).is_some_and(|bytes| bytes > 0));
    }
}
