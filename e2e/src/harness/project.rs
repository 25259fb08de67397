//! SDK projects to apply, each in a folder of the test's own.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Cli, Environment, Test, record::function_name};

/// A project could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the project {directory}: {source}")]
pub struct ProjectError {
    directory: Utf8PathBuf,
    source: io::Error,
}

/// An agent of a written project: name, description, instructions.
pub type AgentText<'a> = (&'a str, &'a str, &'a str);

/// A folder with a `Stigmer.yaml`, and perhaps a program beside it.
#[derive(Clone, Debug)]
pub struct Project {
    directory: Utf8PathBuf,
    /// Whether its program asks `fixtures/endpoints` where the outside hosts are.
    calls_out: bool,
}

/// Tells the programs of fixtures where the server is that stands for all outside hosts.
const FIXTURE_BASE_URL: &str = "STIGMER_FIXTURE_BASE_URL";

impl Project {
    /// The fixture `name` of `fixtures/projects`: its own `Stigmer.yaml` in a private folder, so that
    /// tests which apply it at the same time do not share its output, with the program where it is,
    /// compiled already.
    ///
    /// # Errors
    ///
    /// When there is no such fixture or the folder cannot be written.
    pub fn fixture(test: &Test, name: &str) -> Result<Self, ProjectError> {
        let source = test.session().root.join("fixtures/projects").join(name);
        let directory = folder(test, name);
        let write = || {
            let yaml = fs::read_to_string(source.join("Stigmer.yaml"))?;
            fs::create_dir_all(&directory)?;
            fs::write(
                directory.join("Stigmer.yaml"),
                with_absolute_main(&yaml, &source),
            )
        };
        write().map_err(|source| ProjectError {
            directory: directory.clone(),
            source,
        })?;
        Ok(Self {
            directory,
            calls_out: true,
        })
    }

    /// A folder with nothing but a `Stigmer.yaml` of the given text; without text, an empty folder.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn bare(test: &Test, name: &str, yaml: Option<&str>) -> Result<Self, ProjectError> {
        let project = Self {
            directory: folder(test, name),
            calls_out: false,
        };
        project.write_with(|directory| {
            fs::create_dir_all(directory)?;
            yaml.map_or(Ok(()), |yaml| {
                fs::write(directory.join("Stigmer.yaml"), yaml)
            })
        })?;
        Ok(project)
    }

    /// A program that creates `agents`, in that order.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn with_agents(test: &Test, agents: &[AgentText<'_>]) -> Result<Self, ProjectError> {
        let project = Self::template(test, "agents")?;
        project.set_agents(agents)?;
        Ok(project)
    }

    /// A private copy of `fixtures/templates/<name>`.
    ///
    /// # Errors
    ///
    /// When there is no such template or the folder cannot be written.
    pub fn template(test: &Test, name: &str) -> Result<Self, ProjectError> {
        let session = test.session();
        let project = Self {
            directory: folder(test, name),
            calls_out: false,
        };
        project.write_with(|directory| {
            let template = session.root.join("fixtures/templates").join(name);
            fs::create_dir_all(directory.join("src"))?;
            fs::copy(template.join("src/main.rs"), directory.join("src/main.rs"))?;
            fs::copy(
                template.join("Stigmer.yaml"),
                directory.join("Stigmer.yaml"),
            )?;
            // The workspace's versions, which are compiled already and need no network.
            fs::copy(
                session.root.join("Cargo.lock"),
                directory.join("Cargo.lock"),
            )?;
            let manifest = fs::read_to_string(template.join("Cargo.toml"))?;
            let package = package_name(test, name);
            fs::write(
                directory.join("Cargo.toml"),
                own_manifest(&manifest, &package, &session.root),
            )
        })?;
        Ok(project)
    }

    /// Rewrites a [`with_agents`](Self::with_agents) project to create `agents` instead.
    ///
    /// # Errors
    ///
    /// When its program cannot be rewritten.
    pub fn set_agents(&self, agents: &[AgentText<'_>]) -> Result<(), ProjectError> {
        self.write_with(|directory| {
            let path = directory.join("src/main.rs");
            let program = fs::read_to_string(&path)?;
            let program = with_agent_list(&program, agents).ok_or_else(|| {
                io::Error::other("the template has no `// AGENTS` … `// END` lines")
            })?;
            fs::write(path, program)
        })
    }

    /// Its folder.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// The CLI, standing in the project's folder. The outside hosts of a fixture are the hub of
    /// `environment`.
    pub fn cli(&self, environment: &Environment) -> Cli {
        let cli = environment.cli().cwd(&self.directory);
        if self.calls_out {
            cli.env(FIXTURE_BASE_URL, environment.hub().base_url())
        } else {
            cli
        }
    }

    fn write_with(
        &self,
        write: impl FnOnce(&Utf8Path) -> io::Result<()>,
    ) -> Result<(), ProjectError> {
        write(&self.directory).map_err(|source| ProjectError {
            directory: self.directory.clone(),
            source,
        })
    }
}

