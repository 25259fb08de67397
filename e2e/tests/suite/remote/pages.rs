//! Lists come in pages.

use std::collections::BTreeSet;

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use stigmer_e2e::harness::{Answer, Api, Probe, budget::WF, story};

use super::kind::{Kind, asked, id_of, rows};

/// How many pages are asked for at most.
const PAGES: usize = 8;

fn ids(records: &[Value]) -> Vec<String> {
    records
        .iter()
        .map(|record| id_of(record).to_owned())
        .collect()
}

/// The ids of the first pages of `size`, in their order: by token or by number, as `list` has it.
async fn paged(api: &Api, list: &MethodDescriptor, size: usize) -> Answer<Vec<String>> {
    let has_token = list.input().get_field_by_name("page_token").is_some();
    let mut all: Vec<String> = Vec::new();
    for number in 1..=PAGES {
        let mut request = asked(list);
        request["pageSize"] = json!(size);
        match has_token {
            true => request["pageToken"] = json!(all.last().cloned().unwrap_or_default()),
            false => request["pageNumber"] = json!(number),
        }
        let page = ids(&rows(&api.call(list, &request).await?));
        let is_last = page.len() < size;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(all)
}

#[test]
fn ext_08_pages_follow_one_another_without_a_gap_and_without_a_record_twice() {
    story(async |t| {
        let server = t.given_server()?;
        let api = server.api();
        for kind in Kind::all() {
            let Some(list) = kind.method("list") else {
                continue;
            };
            let name = &kind.meta.name;
            t.step(format!("page through {name}"));
            // Others may change what is stored in between: then it is looked at once more.
            let what = format!("pages of {name} are together what is listed at once");
            let counted = t
                .eventually(what, WF, async || {
                    let look = async || {
                        let whole = ids(&kind.listed(api).await?);
                        let size = whole.len().div_ceil(3).max(1);
                        Ok::<_, stigmer_e2e::harness::CallError>((
                            whole,
                            paged(api, &list, size).await?,
                        ))
                    };
                    match look().await {
                        Ok((whole, pages)) if pages.starts_with(&whole) => Probe::Done(pages),
                        Ok((whole, pages)) => Probe::NotYet(format!("{whole:?} and {pages:?}")),
                        Err(error) => Probe::NotYet(error.to_string()),
                    }
                })
                .await?;
            let distinct: BTreeSet<_> = counted.iter().collect();
            assert_eq!(distinct.len(), counted.len(), "a {name} came twice");
            t.fact(&format!("{name}: paged"), counted.len());
        }
        Ok(())
    });
}
