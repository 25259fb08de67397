//! References to skills.

use stigmer_api::{ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference};

use crate::{ValidationError, envelope::check_slug};

/// Names a skill that an agent or sub-agent uses.
///
/// Its slug is checked when the resources are handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillRef {
    scope: ApiResourceOwnerScope,
    org: String,
    slug: String,
    version: String,
}

impl SkillRef {
    /// A skill of the platform.
    pub fn platform(slug: impl Into<String>) -> Self {
        Self {
            scope: ApiResourceOwnerScope::Platform,
            org: String::new(),
            slug: slug.into(),
            version: String::new(),
        }
    }

    /// A skill of the organization `org`.
    pub fn organization(org: impl Into<String>, slug: impl Into<String>) -> Self {
        Self {
            scope: ApiResourceOwnerScope::Organization,
            org: org.into(),
            ..Self::platform(slug)
        }
    }

    /// The version: a tag, or the 64 hexadecimal digits of a content hash. Without it the latest
    /// version is meant.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    pub(crate) fn to_proto(&self) -> Result<ApiResourceReference, ValidationError> {
        check_slug(&self.slug)?;
        Ok(ApiResourceReference {
            scope: self.scope.into(),
            org: self.org.clone(),
            kind: ApiResourceKind::Skill.into(),
            slug: self.slug.clone(),
            version: self.version.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_keep_scope_organization_slug_and_version() {
        let reference = SkillRef::platform("security-analysis")
            .version("v2.0")
            .to_proto()
            .unwrap();
        assert_eq!((reference.scope, reference.kind), (1, 43));
        assert_eq!(
            (reference.org.as_str(), reference.slug.as_str()),
            ("", "security-analysis")
        );
        assert_eq!(reference.version, "v2.0");

        let reference = SkillRef::organization("my-org", "internal-docs")
            .to_proto()
            .unwrap();
        assert_eq!((reference.scope, reference.org.as_str()), (2, "my-org"));
        assert_eq!(reference.version, "", "no version means the latest");
    }

    #[test]
    fn a_slug_that_no_skill_can_have_is_refused() {
        assert_eq!(
            SkillRef::platform("").to_proto(),
            Err(ValidationError::SlugEmpty)
        );
        assert!(SkillRef::platform("Not A Slug").to_proto().is_err());
    }
}
