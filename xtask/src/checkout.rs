//! Where things are: the checkout, its target directory, and the user's cache.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ExitCode, failure};

/// The folders that every verb works in. Absolute paths; none needs to exist but `root`.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The repository.
    pub root: Utf8PathBuf,
    /// Cargo's target directory.
    pub target: Utf8PathBuf,
    /// Where binaries are built, usually `<target>/debug`.
    pub binaries: Utf8PathBuf,
    /// Verified copies of pinned tools, shared by all checkouts of this user.
    pub cache: Utf8PathBuf,
}

impl Checkout {
    /// The checkout that this process was built from.
    pub fn here() -> Result<Self> {
        let root = root()?;
        // Cargo put this very program into the target directory, wherever its configuration says
        // that is; asking `cargo metadata` instead would cost a tenth of a second on each run.
        let program =
            utf8(std::env::current_exe().context("failed to find this program's own path")?)?;
        let binaries = program
            .parent()
            .context("this program is in no folder")?
            .to_owned();
        let target = binaries
            .parent()
            .context("this program is not in a target directory")?
            .to_owned();
        Ok(Self {
            root,
            target,
            binaries,
            cache: cache()?,
        })
    }

    /// Where Cargo puts the binary `name`.
    pub fn binary(&self, name: &str) -> Utf8PathBuf {
        self.binaries.join(name)
    }

    /// The driver, which does whatever needs more than `xtask` may depend on.
    pub fn driver(&self) -> Utf8PathBuf {
        self.binary("stigmer-e2e")
    }

    /// Target directory of projects that the stack's own CLI compiles.
    pub fn project_target(&self) -> Utf8PathBuf {
        self.target.join("projects")
    }
}

fn root() -> Result<Utf8PathBuf> {
    // Cargo sets the variable for `cargo run`; a program that was started by hand asks the folder
    // it is started in.
    let start = match std::env::var("CARGO_MANIFEST_DIR") {
        Ok(package) => Utf8PathBuf::from(package),
        Err(_) => utf8(std::env::current_dir().context("failed to read the current directory")?)?,
    };
    let found = start
        .ancestors()
        .find(|folder| folder.join("pins.json").is_file());
    found.map(Utf8Path::to_owned).ok_or_else(|| {
        let cause = format!("no pins.json in {start} or above it");
        failure(
            ExitCode::Usage,
            cause,
            "run `cargo xtask` inside the checkout",
        )
    })
}

fn cache() -> Result<Utf8PathBuf> {
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .map(Utf8PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base =
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("stigmer-e2e")).ok_or_else(|| {
        failure(
            ExitCode::ProvisionFailed,
            "neither XDG_CACHE_HOME nor HOME is set",
            "set XDG_CACHE_HOME to a folder",
        )
    })
}

/// A path of the operating system as UTF-8, which all of this pipeline's files are.
pub fn utf8(path: std::path::PathBuf) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path).map_err(|path| {
        let cause = format!("the path {} is not UTF-8", path.display());
        failure(
            ExitCode::Usage,
            cause,
            "move the checkout to a folder with a plain name",
        )
    })
}

/// The closest folder at or above `path` that exists.
pub fn nearest_existing(path: &Utf8Path) -> &Utf8Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Utf8Path::new("/"))
}
