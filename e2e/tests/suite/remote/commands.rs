//! The commands of `stigmer` that only look.

use serde_json::Value;
use stigmer_api::{ApiResourceKind, id::new_id};
use stigmer_e2e::harness::{CheckError, CliOutput, GivenServer, Probe, budget::WF, story};

use super::kind::{Kind, id_of};

async fn run(server: &GivenServer, words: &[&str]) -> Result<CliOutput, CheckError> {
    Ok(server.cli().args(words.iter().copied()).run().await?)
}

async fn json(server: &GivenServer, words: &[&str]) -> Result<Value, CheckError> {
    let output = run(server, &[words, &["--output", "json"]].concat()).await?;
    output.exited_with(0)?;
    Ok(output.json()?)
}

/// The ids of the rows in `report[list]`, sorted.
fn shown(report: &Value, list: &str) -> Vec<String> {
    let rows = report[list].as_array().into_iter().flatten();
    let mut ids: Vec<_> = rows
        .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn ext_08_the_command_line_lists_what_the_api_lists_and_shows_one_of_it() {
    story(async |t| {
        let server = t.given_server()?;
        for (number, word, list) in [
            (ApiResourceKind::Agent, "agent", "agents"),
            (ApiResourceKind::Workflow, "workflow", "workflows"),
        ] {
            let kind = Kind::of(number);
            t.step(format!("list {list}, by command and by call"));
            let what = format!("the command lists the {list} that the API lists");
            let ids = t
                .eventually(what, WF, async || {
                    let look = async || {
                        let report = json(&server, &[word, "list"]).await?;
                        Ok::<_, CheckError>((report, kind.listed(server.api()).await?))
                    };
                    match look().await {
                        Ok((report, listed)) => {
                            let listed: Vec<_> =
                                listed.iter().map(|it| id_of(it).to_owned()).collect();
                            let shown = shown(&report, list);
                            match listed.iter().all(|id| shown.contains(id)) {
                                true => Probe::Done(listed),
                                false => Probe::NotYet(format!("{shown:?} and {listed:?}")),
                            }
                        }
                        Err(error) => Probe::NotYet(error.to_string()),
                    }
                })
                .await?;
            run(&server, &[word, "list"]).await?.exited_with(0)?;
            t.fact(list, ids.len());
            if let Some(id) = ids.first() {
                assert_eq!(id_of(&json(&server, &[word, "get", id]).await?), id);
            }
        }
        t.step("list executions of both kinds, and show the latest");
        let report = json(&server, &["execution", "list", "--limit", "3"]).await?;
        let latest = shown(&report, "executions");
        t.fact("executions", report["total"].clone());
        assert!(latest.len() <= 3, "more than asked for: {latest:?}");
        if let Some(id) = latest.first() {
            assert_eq!(id_of(&json(&server, &["execution", "get", id]).await?), id);
        }
        Ok(())
    });
}

#[test]
fn ext_08_exit_codes_tell_a_server_that_runs_and_a_record_that_is_not_there() {
    story(async |t| {
        let server = t.given_server()?;
        let status = json(&server, &["server", "status"]).await?;
        assert_eq!(status["state"], "running");
        assert_eq!(status["temporal"]["connected"], true);
        for (number, word) in [
            (ApiResourceKind::Agent, "agent"),
            (ApiResourceKind::Workflow, "workflow"),
            (ApiResourceKind::AgentExecution, "execution"),
        ] {
            let nobody = new_id(number);
            let output = run(&server, &[word, "get", &nobody]).await?;
            output.exited_with(1)?.says(&nobody)?;
        }
        Ok(())
    });
}
