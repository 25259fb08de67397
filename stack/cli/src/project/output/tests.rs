use prost::Message;
use stigmer_api::{ApiResourceMetadata, agent::AgentSpec};

use super::*;

fn agent(name: &str) -> Agent {
    Agent {
        metadata: Some(ApiResourceMetadata {
            name: name.into(),
            slug: name.into(),
            owner_scope: 2,
            ..Default::default()
        }),
        spec: Some(AgentSpec {
            instructions: "Review the code.".into(),
            ..Default::default()
        }),
        ..Agent::envelope()
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.0.path()).unwrap()
    }

    fn with(self, name: &str, content: &[u8]) -> Self {
        fs::write(self.path().join(name), content).unwrap();
        self
    }

    fn error(&self) -> String {
        read(self.path()).unwrap_err().to_string()
    }
}

#[test]
fn resources_come_in_the_order_of_their_numbers() {
    let folder = (0..12).rev().fold(Folder::new(), |folder, n| {
        folder.with(
            &format!("agent-{n}.pb"),
            &agent(&format!("a{n}")).encode_to_vec(),
        )
    });
    let names = read(folder.path())
        .unwrap()
        .agents
        .iter()
        .map(|a| a.name().to_owned())
        .collect::<Vec<_>>();
    assert_eq!(names, (0..12).map(|n| format!("a{n}")).collect::<Vec<_>>());
}

#[test]
fn a_damaged_file_is_named() {
    let whole = agent("a").encode_to_vec();
    for (what, bytes) in [
        ("garbage", b"\xff\xff\xff this is no message".to_vec()),
        ("empty", Vec::new()),
        ("text", b"hello".to_vec()),
        (
            "another kind",
            Skill {
                kind: "Skill".into(),
                ..Skill::envelope()
            }
            .encode_to_vec(),
        ),
    ] {
        let folder = Folder::new().with("agent-0.pb", &bytes);
        let error = folder.error();
        assert!(
            error.contains(folder.path().join("agent-0.pb").as_str()),
            "{what}: {error}"
        );
        assert_eq!(error.lines().count(), 1, "{what}: {error}");
    }
    for length in 0..whole.len() {
        let folder = Folder::new().with("agent-0.pb", &whole[..length]);
        assert!(
            folder.error().contains("agent-0.pb"),
            "cut to {length} bytes"
        );
    }
}

#[test]
fn an_unknown_resource_file_is_named() {
    for name in ["gadget-0.pb", "agent-x.pb", "agent-+1.pb", "agent.pb"] {
        let folder = Folder::new()
            .with("agent-0.pb", &agent("a").encode_to_vec())
            .with(name, b"");
        assert!(folder.error().contains(name), "{name}");
    }
}

#[test]
fn two_resources_of_one_name_are_refused() {
    let bytes = agent("twin").encode_to_vec();
    let folder = Folder::new()
        .with("agent-0.pb", &bytes)
        .with("agent-1.pb", &bytes);
    let error = folder.error();
    assert!(
        error.contains("agent-1.pb") && error.contains("'twin'"),
        "{error}"
    );
}

#[test]
fn no_resource_is_an_error() {
    assert!(
        Folder::new()
            .error()
            .contains("no resources found in synthesis output")
    );
    assert!(
        Folder::new()
            .with("notes.txt", b"")
            .error()
            .contains("no resources found")
    );
}

#[test]
fn dependencies_are_optional_but_not_nonsense() {
    let folder = Folder::new().with("agent-0.pb", &agent("a").encode_to_vec());
    assert!(read(folder.path()).is_ok());
    let folder = folder.with(DEPENDENCIES, br#"{"agent:a": ["skill:b"]}"#);
    assert!(read(folder.path()).is_ok());
    let folder = folder.with(DEPENDENCIES, b"[1]");
    assert!(
        folder
            .error()
            .starts_with("failed to parse dependencies.json"),
        "{}",
        folder.error()
    );
}

#[test]
fn emptying_leaves_what_it_does_not_know() {
    let folder = [
        "agent-0.pb",
        "workflow-3.pb",
        DEPENDENCIES,
        ".agent-0.pb.7.part",
        "notes.txt",
        ".lock",
    ]
    .iter()
    .fold(Folder::new(), |folder, name| folder.with(name, b"x"));
    empty(folder.path()).unwrap();
    let mut left = names(folder.path()).unwrap();
    left.sort();
    assert_eq!(left, [".lock", "notes.txt"]);
}

/// A value nested `depth` deep, as the bytes of a `google.protobuf.Value`.
fn nested_value(depth: usize) -> Vec<u8> {
    // Value.list_value is field 6, ListValue.values is field 1.
    (0..depth).fold(Vec::new(), |inner, _| {
        [0x0a, 0x32].iter().fold(inner, |inner, tag| {
            let mut outer = vec![*tag];
            prost::encoding::encode_varint(inner.len() as u64, &mut outer);
            outer.extend(inner);
            outer
        })
    })
}

#[test]
fn damaged_bytes_are_refused_or_read_and_never_a_panic() {
    let whole = agent("a").encode_to_vec();
    for length in 0..whole.len() {
        assert!(parse_agent(&whole[..length]).is_err(), "{length} bytes");
    }
    let mut read = 0;
    for index in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[index] ^= 1 << bit;
            read += usize::from(parse_agent(&bytes).is_ok());
            let _ = parse_workflow(&bytes);
        }
    }
    assert!(read > 0, "a letter in the instructions may be another one");
    assert!(parse_agent(&whole).is_ok() && parse_workflow(&whole).is_err());
}

#[test]
fn a_workflow_nested_without_end_is_refused() {
    // Workflow.spec (4), WorkflowSpec.tasks (3), WorkflowTask.task_config (3), Struct.fields (1),
    // and of its entry the value (2).
    let bytes =
        [0x22, 0x1a, 0x1a, 0x0a, 0x12]
            .iter()
            .rev()
            .fold(nested_value(2_000), |inner, tag| {
                let mut outer = vec![*tag];
                prost::encoding::encode_varint(inner.len() as u64, &mut outer);
                outer.extend(inner);
                outer
            });
    let error = parse_workflow(&bytes).unwrap_err();
    assert!(error.contains("recursion limit"), "{error}");
}
