//! The loop against a model that says what a test tells it to.

use std::{
    collections::VecDeque,
    sync::Mutex,
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use stigmer_api::agent_execution::{AgentExecutionStatus, ToolCallStatus};
use tokio::net::TcpListener;

use super::*;
use crate::{
    environment::tests::environment,
    llm::Role,
    report::{Reporter, SinkError, StatusSink},
    settings::LlmSettings,
    sub_agents::{Delegate, ReadySubAgent},
    tools::{Tool, ToolError, tests::Fake},
    transcript::Transcript,
};

/// Answers in order, the last one again and again, and keeps what it was asked.
#[derive(Default)]
struct Model {
    answers: Mutex<VecDeque<Value>>,
    requests: Mutex<Vec<Value>>,
}

async fn answer(State(model): State<Arc<Model>>, Json(request): Json<Value>) -> impl IntoResponse {
    model.requests.lock().unwrap().push(request);
    let mut answers = model.answers.lock().unwrap();
    let delta = match answers.len() {
        1 => answers[0].clone(),
        _ => answers.pop_front().expect("an answer"),
    };
    let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]});
    (
        [(header::CONTENT_TYPE, "text/event-stream")],
        format!("data: {chunk}\n\ndata: [DONE]\n\n"),
    )
}

fn says(text: &str) -> Value {
    json!({"content": text})
}

fn asks(calls: &[(&str, &str)]) -> Value {
    let calls = calls.iter().enumerate().map(|(index, (name, arguments))| {
        json!({"index": index, "id": format!("c{index}"), "function": {"name": name, "arguments": arguments}})
    });
    json!({"tool_calls": calls.collect::<Vec<_>>()})
}

/// Takes every status.
struct Nowhere;

impl StatusSink for Nowhere {
    async fn store(&self, _: AgentExecutionStatus) -> Result<(), SinkError> {
        Ok(())
    }
}

struct Scene {
    context: TurnContext,
    model: Arc<Model>,
    reporter: Reporter,
}

