//! The files that programs write for `stigmer apply`: whatever is in them, there is a resource that
//! keeps the rules of the contract, or an error in one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stigmer_api::{Resource, json::to_json, validate::validate};

fuzz_target!(|bytes: &[u8]| {
    check(stigmer_cli::parse_agent(bytes));
    check(stigmer_cli::parse_workflow(bytes));
});

fn check<R: Resource>(parsed: Result<R, String>) {
    match parsed {
        Ok(resource) => {
            assert!(
                validate(&resource).is_ok(),
                "it breaks rules of the contract"
            );
            // What was read can be sent, and arrives as it was.
            let sent = R::decode(resource.encode_to_vec().as_slice()).expect("it was read before");
            assert_eq!(to_json(&sent), to_json(&resource));
        }
        Err(error) => assert!(!error.trim().is_empty(), "an error without a text"),
    }
}
