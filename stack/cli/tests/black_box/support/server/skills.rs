//! The service that takes skills.

use stigmer_api::{
    Resource,
    skill::{
        PushSkillRequest, Skill, SkillId, SkillStatus,
        skill_command_controller_server::SkillCommandController,
    },
};
use tonic::{Request, Response, Status};

use super::{Answer, State};

#[tonic::async_trait]
impl SkillCommandController for State {
    async fn push(&self, request: Request<PushSkillRequest>) -> Answer<Skill> {
        let request = request.into_inner();
        if request.tag == "refused" {
            return Err(Status::invalid_argument("this server refuses it"));
        }
        let mut skill = Skill::envelope();
        let metadata = skill.metadata_mut();
        metadata.id = "skl-01kb3v9f3e8r6t5y4u3i2o1pas".to_owned();
        metadata.name.clone_from(&request.name);
        metadata.slug.clone_from(&request.name);
        metadata.org.clone_from(&request.org);
        skill.status = Some(SkillStatus {
            version_hash: "0123456789abcdef".repeat(4),
            artifact_storage_key: "skills/x.zip".to_owned(),
            ..Default::default()
        });
        self.pushes.lock().unwrap().push(request);
        Ok(Response::new(skill))
    }

    async fn delete(&self, _: Request<SkillId>) -> Answer<Skill> {
        Err(Status::unimplemented("delete"))
    }
}
