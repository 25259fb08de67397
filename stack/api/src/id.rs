//! Resource ids: `<prefix>-<ulid>`, the ULID in lower case.

use ulid::Ulid;

use crate::{ApiResourceKind, kind};

/// A new id of `kind`, ordered by creation time to the millisecond.
pub fn new_id(kind: ApiResourceKind) -> String {
    format!(
        "{}-{}",
        kind::meta(kind).id_prefix,
        Ulid::generate().to_string().to_lowercase()
    )
}

/// Whether `text` is an id of `kind`: its prefix, a hyphen, and 26 lower-case ULID characters.
pub fn is_id(kind: ApiResourceKind, text: &str) -> bool {
    let Some(ulid) = text
        .strip_prefix(kind::meta(kind).id_prefix.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
    else {
        return false;
    };
    ulid.len() == 26
        && ulid
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        && Ulid::from_string(ulid).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_recognised_and_differ() {
        let (a, b) = (
            new_id(ApiResourceKind::Agent),
            new_id(ApiResourceKind::Agent),
        );
        assert!(is_id(ApiResourceKind::Agent, &a), "{a}");
        assert_ne!(a, b);
    }

    #[test]
    fn other_shapes_are_not_ids() {
        for text in [
            "agt_01arz3ndektsv4rrffq69g5fav",
            "agt-01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "agt-1",
            "code-reviewer",
            "",
        ] {
            assert!(!is_id(ApiResourceKind::Agent, text), "{text}");
        }
        assert!(!is_id(
            ApiResourceKind::Workflow,
            &new_id(ApiResourceKind::Agent)
        ));
    }
}
