//! Stigmer.yaml.

use std::{env, fmt, fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

/// The file that makes a directory a project.
const FILE_NAME: &str = "Stigmer.yaml";

/// What is wrong with a project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error(
        "Stigmer.yaml not found in current directory ({0})\n\n\
         This is not a Stigmer project directory.\n\
         Name another one: stigmer apply --config /path/to/Stigmer.yaml"
    )]
    NotAProject(Utf8PathBuf),
    #[error("Stigmer.yaml not found: {0}")]
    NotFound(Utf8PathBuf),
    #[error("failed to read {path}: {reason}")]
    Read { path: Utf8PathBuf, reason: String },
    #[error("Stigmer.yaml: '{key}' is required (in {path})")]
    Required {
        key: &'static str,
        path: Utf8PathBuf,
    },
    #[error(
        "Stigmer.yaml: unsupported runtime '{runtime}' (currently supported: go, rust) (in {path})"
    )]
    Runtime { runtime: String, path: Utf8PathBuf },
    #[error("file not found: {0}")]
    EntryNotFound(Utf8PathBuf),
    #[error("not a file: {0}")]
    EntryNotAFile(Utf8PathBuf),
    #[error("file must be a {} file (.{}): {path}", runtime.language(), runtime.extension())]
    EntryExtension { runtime: Runtime, path: Utf8PathBuf },
}

/// What the program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Go,
    Rust,
}

impl Runtime {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "go" => Some(Self::Go),
            "rust" => Some(Self::Rust),
            _ => None,
        }
    }

    /// As it is written in Stigmer.yaml.
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Rust => "rust",
        }
    }

    fn language(self) -> &'static str {
        match self {
            Self::Go => "Go",
            Self::Rust => "Rust",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Rust => "rs",
        }
    }

    fn default_main(self) -> &'static str {
        match self {
            Self::Go => "main.go",
            Self::Rust => "src/main.rs",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A project as its Stigmer.yaml describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The directory of Stigmer.yaml, absolute.
    pub dir: Utf8PathBuf,
    pub name: String,
    pub runtime: Runtime,
    /// For people only.
    pub version: Option<String>,
    /// The program's entry as written, or the runtime's default.
    pub main: Utf8PathBuf,
}

/// Only what is read; other keys are for people.
#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    runtime: Option<String>,
    version: Option<String>,
    main: Option<Utf8PathBuf>,
}

impl Project {
    /// Reads the project at `path`, a Stigmer.yaml or the directory that holds one; without a path,
    /// the one in the current directory.
    pub fn load(path: Option<&Utf8Path>) -> Result<Self, ProjectError> {
        let here = current_dir()?;
        let Some(path) = path else {
            let file = here.join(FILE_NAME);
            return match file.try_exists() {
                Ok(false) => Err(ProjectError::NotAProject(here)),
                _ => Self::read(&file),
            };
        };
        let path = here.join(path);
        let file = if path.is_dir() {
            path.join(FILE_NAME)
        } else {
            path
        };
        Self::read(&file)
    }

    /// Whether the current directory holds a project, readable or not.
    pub fn is_here() -> Result<bool, ProjectError> {
        Ok(current_dir()?.join(FILE_NAME).try_exists().unwrap_or(true))
    }

    fn read(file: &Utf8Path) -> Result<Self, ProjectError> {
        let fail = |reason: String| ProjectError::Read {
            path: file.to_owned(),
            reason,
        };
        let text = fs::read_to_string(file).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => ProjectError::NotFound(file.to_owned()),
            _ => fail(e.to_string()),
        })?;
        Self::parse(&text, file)
    }

    /// Reads `text`, which is that of `file`, an absolute path.
    ///
    /// # Errors
    ///
    /// When it is no project; the error names the file and the key.
    pub fn parse(text: &str, file: &Utf8Path) -> Result<Self, ProjectError> {
        let fail = |reason: String| ProjectError::Read {
            path: file.to_owned(),
            reason,
        };
        let options = serde_saphyr::options! { with_snippet: false };
        if text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return Err(fail(
                "the file is empty; it needs 'name' and 'runtime'".to_owned(),
            ));
        }
        let document: Document = serde_saphyr::from_str_with_options(text, options)
            .map_err(|e| fail(format!("not a Stigmer project file: {e}")))?;
        let required = |key: &'static str, value: Option<String>| {
            value
                .filter(|text| !text.trim().is_empty())
                .ok_or_else(|| ProjectError::Required {
                    key,
                    path: file.to_owned(),
                })
        };
        let name = required("name", document.name)?;
        let runtime = required("runtime", document.runtime)?;
        let runtime = Runtime::parse(&runtime).ok_or_else(|| ProjectError::Runtime {
            runtime,
            path: file.to_owned(),
        })?;
        Ok(Self {
            // A file that was read has a directory.
            dir: file.parent().map(Utf8Path::to_owned).unwrap_or_default(),
            name,
            runtime,
            version: document.version,
            main: document
                .main
                .filter(|main| !main.as_str().is_empty())
                .unwrap_or_else(|| runtime.default_main().into()),
        })
    }

    /// The program's entry, absolute and without symbolic links, once it is known to be a file in
    /// the runtime's language.
    pub fn entry(&self) -> Result<Utf8PathBuf, ProjectError> {
        let path = self.dir.join(&self.main);
        let Ok(entry) = path.canonicalize_utf8() else {
            return Err(ProjectError::EntryNotFound(path));
        };
        if !entry.is_file() {
            return Err(ProjectError::EntryNotAFile(path));
        }
        if entry.extension() != Some(self.runtime.extension()) {
            return Err(ProjectError::EntryExtension {
                runtime: self.runtime,
                path,
            });
        }
        Ok(entry)
    }
}

fn current_dir() -> Result<Utf8PathBuf, ProjectError> {
    let fail = |reason: String| ProjectError::Read {
        path: ".".into(),
        reason,
    };
    let dir = env::current_dir().map_err(|e| fail(e.to_string()))?;
    Utf8PathBuf::try_from(dir)
        .map_err(|e| fail(format!("{e}; move the project to a path in UTF-8")))
}

#[cfg(test)]
mod tests;
