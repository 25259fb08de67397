//! The server refuses one of several resources.

use std::fs;

use stigmer_api::{ApiResourceKind, workflow::Workflow};
use stigmer_e2e::harness::{CliOutput, Project, story};

use crate::then::{self, Applied};

/// The table of an apply that failed: name, status, id.
fn rows(output: &CliOutput) -> Result<Vec<[String; 3]>, stigmer_e2e::harness::Broken> {
    let table = output.table()?;
    let row = |cells: Vec<String>| [cells[1].clone(), cells[2].clone(), cells[3].clone()];
    Ok(table.rows.into_iter().map(row).collect())
}

#[test]
fn app_18_a_refused_resource_is_named_with_what_was_deployed_before_it() {
    story(async |t| {
        let env = t.environment().without_agent_runner().start().await?;
        let project = Project::template(&t, "partly-refused")?;
        t.step("apply three resources of which the second cannot be");
        let output = project.cli(&env).args(["apply"]).run().await?;
        output
            .exited_with(1)?
            .does_not_say("Deployment successful")?;
        let errors = output.error_lines();
        assert!(
            errors[0].starts_with("Error: failed to deploy workflow 'second': ")
                && errors[0].contains("nowhere"),
            "{errors:?}"
        );
        let table = rows(&output)?;
        let known = table
            .iter()
            .map(|[name, status, _]| (name.as_str(), status.as_str()));
        assert_eq!(
            known.collect::<Vec<_>>(),
            [
                ("first", "✓ Created"),
                ("second", "✗ Failed"),
                ("third", "- Skipped")
            ]
        );
        assert_eq!(env.store().count(ApiResourceKind::Agent)?, 1);
        assert_eq!(env.store().count(ApiResourceKind::Workflow)?, 0);
        let first = table[0][2].clone();

        t.step("correct the program and apply it again");
        let source = project.directory().join("src/main.rs");
        let program = fs::read_to_string(&source)?;
        fs::write(&source, program.replace("\"nowhere\"", "\"begin\""))?;
        let output = project.cli(&env).args(["apply"]).run().await?;
        let rows = then::applied(&env, &output).await?;
        assert_eq!(
            rows.iter().map(Applied::known).collect::<Vec<_>>(),
            [
                ("Agent", "first", "✓ Unchanged"),
                ("Workflow", "second", "✓ Created"),
                ("Workflow", "third", "✓ Created")
            ]
        );
        assert_eq!(
            rows[0].id, first,
            "what was deployed before is another one now"
        );
        env.api().by_slug::<Workflow>("second").await?;
        Ok(())
    });
}
