//! Which call gets which answer. Pure; the server around it is `hub`.

use serde_json::json;

use super::{Call, Received, Response};

/// A call that has to come a number of times, and its answer.
#[derive(Clone, Debug)]
struct Expected {
    call: Call,
    response: Response,
    times: usize,
    came: usize,
}

/// The script of one hub.
#[derive(Debug, Default)]
pub(super) struct Script {
    expected: Vec<Expected>,
    always: Vec<(Call, Response)>,
    unexpected: Vec<String>,
    pub(super) received: Vec<Received>,
}

impl Script {
    pub(super) fn expect(&mut self, call: Call, times: usize, response: Response) {
        self.expected.push(Expected {
            call,
            response,
            times,
            came: 0,
        });
    }

    /// The last word on a call counts, so that a test can change its mind.
    pub(super) fn always(&mut self, call: Call, response: Response) {
        self.always.retain(|(other, _)| *other != call);
        self.always.push((call, response));
    }

    /// The answer to `received`: of the first expectation that fits and did not come often enough,
    /// else of one that fits always, else an error that will also fail the test.
    pub(super) fn response_to(&mut self, received: Received) -> Response {
        let open = self
            .expected
            .iter_mut()
            .find(|e| e.came < e.times && e.call.fits(&received));
        let response = match open {
            Some(expected) => {
                expected.came += 1;
                expected.response.clone()
            }
            None => match self.always.iter().find(|(call, _)| call.fits(&received)) {
                Some((_, response)) => response.clone(),
                None => {
                    self.unexpected.push(received.summary());
                    // Not a status that a runner would try again after.
                    Response::json(json!({"message": "the test expected no such request"}))
                        .with_status(404)
                }
            },
        };
        self.received.push(received);
        response
    }

    /// What a test must not end with: unexpected calls and unused expectations, one line each.
    pub(super) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        let unused = self.expected.iter().filter(|e| e.came < e.times);
        let unused = unused.map(|e| {
            format!(
                "the hub expected {} {} time(s), and it came {} time(s)",
                e.call, e.times, e.came
            )
        });
        (self.unexpected.clone(), unused.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::response::Kind, *};

    fn received(path: &str) -> Received {
        Received {
            number: 1,
            at: Default::default(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Default::default(),
            body: String::new(),
        }
    }

    fn status(response: &Response) -> u16 {
        match &response.kind {
            Kind::Whole(whole) => whole.status,
            other => panic!("no whole answer: {other:?}"),
        }
    }

    #[test]
    fn expectations_are_used_up_in_order_and_the_rest_is_unexpected() {
        let mut script = Script::default();
        script.expect(Call::get("/a"), 2, Response::status(201));
        script.expect(Call::get("/a"), 1, Response::status(202));
        let mut ask = |path: &str| status(&script.response_to(received(path)));
        assert_eq!(
            [ask("/a"), ask("/a"), ask("/a"), ask("/a"), ask("/b")],
            [201, 201, 202, 404, 404]
        );
        assert_eq!(
            script.complaints(),
            (vec!["GET /a".to_owned(), "GET /b".to_owned()], vec![])
        );
    }

    #[test]
    fn an_answer_for_always_may_stay_unused_and_may_be_replaced() {
        let mut script = Script::default();
        script.always(Call::get("/a"), Response::status(201));
        script.always(Call::get("/a"), Response::status(203));
        script.always(Call::get("/unused"), Response::status(204));
        assert_eq!(status(&script.response_to(received("/a"))), 203);
        assert_eq!(script.complaints(), (vec![], vec![]));
    }

    #[test]
    fn a_call_that_did_not_come_often_enough_is_a_complaint() {
        let mut script = Script::default();
        script.expect(Call::post("/x"), 2, Response::silence());
        let (unexpected, unused) = script.complaints();
        assert!(unexpected.is_empty());
        assert_eq!(
            unused,
            ["the hub expected POST /x 2 time(s), and it came 0 time(s)"]
        );
    }
}
