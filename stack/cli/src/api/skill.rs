//! Skills, which are uploaded instead of applied.

use std::time::Duration;

use stigmer_api::skill::{PushSkillRequest, Skill};

use super::{Api, ApiError, path};

/// An archive is up to ten mebibytes.
const PUSH_LIMIT: Duration = Duration::from_secs(60);

/// Uploads a skill, or a new version of it, and returns what the server has now.
pub async fn push(api: &Api, request: PushSkillRequest) -> Result<Skill, ApiError> {
    api.unary(path::command::<Skill>("push"), request, PUSH_LIMIT)
        .await
}
