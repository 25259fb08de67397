use super::*;

#[test]
fn a_results_folder_with_something_in_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
    assert_eq!(chosen_results(folder).expect("empty"), folder);
    assert_eq!(
        chosen_results(&folder.join("new")).expect("new"),
        folder.join("new")
    );
    std::fs::write(folder.join("run.json"), "{}").expect("writable");
    let error = chosen_results(folder).expect_err("not empty");
    assert_eq!(stigmer_e2e_plan::exit_code_of(&error), ExitCode::Usage);
    assert!(error.to_string().contains("is not empty"), "{error}");
}

#[test]
fn only_the_pinned_model_needs_its_server() {
    let run = [
        Tool::TemporalCli,
        Tool::CargoNextest,
        Tool::LlamaCpp,
        Tool::Model,
    ];
    assert_eq!(outline(LlmChoice::LlamaCpp).tools(), run);
    assert_eq!(
        outline(LlmChoice::None).tools(),
        [Tool::TemporalCli, Tool::CargoNextest]
    );
}

#[test]
fn the_plan_names_every_tool_binary_and_phase() {
    let checkout = Checkout {
        root: "/c".into(),
        target: "/t".into(),
        binaries: "/t/debug".into(),
        cache: "/k".into(),
    };
    let tool = |tool: Tool, file: &str| Provisioned {
        tool,
        version: "1".into(),
        file: file.into(),
        folder: Utf8Path::new(file).parent().expect("a folder").into(),
        sha256: [7; 32].into(),
        source: crate::provision::Source::Cache,
        package: None,
    };
    let tools = vec![
        tool(Tool::TemporalCli, "/k/temporal"),
        tool(Tool::CargoNextest, "/k/cargo-nextest"),
        tool(Tool::LlamaCpp, "/k/lib/x.so"),
        tool(Tool::Model, "/k/Some-Model.Q4.gguf"),
    ];
    let found = Found {
        tools,
        python: "/usr/bin/python3".into(),
        cargo: "/usr/bin/cargo".into(),
    };
    let binary = |name: &str| Utf8PathBuf::from("/t/debug").join(name);
    let stack = stigmer_e2e_plan::Stack {
        cli: binary("stigmer"),
        server: binary("stigmer-server"),
        workflow_runner: binary("stigmer-workflow-runner"),
        agent_runner: binary("stigmer-agent-runner"),
    };
    let built = Built {
        driver: binary("stigmer-e2e"),
        suite: binary("suite"),
        stack,
        revision: None,
    };
    let phase = PhaseRecord {
        name: stigmer_e2e_plan::PhaseName::Plan,
        ms: 1,
        summary: "x".into(),
    };
    let plan = outline(LlmChoice::LlamaCpp).into_plan(&checkout, &found, built, vec![phase]);
    let llm = plan.tools.llm.expect("the pinned model");
    assert_eq!(
        (llm.library.as_str(), llm.name.as_str()),
        ("/k/lib", "Some-Model.Q4")
    );
    assert_eq!(plan.project_target, "/t/projects");
    assert_eq!(
        plan.pins
            .iter()
            .map(|pin| pin.name.as_str())
            .collect::<Vec<_>>(),
        Tool::ALL[..4]
            .iter()
            .map(|tool| tool.name())
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (plan.pins[0].source.as_str(), plan.phases.len()),
        ("cache", 1)
    );
}

fn outline(llm: LlmChoice) -> Outline {
    Outline {
        verb: Verb::Run,
        run_id: "20261124T081500-k3f9".into(),
        results: "/c/results/x".into(),
        seed: 1,
        jobs: 4,
        selection: Selection::default(),
        keep: false,
        allow_skip: false,
        no_build: false,
        json: false,
        llm,
        hermetic: Hermetic::Off,
        runtime: Runtime::default(),
        server: None,
        idle_minutes: None,
        load: None,
        with_checks: false,
    }
}

#[test]
fn only_the_checks_need_what_only_they_use() {
    let outline = Outline {
        with_checks: true,
        ..outline(LlmChoice::None)
    };
    assert!(
        outline
            .tools()
            .ends_with(&[Tool::CargoDeny, Tool::Zizmor, Tool::Pip])
    );
}

#[test]
fn a_run_that_asks_the_server_of_somebody_else_needs_only_a_client() {
    let given = Outline {
        server: Some("localhost:7234".parse().expect("an address")),
        ..outline(LlmChoice::None)
    };
    assert_eq!(given.tools(), [Tool::CargoNextest]);
    assert_eq!(given.extent(), Extent::Client);
    assert!(
        given
            .summary()
            .contains("server localhost:7234, only reading")
    );
    assert_eq!(outline(LlmChoice::None).extent(), Extent::Whole);
}
