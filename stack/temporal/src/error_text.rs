//! Errors of the transport as one readable line.

use std::error::Error;

use tonic::Status;

/// The error and its causes, joined by colons; a cause that repeats its parent is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The code and message of a gRPC status.
pub(crate) fn status(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to open the door")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_their_error_once() {
        assert_eq!(
            chain(&Outer(io::Error::other("no key"))),
            "failed to open the door: no key"
        );
        assert_eq!(chain(&io::Error::other("no key")), "no key");
    }

    #[test]
    fn a_status_shows_code_and_message() {
        assert_eq!(status(&Status::unavailable("gone")), "Unavailable: gone");
    }
}
