//! The test server as a service over streamable HTTP, inside of the test.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use rmcp::transport::{
    StreamableHttpServerConfig, StreamableHttpService,
    streamable_http_server::session::local::LocalSessionManager,
};
use stigmer_api::agent::{HttpServer, McpServerDefinition, mcp_server_definition::ServerType};
use tokio::{net::TcpListener, task::JoinHandle};

#[path = "../../../../fixtures/mcp-server/server.rs"]
mod server;

use server::Specimen;

/// A running service. Ends when dropped.
pub struct Service {
    url: String,
    seen: Seen,
    serving: JoinHandle<()>,
}

/// Query and header `x-api-key` of every request.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

impl Service {
    /// Listens on a free loopback port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/mcp", listener.local_addr()?);
        let seen = Seen::default();
        let service = StreamableHttpService::new(
            || Ok(Specimen::new(Arc::new(|_| None))),
            Arc::new(LocalSessionManager::default()),
            StreamableHttpServerConfig::default(),
        );
        let router = Router::new()
            .route_service("/mcp", service)
            .layer(from_fn_with_state(Arc::clone(&seen), look));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the MCP service ended: {error}");
            }
        });
        Ok(Self { url, seen, serving })
    }

    /// How an agent names it, with what it is to be sent.
    pub fn definition(&self, key: &str, query: (&str, &str)) -> McpServerDefinition {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        McpServerDefinition {
            name: "service".to_owned(),
            server_type: Some(ServerType::Http(HttpServer {
                url: self.url.clone(),
                headers: [pair("X-Api-Key", key)].into(),
                query_params: [pair(query.0, query.1)].into(),
                timeout_seconds: 10,
            })),
            ..Default::default()
        }
    }

    /// Query and header `x-api-key` of every request so far.
    pub fn seen(&self) -> Vec<(String, String)> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn look(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    let header = request.headers().get("x-api-key");
    let header = header.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((query, header.unwrap_or_default()));
    next.run(request).await
}
