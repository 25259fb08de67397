//! Asks the linker for a build id, by which a running process can be told from another build, and
//! packs the SDK, which `stigmer new` puts into projects.

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
};

/// The crates that a program needs, beside this one.
const CRATES: [&str; 2] = ["sdk", "api"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,--build-id=sha1");
    }
    pack_sdk()
}

/// Writes `sdk.rs`: the name and text of every file of the SDK.
fn pack_sdk() -> io::Result<()> {
    let variable = |name| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let (this, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    let (stack, root) = (this.join(".."), this.join("../.."));
    let mut files = Vec::new();
    for name in CRATES {
        println!("cargo:rerun-if-changed={}", stack.join(name).display());
        for part in ["Cargo.toml", "build.rs", "proto", "src"] {
            collect(&stack.join(name).join(part), &mut files)?;
        }
    }
    println!(
        "cargo:rerun-if-changed={}",
        root.join("Cargo.toml").display()
    );
    println!(
        "cargo:rerun-if-changed={}",
        root.join("Cargo.lock").display()
    );
    let manifest = out.join("sdk-workspace.toml");
    fs::write(&manifest, workspace(&root, &stack)?)?;

    let mut entries = vec![entry("Cargo.toml", &manifest)];
    for file in files {
        let name = file.strip_prefix(&stack).map_err(io::Error::other)?;
        entries.push(entry(&name.to_string_lossy(), &file));
    }
    let lock = root.join("Cargo.lock");
    fs::write(
        out.join("sdk.rs"),
        format!(
            "/// Name and text of every file of the SDK.\n\
             pub const FILES: &[(&str, &str)] = &[\n{}];\n\
             /// The versions of what the SDK needs.\n\
             pub const LOCK: &str = include_str!({lock:?});\n",
            entries.concat()
        ),
    )
}

fn entry(name: &str, file: &Path) -> String {
    format!("    ({name:?}, include_str!({file:?})),\n")
}

/// Adds `path`, if there is such a thing, and everything below it.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        let mut below = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        below.sort();
        below.iter().try_for_each(|path| collect(path, files))
    } else {
        files.extend(path.is_file().then(|| path.to_owned()));
        Ok(())
    }
}

/// The manifest of a workspace of the SDK's crates alone: this workspace's, without members,
/// dependencies, and sections that only others need.
fn workspace(root: &Path, stack: &Path) -> io::Result<String> {
    let mut needed = BTreeSet::new();
    for name in CRATES {
        let manifest = fs::read_to_string(stack.join(name).join("Cargo.toml"))?;
        needed.extend(manifest.lines().filter_map(key).map(str::to_owned));
    }
    let mut section = "";
    let mut text = String::new();
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
            if section.starts_with("[workspace") {
                text.push_str(&format!("\n{section}\n"));
            }
            continue;
        }
        let kept = match section {
            "[workspace]" if line.starts_with("members") => {
                text.push_str(&format!("members = {CRATES:?}\n"));
                false
            }
            "[workspace.dependencies]" => key(line).is_some_and(|key| needed.contains(key)),
            _ => section.starts_with("[workspace") && key(line).is_some(),
        };
        if kept {
            text.push_str(&line.replace("path = \"stack/", "path = \""));
            text.push('\n');
        }
    }
    Ok(text.trim_start().to_owned())
}

/// What a line sets: `serde` of `serde = "1"` and of `serde.workspace = true`.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim().trim_end_matches(".workspace");
    Some(key).filter(|key| !key.is_empty() && !key.starts_with('#'))
}
