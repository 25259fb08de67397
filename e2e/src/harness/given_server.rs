//! A server of somebody else, to be asked and never changed: whatever a test sends to it passes a link
//! that lets reading calls through and nothing else, and anything else that was tried fails the test.

use std::{io, sync::Arc};

use super::{Api, Broken, Cli, Link, Test};

/// Whether a call of `method` (`package.Service/Method`) changes nothing: the query side of a kind,
/// health, and reflection.
pub fn only_reads(method: &str) -> bool {
    let service = method.rsplit_once('/').map_or("", |(service, _)| service);
    service.ends_with("QueryController")
        || service == "grpc.health.v1.Health"
        || service.starts_with("grpc.reflection.")
}

/// The server that was given to the run. Clones are handles of the same one.
#[derive(Clone)]
pub struct GivenServer(Arc<Inner>);

struct Inner {
    test: Test,
    link: Link,
    api: Api,
}

impl Test {
    /// The server that was given to the run with `--server`; in a session that `up` left, the server that
    /// is up.
    ///
    /// # Errors
    ///
    /// When there is none, or the system has no sockets left.
    pub fn given_server(&self) -> Result<GivenServer, Broken> {
        let session = self.session();
        let up = session.playground.as_ref().map(|it| it.server.as_str());
        let given = session.server.as_ref().map(|it| it.as_str());
        let address = given.or(up).ok_or_else(|| {
            Broken("no server was given; run it with --server <host>:<port>".to_owned())
        })?;
        let way = || -> io::Result<Link> {
            let link = Link::of_calls_to(address)?;
            link.calls().only(only_reads);
            link.restore()?;
            Ok(link)
        };
        let link = way().map_err(|error| Broken(format!("no way to {address}: {error}")))?;
        let server = GivenServer(Arc::new(Inner {
            test: self.clone(),
            api: Api::new(&link.address(), self.grpc_journal()),
            link,
        }));
        self.fact("server", address);
        self.begin_body();
        self.keep_given_server(&server);
        Ok(server)
    }
}

impl GivenServer {
    /// Where it is reached by who only reads, `host:port`.
    pub fn address(&self) -> String {
        self.0.link.address()
    }

    /// Its gRPC API.
    pub fn api(&self) -> &Api {
        &self.0.api
    }

    /// The CLI, pointed at it.
    pub fn cli(&self) -> Cli {
        self.0.test.cli().env("STIGMER_SERVER_ADDR", self.address())
    }

    /// The calls that were tried and do not only read, one line each.
    pub(super) fn complaints(&self) -> Vec<String> {
        let forbidden = self.0.link.calls().forbidden().into_iter();
        let told =
            |method| format!("a call that does not only read was kept from the server: {method}");
        forbidden.map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use stigmer_api::DESCRIPTORS;

    use super::*;

    #[test]
    fn no_method_passes_that_creates_changes_or_deletes() {
        const READING: [&str; 4] = ["get", "list", "subscribe", "find"];
        for method in DESCRIPTORS
            .services()
            .flat_map(|it| it.methods().collect::<Vec<_>>())
        {
            let path = format!("{}/{}", method.parent_service().full_name(), method.name());
            let reads = READING.iter().any(|verb| method.name().starts_with(verb));
            let is_contracts = path.contains("Controller/");
            assert_eq!(only_reads(&path), reads && is_contracts, "{path}");
        }
        assert!(only_reads("grpc.health.v1.Health/Check"));
        assert!(only_reads(
            "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        ));
        assert!(
            !only_reads("temporal.api.workflowservice.v1.WorkflowService/Start") && !only_reads("")
        );
    }
}
