use super::*;

fn checkout() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn our_pins_name_every_tool_on_four_platforms() {
    let pins = Pins::read(&checkout()).expect("the checkout's own pins are well-formed");
    for tool in Tool::ALL {
        for platform in [
            "x86_64-linux",
            "aarch64-linux",
            "x86_64-darwin",
            "aarch64-darwin",
        ] {
            let pin = pins.pin(tool, platform).expect("pinned");
            assert!(
                pin.download
                    .wheel
                    .path
                    .as_str()
                    .contains(&pin.artefact.version),
                "{tool} on {platform}"
            );
            let is_archive = matches!(pin.artefact.check, Check::PythonArchive { .. });
            assert_eq!(pin.download.is_whole(), is_archive, "{tool} on {platform}");
        }
    }
}

#[test]
fn a_platform_without_a_pin_is_refused_with_the_ones_that_have_one() {
    let pins = Pins::read(&checkout()).expect("well-formed");
    let error = pins
        .pin(Tool::Model, "riscv64-linux")
        .expect_err("not pinned")
        .to_string();
    assert!(
        error.contains("not pinned for riscv64-linux") && error.contains("aarch64-darwin"),
        "{error}"
    );
}

#[test]
fn a_wrong_field_is_named() {
    let text = fs::read_to_string(checkout().join("pins.json")).expect("readable");
    let error = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        Pins::parse(&changed).expect_err("refused").to_string()
    };
    assert!(error("\"package\"", "\"pakage\"").contains("unknown field `pakage`"));
    assert!(error("\"sha256\": \"3c", "\"sha256\": \"3C").contains("is not a SHA-256"));
    assert!(error("\"model\"", "\"modle\"").contains("unknown variant `modle`"));
    assert!(
        error("\"at_least\": \"0.9.138\"", "\"at_least\": \"new\"")
            .contains("`new` is not a version")
    );
}

#[test]
fn a_missing_tool_is_named() {
    let text = fs::read_to_string(checkout().join("pins.json")).expect("readable");
    let mut pins: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let artefacts = pins["artefacts"].as_object_mut().expect("an object");
    artefacts.remove("temporal-cli").expect("it was there");
    let error = Pins::parse(&pins.to_string()).expect_err("refused");
    assert_eq!(error.to_string(), "artefact `temporal-cli` is missing");
}

#[test]
fn no_package_registry_is_named() {
    let text = fs::read_to_string(checkout().join("pins.json")).expect("readable");
    assert!(!text.contains("://"), "pins.json names a host");
}
