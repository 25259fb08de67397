//! The programs of this machine that the pipeline uses.

use std::env;

use anyhow::Result;
use camino::Utf8PathBuf;
use stigmer_e2e_plan::{ExitCode, failure};

use crate::{
    ask::{Version, ask},
    checkout::utf8,
};

/// The oldest Python that loads the llama.cpp server.
pub const PYTHON_AT_LEAST: Version = Version(3, 10, 0);

/// A Python that is new enough.
#[derive(Clone, Debug)]
pub struct Python {
    /// The interpreter itself, not a wrapper on `PATH`: version managers put wrappers there that
    /// are slow, and that stop working when a test gives them another HOME.
    pub path: Utf8PathBuf,
    /// Its version.
    pub version: Version,
}

impl Python {
    /// The `python3` on `PATH`, or why there is none that will do.
    pub fn find() -> Result<Self, String> {
        let name = which::which("python3")
            .map_err(|_| format!("python3 >= {PYTHON_AT_LEAST} is not on PATH"))?;
        let code = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
        let printed = ask(&name.to_string_lossy(), ["-c", code])
            .map_err(|why| format!("{} {why}", name.display()))?;
        let lines: Vec<&str> = printed.lines().collect();
        let [path, version] = lines[..] else {
            return Err(format!("{} prints `{printed}`", name.display()));
        };
        let version: Version = version.parse()?;
        if version < PYTHON_AT_LEAST {
            return Err(format!(
                "{path} is {version}, and python3 >= {PYTHON_AT_LEAST} is needed"
            ));
        }
        Ok(Self {
            path: path.into(),
            version,
        })
    }
}

/// The cargo that runs us, itself and not a wrapper on `PATH`, for the same reason.
pub fn cargo() -> Result<Utf8PathBuf> {
    if let Ok(cargo) = env::var("CARGO") {
        return Ok(cargo.into());
    }
    let found = which::which("cargo").map_err(|_| {
        let fix = "install Rust, for instance with rustup";
        failure(ExitCode::PrerequisiteMissing, "`cargo` is not on PATH", fix)
    })?;
    utf8(found)
}
