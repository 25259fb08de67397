//! Images of a plan: made, and given to the engine unless it has them.

use std::{fs, thread, time::Instant};

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Serialize;
use stigmer_e2e_plan::ContainerPart;

use super::{Engine, Image};

/// An image that the engine has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreparedImage {
    /// What it is an image of.
    pub part: ContainerPart,
    /// Its name and tag.
    pub reference: String,
    /// SHA-256 of its configuration, in hex.
    pub config_sha256: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
    /// Its size unpacked, in bytes.
    pub bytes: usize,
    /// Whether the engine had it.
    pub cached: bool,
    /// How long it took to make it and to load it, in milliseconds.
    pub ms: u64,
}

/// Makes the image of each of `programs`, all at the same time.
///
/// # Errors
///
/// When a program cannot be read, or the engine does not take an image.
pub fn prepare_images(
    engine: &Engine,
    programs: &[(ContainerPart, &Utf8Path)],
) -> Result<Vec<PreparedImage>> {
    thread::scope(|scope| {
        let making: Vec<_> = programs
            .iter()
            .map(|(part, program)| scope.spawn(|| prepare(engine, *part, program)))
            .collect();
        let join = |making: thread::ScopedJoinHandle<'_, _>| {
            making
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        making.into_iter().map(join).collect()
    })
}

fn prepare(engine: &Engine, part: ContainerPart, program: &Utf8Path) -> Result<PreparedImage> {
    let begin = Instant::now();
    let content = fs::read(program).with_context(|| format!("failed to read {program}"))?;
    let image = Image::of(part, &content);
    drop(content);
    let cached = engine.has(&image);
    if !cached {
        engine.load(&image)?;
    }
    Ok(PreparedImage {
        part,
        reference: image.reference.clone(),
        config_sha256: image.config.clone(),
        manifest_sha256: image.manifest.clone(),
        bytes: image.size(),
        cached,
        ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}
