//! `cargo xtask nix-check`: what can be shown of the flake with Nix alone.

use std::time::Instant;

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, Output, count, failure};

use crate::{
    checkout::Checkout,
    host::Python,
    nix::{self, Flake},
    pins::{Pins, Tool, platform},
    progress::Progress,
    provision::Provisioner,
};

/// Parses, locks, and evaluates the flake on every system; with `build`, fetches the packages of all
/// pinned tools anew and builds and tries what the flake makes of them.
pub fn run(build: bool, checkout: &Checkout, output: Output) -> Result<ExitCode> {
    if !nix::is_here() {
        return Err(failure(
            ExitCode::PrerequisiteMissing,
            "`nix` is not on PATH",
            "install Nix 2.8 or later (Debian: apt-get install nix-bin)",
        ));
    }
    let flake = Flake::copy(checkout)?;
    let step = |name: &str, check: &dyn Fn() -> Result<String>| {
        let start = Instant::now();
        let summary = check()?;
        // 2^64 milliseconds outlast any check.
        let ms = start.elapsed().as_millis() as u64;
        output.step("check", name, ms, &summary);
        anyhow::Ok(())
    };
    step("parse", &|| Ok(count(flake.parse()?, "file")))?;
    step("format", &|| {
        Ok(match flake.is_formatted()? {
            Some(()) => format!("as {} would", nix::FORMATTER),
            None => format!("not checked, `{}` is not on PATH", nix::FORMATTER),
        })
    })?;
    step("lock", &|| {
        flake.locks()?;
        Ok("flake.lock locks what flake.nix asks for".to_owned())
    })?;
    step("evaluate", &|| {
        flake.evaluates()?;
        Ok("every output, on 4 systems".to_owned())
    })?;
    if build {
        step("build", &|| built(&flake, checkout))?;
    }
    Ok(ExitCode::Success)
}

fn built(flake: &Flake, checkout: &Checkout) -> Result<String> {
    let pins = Pins::read(&checkout.root)?;
    let platform = platform();
    let python = Python::find();
    let provisioner = Provisioner {
        cache: &checkout.cache,
        python: python.as_ref().map_err(String::as_str),
        pip: pins.pin(Tool::Pip, &platform)?,
    };
    let pins = Tool::ALL.iter().map(|tool| pins.pin(*tool, &platform));
    let pins = pins.collect::<Result<Vec<_>>>()?;
    let packages = provisioner.packages(&pins, &flake.folder("packages"), &Progress::new())?;
    flake.holds(&Tool::ALL.map(Tool::name), &platform, &packages)?;
    Ok(format!(
        "{} from their packages",
        count(packages.len(), "tool")
    ))
}

/// The same for `cargo xtask test`, in a few words. Nix is no prerequisite.
pub fn in_words(checkout: &Checkout) -> Result<String> {
    if !nix::is_here() {
        return Ok("not run, `nix` is not on PATH".to_owned());
    }
    let flake = Flake::copy(checkout)?;
    let files = flake.parse()?;
    let format = match flake.is_formatted()? {
        Some(()) => "their format, ",
        None => "",
    };
    flake.locks()?;
    flake.evaluates()?;
    Ok(format!(
        "{}, {format}the lock, every output on 4 systems",
        count(files, "file")
    ))
}
