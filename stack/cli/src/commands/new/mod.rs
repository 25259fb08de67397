//! `stigmer new`: writes a project that can be applied as it is.

mod files;
mod sdk;

use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::{
    cli::NewArgs,
    render::{Output, Screen},
};
use sdk::Sdk;

/// Writes the project that `args` describe.
pub fn execute(args: &NewArgs, out: &Output) -> Result<ExitCode> {
    let place = Place::of(args.name.as_deref())?;
    let sdk = Sdk::of(args.sdk.as_deref())?;
    let files = files::of(&place.name, &sdk);
    place.write(&files)?;
    tell(&place, &sdk, out.screen());
    out.report(&json!({
        "name": place.name, "directory": place.dir, "sdk": sdk.path(),
        "files": files.iter().map(|(name, _)| name).collect::<Vec<_>>(),
    }));
    Ok(ExitCode::SUCCESS)
}

fn tell(place: &Place, sdk: &Sdk, screen: &Screen) {
    screen.success(format!("Project created successfully! ({})", place.dir));
    screen.blank();
    screen.info(format!("The SDK is at {}", sdk.path()));
    screen.blank();
    screen.info("Next steps:");
    if place.is_new {
        screen.info(format!("  - Go there: cd {}", place.name));
    }
    screen.info("  - Deploy it: stigmer apply");
    screen.info("  - Run its agent: stigmer run pr-reviewer --message \"...\"");
}

/// Where a project goes.
#[derive(Debug)]
struct Place {
    name: String,
    dir: Utf8PathBuf,
    /// Whether the directory is made for it.
    is_new: bool,
}

impl Place {
    /// The directory called `name` in the current one, which there must not be, or else the current
    /// one, which must hold nothing that can be seen.
    fn of(name: Option<&str>) -> Result<Self> {
        let here = Utf8PathBuf::try_from(env::current_dir()?)
            .context("the current directory has a name that is not UTF-8; go to another one")?;
        let place = match name {
            Some(name) => Self {
                name: name.to_owned(),
                dir: here.join(name),
                is_new: true,
            },
            None => Self {
                name: here.file_name().unwrap_or_default().to_owned(),
                dir: here,
                is_new: false,
            },
        };
        if !files::is_name(&place.name) {
            bail!(
                "Invalid project name: {:?}; use letters, digits, '-', and '_'",
                place.name
            );
        }
        match place.is_new {
            true if place.dir.symlink_metadata().is_ok() => {
                bail!("Directory '{}' already exists", place.name)
            }
            false if !is_empty(&place.dir)? => bail!(
                "Current directory is not empty; give the project a name to make a directory for it: stigmer new <name>"
            ),
            _ => Ok(place),
        }
    }

    /// Writes all files, or leaves nothing of them.
    fn write(&self, files: &[(String, String)]) -> Result<()> {
        if self.is_new {
            fs::create_dir(&self.dir).with_context(|| format!("failed to make {}", self.dir))?;
        }
        let mut written = Vec::new();
        let result = files.iter().try_for_each(|(name, text)| {
            let path = self.dir.join(name);
            write(&path, text).with_context(|| format!("failed to write {path}"))?;
            written.push(path);
            Ok(())
        });
        if result.is_err() {
            // The first error is the one to report.
            let _ = match self.is_new {
                true => fs::remove_dir_all(&self.dir),
                false => written.iter().try_for_each(fs::remove_file),
            };
        }
        result
    }
}

/// Writes a file that there is not yet.
fn write(path: &Utf8Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

/// Whether `dir` holds nothing that can be seen.
fn is_empty(dir: &Utf8Path) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        if !entry?.file_name().to_string_lossy().starts_with('.') {
            return Ok(false);
        }
    }
    Ok(true)
}
