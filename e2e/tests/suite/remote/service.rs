//! The server as a service: health, and what it says it offers.

use stigmer_e2e::{
    harness::story,
    services::{contract_services, offered_services, server_answers},
};

#[test]
fn ext_08_the_server_serves_with_its_temporal_and_names_every_service_of_the_contract() {
    story(async |t| {
        let server = t.given_server()?;
        server_answers(&server.address(), true).await?;
        let offered = offered_services(&server.address()).await?;
        let lacking: Vec<_> = contract_services().difference(&offered).cloned().collect();
        assert_eq!(lacking, Vec::<String>::new(), "not offered");
        t.fact("services", offered.len());
        Ok(())
    });
}
