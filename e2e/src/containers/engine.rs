//! The container engine, driven by its command line: the one interface that every version, every
//! context, and every engine like it has.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use stigmer_e2e_plan::Runtime;

use super::image::Image;

/// The engine did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is none.
    #[error(
        "`{program}` cannot be run ({reason}): install a container engine, on Debian `apt-get install docker.io`"
    )]
    Missing {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// It refused.
    #[error("`{command}` failed: {reason}")]
    Refused {
        /// What it was asked for, shortened.
        command: String,
        /// What it said.
        reason: String,
    },
}

/// A container engine that answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Engine {
    /// Its command line.
    pub program: Utf8PathBuf,
    /// Its version.
    pub version: String,
}

impl Engine {
    /// The engine on `PATH`.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not answer.
    pub fn find() -> Result<Self, EngineError> {
        let missing = |reason: String| EngineError::Missing {
            program: Runtime::ENGINE.to_owned(),
            reason,
        };
        let found = which::which(Runtime::ENGINE).map_err(|error| missing(error.to_string()))?;
        let program = Utf8PathBuf::from_path_buf(found)
            .map_err(|path| missing(format!("{} is not UTF-8", path.display())))?;
        let mut engine = Self {
            program,
            version: String::new(),
        };
        engine.version = engine.ask(&["version", "--format", "{{.Server.Version}}"])?;
        Ok(engine)
    }

    /// Runs one command; returns what it printed, trimmed.
    ///
    /// # Errors
    ///
    /// When it fails; the text is what it said last.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, EngineError> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        self.answer(arguments, output)
    }

    /// Whether it has `image`, by its digest.
    pub fn has(&self, image: &Image) -> bool {
        let id = self.ask(&["image", "inspect", "--format", "{{.Id}}", &image.reference]);
        id.is_ok_and(|id| [&image.config, &image.manifest].contains(&&id.replace("sha256:", "")))
    }

    /// Gives it `image`.
    ///
    /// # Errors
    ///
    /// When it does not take it, or makes something else of it.
    pub fn load(&self, image: &Image) -> Result<(), EngineError> {
        let arguments = ["load", "--quiet"];
        let run = || {
            let mut child = self
                .command(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let mut stdin = child.stdin.take().expect("stdin was asked to be a pipe");
            // An engine that reads no further says why; that says more than a broken pipe.
            let _ = stdin.write_all(&image.archive());
            drop(stdin);
            child.wait_with_output()
        };
        self.answer(&arguments, run())?;
        if self.has(image) {
            return Ok(());
        }
        Err(EngineError::Refused {
            command: format!("{} load", self.program),
            reason: format!("{} has another digest than its archive", image.reference),
        })
    }

    /// Calls the image `reference` by the tag `tag` as well.
    ///
    /// # Errors
    ///
    /// When there is no such image.
    pub fn tag(&self, reference: &str, tag: &str) -> Result<String, EngineError> {
        let (name, _) = reference.split_once(':').unwrap_or((reference, ""));
        let tagged = format!("{name}:{tag}");
        self.ask(&["tag", reference, &tagged])?;
        Ok(tagged)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        command
    }

    fn answer(
        &self,
        arguments: &[&str],
        output: std::io::Result<Output>,
    ) -> Result<String, EngineError> {
        let output = output.map_err(|error| EngineError::Missing {
            program: self.program.to_string(),
            reason: error.to_string(),
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let verb: Vec<_> = arguments.iter().take(2).copied().collect();
        Err(EngineError::Refused {
            command: format!("{} {}", self.program, verb.join(" ")),
            reason: last.unwrap_or("it said nothing").trim().to_owned(),
        })
    }
}
