//! What a test that only reads must not do. It has to fail, and runs only when it is named whole.

use serde_json::Value;
use stigmer_api::ApiResourceKind;
use stigmer_e2e::harness::story;

use super::kind::{Kind, id_of};

#[test]
#[ignore = "it has to fail: ext_08 looks at how it does"]
fn specimen_deletes_what_is_not_its_own() {
    story(async |t| {
        let server = t.given_server()?;
        let agents = Kind::of(ApiResourceKind::Agent)
            .listed(server.api())
            .await?;
        for id in agents.iter().map(id_of) {
            t.step(format!("delete {id}"));
            server.cli().args(["agent", "delete", id]).run().await?;
        }
        t.fact("agents", Value::from(agents.len()));
        Ok(())
    });
}