fn folder(test: &Test, name: &str) -> Utf8PathBuf {
    test.folder().join("projects").join(name)
}

/// Cargo tells the packages of one target directory apart by name.
fn package_name(test: &Test, name: &str) -> String {
    format!("{}-{name}", function_name(test.name()).replace('_', "-"))
}

/// `yaml` with its `main` (or the default one) as an absolute path below `source`.
fn with_absolute_main(yaml: &str, source: &Utf8Path) -> String {
    let main = yaml
        .lines()
        .find_map(|line| line.strip_prefix("main:"))
        .map_or("src/main.rs", str::trim);
    let rest = yaml
        .lines()
        .filter(|line| !line.starts_with("main:"))
        .map(|line| format!("{line}\n"));
    format!("{}main: {}\n", rest.collect::<String>(), source.join(main))
}

fn own_manifest(manifest: &str, package: &str, root: &Utf8Path) -> String {
    let mut named = false;
    let line = |line: &str| {
        if !named && line.starts_with("name = ") {
            named = true;
            return format!("name = \"{package}\"\n");
        }
        format!("{}\n", line.replace("../../..", root.as_str()))
    };
    manifest.lines().map(line).collect()
}

fn with_agent_list(program: &str, agents: &[AgentText<'_>]) -> Option<String> {
    let (before, rest) = program.split_once("// AGENTS\n")?;
    let (_, after) = rest.split_once("// END")?;
    let entries = agents
        .iter()
        .map(|entry| format!("    {entry:?},\n"))
        .collect::<String>();
    Some(format!("{before}// AGENTS\n{entries}    // END{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixtures_main_becomes_absolute() {
        let source = Utf8Path::new("/c/fixtures/projects/x");
        assert_eq!(
            with_absolute_main("name: x\nruntime: rust\n", source),
            "name: x\nruntime: rust\nmain: /c/fixtures/projects/x/src/main.rs\n"
        );
        assert_eq!(
            with_absolute_main("name: x\nmain: ../src/bin/a.rs\nruntime: rust\n", source),
            "name: x\nruntime: rust\nmain: /c/fixtures/projects/x/../src/bin/a.rs\n"
        );
    }

    #[test]
    fn a_manifest_gets_its_own_name_once_and_an_absolute_sdk() {
        let manifest = "[package]\nname = \"t\"\n\n[dependencies]\nstigmer = { path = \"../../../stack/sdk\" }\nname = \"z\"\n";
        assert_eq!(
            own_manifest(manifest, "own", Utf8Path::new("/c")),
            "[package]\nname = \"own\"\n\n[dependencies]\nstigmer = { path = \"/c/stack/sdk\" }\nname = \"z\"\n"
        );
    }

    #[test]
    fn the_list_between_the_markers_is_replaced() {
        let program = "a\n    // AGENTS\n    (\"old\", \"\", \"\"),\n    // END\nb\n";
        let written = with_agent_list(program, &[("x", "says \"hi\"", "i")]).unwrap();
        assert_eq!(
            written,
            "a\n    // AGENTS\n    (\"x\", \"says \\\"hi\\\"\", \"i\"),\n    // END\nb\n"
        );
        assert_eq!(with_agent_list("nothing", &[]), None);
    }
}
