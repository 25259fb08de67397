//! What the program says is what is applied: order, number, and texts, with and without a server.

use std::{collections::BTreeMap, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_api::{Resource, agent::Agent, slug::MAX_NAME_LEN};
use stigmer_e2e::harness::{Project, story};

use crate::then;

#[test]
fn app_12_a_dry_run_needs_no_server_starts_none_and_touches_nothing_else() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let project = Project::fixture(&t, "01-basic-agent")?;
        t.step("look at every file, then do a dry run with the server");
        let places = [
            project.directory().to_owned(),
            env.home(),
            env.folder().join("work"),
            t.session().root.join("fixtures"),
        ];
        let before = files(&places)?;
        let with_server = project.cli(&env).args(["apply", "--dry-run"]).run().await?;
        then::dry_run(&env, &with_server)?;
        t.step("stop the server");
        env.server().stop().await?;
        t.step("the same dry run without a server");
        let without = project.cli(&env).args(["apply", "--dry-run"]).run().await?;
        then::dry_run(&env, &without)?;
        assert_eq!(without.stdout, with_server.stdout);
        let own_output = project.directory().join(".stigmer");
        let after = files(&places)?;
        let changed = changes(&before, &after);
        let elsewhere = changed
            .iter()
            .filter(|path| !path.starts_with(&own_output))
            .collect::<Vec<_>>();
        assert!(elsewhere.is_empty(), "the dry run touched {elsewhere:?}");
        // That no server was started is shown by teardown: it would be a leftover of this test.
        assert!(!env.home().join(".stigmer/data/daemon.pid").exists());
        Ok(())
    });
}

/// Every file below `places` with what tells a change: its length and its time.
fn files(places: &[Utf8PathBuf]) -> std::io::Result<BTreeMap<Utf8PathBuf, (u64, SystemTime)>> {
    let mut found = BTreeMap::new();
    let mut folders = places.to_vec();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path().to_owned());
            } else {
                found.insert(
                    entry.path().to_owned(),
                    (metadata.len(), metadata.modified()?),
                );
            }
        }
    }
    Ok(found)
}

fn changes<'a, T: PartialEq>(
    before: &'a BTreeMap<Utf8PathBuf, T>,
    after: &'a BTreeMap<Utf8PathBuf, T>,
) -> Vec<&'a Utf8Path> {
    let changed = |a: &'a BTreeMap<Utf8PathBuf, T>, b: &'a BTreeMap<Utf8PathBuf, T>| {
        a.iter()
            .filter(|(path, state)| b.get(*path) != Some(state))
            .map(|(path, _)| path.as_path())
            .collect::<Vec<_>>()
    };
    let mut all = changed(before, after);
    all.extend(changed(after, before));
    all.sort();
    all.dedup();
    all
}

#[test]
fn app_17_twelve_agents_come_in_the_order_of_the_program() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        // Neither sorted by name nor by file name, where 10 comes before 2.
        let names = ["m", "a", "z", "c", "b", "y", "k", "x", "d", "j", "w", "e"];
        let agents = names.map(|name| (name, "", "Answer in one short sentence."));
        let output = Project::with_agents(&t, &agents)?
            .cli(&env)
            .args(["apply"])
            .run()
            .await?;
        let rows = then::applied(&env, &output).await?;
        assert_eq!(
            rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
            names
        );
        Ok(())
    });
}

#[test]
fn app_21_long_names_and_texts_of_any_script_survive_byte_for_byte() {
    story(async |t| {
        let env = t.environment().without_runners().start().await?;
        let longest = "n".repeat(MAX_NAME_LEN);
        let emoji = "Reviews 👩‍💻 code 🚀 with care ✨";
        let right_to_left = "سلام — שלום \u{202e}reversed\u{202c} end";
        let long = "Line one.\n\tLine \"two\" \\ three.\r\n".repeat(2048);
        let long = &long[..64 * 1024];
        let agents = [
            (longest.as_str(), emoji, "Answer in one short sentence."),
            ("scripts", right_to_left, long),
        ];
        let output = Project::with_agents(&t, &agents)?
            .cli(&env)
            .args(["apply"])
            .run()
            .await?;
        let rows = then::applied(&env, &output).await?;
        assert_eq!(rows.len(), agents.len());
        for (row, (name, description, instructions)) in rows.iter().zip(agents) {
            assert_eq!(row.name, name);
            let agent: Agent = env.api().get(&row.id).await?;
            assert_eq!(agent.slug(), name);
            let spec = agent.spec.unwrap_or_default();
            assert_eq!(spec.description, description);
            assert!(
                spec.instructions == instructions,
                "the instructions of {name} changed on the way"
            );
        }
        Ok(())
    });
}
