//! The tool by which a model reads the files of its skills.

use std::{
    fmt::Write as _,
    fs,
    path::{Component as Part, Path, PathBuf},
};

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::FOLDER;
use crate::{
    llm::ToolSpec,
    tools::{Tool, ToolError},
    transcript::{CallKey, Component},
};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Reads files of the skills in one workspace, and lists their folders.
#[derive(Debug)]
pub struct ReadSkillFile {
    workspace: PathBuf,
    spec: ToolSpec,
}

impl ReadSkillFile {
    /// A tool for the skills in `workspace`.
    pub fn new(workspace: &Path) -> Self {
        let parameters = json!({
            "type": "object",
            "properties": {"path": {"type": "string", "description": "A path below the LOCATION of a skill"}},
            "required": ["path"],
        });
        let Value::Object(parameters) = parameters else {
            unreachable!("an object literal")
        };
        Self {
            workspace: workspace.to_owned(),
            spec: ToolSpec {
                name: "read_skill_file".to_owned(),
                description: "Reads a text file of one of your skills, or lists a folder of it."
                    .to_owned(),
                parameters,
            },
        }
    }

    fn read(&self, path: &str) -> Result<String, ToolError> {
        let refused =
            |why: &dyn std::fmt::Display| ToolError(format!("cannot read {path:?}: {why}"));
        let relative = Path::new(path.trim_start_matches('/'));
        let plain = relative
            .components()
            .all(|part| matches!(part, Part::Normal(_)));
        if !plain || !relative.starts_with(FOLDER) {
            return Err(refused(&format!(
                "it has to be below /{FOLDER}/, without `..`"
            )));
        }
        let root = self.workspace.join(FOLDER);
        // Links, which a program in the workspace may have made, do not lead out of it.
        let found = self
            .workspace
            .join(relative)
            .canonicalize()
            .map_err(|error| refused(&error))?;
        let root = root.canonicalize().map_err(|error| refused(&error))?;
        if !found.starts_with(&root) {
            return Err(refused(&"it leads out of the skills"));
        }
        let metadata = fs::metadata(&found).map_err(|error| refused(&error))?;
        if metadata.is_dir() {
            return list(&found).map_err(|error| refused(&error));
        }
        if metadata.len() > LONGEST {
            return Err(refused(&"it is larger than 1 MiB"));
        }
        fs::read_to_string(&found).map_err(|error| refused(&error))
    }
}

fn list(folder: &Path) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let mark = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{mark}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    let mut list = String::new();
    for name in names {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "{name}");
    }
    Ok(list)
}

impl Tool for ReadSkillFile {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn component(&self) -> Component {
        Component {
            r#type: "filesystem",
            mcp_server: None,
        }
    }

    fn call(
        &self,
        arguments: Map<String, Value>,
        _: CallKey,
    ) -> BoxFuture<'_, Result<String, ToolError>> {
        let read = match arguments.get("path").and_then(Value::as_str) {
            Some(path) => self.read(path),
            None => Err(ToolError("the argument path is missing".to_owned())),
        };
        Box::pin(std::future::ready(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_can_be_read_and_nothing_else() {
        let workspace = tempfile::tempdir().unwrap();
        let skill = workspace.path().join("bin/skills/abc");
        fs::create_dir_all(skill.join("scripts")).unwrap();
        fs::write(skill.join("SKILL.md"), "# A").unwrap();
        fs::write(workspace.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("/etc", skill.join("link")).unwrap();
        let tool = ReadSkillFile::new(workspace.path());
        assert_eq!(tool.read("/bin/skills/abc/SKILL.md").unwrap(), "# A");
        assert_eq!(
            tool.read("bin/skills/abc/").unwrap(),
            "SKILL.md\nlink\nscripts/\n"
        );
        for path in [
            "/secret",
            "/bin/skills/../../secret",
            "/bin/skills/abc/link/passwd",
            "/bin/skills/nothing",
            "/etc/passwd",
            "",
        ] {
            assert!(tool.read(path).is_err(), "{path}");
        }
    }
}
