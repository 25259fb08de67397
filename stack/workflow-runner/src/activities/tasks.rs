//! The calls of tasks, as the interpreting workflow makes them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use stigmer_api::temporal_names::activity;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio_util::sync::CancellationToken;

use super::{agent, attend, failure::CallError, grpc, http::HttpCaller};
use crate::{
    backend::Backend,
    engine::{
        convert, document,
        model::{AgentCall, GrpcCall, HttpCall},
        secrets::Environment,
    },
    temporal::SLACK,
};

/// The activities and what they work with.
pub struct TaskActivities {
    backend: Backend,
    http: HttpCaller,
    stopping: CancellationToken,
}

/// Which workflow is to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadWorkflow {
    /// Its name or slug.
    pub name: String,
    /// The org it is looked for in.
    pub org: String,
}

/// A workflow to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadedWorkflow {
    /// Its document.
    pub yaml: String,
}

impl TaskActivities {
    /// Activities that look things up at `backend` and give up once `stopping` is cancelled.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(backend: Backend, stopping: CancellationToken) -> Result<Self, reqwest::Error> {
        Ok(Self {
            backend,
            http: HttpCaller::new()?,
            stopping,
        })
    }
}

#[activities]
impl TaskActivities {
    /// Sends an HTTP request.
    #[activity(name = activity::CALL_HTTP)]
    pub async fn call_http(
        self: Arc<Self>,
        ctx: ActivityContext,
        call: HttpCall,
        _input: Json,
        environment: Environment,
    ) -> Result<Json, ActivityError> {
        let shown = environment.mask(&call.endpoint.uri);
        let answer = async {
            let call = revealed(&call, &environment)?;
            self.http.call(&call, &shown, limit(&ctx)).await
        };
        attend::while_wanted(&ctx, &self.stopping, concealed(answer, &environment)).await
    }

    /// Calls a gRPC method.
    #[activity(name = activity::CALL_GRPC)]
    pub async fn call_grpc(
        self: Arc<Self>,
        ctx: ActivityContext,
        call: GrpcCall,
        _input: Json,
        environment: Environment,
    ) -> Result<Json, ActivityError> {
        let answer = async {
            let call = revealed(&call, &environment)?;
            grpc::call(&call, limit(&ctx)).await
        };
        attend::while_wanted(&ctx, &self.stopping, concealed(answer, &environment)).await
    }

    /// Has an agent answer; the server completes this activity with the answer.
    #[activity(name = activity::CALL_AGENT)]
    pub async fn call_agent(
        self: Arc<Self>,
        ctx: ActivityContext,
        call: AgentCall,
        _input: Json,
        environment: Environment,
    ) -> Result<Json, ActivityError> {
        let token = ctx.info().task_token.clone();
        let left = left(&ctx);
        match agent::call(&self.backend, &call, &environment, token, left).await {
            Ok(()) => Err(ActivityError::WillCompleteAsync),
            Err(error) => Err(error.into_activity_error(&environment)),
        }
    }

    /// The document of another workflow.
    #[activity(name = "stigmer/workflow/load")]
    pub async fn load_workflow(
        self: Arc<Self>,
        _ctx: ActivityContext,
        wanted: LoadWorkflow,
    ) -> Result<LoadedWorkflow, ActivityError> {
        let loaded = self.load(&wanted).await;
        loaded.map_err(|error| error.into_activity_error(&Environment::none()))
    }
}

impl TaskActivities {
    async fn load(&self, wanted: &LoadWorkflow) -> Result<LoadedWorkflow, CallError> {
        const KIND: &str = "RunWorkflow error";
        let fatal = |message: String| CallError::fatal(KIND, message);
        let workflow = self
            .backend
            .workflow_by_name(&wanted.name, &wanted.org)
            .await;
        let workflow = workflow
            .map_err(|error| fatal(format!("workflow '{}' not found: {error}", wanted.name)))?;
        let spec = workflow.spec.unwrap_or_default();
        let model = convert::workflow(&spec).map_err(|errors| {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            fatal(format!("workflow '{}' cannot be run: {first}", wanted.name))
        })?;
        let yaml = document::write(&model).map_err(|error| fatal(error.to_string()))?;
        Ok(LoadedWorkflow { yaml })
    }
}

/// The answer, or the error, without the values of secrets.
async fn concealed(
    answer: impl Future<Output = Result<Json, CallError>>,
    environment: &Environment,
) -> Result<Json, ActivityError> {
    let answer = answer
        .await
        .map_err(|error| error.into_activity_error(environment))?;
    Ok(environment.conceal(&answer))
}

/// A call with the values of its secrets, made just before it goes out.
fn revealed<T: Serialize + serde::de::DeserializeOwned>(
    call: &T,
    environment: &Environment,
) -> Result<T, CallError> {
    let json = serde_json::to_value(call)
        .and_then(|json| serde_json::from_value(environment.reveal(&json)));
    json.map_err(|error| {
        CallError::fatal(
            "Validation",
            format!("secrets do not fit the call: {error}"),
        )
    })
}

/// How long a call may take, so that it can still report why it failed.
fn limit(ctx: &ActivityContext) -> Duration {
    left(ctx)
        .saturating_sub(SLACK)
        .max(Duration::from_millis(1))
}

/// What is left until Temporal gives up.
fn left(ctx: &ActivityContext) -> Duration {
    const UNLIMITED: Duration = Duration::from_secs(5 * 60);
    ctx.info().deadline.map_or(UNLIMITED, |deadline| {
        deadline
            .duration_since(SystemTime::now())
            .unwrap_or_default()
    })
}