impl Scene {
    async fn new(answers: impl IntoIterator<Item = Value>, max_turns: u32) -> Self {
        let model = Arc::new(Model {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Default::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(Arc::clone(&model));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = LlmSettings {
            base_url: url.parse().expect("a URL"),
            model: "m".to_owned(),
            api_key: None,
            max_tokens: None,
            extra_body: serde_json::Map::new(),
        };
        let reporter = Reporter::start(Nowhere, Transcript::begin("Hi"));
        let context = TurnContext {
            llm: LlmClient::new(settings).expect("a client"),
            model: "m".to_owned(),
            temperature: None,
            budget: Arc::new(Budget::new(max_turns)),
            environment: Arc::new(environment(&[("TOKEN", "tok-123", true)])),
            record: reporter.record().clone(),
        };
        Self {
            context,
            model,
            reporter,
        }
    }

    async fn run(&self, tools: &Toolbox) -> Result<String, TurnError> {
        let messages = vec![ChatMessage::new(Role::User, "Hi")];
        self.context.run(&Speaker::Agent, messages, tools).await
    }

    /// The messages of the request of this number.
    fn asked(&self, number: usize) -> Vec<Value> {
        let requests = self.model.requests.lock().unwrap();
        requests[number]["messages"].as_array().unwrap().clone()
    }

    async fn status(self) -> AgentExecutionStatus {
        self.reporter.finish(Duration::from_secs(5)).await.unwrap()
    }
}

fn echo() -> Arc<dyn Tool> {
    Fake::tool("echo", |arguments| match arguments.get("text") {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(ToolError("text is missing".to_owned())),
    })
}

#[tokio::test]
async fn results_go_back_in_order_until_the_model_answers() {
    let calls = [
        ("echo", r#"{"text":"one tok-123"}"#),
        ("echo", "{}"),
        ("rm", "{}"),
    ];
    let scene = Scene::new([asks(&calls), says("Done.")], 5).await;
    assert_eq!(scene.run(&Toolbox::new([echo()])).await.unwrap(), "Done.");
    let messages = scene.asked(1);
    let results = messages[2..].iter().map(|message| {
        assert_eq!(message["role"], "tool");
        (
            message["tool_call_id"].as_str().unwrap(),
            message["content"].as_str().unwrap(),
        )
    });
    assert_eq!(
        results.collect::<Vec<_>>(),
        [
            ("c0", "one ***"),
            ("c1", "Error: text is missing"),
            ("c2", "Error: there is no tool \"rm\"; your tools are: echo"),
        ]
    );
    assert_eq!(messages[1]["tool_calls"].as_array().unwrap().len(), 3);
    let status = scene.status().await;
    let calls = status
        .tool_calls
        .iter()
        .map(|call| (call.status(), call.result.as_str()));
    assert_eq!(
        calls.collect::<Vec<_>>(),
        [
            (ToolCallStatus::ToolCallCompleted, "one ***"),
            (ToolCallStatus::ToolCallFailed, ""),
            (ToolCallStatus::ToolCallFailed, ""),
        ]
    );
}

#[tokio::test]
async fn the_calls_of_one_answer_run_side_by_side() {
    struct Slow(crate::llm::ToolSpec);
    impl Tool for Slow {
        fn spec(&self) -> &crate::llm::ToolSpec {
            &self.0
        }
        fn component(&self) -> crate::transcript::Component {
            crate::transcript::Component {
                r#type: "tool",
                mcp_server: None,
            }
        }
        fn call(
            &self,
            _: serde_json::Map<String, Value>,
            _: crate::transcript::CallKey,
        ) -> futures::future::BoxFuture<'_, Result<String, ToolError>> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(String::new())
            })
        }
    }
    let calls = [
        ("slow", r#"{"n":1}"#),
        ("slow", r#"{"n":2}"#),
        ("slow", r#"{"n":3}"#),
    ];
    let scene = Scene::new([asks(&calls), says("Done.")], 5).await;
    let spec = crate::llm::ToolSpec {
        name: "slow".to_owned(),
        description: String::new(),
        parameters: serde_json::Map::new(),
    };
    let begin = Instant::now();
    let tools = Toolbox::new([Arc::new(Slow(spec)) as Arc<dyn Tool>]);
    scene.run(&tools).await.unwrap();
    assert!(
        begin.elapsed() < Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn a_model_that_never_answers_is_asked_so_often_and_no_more() {
    let turns = (0..9).map(|n| asks(&[("echo", &format!("{{\"text\":\"{n}\"}}"))]));
    let scene = Scene::new(turns, 4).await;
    let error = scene.run(&Toolbox::new([echo()])).await.unwrap_err();
    assert!(matches!(error, TurnError::TooManyTurns(4)), "{error}");
    assert_eq!(scene.model.requests.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_model_that_repeats_itself_is_told_and_then_stopped() {
    let scene = Scene::new([asks(&[("echo", r#"{"text":"x"}"#)])], 50).await;
    let error = scene
        .run(&Toolbox::new([echo()]))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("echo 5 times") && error.contains("no progress"),
        "{error}"
    );
    let last = scene.asked(4).pop().unwrap();
    assert!(
        last["content"]
            .as_str()
            .unwrap()
            .contains("4 times in a row"),
        "{last}"
    );
}

#[tokio::test]
async fn a_sub_agent_works_on_its_own_and_shares_the_limit() {
    let task = r#"{"agent":"tester","task":"test it"}"#;
    let answers = [
        asks(&[("delegate_task", task)]),
        asks(&[("echo", r#"{"text":"checked"}"#)]),
        says("All green."),
        says("It works."),
    ];
    let scene = Scene::new(answers, 4).await;
    let sub_agents = vec![ReadySubAgent {
        name: "tester".to_owned(),
        description: "Tests.".to_owned(),
        instructions: "Test everything.".to_owned(),
        tools: Toolbox::new([echo()]),
    }];
    let delegate = Arc::new(Delegate::to(sub_agents, &scene.context).unwrap()) as Arc<dyn Tool>;
    assert_eq!(
        scene.run(&Toolbox::new([delegate])).await.unwrap(),
        "It works."
    );
    let asked = scene.asked(1);
    assert_eq!(
        (asked.len(), &asked[0]["content"], &asked[1]["content"]),
        (2, &json!("Test everything."), &json!("test it"))
    );
    assert_eq!(scene.asked(3)[2]["content"], "All green.");
    assert!(
        scene.context.budget.take().is_err(),
        "four requests were allowed and made"
    );
    let status = scene.status().await;
    let execution = &status.sub_agent_executions[0];
    assert_eq!(
        (
            execution.name.as_str(),
            execution.input.as_str(),
            execution.output.as_str()
        ),
        ("tester", "test it", "All green.")
    );
    let groups = status.tool_calls.iter().map(|call| {
        let shown = call.component_metadata.as_ref().unwrap();
        (call.name.as_str(), shown.component_group.as_str())
    });
    assert_eq!(
        groups.collect::<Vec<_>>(),
        [
            ("delegate_task", "main-agent-tools"),
            ("echo", "sub-agent-tools")
        ]
    );
    assert_eq!(status.messages.len(), 3, "{:?}", status.messages);
}
