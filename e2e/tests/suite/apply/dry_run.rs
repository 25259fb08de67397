//! What a dry run says, and that it does nothing.

use stigmer_e2e::harness::{Manifest, Project, Stage, story};

use crate::{fixture::resources, then};

#[test]
fn app_11_a_dry_run_tells_what_it_would_do_and_stores_nothing() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let manifest = Manifest::load(&t)?;
        for id in ["01", "07", "15"] {
            let fixture = manifest.fixture(id)?;
            t.step(format!("dry run of fixture {id}"));
            let project = Project::fixture(&t, fixture.project())?;
            let cli = project.cli(&env).args(["apply", "--dry-run"]);
            let rows = then::dry_run(&env, &cli.run().await?)?;
            let expected = resources(fixture).into_iter();
            let expected = expected.map(|(kind, name)| [kind, name, "Create"]);
            assert_eq!(rows, expected.collect::<Vec<_>>());
            t.covers(id, Stage::Synthesise);
            let stored = env.store().counts()?;
            assert!(stored.is_empty(), "the dry run stored {stored:?}");
        }
        Ok(())
    });
}
