//! What is not there, and what cannot be.

use serde_json::json;
use stigmer_api::id::new_id;
use stigmer_e2e::{ensure, harness::story};
use tonic::Code;

use super::kind::{Kind, asked};

#[test]
fn ext_08_an_id_that_nothing_has_is_not_found_and_none_at_all_is_invalid() {
    story(async |t| {
        let server = t.given_server()?;
        for kind in Kind::all() {
            let name = &kind.meta.name;
            for (id, code) in [
                // An id is random enough to be nobody's.
                (new_id(kind.number), Code::NotFound),
                (String::new(), Code::InvalidArgument),
            ] {
                let error = kind.read(server.api(), &id).await.err();
                let answered = error.as_ref().map(|error| error.code());
                ensure!(
                    answered == Some(code),
                    "{name} {id:?}: {error:?} instead of {code:?}"
                );
            }
        }
        Ok(())
    });
}

#[test]
fn ext_08_a_page_that_cannot_be_is_refused() {
    story(async |t| {
        let server = t.given_server()?;
        for kind in Kind::all() {
            let Some(list) = kind.method("list") else {
                continue;
            };
            let mut request = asked(&list);
            request["pageSize"] = json!(-1);
            let error = server.api().call(&list, &request).await.err();
            let answered = error.as_ref().map(|error| error.code());
            let name = &kind.meta.name;
            ensure!(
                answered == Some(Code::InvalidArgument),
                "{name}: a page of -1: {error:?}"
            );
        }
        Ok(())
    });
}
