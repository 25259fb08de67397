//! Runs that are cut off from every other machine: decided by the warden, entered by the run.

use std::{
    env,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_hermetic::{self as border, clean};
use stigmer_e2e_plan::{ExitCode, Hermetic, Output, Plan, failure};

use crate::results::{Isolation, entries};

/// Names the test that a process was started for.
const TEST_VARIABLE: &str = "STIGMER_E2E_TEST";
/// What has to be permitted, on the systems that do not.
const PERMIT: &str = "run it as root, or permit user namespaces (Ubuntu: `sysctl -w \
     kernel.apparmor_restrict_unprivileged_userns=0`) and the use of /dev/net/tun";

/// What the warden found out, told to the run on its command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Cut {
    /// Cut this process off
    #[arg(long, hide = true)]
    cut_off: bool,
    /// Why this process cannot be cut off
    #[arg(long, hide = true)]
    not_cut_off: Option<String>,
}

/// Makes `command`, which carries `plan` out, do so cut off and in a clean environment, if the plan asks
/// for it.
///
/// # Errors
///
/// [`ExitCode::PrerequisiteMissing`] when it has to be and the system does not permit it.
pub fn cut_off(plan: &Plan, command: &mut Command) -> Result<()> {
    let obstacle = Hermetic::obstacle(&plan.llm, &plan.runtime, plan.server.as_ref(), plan.keep);
    let possible = match (plan.hermetic, obstacle) {
        (Hermetic::Off, _) => return Ok(()),
        (_, Some(obstacle)) => Err(obstacle.to_owned()),
        (_, None) => tried(&plan.results)?,
    };
    match possible {
        Ok(()) => {
            let home = home(&plan.results);
            std::fs::create_dir_all(&home).with_context(|| format!("failed to create {home}"))?;
            command.env_clear().envs(clean(home.as_str()));
            command.arg("--cut-off");
        }
        Err(why) if plan.hermetic == Hermetic::Required => {
            let cause = format!("the run cannot be cut off from other machines: {why}");
            let fix = format!("{PERMIT}; or run without --hermetic");
            return Err(failure(ExitCode::PrerequisiteMissing, cause, fix));
        }
        Err(why) => {
            Output::new(plan.json).note(&format!("not hermetic: {why}"));
            command.args(["--not-cut-off", &why]);
        }
    }
    Ok(())
}

/// Whether a process of this user can be cut off: one tries. Once in, there is no way back.
fn tried(results: &Utf8Path) -> Result<std::result::Result<(), String>> {
    let program = env::current_exe().context("failed to find this program's own file")?;
    let trial = Command::new(program)
        .args(["try-to-cut-off", folder(results).as_str()])
        .stdin(Stdio::null())
        .output()
        .context("failed to try whether a process can be cut off")?;
    let said = String::from_utf8_lossy(&trial.stdout).trim().to_owned();
    Ok(if trial.status.success() {
        Ok(())
    } else {
        Err(said)
    })
}

/// What the trial does: says why not on stdout.
pub fn try_to_cut_off(folder: &Utf8Path) -> ExitCode {
    match border::enter(folder, TEST_VARIABLE) {
        Ok(_) => ExitCode::Success,
        Err(why) => {
            println!("{why}");
            ExitCode::PrerequisiteMissing
        }
    }
}

/// Where a run stands to the world outside.
pub enum Border {
    /// It may reach whatever it can.
    Open,
    /// It cannot be cut off, for this reason.
    NotPossible(String),
    /// It is cut off and watched.
    Watched {
        /// Whose end tells the attempts.
        watch: Box<border::Hermetic>,
        /// The empty HOME.
        home: Utf8PathBuf,
    },
}

impl Border {
    /// Does what the warden decided on. To be called before there are threads.
    pub fn of(cut: &Cut, results: &Utf8Path) -> Result<Self> {
        match (&cut.not_cut_off, cut.cut_off) {
            (Some(why), _) => Ok(Self::NotPossible(why.clone())),
            (None, false) => Ok(Self::Open),
            (None, true) => {
                let watch = border::enter(&folder(results), TEST_VARIABLE)?;
                Ok(Self::Watched {
                    watch: Box::new(watch),
                    home: home(results),
                })
            }
        }
    }

    /// What can be said about it while the run goes on.
    pub fn record(&self) -> Option<Isolation> {
        match self {
            Self::Open => None,
            Self::NotPossible(why) => Some(Isolation::NotPossible { why: why.clone() }),
            Self::Watched { watch, home } => {
                let world = watch.world().clone();
                let mut environment: Vec<_> = env::vars().map(|(name, _)| name).collect();
                environment.sort();
                Some(Isolation::Watched {
                    world,
                    environment,
                    home: home.clone(),
                    written_to_home: None,
                    attempts: None,
                })
            }
        }
    }

    /// Ends the watch; adds to `record` what it saw, and what was written into HOME, which goes away if
    /// that is nothing.
    pub fn conclude(self, record: &mut Option<Isolation>) {
        let (
            Self::Watched { watch, home },
            Some(Isolation::Watched {
                written_to_home,
                attempts,
                ..
            }),
        ) = (self, record)
        else {
            return;
        };
        *attempts = Some(watch.attempts());
        let written = entries(&home);
        if written.is_empty() {
            // A folder that stays is only untidy.
            let _ = std::fs::remove_dir_all(&home);
        }
        *written_to_home = Some(written);
    }
}

fn folder(results: &Utf8Path) -> Utf8PathBuf {
    results.join("hermetic")
}

fn home(results: &Utf8Path) -> Utf8PathBuf {
    folder(results).join("home")
}
