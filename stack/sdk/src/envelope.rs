//! What every resource carries beside its spec.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use stigmer_api::{ApiResourceMetadata, ApiResourceOwnerScope, slug};

use crate::ValidationError;

/// Metadata of a resource named `name`: slug, organization scope, and who made it when. The
/// organization itself is set by `stigmer apply`.
pub(crate) fn metadata(name: &str) -> ApiResourceMetadata {
    ApiResourceMetadata {
        name: name.to_owned(),
        slug: slug::from_author_name(name),
        owner_scope: ApiResourceOwnerScope::Organization.into(),
        annotations: annotations(),
        ..Default::default()
    }
}

fn annotations() -> HashMap<String, String> {
    // A clock before 1970 is no reason to refuse the program.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    HashMap::from([
        ("stigmer.ai/sdk.language".to_owned(), "rust".to_owned()),
        (
            "stigmer.ai/sdk.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
        ("stigmer.ai/sdk.generated-at".to_owned(), now.to_string()),
    ])
}

/// Whether a resource may be called `name`.
pub(crate) fn check_name(name: &str) -> Result<(), ValidationError> {
    let length = name.chars().count();
    if length == 0 {
        Err(ValidationError::NameRequired)
    } else if length > slug::MAX_NAME_LEN {
        Err(ValidationError::NameTooLong { length })
    } else if !slug::is_valid(name) {
        Err(ValidationError::NameFormat)
    } else {
        Ok(())
    }
}

/// Whether a resource may be referred to as `text`.
pub(crate) fn check_slug(text: &str) -> Result<(), ValidationError> {
    if text.is_empty() {
        Err(ValidationError::SlugEmpty)
    } else if !slug::is_valid(text) {
        Err(ValidationError::SlugFormat {
            slug: text.to_owned(),
        })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_required_short_and_a_slug() {
        assert_eq!(check_name("code-reviewer"), Ok(()));
        assert_eq!(check_name(&"a".repeat(63)), Ok(()));
        for (name, text) in [
            (
                "".to_owned(),
                "validation failed for field \"name\": name is required",
            ),
            (
                "a".repeat(64),
                "validation failed for field \"name\": name must be at most 63 characters (got 64)",
            ),
            (
                "Invalid Name!".to_owned(),
                "validation failed for field \"name\": invalid name format: must be lowercase alphanumeric with hyphens, starting and ending with alphanumeric",
            ),
        ] {
            assert_eq!(check_name(&name).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn a_slug_is_checked_with_its_own_words() {
        assert_eq!(check_slug("security-analysis"), Ok(()));
        assert_eq!(
            check_slug("").unwrap_err().to_string(),
            "slug cannot be empty"
        );
        assert_eq!(
            check_slug("-x").unwrap_err().to_string(),
            "invalid slug \"-x\": must contain only lowercase letters, numbers, and hyphens (cannot start/end with hyphen)"
        );
    }

    #[test]
    fn metadata_says_who_made_it_and_leaves_the_organization_open() {
        let metadata = metadata("code-reviewer");
        assert_eq!(
            (metadata.name.as_str(), metadata.slug.as_str()),
            ("code-reviewer", "code-reviewer")
        );
        assert_eq!((metadata.owner_scope, metadata.org.as_str()), (2, ""));
        assert_eq!(metadata.annotations["stigmer.ai/sdk.language"], "rust");
        assert_eq!(
            metadata.annotations["stigmer.ai/sdk.version"],
            env!("CARGO_PKG_VERSION")
        );
        assert!(
            metadata.annotations["stigmer.ai/sdk.generated-at"]
                .parse::<u64>()
                .is_ok()
        );
    }
}
