//! Checking the flake with nothing but Nix: no network, no binary cache, no nixpkgs. The stand-in of
//! `nix/stand-in` takes the place of nixpkgs (`docs/nix.md` says what this shows and what not).

use std::{fs, process::Output};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::{ExitCode, failure};
use xshell::{Cmd, Shell, cmd};

use crate::{
    ask::{Version, ask, version_in},
    checkout::Checkout,
    run_id::random,
};

/// For an installation of whatever age, and for a user that may not write to `/nix`.
const SETTINGS: &str = "experimental-features = nix-command flakes\n\
    build-users-group =\n\
    sandbox = false\n\
    substituters =\n\
    flake-registry =";

/// What the flake consists of. Copied, because a flake in a repository sees committed files only.
const PARTS: [&str; 6] = [
    "flake.nix",
    "flake.lock",
    "nix",
    "pins.json",
    "Cargo.toml",
    "Cargo.lock",
];

/// The formatter of the flake.
pub const FORMATTER: &str = "nixpkgs-fmt";

/// The first Nix that evaluates only the machine's own system unless told otherwise.
const ASKS_FOR_ALL_SYSTEMS: Version = Version(2, 16, 0);

/// Whether Nix is on `PATH`.
pub fn is_here() -> bool {
    which::which("nix").is_ok() && which::which("nix-instantiate").is_ok()
}

/// A copy of the flake and a store of its own, gone when this is dropped.
pub struct Flake {
    folder: Utf8PathBuf,
    sh: Shell,
}

impl Drop for Flake {
    fn drop(&mut self) {
        // What stays is in a temporary folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Flake {
    /// Copies the flake of a checkout.
    pub fn copy(checkout: &Checkout) -> Result<Self> {
        let folder = checkout.target.join(format!("nix-check-{:x}", random()));
        let flake = folder.join("flake");
        for part in PARTS {
            copy(&checkout.root.join(part), &flake.join(part))?;
        }
        let sh = Shell::new()?;
        sh.change_dir(&flake);
        sh.set_var("NIX_CONFIG", SETTINGS);
        // Nix keeps what it evaluated; none of that belongs to the user.
        sh.set_var("XDG_CACHE_HOME", folder.join("cache"));
        Ok(Self { folder, sh })
    }

    /// A folder for whatever else is needed for as long as this exists.
    pub fn folder(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }

    fn path(&self) -> Utf8PathBuf {
        self.folder.join("flake")
    }

    fn reference(&self) -> String {
        format!("path:{}", self.path())
    }

    /// The options that put the stand-in in the place of nixpkgs.
    fn stand_in(&self) -> [String; 5] {
        let stand_in = format!("path:{}", self.path().join("nix/stand-in"));
        [
            "--offline",
            "--no-write-lock-file",
            "--override-input",
            "nixpkgs",
            &stand_in,
        ]
        .map(str::to_owned)
    }

    /// Every file is Nix. Returns how many there are.
    pub fn parse(&self) -> Result<usize> {
        let mut files = vec![self.path().join("flake.nix")];
        files.extend(nix_files(&self.path().join("nix"))?);
        for file in &files {
            let parse = cmd!(self.sh, "nix-instantiate --parse {file}");
            succeed(parse, "is no Nix")?;
        }
        Ok(files.len())
    }

    /// Every file is laid out as the flake's formatter would. Nothing where that is not on `PATH`: only
    /// nixpkgs has it, and that cannot be had without a binary cache.
    pub fn is_formatted(&self) -> Result<Option<()>> {
        if which::which(FORMATTER).is_err() {
            return Ok(None);
        }
        let (flake, folder) = (self.path().join("flake.nix"), self.path().join("nix"));
        let check = cmd!(self.sh, "{FORMATTER} --check {flake} {folder}");
        succeed(check, "a file is not formatted")?;
        Ok(Some(()))
    }

    /// `flake.lock` locks what `flake.nix` asks for.
    pub fn locks(&self) -> Result<()> {
        let (store, flake) = (self.folder.join("store"), self.reference());
        let lock = cmd!(
            self.sh,
            "nix flake lock --no-update-lock-file --offline --store {store} {flake}"
        );
        succeed(lock, "flake.lock does not lock what flake.nix asks for")
    }

    /// Every output evaluates on every system.
    pub fn evaluates(&self) -> Result<()> {
        let (store, flake) = (self.folder.join("store"), self.reference());
        let stand_in = self.stand_in();
        let all_systems = self.all_systems();
        let check = cmd!(
            self.sh,
            "nix flake check --no-build {all_systems...} --store {store} {stand_in...} {flake}"
        );
        succeed(check, "the flake does not evaluate")
    }

    /// Later versions have to be told what earlier ones always do.
    fn all_systems(&self) -> Option<&'static str> {
        let version = ask("nix", ["--version"])
            .ok()
            .as_deref()
            .and_then(version_in);
        version
            .is_some_and(|version| version >= ASKS_FOR_ALL_SYSTEMS)
            .then_some("--all-systems")
    }

    /// The checks of these names hold. They are built in the machine's own store, into which the
    /// pinned `packages` are put first.
    pub fn holds(&self, names: &[&str], system: &str, packages: &[Utf8PathBuf]) -> Result<()> {
        let seed = cmd!(self.sh, "nix-store --add-fixed sha256 {packages...}");
        succeed(seed, "the store cannot be written")?;
        let stand_in = self.stand_in();
        let flake = self.reference();
        let checks = names
            .iter()
            .map(|name| format!("{flake}#checks.{system}.{name}"));
        let build = cmd!(self.sh, "nix build --no-link {stand_in...} {checks...}");
        succeed(build, "a check does not hold")
    }
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let context = || format!("failed to copy {from} to {to}");
    if !from.is_dir() {
        let parent = to.parent().unwrap_or(Utf8Path::new("/"));
        fs::create_dir_all(parent).with_context(context)?;
        return fs::copy(from, to).map(drop).with_context(context);
    }
    for entry in from.read_dir_utf8().with_context(context)? {
        let entry = entry.with_context(context)?;
        copy(entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn nix_files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            files.extend(nix_files(&path)?);
        } else if path.extension() == Some("nix") {
            files.push(path);
        }
    }
    Ok(files)
}

fn succeed(command: Cmd<'_>, otherwise: &str) -> Result<()> {
    let told = command.to_string();
    let Output { status, stderr, .. } = command.quiet().ignore_status().output()?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    let cause = format!("{otherwise}:\n{}", said.trim_end());
    let fix = format!("correct it; this is what was asked: {told}");
    Err(failure(ExitCode::ChecksFailed, cause, fix))
}
