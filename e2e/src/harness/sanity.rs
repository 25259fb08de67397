//! What the server said it had taken must outlive it: it is killed as a crash would, started again on
//! the same data, and asked for everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::{
    Environment,
    api::{Acknowledged, dynamic},
    budget::CALL,
};

/// How many resources are asked for at a time.
const AT_ONCE: usize = 16;

/// A phase that nothing changes any more.
const OVER: [&str; 3] = [
    "EXECUTION_COMPLETED",
    "EXECUTION_FAILED",
    "EXECUTION_CANCELLED",
];

type Answers = BTreeMap<Acknowledged, Result<Value, Status>>;

/// Kills the server of `environment`, starts it again, and compares what it says of every resource
/// that a call of the test was acknowledged for, or that the store has. The runners have to be stopped
/// by then. Each returned line is something that was lost or changed.
pub(super) async fn check(environment: &Environment) -> Vec<String> {
    match restart_and_compare(environment).await {
        Ok(findings) => findings,
        Err(error) => vec![format!("the sanity restart could not be done: {error:#}")],
    }
}

async fn restart_and_compare(environment: &Environment) -> anyhow::Result<Vec<String>> {
    let server = environment.server();
    let known = environment.api().acknowledged();
    let resources = known.into_iter().chain(environment.store().resources()?);
    let resources: BTreeSet<_> = resources.collect();
    let before = ask(&server.address(), &resources).await?;
    server.kill9().await?;
    server.start_again().await?;
    let after = ask(&server.address(), &resources).await?;
    Ok(differences(&before, &after))
}

async fn ask(address: &str, resources: &BTreeSet<Acknowledged>) -> anyhow::Result<Answers> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?
        .timeout(CALL.limit)
        .connect_timeout(Duration::from_secs(1))
        .connect()
        .await?;
    let get = |resource: &Acknowledged| {
        let (channel, resource): (Channel, _) = (channel.clone(), resource.clone());
        async move {
            let answer = dynamic::get(&channel, &resource).await;
            (resource, answer)
        }
    };
    Ok(stream::iter(resources.iter().map(get))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await)
}

/// What is not as it was, one line each. What could not be read before need not be there afterwards.
fn differences(before: &Answers, after: &Answers) -> Vec<String> {
    let was = before
        .iter()
        .filter_map(|(resource, answer)| Some((resource, answer.as_ref().ok()?)));
    was.filter_map(|(resource, was)| {
        let Acknowledged { message, id } = resource;
        let what = match after.get(resource)? {
            Ok(is) if lasting(is, was) == lasting(was, was) => return None,
            Ok(is) => format!(
                "is changed: {}",
                first_difference("", &lasting(was, was), &lasting(is, was))
            ),
            Err(status) if status.code() == Code::NotFound => "is lost".to_owned(),
            Err(status) => format!("cannot be read: {status}"),
        };
        let name = message.rsplit('.').next().unwrap_or(message);
        Some(format!(
            "{name} {id} was acknowledged, and after kill -9 and a restart of the server it {what}"
        ))
    })
    .collect()
}

/// What a restart must not touch: all of `resource`, but the status of an execution that was not over
/// when it was `before`, since a server that starts brings those to their end.
fn lasting(resource: &Value, before: &Value) -> Value {
    let phase = before.pointer("/status/phase").and_then(Value::as_str);
    let mut lasting = resource.clone();
    if phase.is_some_and(|phase| !OVER.contains(&phase))
        && let Some(fields) = lasting.as_object_mut()
    {
        fields.remove("status");
    }
    lasting
}

/// The path of the first field that differs.
fn first_difference(path: &str, was: &Value, is: &Value) -> String {
    if let (Value::Object(was), Value::Object(is)) = (was, is) {
        let names: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        let null = Value::Null;
        for name in names {
            let (was, is) = (
                was.get(name).unwrap_or(&null),
                is.get(name).unwrap_or(&null),
            );
            if was != is {
                return first_difference(&format!("{path}.{name}"), was, is);
            }
        }
    }
    format!("{} was {was} and is {is}", path.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(answer: Result<Value, Status>) -> Answers {
        let resource = Acknowledged {
            message: "a.v1.Agent".to_owned(),
            id: "agt-1".to_owned(),
        };
        BTreeMap::from([(resource, answer)])
    }

    fn found(before: Value, after: Result<Value, Status>) -> Vec<String> {
        differences(&answers(Ok(before)), &answers(after))
    }

    #[test]
    fn what_is_lost_or_changed_is_named() {
        let agent = json!({"metadata": {"id": "agt-1"}, "spec": {"instructions": "Review."}});
        assert_eq!(found(agent.clone(), Ok(agent.clone())), [""; 0]);
        let lost = found(agent.clone(), Err(Status::not_found("none")));
        assert!(
            lost[0].starts_with("Agent agt-1 was acknowledged") && lost[0].ends_with("is lost")
        );
        let other = json!({"metadata": {"id": "agt-1"}, "spec": {"instructions": "Approve."}});
        let changed = found(agent, Ok(other));
        assert!(
            changed[0]
                .ends_with(r#"is changed: spec.instructions was "Review." and is "Approve.""#),
            "{changed:?}"
        );
    }

    #[test]
    fn only_an_execution_that_was_not_over_may_go_on() {
        let in_phase = |phase: &str| json!({"spec": {}, "status": {"phase": phase}});
        let failed = || Ok(in_phase("EXECUTION_FAILED"));
        assert_eq!(found(in_phase("EXECUTION_IN_PROGRESS"), failed()), [""; 0]);
        assert_eq!(found(in_phase("EXECUTION_COMPLETED"), failed()).len(), 1);
    }

    #[test]
    fn what_was_not_there_before_is_not_missed() {
        let gone = || Err(Status::not_found("none"));
        assert_eq!(differences(&answers(gone()), &answers(gone())), [""; 0]);
    }
}
