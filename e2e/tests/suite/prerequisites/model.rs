//! The model of a run: looked for by name in its server's list, and used only if agents reach it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
};

use camino::{Utf8Path, Utf8PathBuf};
use regex_lite::Regex;
use stigmer_e2e::{
    harness::{Broken, Environment, Failure, Test, story},
    services::free_port,
};
use stigmer_e2e_plan::{Gguf, LlmChoice, OllamaServer, Plan, read_json};

use crate::pipeline::{Ended, Inner};

const QUICK: &str = "smk_07";
const PREREQUISITE_MISSING: i32 = 96;
/// The model that the stack asks for when nobody names one.
const DEFAULT_MODEL: &str = "qwen2.5-coder:7b";

/// Ended before any test, with one line that has all of `parts`.
fn check_refused(run: &Ended, parts: &[&str]) -> Result<(), Failure> {
    run.output.exited_with(PREREQUISITE_MISSING)?;
    let errors = run.output.error_lines();
    let [error] = errors.as_slice() else {
        return Err(Broken(format!("not one error: {errors:?}")).into());
    };
    for part in parts {
        assert!(error.contains(part), "no {part:?} in {error:?}");
    }
    assert_eq!(run.json("run.json")?["verdict"], "prerequisite-missing");
    assert_eq!(run.verdicts()?, [], "a test was run all the same");
    assert_eq!(run.leftovers()?, []);
    Ok(())
}

/// A run with the model that `env` has, under this name.
fn with_model(t: &Test, env: &Environment, model: &str) -> Result<Inner, Failure> {
    let base_url = env.llm().base_url().to_owned();
    let model = model.to_owned();
    Ok(Inner::of(t, &[QUICK])?.with(|plan| plan.llm = LlmChoice::OpenAi { base_url, model }))
}

#[test]
fn pre_04_a_model_that_its_server_does_not_list_is_named_with_the_command_that_gets_it() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let here = env.llm().model().to_owned();
        t.step("the control: the one that is listed is taken");
        let run = with_model(&t, &env, &here)?.run().await?;
        run.output.exited_with(0)?;
        t.step("another one");
        let run = with_model(&t, &env, "absent:1b")?.run().await?;
        let absent = format!("has no model \"absent:1b\" (it has {here})");
        check_refused(
            &run,
            &[env.llm().base_url(), &absent, "`ollama pull absent:1b`"],
        )
    });
}

#[test]
fn pre_04_the_project_names_one_model_and_the_pinned_one_in_one_place() {
    story(async |t| {
        let Ok(plan) = read_json::<Plan>(&t.session().results.join("plan.json")) else {
            return Err(t.skip("this session was not started by the pipeline"));
        };
        let root = &plan.root;
        let listed = t.command(Utf8Path::new("git")).cwd(root);
        let listed = listed.args(["-c", "safe.directory=*", "ls-files"]);
        let listed = listed.run().await?;
        let mut texts = BTreeMap::new();
        for file in listed.exited_with(0)?.stdout.lines() {
            // What is no text names no model; a file may be about to be deleted.
            if let Ok(text) = fs::read_to_string(root.join(file)) {
                texts.insert(file.to_owned(), text);
            }
        }
        t.step("the stack has one default, wherever it is written");
        let tagged =
            Regex::new(r"\b[a-z][a-z0-9.-]*:[0-9]+b\b").map_err(|e| Broken(e.to_string()))?;
        // The sheets tell of another implementation; a test may speak of a model that there is not.
        let about_others = ["docs/contract/", "e2e/tests/"];
        let named: BTreeSet<_> = texts
            .iter()
            .filter(|(file, _)| !about_others.iter().any(|folder| file.starts_with(folder)))
            .flat_map(|(file, text)| {
                let found = tagged.find_iter(text);
                found.map(move |found| (found.as_str(), file.as_str()))
            })
            .collect();
        let others: Vec<_> = named.iter().filter(|it| it.0 != DEFAULT_MODEL).collect();
        assert!(others.is_empty(), "other models are named: {others:?}");
        assert!(!named.is_empty(), "the default is named nowhere");
        t.step("the pinned model is named by its file, in pins.json and nowhere else");
        let pins: serde_json::Value = serde_json::from_str(&texts["pins.json"])?;
        let platforms = pins["artefacts"]["model"]["platforms"].as_object();
        let files = platforms.into_iter().flatten().filter_map(|(_, pinned)| {
            let file = Utf8Path::new(pinned["member"]["path"].as_str()?);
            file.file_stem().map(str::to_owned)
        });
        let names: BTreeSet<_> = files.collect();
        let [name] = names.iter().collect::<Vec<_>>()[..] else {
            panic!("not one name: {names:?}");
        };
        let elsewhere: Vec<_> = texts
            .iter()
            // Recorded answers say which model gave them.
            .filter(|(file, _)| !file.starts_with("fixtures/cassettes/"))
            .filter(|(file, text)| *file != "pins.json" && text.contains(name))
            .map(|(file, _)| file)
            .collect();
        assert!(elsewhere.is_empty(), "{name} is also in {elsewhere:?}");
        if let (LlmChoice::LlamaCpp, Some(model)) = (&plan.llm, &t.session().llm) {
            assert_eq!(&model.model, name);
        }
        Ok(())
    });
}

