//! What a run in containers needs before anything is started: an engine, images, a network.

use std::time::Instant;

use anyhow::{Context, Result};
use camino::Utf8Path;
use stigmer_e2e::containers::{Containers, Engine, EngineError, Network, Owner, prepare_images};
use stigmer_e2e_plan::{ContainerPart, ExitCode, Output, Plan, columns, failure, size};

use crate::results::ContainersRecord;

/// How images of the last build are called by people and by `fixtures/docker-compose.e2e.yml`.
const TAG: &str = "e2e";

/// Removes what dead runs have left, makes the images of `plan` and its network; nothing if all its
/// parts are processes.
///
/// # Errors
///
/// When there is no engine, or it refuses.
pub async fn prepare(plan: &Plan) -> Result<Option<(Containers, ContainersRecord)>> {
    if !plan.runtime.needs_engine() {
        return Ok(None);
    }
    let plan = plan.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare_blocking(&plan)).await;
    prepared.context("preparing containers panicked")?.map(Some)
}

fn prepare_blocking(plan: &Plan) -> Result<(Containers, ContainersRecord)> {
    let engine = Engine::find().map_err(missing)?;
    engine.remove_abandoned()?;
    let begin = Instant::now();
    let images = prepare_images(&engine, &programs(plan))?;
    let images_ms = whole_ms(begin);
    let (begin, owner) = (Instant::now(), Owner::this(&plan.run_id));
    let network = Network::create(&engine, &owner)?;
    let record = ContainersRecord {
        engine: engine.version.clone(),
        images_ms,
        network_ms: whole_ms(begin),
        images,
    };
    let references = record.images.iter();
    let containers = Containers {
        images: references
            .map(|image| (image.part, image.reference.clone()))
            .collect(),
        engine,
        network,
        owner,
    };
    Ok((containers, record))
}

/// Makes the images of all parts, gives them to the engine, and calls them `e2e` as well.
///
/// # Errors
///
/// When there is no engine, or it refuses.
pub fn images(plan: &Plan) -> Result<ExitCode> {
    let engine = Engine::find().map_err(missing)?;
    let output = Output::new(plan.json);
    let mut rows = Vec::new();
    for image in prepare_images(&engine, &programs(plan))? {
        let name = engine.tag(&image.reference, TAG)?;
        output.object(&image);
        let bytes = size(image.bytes as u64);
        rows.push(vec![name, image.reference, bytes, image.config_sha256]);
    }
    output.line(columns(&rows).trim_end());
    Ok(ExitCode::Success)
}

fn programs(plan: &Plan) -> Vec<(ContainerPart, &Utf8Path)> {
    let parts = plan.runtime.contained();
    parts
        .map(|part| (part, plan.program(part).as_path()))
        .collect()
}

fn missing(error: EngineError) -> anyhow::Error {
    let fix =
        "start it (on Debian `systemctl start docker`, or `dockerd &`), or use `--runtime process`";
    failure(ExitCode::PrerequisiteMissing, error.to_string(), fix)
}

fn whole_ms(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use stigmer_e2e::containers::Image;

    use super::*;

    #[test]
    fn the_compose_file_starts_every_image_that_is_made_and_no_other() {
        let file = include_str!("../../../fixtures/docker-compose.e2e.yml");
        let images = file
            .lines()
            .filter_map(|line| line.trim().strip_prefix("image: "));
        let mut started = images.collect::<Vec<_>>();
        started.sort_unstable();
        let mut made = ContainerPart::ALL.map(|part| {
            let reference = Image::of(part, b"a program").reference;
            let (name, _) = reference.split_once(':').expect("a reference has a tag");
            format!("{name}:{TAG}")
        });
        made.sort_unstable();
        assert_eq!(started, made);
    }
}
