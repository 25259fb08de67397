//! gRPC paths. Every kind has a command and a query controller whose methods are called alike, so a
//! path follows from the kind.

use stigmer_api::Resource;
use tonic::codegen::http::uri::PathAndQuery;

/// The path of `method` on the service that changes resources of kind `R`.
pub fn command<R: Resource>(method: &str) -> PathAndQuery {
    path::<R>("Command", method)
}

/// The path of `method` on the service that reads resources of kind `R`.
pub fn query<R: Resource>(method: &str) -> PathAndQuery {
    path::<R>("Query", method)
}

fn path<R: Resource>(side: &str, method: &str) -> PathAndQuery {
    let descriptor = R::default().descriptor();
    let (package, kind) = (descriptor.package_name(), descriptor.name());
    // Identifiers, dots, and slashes make a path.
    format!("/{package}.{kind}{side}Controller/{method}")
        .parse()
        .expect("a gRPC path")
}

#[cfg(test)]
mod tests {
    use prost_reflect::ServiceDescriptor;
    use stigmer_api::{
        DESCRIPTORS, agent::Agent, agent_execution::AgentExecution, skill::Skill,
        workflow::Workflow, workflow_execution::WorkflowExecution,
    };

    use super::*;

    fn service(name: &str) -> Option<ServiceDescriptor> {
        DESCRIPTORS.services().find(|s| s.full_name() == name)
    }

    /// Whether the contract has the service and the method.
    fn exists(path: &PathAndQuery) -> bool {
        let (service_name, method) = path.as_str()[1..].split_once('/').unwrap();
        service(service_name).is_some_and(|s| s.methods().any(|m| m.name() == method))
    }

    #[test]
    fn every_path_that_is_called_is_in_the_contract() {
        let mut paths = vec![command::<Skill>("push")];
        for method in ["apply", "delete"] {
            paths.extend([command::<Agent>(method), command::<Workflow>(method)]);
        }
        for method in ["get", "getByReference", "list"] {
            paths.extend([query::<Agent>(method), query::<Workflow>(method)]);
        }
        for method in ["create", "updateStatus", "delete"] {
            paths.extend([
                command::<AgentExecution>(method),
                command::<WorkflowExecution>(method),
            ]);
        }
        for method in ["get", "list", "subscribe"] {
            paths.extend([
                query::<AgentExecution>(method),
                query::<WorkflowExecution>(method),
            ]);
        }
        for path in paths {
            assert!(exists(&path), "{path}");
        }
        assert!(!exists(&command::<Skill>("list")));
    }
}
