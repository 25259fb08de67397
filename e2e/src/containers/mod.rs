//! Parts of the stack in containers: images made here from nothing but a static program, one internal
//! network for a run, and nothing left of either when it is over.
//!
//! A container is a process to everything above: [`Container::spec`] gives the client that runs it in
//! the foreground, which [`supervise`](crate::supervise) starts, watches, and stops like any other.

mod container;
mod engine;
mod image;
mod network;
mod owned;
mod place;
mod prepare;
mod tar;

use std::{collections::BTreeMap, io, net::Ipv4Addr, os::unix::fs::chown};

use camino::Utf8Path;
use rustix::process::{getegid, geteuid};
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::ContainerPart;

pub use container::Container;
pub use engine::{Engine, EngineError};
pub use image::Image;
pub use network::{Address, Network};
pub use owned::{Owner, Removed};
pub use place::{Launch, Place};
pub use prepare::{PreparedImage, prepare_images};

/// What a run needs to start containers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Containers {
    /// The engine.
    pub engine: Engine,
    /// The network of the run.
    pub network: Network,
    /// Whose they are.
    pub owner: Owner,
    /// The image of each part that runs in a container.
    pub images: BTreeMap<ContainerPart, String>,
}

impl Containers {
    /// Whether `part` runs in a container.
    pub fn has(&self, part: ContainerPart) -> bool {
        self.images.contains_key(&part)
    }

    /// Where both containers and this machine reach what listens on this machine.
    pub fn host(&self) -> Ipv4Addr {
        self.network.gateway()
    }

    /// Gives `folder` and all that is in it to the user of containers.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn give(&self, folder: &Utf8Path) -> io::Result<()> {
        let Some((user, group)) = nobody() else {
            return Ok(());
        };
        chown(folder, Some(user), Some(group))?;
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => self.give(entry.path())?,
                false => chown(entry.path(), Some(user), Some(group))?,
            }
        }
        Ok(())
    }

    /// The user and group of containers, `uid:gid`: this process's own, whose folders they write;
    /// that of the images when this process is root.
    fn user() -> String {
        match nobody() {
            Some(_) => image::user().to_owned(),
            None => format!("{}:{}", geteuid().as_raw(), getegid().as_raw()),
        }
    }
}

/// The user and group of the images, when this process is root.
fn nobody() -> Option<(u32, u32)> {
    geteuid().is_root().then(image::ids)
}
