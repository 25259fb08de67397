//! The programs of a run, for itself alone. A run starts them again and again until its end, and a build
//! replaces those in the target folder whenever it is asked to.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e::supervise::{Lease, Reconciled, reconcile};
use stigmer_e2e_plan::{Plan, read_json, write_json};

use super::{leases, own_program};

/// The driver's name in the folder of a run.
const DRIVER: &str = "stigmer-e2e";
/// What the suite starts beside the stack; it is built with the driver, and named in no plan.
const BESIDE: &str = "fixture-mcp-server";
/// What was taken, by its name in the folder.
const RECORD: &str = "taken.json";

type Taken = BTreeMap<String, Utf8PathBuf>;

/// The programs of a run, as long as this lives.
pub struct Programs {
    folder: Utf8PathBuf,
    lease: Option<Lease>,
}

impl Programs {
    /// Takes what `plan` names, and this program: as another name for the same file, which costs
    /// nothing, or as a copy where that is not possible. What is missing is not taken, and is for others
    /// to complain about.
    pub fn take(plan: &Plan) -> Result<Self> {
        // First, so that nobody thinks the folder to be a dead run's.
        let lease = Lease::take(&leases(&plan.root), &plan.run_id)?;
        let programs = Self {
            folder: folder(&plan.root).join(&plan.run_id),
            lease: Some(lease),
        };
        let own = own_program()?;
        let mut all: Taken = named(&mut plan.clone())
            .map(|(name, path)| (name.to_owned(), path.clone()))
            .into();
        all.insert(BESIDE.to_owned(), own.with_file_name(BESIDE));
        all.insert(DRIVER.to_owned(), own);
        programs.fill(all)?;
        Ok(programs)
    }

    fn fill(&self, mut programs: Taken) -> Result<()> {
        let folder = &self.folder;
        remove(folder)?;
        fs::create_dir_all(folder).with_context(|| format!("failed to create {folder}"))?;
        programs.retain(|_, path| is_program(path));
        for (name, path) in &programs {
            take(path, &folder.join(name))
                .with_context(|| format!("failed to take {path} into {folder}"))?;
        }
        write_json(&folder.join(RECORD), &programs)
    }

    /// This program.
    pub fn driver(&self) -> Utf8PathBuf {
        self.folder.join(DRIVER)
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        // What cannot be removed now is left to the next run. The lease is gone already where the run
        // has taken it over, and given it back.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = self.lease.take().map(Lease::give_back);
    }
}

/// `plan` with the programs that its warden has taken.
pub fn with_own_programs(mut plan: Plan) -> Plan {
    let folder = folder(&plan.root).join(&plan.run_id);
    let taken: Taken = read_json(&folder.join(RECORD)).unwrap_or_default();
    for (name, path) in named(&mut plan) {
        if taken.contains_key(name) {
            *path = folder.join(name);
        }
    }
    for (name, from) in taken {
        // Those of a round are taken from the run that it is a round of.
        let built = plan.built_as.get(&from).cloned().unwrap_or(from);
        plan.built_as.insert(folder.join(name), built);
    }
    plan
}

/// Ends and removes what dead runs of the checkout `root` have left.
pub fn clean_up(root: &Utf8Path) -> Result<Reconciled> {
    let leases = leases(root);
    let done = reconcile(&leases)?;
    for run in folder(root).read_dir_utf8().into_iter().flatten().flatten() {
        // Those that are left are the leases of runs that go on.
        if !leases.join(format!("{}.json", run.file_name())).exists() {
            remove(run.path())?;
        }
    }
    Ok(done)
}

fn folder(root: &Utf8Path) -> Utf8PathBuf {
    root.join("target/e2e/programs")
}

/// The programs that were built for `plan`, by the names under which they find each other.
fn named(plan: &mut Plan) -> [(&'static str, &mut Utf8PathBuf); 5] {
    let stack = &mut plan.stack;
    [
        ("stigmer", &mut stack.cli),
        ("stigmer-server", &mut stack.server),
        ("stigmer-workflow-runner", &mut stack.workflow_runner),
        ("stigmer-agent-runner", &mut stack.agent_runner),
        ("suite", &mut plan.suite),
    ]
}

fn is_program(path: &Utf8Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn take(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let from = from.canonicalize_utf8()?;
    if fs::hard_link(&from, to).is_err() {
        // Another file system, or somebody else's file. With its time, by which its hash is known.
        fs::copy(&from, to)?;
        File::open(to)?.set_modified(fs::metadata(&from)?.modified()?)?;
    }
    // What it was made from, for tests that are run by hand while a run is kept.
    let sources = from.with_extension("d");
    if sources.exists() {
        fs::copy(sources, to.with_extension("d"))?;
    }
    Ok(())
}

fn remove(folder: &Utf8Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove {folder}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        _keep: tempfile::TempDir,
        root: Utf8PathBuf,
        server: Utf8PathBuf,
    }

    impl World {
        fn new() -> Self {
            let keep = tempfile::tempdir().expect("a folder");
            let root = Utf8PathBuf::from_path_buf(keep.path().to_owned()).expect("UTF-8");
            let server = root.join("stigmer-server");
            let world = Self {
                _keep: keep,
                root,
                server,
            };
            world.build("old");
            world
        }

        /// As Cargo does it: the file is another one afterwards.
        fn build(&self, content: &str) {
            let _ = fs::remove_file(&self.server);
            fs::write(&self.server, content).expect("writable");
            fs::set_permissions(&self.server, fs::Permissions::from_mode(0o755)).expect("own");
        }

        fn take(&self, run: &str) -> Programs {
            let programs = Programs {
                folder: folder(&self.root).join(run),
                lease: Lease::take(&leases(&self.root), run).ok(),
            };
            let missing = ("stigmer".to_owned(), "/no/such/stigmer".into());
            let server = ("stigmer-server".to_owned(), self.server.clone());
            programs.fill([missing, server].into()).expect("taken");
            programs
        }
    }

    #[test]
    fn what_a_run_has_taken_is_not_what_is_built_later() {
        let world = World::new();
        let programs = world.take("run");
        world.build("new");
        let own = programs.folder.join("stigmer-server");
        assert_eq!(fs::read_to_string(&own).expect("there"), "old");
        assert!(!programs.folder.join("stigmer").exists());
        drop(programs);
        assert!(!own.exists());
        assert!(!leases(&world.root).join("run.json").exists());
    }

    #[test]
    fn what_dead_runs_have_left_is_removed_and_what_a_living_one_has_is_not() {
        let world = World::new();
        let living = world.take("living");
        let dead = world.take("dead");
        fs::remove_file(leases(&world.root).join("dead.json")).expect("there");
        clean_up(&world.root).expect("done");
        assert!(living.folder.exists());
        assert!(!dead.folder.exists());
    }

    #[test]
    fn a_copy_has_the_time_of_its_original() {
        // Memory is another file system, where there is one.
        let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
            return;
        };
        let world = World::new();
        let copy = Utf8Path::from_path(memory.path())
            .expect("UTF-8")
            .join("copy");
        take(&world.server, &copy).expect("taken");
        let modified = |path| fs::metadata(path).expect("there").modified().expect("kept");
        assert_eq!(modified(&copy), modified(&world.server));
        assert!(is_program(&copy));
    }
}
