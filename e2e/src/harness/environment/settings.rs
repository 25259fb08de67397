//! What a child of a test sees of the outside: nothing but this list.

use std::net::SocketAddr;

use camino::{Utf8Path, Utf8PathBuf};
use stigmer_e2e_plan::Faults;

use crate::{harness::Test, session::Session, supervise::RUN_VARIABLE};

/// Marks every process of one test, next to the mark of its run.
pub const TEST_VARIABLE: &str = "STIGMER_E2E_TEST";

/// Variables as pairs of name and value.
pub(crate) type Variables = Vec<(String, String)>;

/// What every process of `test` gets: a private HOME, a plain locale, and the marks by which
/// leftovers are found.
pub(crate) fn common(test: &Test, home: &Utf8Path) -> Variables {
    let session = test.session();
    let mut variables = pairs([
        ("HOME", home.to_string()),
        ("LANG", "C.UTF-8".to_owned()),
        ("PATH", path(session)),
        (RUN_VARIABLE, session.run_id.clone()),
        (TEST_VARIABLE, test.name().to_owned()),
    ]);
    variables.extend(session.faults.iter().flat_map(Faults::variables));
    variables
}

/// What a developer's shell adds for the CLI: the Rust toolchain, offline.
pub(crate) fn developer(session: &Session) -> Variables {
    let user_home = std::env::home_dir()
        .and_then(|home| Utf8PathBuf::from_path_buf(home).ok())
        .unwrap_or_default();
    let own = |variable: &str| {
        std::env::var(variable)
            .ok()
            .filter(|value| !value.is_empty())
    };
    let mut variables = pairs([
        ("CARGO", session.cargo.to_string()),
        (
            "CARGO_HOME",
            own("CARGO_HOME").unwrap_or_else(|| user_home.join(".cargo").to_string()),
        ),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
        // Not where the workspace is compiled: its lock may be taken, and its packages have other
        // features.
        ("CARGO_TARGET_DIR", session.project_target.to_string()),
        ("CARGO_TERM_COLOR", "never".to_owned()),
        (
            "RUSTUP_HOME",
            own("RUSTUP_HOME").unwrap_or_else(|| user_home.join(".rustup").to_string()),
        ),
    ]);
    variables.extend(
        own("RUSTUP_TOOLCHAIN").map(|toolchain| ("RUSTUP_TOOLCHAIN".to_owned(), toolchain)),
    );
    variables
}

/// What every part of a stack gets: where its Temporal is, and how much it logs.
pub(crate) fn every_part(temporal: &str, namespace: &str) -> Variables {
    pairs([
        ("LOG_LEVEL", "info".to_owned()),
        ("RUST_BACKTRACE", "1".to_owned()),
        ("TEMPORAL_NAMESPACE", namespace.to_owned()),
        ("TEMPORAL_SERVICE_ADDRESS", temporal.to_owned()),
    ])
}

/// What the server gets: where it is to listen, and its files in `folder`.
pub(crate) fn server(folder: &Utf8Path, socket: SocketAddr) -> Variables {
    pairs([
        ("GRPC_HOST", socket.ip().to_string()),
        ("GRPC_PORT", socket.port().to_string()),
        ("DB_PATH", folder.join("data/stigmer.db").to_string()),
        ("STORAGE_PATH", folder.join("data/storage").to_string()),
    ])
}

/// What every runner gets: where the server is, or will be in a moment.
pub(crate) fn runner(server: SocketAddr) -> Variables {
    pairs([("STIGMER_BACKEND_ENDPOINT", server.to_string())])
}

/// `variables` with each of `overrides` in place of one of the same name.
pub(crate) fn overridden(mut variables: Variables, overrides: &[(String, String)]) -> Variables {
    for (name, value) in overrides {
        variables.retain(|(other, _)| other != name);
        variables.push((name.clone(), value.clone()));
    }
    variables
}

pub(crate) fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Variables {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The pinned cargo first, then what the user has: compilers and linkers stay the user's.
fn path(session: &Session) -> String {
    let inherited = std::env::var("PATH").unwrap_or_default();
    match session.cargo.parent() {
        Some(folder) => format!("{folder}:{inherited}"),
        None => inherited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_replaces_and_never_repeats_a_variable() {
        let variables = pairs([("A", "1".to_owned()), ("B", "2".to_owned())]);
        let variables = overridden(
            variables,
            &pairs([("A", "3".to_owned()), ("C", "4".to_owned())]),
        );
        assert_eq!(
            variables,
            pairs([
                ("B", "2".to_owned()),
                ("A", "3".to_owned()),
                ("C", "4".to_owned())
            ])
        );
    }
}
