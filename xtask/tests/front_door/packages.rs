//! The packages of a world, and the pins for them.

use std::{fs, io::Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::World;

impl World {
    /// The packages and the pins for them.
    pub(crate) fn write_pins(&self) {
        let version = |text: &str| format!("#!/bin/sh\necho {text} 1.0.0\n");
        let program = |text: &str| json!({ "kind": "program", "arguments": ["--version"], "prints": format!("{text} 1.0.0") });
        let module = json!({ "kind": "python-module", "module": "llama", "prints": "1.0.0" });
        let gguf = json!({ "kind": "file", "begins_with": "GGUF" });
        let nextest = "#!/bin/sh\n[ \"$1\" = --version ] && echo nextest 1.0.0 && exit\n\
            echo '{\"type\":\"test\",\"event\":\"ok\",\"name\":\"a\"}'\n";
        let deny = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo deny 1.0.0 && exit\n\
             [ ! -e {} ] || {{ echo licenses FAILED; exit 4; }}\n",
            self.path("denied")
        );
        let artefacts = [
            self.artefact(
                "temporal-cli",
                "temporal",
                &version("temporal"),
                program("temporal"),
            ),
            self.artefact(
                "cargo-nextest",
                "cargo-nextest",
                nextest,
                program("nextest"),
            ),
            self.artefact("llama-cpp", "llama/llama.so", "library", module),
            self.artefact("model", "Tiny.gguf", "GGUF and so on", gguf),
            self.artefact("cargo-deny", "cargo-deny", &deny, program("deny")),
            self.artefact("zizmor", "zizmor", &version("zizmor"), program("zizmor")),
            self.pip(),
        ];
        let artefacts: serde_json::Map<String, Value> = artefacts.into_iter().collect();
        // What is not about tools is the repository's own.
        for file in ["flake.nix", "flake.lock", ".github/workflows/e2e.yml"] {
            self.write(&format!("checkout/{file}"), &own(file));
        }
        let mut pins: Value = serde_json::from_str(&own("pins.json")).expect("our own pins");
        pins["artefacts"] = artefacts.into();
        self.write("checkout/pins.json", &pins.to_string());
    }

    fn artefact(&self, name: &str, member: &str, content: &str, check: Value) -> (String, Value) {
        let file = format!("{}-1.0.0-any.whl", name.replace('-', "_"));
        let packed = zipped(&[(member, content)]);
        self.publish(name, &file, &packed);
        let download = json!({
            "wheel": { "path": file, "size": packed.len(), "sha256": sha256(&packed) },
            "member": { "path": member, "size": content.len(), "sha256": sha256(content.as_bytes()) },
        });
        pinned(name, check, &download)
    }

    /// Puts a file of a package into the index.
    pub fn publish(&self, package: &str, file: &str, content: &[u8]) {
        let folder = self.path("index").join(package);
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join(file), content).expect("writable");
    }

    /// A pip, which Python only pretends to run.
    fn pip(&self) -> (String, Value) {
        let content = "an archive";
        self.publish("pip", "pip-1.0.0-any.whl", content.as_bytes());
        let check = json!({ "kind": "python-archive", "entry": "pip", "arguments": ["--version"], "prints": "pip 1.0.0" });
        let wheel = json!({ "path": "pip-1.0.0-any.whl", "size": content.len(), "sha256": sha256(content.as_bytes()) });
        pinned("pip", check, &json!({ "wheel": wheel }))
    }

    /// Makes the Temporal CLI that is pinned one that does not start.
    pub fn break_temporal(&self) {
        let mut pins: Value =
            serde_json::from_str(&self.read("checkout/pins.json")).expect("our own pins");
        let program = "#!/bin/sh\nexit 7\n";
        let check =
            json!({ "kind": "program", "arguments": ["--version"], "prints": "temporal 1.0.0" });
        let (name, pin) = self.artefact("temporal-cli", "temporal", program, check);
        pins["artefacts"][name] = pin;
        self.write("checkout/pins.json", &pins.to_string());
    }

    /// Pins the real pip, and as the Temporal CLI a new package of about `size` bytes, which is returned.
    pub fn use_real_pip(&self, pip: &Value, file: &str, size: usize) -> Vec<u8> {
        let mut program = "#!/bin/sh\necho temporal 1.0.0\nexit\n".to_owned();
        while program.len() < size {
            program.push_str(&format!(
                "{}\n",
                sha256(program.len().to_string().as_bytes())
            ));
        }
        let member = "temporal_cli-1.0.0.data/scripts/temporal";
        let metadata = "Metadata-Version: 2.1\nName: temporal-cli\nVersion: 1.0.0\n";
        let tags = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let packed = zipped(&[
            (member, &program),
            ("temporal_cli-1.0.0.dist-info/METADATA", metadata),
            ("temporal_cli-1.0.0.dist-info/WHEEL", tags),
            ("temporal_cli-1.0.0.dist-info/RECORD", ""),
        ]);
        let mut pins: Value =
            serde_json::from_str(&self.read("checkout/pins.json")).expect("our own pins");
        let artefacts = &mut pins["artefacts"];
        artefacts["temporal-cli"]["platforms"][platform()] = json!({
            "wheel": { "path": file, "size": packed.len(), "sha256": sha256(&packed) },
            "member": { "path": member, "size": program.len(), "sha256": sha256(program.as_bytes()) },
        });
        let version = pip["wheel"]["path"]
            .as_str()
            .and_then(|file| file.split('-').nth(1));
        let version = version.expect("a wheel's name holds its version");
        artefacts["pip"]["version"] = version.into();
        artefacts["pip"]["check"]["prints"] = format!("pip {version}").into();
        artefacts["pip"]["platforms"][platform()] = pip.clone();
        self.write("checkout/pins.json", &pins.to_string());
        packed
    }
}

/// A file of the repository.
fn own(file: &str) -> String {
    let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A zip archive of these files, not compressed.
pub fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in files {
        zip.start_file(*name, stored).expect("an entry");
        zip.write_all(content.as_bytes())
            .expect("memory can be written");
    }
    zip.finish().expect("an archive").into_inner()
}

fn pinned(name: &str, check: Value, download: &Value) -> (String, Value) {
    let pinned = json!({
        "what": name, "needed_for": "tests", "license": "MIT", "package": name, "version": "1.0.0",
        "variable": format!("TEST_{}", name.to_uppercase().replace('-', "_")), "check": check,
        "platforms": { platform(): download },
    });
    (name.to_owned(), pinned)
}

/// This machine, as pins name it.
pub fn platform() -> String {
    match std::env::consts::OS {
        "macos" => format!("{}-darwin", std::env::consts::ARCH),
        system => format!("{}-{system}", std::env::consts::ARCH),
    }
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
