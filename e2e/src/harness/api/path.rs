//! gRPC paths, derived from the resource's own package and name: every kind has a command and a
//! query controller with the same method names.

use prost_reflect::ReflectMessage;
use stigmer_api::Resource;

/// `/<package>.<Kind>CommandController/<method>`.
pub(super) fn command<R: Resource>(method: &str) -> String {
    path::<R>("Command", method)
}

/// `/<package>.<Kind>QueryController/<method>`.
pub(super) fn query<R: Resource>(method: &str) -> String {
    path::<R>("Query", method)
}

fn path<R: ReflectMessage + Default>(side: &str, method: &str) -> String {
    let descriptor = R::default().descriptor();
    format!(
        "/{}.{}{side}Controller/{method}",
        descriptor.package_name(),
        descriptor.name()
    )
}

#[cfg(test)]
mod tests {
    use stigmer_api::{agent::Agent, agent_execution::AgentExecution};

    use super::*;

    #[test]
    fn paths_are_those_of_the_contract() {
        assert_eq!(
            command::<Agent>("apply"),
            "/ai.stigmer.agentic.agent.v1.AgentCommandController/apply"
        );
        assert_eq!(
            query::<AgentExecution>("subscribe"),
            "/ai.stigmer.agentic.agentexecution.v1.AgentExecutionQueryController/subscribe"
        );
    }
}
