//! What containers of a run were made of, and how long that took.

use serde::Serialize;
use stigmer_e2e::containers::PreparedImage;
use stigmer_e2e_plan::{count, size};

/// The images and the network of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ContainersRecord {
    /// The engine's version.
    pub engine: String,
    /// The images.
    pub images: Vec<PreparedImage>,
    /// How long it took to make and load what the engine did not have, in milliseconds.
    pub images_ms: u64,
    /// How long it took to make the network, in milliseconds.
    pub network_ms: u64,
}

impl ContainersRecord {
    /// `4 images (402 MB, 1 loaded) 2.31 s · network 0.12 s`.
    pub fn summary(&self) -> String {
        let bytes: usize = self.images.iter().map(|image| image.bytes).sum();
        let loaded = self.images.iter().filter(|image| !image.cached).count();
        let seconds = |ms: u64| ms as f64 / 1000.0;
        format!(
            "{} ({}, {loaded} loaded) {:.2} s · network {:.2} s",
            count(self.images.len(), "image"),
            size(bytes as u64),
            seconds(self.images_ms),
            seconds(self.network_ms)
        )
    }
}
