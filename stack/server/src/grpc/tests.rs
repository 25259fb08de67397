use std::time::Duration;

use stigmer_api::{
    ApiResourceDeleteInput, ApiResourceMetadata, Resource as _,
    agent::{
        Agent, AgentId, AgentSpec, agent_command_controller_client::AgentCommandControllerClient,
        agent_query_controller_client::AgentQueryControllerClient,
    },
    execution_context::{
        ExecutionContext, ExecutionContextSpec,
        execution_context_command_controller_client::ExecutionContextCommandControllerClient,
    },
    skill,
    workflow_runner::{
        WorkflowExecuteInput,
        workflow_runner_service_controller_client::WorkflowRunnerServiceControllerClient,
    },
};
use tokio::{task::JoinHandle, time::timeout};
use tonic::{Code, Request, transport::Channel};

use super::*;
use crate::testing::TestState;

const LIMIT: Duration = Duration::from_secs(10);

/// A server on a port of its own, without Temporal.
struct Bench {
    channel: Channel,
    stopping: CancellationToken,
    serving: JoinHandle<Result<(), transport::Error>>,
    _test: TestState,
}

impl Bench {
    async fn new() -> Self {
        let test = TestState::new();
        let (state, stopping) = (test.state.clone(), test.state.stopping.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let health = HealthReporter::new();
        let serving = serve(state, health, listener, stopping.clone()).expect("it serves");
        let serving = tokio::spawn(serving);
        let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
        let channel = endpoint.connect().await.expect("the server listens");
        Self {
            channel,
            stopping,
            serving,
            _test: test,
        }
    }

    fn agents(&self) -> AgentCommandControllerClient<Channel> {
        AgentCommandControllerClient::new(self.channel.clone())
    }
}

fn agent(instructions: String) -> Agent {
    let mut agent = Agent::envelope();
    agent.metadata = Some(ApiResourceMetadata {
        name: "reviewer".to_owned(),
        owner_scope: 2,
        ..Default::default()
    });
    agent.spec = Some(AgentSpec {
        instructions,
        ..Default::default()
    });
    agent
}

#[tokio::test]
async fn a_mebibyte_of_text_survives_the_round_trip() {
    let bench = Bench::new().await;
    let request = agent("🙂".repeat(1 << 18));
    let stored = bench
        .agents()
        .apply(request.clone())
        .await
        .unwrap()
        .into_inner();
    let id = AgentId {
        value: stored.id().to_owned(),
    };
    let mut queries = AgentQueryControllerClient::new(bench.channel.clone());
    let read = queries.get(id).await.unwrap().into_inner();
    assert_eq!(read.spec, request.spec);
}

#[tokio::test]
async fn what_is_too_large_exhausts_a_resource() {
    let bench = Bench::new().await;
    let status = bench
        .agents()
        .apply(agent("x".repeat(11 << 20)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    // The connection is still good.
    bench
        .agents()
        .apply(agent("Review the code.".to_owned()))
        .await
        .unwrap();
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_an_invalid_argument_that_names_the_field() {
    let bench = Bench::new().await;
    // Bytes where an agent has text: the first field of both messages.
    let message = skill::GetArtifactResponse {
        artifact: b"\xff\xfe".to_vec(),
    };
    let path = "/ai.stigmer.agentic.agent.v1.AgentCommandController/create";
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(path);
    let codec = tonic_prost::ProstCodec::<skill::GetArtifactResponse, Agent>::default();
    let mut grpc = tonic::client::Grpc::new(bench.channel.clone());
    grpc.ready().await.unwrap();
    let status = grpc
        .unary(Request::new(message), path, codec)
        .await
        .unwrap_err();
    assert!(status.message().contains("api_version"), "{status:?}");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
}

#[tokio::test]
async fn a_service_without_an_implementation_is_unimplemented() {
    let bench = Bench::new().await;
    let mut runner = WorkflowRunnerServiceControllerClient::new(bench.channel.clone());
    let status = runner
        .execute_async(WorkflowExecuteInput::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_open_connection_does_not_hold_up_the_stop() {
    let bench = Bench::new().await;
    bench
        .agents()
        .apply(agent("Review the code.".to_owned()))
        .await
        .unwrap();
    bench.stopping.cancel();
    timeout(LIMIT, bench.serving)
        .await
        .expect("it stops")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_execution_context_is_written_once() {
    let bench = Bench::new().await;
    let mut context = ExecutionContext::envelope();
    context.metadata_mut().name = "context".to_owned();
    context.spec = Some(ExecutionContextSpec {
        execution_id: "aex-1".to_owned(),
        ..Default::default()
    });
    let mut commands = ExecutionContextCommandControllerClient::new(bench.channel.clone());
    let stored = commands.apply(context.clone()).await.unwrap().into_inner();
    let status = commands.apply(context).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists, "{status:?}");
    let input = ApiResourceDeleteInput {
        resource_id: stored.id().to_owned(),
        ..Default::default()
    };
    assert_eq!(commands.delete(input).await.unwrap().into_inner(), stored);
}
