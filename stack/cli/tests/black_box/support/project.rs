//! Projects whose program is a shell script: `go` on the PATH is a stand-in that "builds" the entry
//! by copying it, so that these tests need no compiler.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use prost::Message;
use stigmer_api::{
    ApiResourceMetadata, Resource,
    agent::{Agent, AgentSpec},
    commons::WorkflowTaskKind,
    json::to_struct,
    workflow::{Workflow, WorkflowDocument, WorkflowSpec, WorkflowTask},
};

use super::{Stigmer, Went, finish};

const GO: &str = r#"#!/bin/sh
# go build -o <executable> <entry>
[ "$1 $2" = "build -o" ] || { echo "unexpected: go $*" >&2; exit 2; }
cp "$4" "$3" && chmod +x "$3"
"#;

pub struct Project(tempfile::TempDir);

impl Project {
    /// A project whose program is `script`.
    pub fn with_script(script: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir(project.path().join("bin")).unwrap();
        let go = project.path().join("bin/go");
        fs::write(&go, GO).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(
            project.path().join("Stigmer.yaml"),
            "name: demo\nruntime: go\n",
        )
        .unwrap();
        project.script(script);
        project
    }

    /// A project that defines agents, given as `(name, description)`.
    pub fn with_agents(agents: &[(&str, &str)]) -> Self {
        let project = Self::with_script("");
        project.agents(agents);
        project
    }

    /// Changes the agents of the project.
    pub fn agents(&self, agents: &[(&str, &str)]) {
        self.resources(agents, &[]);
    }

    /// Changes what the project defines: agents as `(name, description)`, workflows by name.
    pub fn resources(&self, agents: &[(&str, &str)], workflows: &[&str]) {
        let dir = self.path().join("resources");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        let write = |kind: &str, index: usize, bytes: Vec<u8>| {
            fs::write(dir.join(format!("{kind}-{index}.pb")), bytes).unwrap();
        };
        for (index, (name, description)) in agents.iter().enumerate() {
            write("agent", index, agent(name, description).encode_to_vec());
        }
        for (index, name) in workflows.iter().enumerate() {
            write("workflow", index, workflow(name).encode_to_vec());
        }
        self.script(&format!("cp '{}'/*.pb \"$STIGMER_OUT_DIR\"", dir.display()));
    }

    fn script(&self, script: &str) {
        fs::write(
            self.path().join("main.go"),
            format!("#!/bin/sh\n{script}\n"),
        )
        .unwrap();
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs `stigmer` in the project, with the stand-in for `go`.
    pub fn run(&self, stigmer: &Stigmer, args: &[&str]) -> Went {
        let mut command = stigmer.command(self.path(), args);
        let path = env::var_os("PATH").unwrap_or_default();
        let dirs = [self.path().join("bin")]
            .into_iter()
            .chain(env::split_paths(&path));
        command.env(
            "PATH",
            env::join_paths(dirs.collect::<Vec<PathBuf>>()).unwrap(),
        );
        finish(command)
    }
}

fn metadata(name: &str) -> ApiResourceMetadata {
    let made_at = stigmer_api::time::rfc3339_now();
    ApiResourceMetadata {
        name: name.into(),
        slug: name.into(),
        owner_scope: 2,
        annotations: [("stigmer.ai/sdk.generated-at".to_owned(), made_at)].into(),
        ..Default::default()
    }
}

fn agent(name: &str, description: &str) -> Agent {
    Agent {
        metadata: Some(metadata(name)),
        spec: Some(AgentSpec {
            description: description.into(),
            instructions: "Answer in one short sentence.".into(),
            ..Default::default()
        }),
        ..Agent::envelope()
    }
}

fn workflow(name: &str) -> Workflow {
    let config = serde_json::json!({"variables": {"greeting": "hello"}});
    let task = WorkflowTask {
        name: "greet".into(),
        kind: WorkflowTaskKind::Set.into(),
        task_config: config.as_object().cloned().map(to_struct),
        ..Default::default()
    };
    Workflow {
        metadata: Some(metadata(name)),
        spec: Some(WorkflowSpec {
            document: Some(WorkflowDocument {
                dsl: "1.0.0".into(),
                namespace: "tests".into(),
                name: name.into(),
                version: "1.0.0".into(),
                ..Default::default()
            }),
            tasks: vec![task],
            ..Default::default()
        }),
        ..Workflow::envelope()
    }
}