/// A program that is `agent_runner` in a network of its own, in which there is nobody.
fn alone(folder: &Utf8Path, agent_runner: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
    let program = folder.join("stigmer-agent-runner");
    let unshare = "unshare --user --map-root-user --net";
    let body = format!("#!/bin/sh\nexec {unshare} '{agent_runner}' \"$@\"\n");
    fs::write(&program, body)?;
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    Ok(program)
}

#[test]
fn ful_05_a_model_that_the_agent_runner_cannot_reach_from_where_it_runs_is_no_failed_test() {
    story(async |t| {
        let words = ["--user", "--map-root-user", "--net", "true"];
        let tried = t.command(Utf8Path::new("unshare")).args(words).run().await;
        if !tried.is_ok_and(|tried| tried.code == Some(0)) {
            return Err(t.skip("`unshare --user --net` is not permitted here"));
        }
        let env = t.environment().without_runners().start().await?;
        let folder = t.folder().to_owned();
        let here = env.llm().model().to_owned();
        t.step("we reach the model, and an agent-runner in a network of its own does not");
        let run = with_model(&t, &env, &here)?
            .with(|plan| {
                plan.stack.agent_runner = alone(&folder, &plan.stack.agent_runner)
                    .expect("a test may write into its folder");
            })
            .run()
            .await?;
        let models = format!("GET {}/models got no answer", env.llm().base_url());
        check_refused(&run, &["the agent-runner cannot use the model", &models])?;
        t.step("an address at which there is nobody");
        let nobody = format!("http://127.0.0.1:{}/v1", free_port()?);
        let base_url = nobody.clone();
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| {
                let model = here.clone();
                plan.llm = LlmChoice::OpenAi { base_url, model };
            })
            .run()
            .await?;
        check_refused(&run, &[&nobody, "choose another model with --llm"])
    });
}

#[test]
fn pre_04_an_ollama_of_the_runs_own_gets_the_pinned_file_and_nothing_by_a_tag() {
    story(async |t| {
        let file = t.folder().join("Tiny.gguf");
        fs::write(&file, "GGUF and some weights")?;
        let sha256 = "48db5a66810bdd264cd556f452c54e9567f3a2f893b0eadbecc30c908b3affa4";
        let gguf = Gguf {
            file,
            name: "Tiny".to_owned(),
            sha256: sha256.to_owned(),
        };
        let program = t.folder().join("ollama");
        let script = t
            .session()
            .root
            .join("e2e/tests/suite/prerequisites/ollama.py");
        fs::copy(script, &program)?;
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
        let server = Some(OllamaServer::Program(program));
        let run = Inner::of(&t, &[QUICK])?
            .with(|plan| {
                plan.llm = LlmChoice::Ollama { server };
                plan.tools.gguf = Some(gguf.clone());
            })
            .run()
            .await?;
        run.output.exited_with(0)?;
        let model = &run.json("session.json")?["llm"];
        assert_eq!(model["model"], gguf.name_at_ollama());
        assert_eq!(model["sha256"], sha256);
        assert_eq!(run.leftovers()?, []);
        let unexpected = run.results.join("services/ollama/models/unexpected");
        assert!(!unexpected.exists(), "{}", fs::read_to_string(&unexpected)?);
        Ok(())
    });
}
