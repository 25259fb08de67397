//! Skills that are there, and skills that are not.

use std::fs;

use serde_json::json;
use stigmer_api::{
    ApiResourceKind, ApiResourceOwnerScope, ApiResourceReference, LOCAL_ORG,
    agent_execution::{MessageType, ToolCallStatus},
};
use stigmer_e2e::harness::{Expectation, Reply, story};

use super::at_work::{TASK, agent_with, calls, completed, texts};

fn reference(slug: &str, scope: ApiResourceOwnerScope, org: &str) -> ApiResourceReference {
    ApiResourceReference {
        scope: scope as i32,
        org: org.to_owned(),
        kind: ApiResourceKind::Skill as i32,
        slug: slug.to_owned(),
        version: String::new(),
    }
}

#[test]
fn fix_02_a_missing_skill_is_named_and_the_others_are_there() {
    story(async |t| {
        let env = t.environment().without_workflow_runner().start().await?;
        t.step("push one of two skills");
        let folder = t.folder().join("skills/house-rules");
        fs::create_dir_all(folder.join("reference"))?;
        fs::write(
            folder.join("SKILL.md"),
            "# House rules\n\nRead reference/tone.md.\n",
        )?;
        fs::write(folder.join("reference/tone.md"), "Be kind to tests.\n")?;
        let pushed = env
            .cli()
            .args(["skill", "push", folder.as_str()])
            .run()
            .await?;
        pushed.exited_with(0)?;
        let skill = env.api().skill("house-rules", "").await?;
        let hash = skill.status.unwrap_or_default().version_hash;

        t.step("run an agent that refers to both");
        let path = json!({"path": format!("/bin/skills/{hash}/reference/tone.md")});
        env.llm().expect(Expectation::message_containing(
            TASK,
            Reply::calling("read_skill_file", &path),
        ));
        env.llm().expect(Expectation::result_containing(
            "Be kind",
            Reply::text("I am kind."),
        ));
        let mut agent = agent_with([]);
        agent.spec.get_or_insert_default().skill_refs = vec![
            reference("coding-best-practices", ApiResourceOwnerScope::Platform, ""),
            reference(
                "house-rules",
                ApiResourceOwnerScope::Organization,
                LOCAL_ORG,
            ),
        ];
        let status = completed(&env, agent).await?;
        assert_eq!(
            texts(&status, MessageType::MessageSystem),
            [
                "⚠️ Warning: the skill \"coding-best-practices\" is not available: the server has no such skill; push it with `stigmer skill push`"
            ]
        );
        assert_eq!(
            calls(&status),
            [(
                "read_skill_file",
                ToolCallStatus::ToolCallCompleted,
                "Be kind to tests.\n"
            )]
        );
        let requests = env.llm().requests();
        let system = requests[0].messages_of("system").concat();
        let section = format!(
            "## Available Skills\n\n### SKILL: house-rules\nLOCATION: /bin/skills/{hash}/\n\n# House rules"
        );
        assert!(system.contains(&section), "{system:?}");
        assert!(!system.contains("coding-best-practices"), "{system:?}");
        t.step("nothing of the skill is left on the disk of the runner");
        let workspace = env.home().join(".stigmer/workspace");
        let left = fs::read_dir(&workspace)?.count();
        assert_eq!(left, 0, "{workspace} is not empty");
        Ok(())
    });
}
