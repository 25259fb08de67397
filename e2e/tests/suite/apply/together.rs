//! Several people apply to one server at the same time.

use std::collections::BTreeSet;

use stigmer_api::ApiResourceKind;
use stigmer_e2e::harness::{CheckError, story};

use crate::fixture::Deployed;

#[test]
fn app_20_four_applies_at_the_same_time_store_the_union() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        // No name is in two of them.
        let projects = ["01", "07", "13", "16"];
        let applies = projects.map(|id| Deployed::apply(&t, &env, id));
        let deployed = futures_util::future::join_all(applies).await;
        let deployed = deployed
            .into_iter()
            .collect::<Result<Vec<_>, CheckError>>()?;
        let rows = deployed.iter().flat_map(|one| &one.rows);
        let ids = rows.clone().map(|row| &row.id).collect::<BTreeSet<_>>();
        assert_eq!((rows.count(), ids.len()), (6, 6));
        for (kind, count) in [
            (ApiResourceKind::Agent, 3),
            (ApiResourceKind::AgentInstance, 3),
            (ApiResourceKind::Workflow, 3),
            (ApiResourceKind::WorkflowInstance, 3),
        ] {
            assert_eq!(env.store().count(kind)?, count, "{kind:?}");
        }
        Ok(())
    });
}
