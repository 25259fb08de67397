//! The protocol between a program and `stigmer apply`: who calls whom, and what lies in the folder
//! between them.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use prost::Message;

use crate::{
    Agent, Context, Result, RunError, SynthesisError, Workflow, error::ConversionError, files,
};

/// Names the folder that receives the resources.
const OUT_DIR: &str = "STIGMER_OUT_DIR";

/// Describes resources with `program` and hands them over to the caller of this program.
///
/// With `STIGMER_OUT_DIR` unset or empty nothing is written, so that a program can be tried out.
/// An error is printed to standard error as one `Error:` line and gives exit code 1. To handle
/// errors otherwise, see [`try_run`].
pub fn run(program: impl FnOnce(&Context) -> Result) -> ExitCode {
    match try_run(program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Like [`run`], for programs that report errors themselves.
///
/// # Errors
///
/// When `program` fails, a resource breaks a rule of the contract, or a file cannot be written.
pub fn try_run(program: impl FnOnce(&Context) -> Result) -> Result<(), RunError> {
    let ctx = Context::new();
    program(&ctx).map_err(RunError::Function)?;
    match env::var_os(OUT_DIR)
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from)
    {
        Some(dir) => synthesize(&ctx, &dir).map_err(RunError::Synthesis),
        None => Ok(()),
    }
}

/// Writes everything in `ctx` to `dir`. All resources are converted before the first file is
/// written, so an invalid one leaves the folder as it was.
fn synthesize(ctx: &Context, dir: &Path) -> Result<(), SynthesisError> {
    let agents = converted(
        "agents",
        "Agent",
        &ctx.agents(),
        Agent::name,
        Agent::to_proto,
    )?;
    let workflows = converted(
        "workflows",
        "Workflow",
        &ctx.workflows(),
        Workflow::name,
        |workflow| workflow.to_proto(ctx),
    )?;
    // A map of texts always serialises.
    let mut dependencies =
        serde_json::to_vec_pretty(&all_dependencies(ctx)).expect("dependencies are a JSON object");
    dependencies.push(b'\n');

    fs::create_dir_all(dir).map_err(|reason| SynthesisError::Write {
        path: dir.to_owned(),
        reason,
    })?;
    for (index, agent) in agents.iter().enumerate() {
        files::write(dir, &format!("agent-{index}.pb"), &agent.encode_to_vec())?;
    }
    for (index, workflow) in workflows.iter().enumerate() {
        let name = format!("workflow-{index}.pb");
        files::write(dir, &name, &workflow.encode_to_vec())?;
    }
    files::write(dir, "dependencies.json", &dependencies)
}

fn converted<T, M>(
    phase: &'static str,
    kind: &'static str,
    resources: &[T],
    name: impl Fn(&T) -> &str,
    convert: impl Fn(&T) -> Result<M, ConversionError>,
) -> Result<Vec<M>, SynthesisError> {
    let convert = |resource| {
        convert(resource).map_err(|reason| SynthesisError::Conversion {
            phase,
            kind,
            name: name(resource).to_owned(),
            reason: reason.to_string(),
        })
    };
    resources.iter().map(convert).collect()
}

/// What was recorded, and what the workflows call of this program.
fn all_dependencies(ctx: &Context) -> BTreeMap<String, Vec<String>> {
    let mut all = ctx.dependencies();
    for workflow in ctx.workflows().iter() {
        for needed in workflow.dependencies(ctx) {
            let known = all.entry(workflow.id()).or_default();
            if !known.contains(&needed) {
                known.push(needed);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use stigmer_api::{Resource, agent as api};

    use super::*;
    use crate::{AgentArgs, AgentCall, WorkflowArgs};

    fn agent(ctx: &Context, name: &str) -> Agent {
        let args = AgentArgs {
            instructions: "Review the code.".into(),
            ..Default::default()
        };
        Agent::new(ctx, name, args).unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>();
        names.sort();
        names
    }

    #[test]
    fn files_are_numbered_in_the_order_of_registration() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("made/when/missing");
        let ctx = Context::new();
        let wanted = (0..12).map(|n| format!("agent-{n}-x")).collect::<Vec<_>>();
        wanted.iter().for_each(|name| drop(agent(&ctx, name)));
        synthesize(&ctx, &dir).unwrap();
        let read = (0..12).map(|n| {
            let bytes = fs::read(dir.join(format!("agent-{n}.pb"))).unwrap();
            api::Agent::decode(bytes.as_slice())
                .unwrap()
                .name()
                .to_owned()
        });
        assert_eq!(read.collect::<Vec<_>>(), wanted);
        assert_eq!(
            names(&dir).len(),
            13,
            "nothing but the agents and dependencies.json"
        );
    }

    #[test]
    fn dependencies_are_written_even_when_there_is_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        synthesize(&Context::new(), dir.path()).unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join("dependencies.json")).unwrap(),
            "{}\n"
        );

        let ctx = Context::new();
        ctx.track_dependency("agent:a", "agent:b");
        synthesize(&ctx, dir.path()).unwrap();
        let text = fs::read_to_string(dir.path().join("dependencies.json")).unwrap();
        assert_eq!(text, "{\n  \"agent:a\": [\n    \"agent:b\"\n  ]\n}\n");
    }

    #[test]
    fn workflows_have_files_and_dependencies_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::new();
        let reviewer = agent(&ctx, "reviewer");
        for name in ["tests/first", "tests/second"] {
            let workflow = Workflow::new(&ctx, name, WorkflowArgs::default()).unwrap();
            workflow.add(AgentCall::new("review", &reviewer, "Review it."));
        }
        ctx.track_dependency("workflow:first", "agent:reviewer");
        synthesize(&ctx, dir.path()).unwrap();
        let names = names(dir.path());
        assert_eq!(
            names,
            [
                "agent-0.pb",
                "dependencies.json",
                "workflow-0.pb",
                "workflow-1.pb"
            ]
        );
        let bytes = fs::read(dir.path().join("workflow-1.pb")).unwrap();
        let workflow = stigmer_api::workflow::Workflow::decode(bytes.as_slice()).unwrap();
        assert_eq!(workflow.name(), "second");
        let text = fs::read(dir.path().join("dependencies.json")).unwrap();
        let dependencies = serde_json::from_slice::<serde_json::Value>(&text).unwrap();
        assert_eq!(
            dependencies,
            serde_json::json!({"workflow:first": ["agent:reviewer"], "workflow:second": ["agent:reviewer"]})
        );
    }

    #[test]
    fn an_invalid_workflow_is_named_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::new();
        agent(&ctx, "fine");
        Workflow::new(&ctx, "tests/empty", WorkflowArgs::default()).unwrap();
        let error = synthesize(&ctx, dir.path()).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "synthesis [workflows] Workflow \"empty\" failed: failed to convert to proto: workflow validation \
                 failed: validation error: spec.tasks"
            ),
            "{error}"
        );
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn an_invalid_agent_is_named_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::new();
        agent(&ctx, "fine");
        Agent::new(&ctx, "x", AgentArgs::default()).unwrap();
        let error = RunError::Synthesis(synthesize(&ctx, dir.path()).unwrap_err());
        assert_eq!(
            error.to_string(),
            "synthesis failed: synthesis [agents] Agent \"x\" failed: failed to convert to proto: agent validation \
             failed: validation error: spec.instructions: value length must be at least 10 characters"
        );
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn an_error_of_the_program_is_passed_on() {
        let error = try_run(|ctx| {
            Agent::new(ctx, "", AgentArgs::default())?;
            Ok(())
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "context function failed: validation failed for field \"name\": name is required"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let dir = file.path().join("inside-a-file");
        let error = synthesize(&Context::new(), &dir).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("failed to write {}", dir.display())),
            "{error}"
        );
    }
}
