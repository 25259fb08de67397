//! A `Stigmer.yaml` that cannot be used.

use stigmer_e2e::harness::{Project, story};

use super::complains;
use crate::then::Refusal;

const RUST: &str = "name: broken\nruntime: rust\n";

#[test]
fn err_05_a_project_file_that_is_none_is_named() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let cases = [
            ("missing", None),
            ("not-yaml", Some("name: [unclosed\n\t}: {")),
            ("a-list", Some("- name: broken\n- runtime: rust\n")),
            ("empty", Some("")),
        ];
        for (name, yaml) in cases {
            t.step(format!("Stigmer.yaml: {name}"));
            let project = Project::bare(&t, name, yaml)?;
            let output = project.cli(&env).args(["apply"]).run().await?;
            refusal.check(&output)?;
            complains(&output, "Stigmer.yaml")?;
        }
        Ok(())
    });
}

#[test]
fn err_06_a_missing_or_unsupported_key_is_named_with_what_is_supported() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        let cases: [(&str, &str, &[&str]); 4] = [
            ("no-name", "runtime: rust\n", &["'name'"]),
            ("empty-name", "name: \"\"\nruntime: rust\n", &["'name'"]),
            ("no-runtime", "name: broken\n", &["'runtime'"]),
            (
                "python",
                "name: broken\nruntime: python\n",
                &["unsupported runtime 'python'", "go, rust"],
            ),
        ];
        for (name, yaml, words) in cases {
            t.step(format!("Stigmer.yaml: {name}"));
            let project = Project::bare(&t, name, Some(yaml))?;
            let output = project.cli(&env).args(["apply"]).run().await?;
            refusal.check(&output)?;
            complains(&output, "Stigmer.yaml")?;
            for word in words {
                complains(&output, word)?;
            }
        }
        Ok(())
    });
}

#[test]
fn err_07_a_main_that_cannot_be_run_is_named() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let refusal = Refusal::expected(&env)?;
        for (name, main) in [
            ("missing-file", "src/nowhere.rs"),
            ("no-program", "notes.txt"),
            ("directory", "folder"),
        ] {
            t.step(format!("main: {main}"));
            let project = Project::bare(&t, name, Some(&format!("{RUST}main: {main}\n")))?;
            std::fs::write(project.directory().join("notes.txt"), "No program.\n")?;
            std::fs::create_dir(project.directory().join("folder"))?;
            let output = project.cli(&env).args(["apply"]).run().await?;
            refusal.check(&output)?;
            complains(&output, project.directory().join(main).as_str())?;
        }
        Ok(())
    });
}
