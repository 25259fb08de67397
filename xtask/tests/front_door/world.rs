//! A checkout of its own, in which everything that comes from outside is a small script: Python and
//! pip, cargo, nextest, and the driver. What is real is `xtask`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

/// The binaries that a build gives.
const BINARIES: [&str; 6] = [
    "stigmer",
    "stigmer-server",
    "stigmer-workflow-runner",
    "stigmer-agent-runner",
    "stigmer-e2e",
    "suite",
];

/// A checkout, a cache, and a `PATH`.
pub struct World {
    folder: tempfile::TempDir,
    /// A package index for a pip that is real.
    index: Option<String>,
}

/// How `xtask` ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Ended {
    /// The lines on stderr that say why it failed.
    pub fn errors(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect()
    }

    /// Each line of stdout, which has to be JSON.
    pub fn objects(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line:?}"));
        self.stdout.lines().map(parse).collect()
    }
}

impl World {
    /// A machine that has everything, and a driver that says what it was asked and succeeds.
    pub fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let world = Self {
            folder,
            index: None,
        };
        for folder in [
            "checkout/xtask",
            "checkout/.github/workflows",
            "checkout/fixtures/templates/a",
            "checkout/target/debug",
            "bin",
            "index",
            "home",
        ] {
            fs::create_dir_all(world.path(folder)).expect("writable");
        }
        world.write("checkout/Cargo.lock", "");
        world.write(
            "checkout/fixtures/templates/a/Cargo.toml",
            "[package]\nname = \"a\"\n",
        );
        let xtask = world.path("checkout/target/debug/xtask");
        // A link, because a file that was written a moment ago may be busy when it is started.
        fs::hard_link(env!("CARGO_BIN_EXE_xtask"), xtask)
            .expect("both are below the target directory");
        for tool in ["sh", "cat", "cp", "df", "id", "nice", "sleep", "touch"] {
            world.link(tool);
        }
        for tool in ["cc", "git"] {
            world.program(
                &format!("bin/{tool}"),
                &format!("echo {tool} version 2.39.5"),
            );
        }
        world.program("bin/rustc", "echo 'rustc 1.95.0 (59807616e 2026-04-14)'");
        world.write_python();
        world.write_pins();
        world.write_cargo();
        world.driver("echo driver \"$@\"");
        world
    }

    /// A path in this world.
    pub fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path())
            .expect("UTF-8")
            .join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: &str) {
        fs::write(self.path(path), content).expect("writable");
    }

    /// Reads a file; nothing if there is none.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Writes a shell script that does this.
    pub fn program(&self, path: &str, does: &str) {
        self.write(path, &format!("#!/bin/sh\n{does}\n"));
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("ours");
    }

    /// Lets the machine have one more of this machine's programs.
    pub fn link(&self, tool: &str) {
        let real = which::which(tool).unwrap_or_else(|e| panic!("{tool}: {e}"));
        std::os::unix::fs::symlink(real, self.path("bin").join(tool)).expect("writable");
    }

    /// Hides a program.
    pub fn hide(&self, program: &str) {
        fs::remove_file(self.path("bin").join(program)).expect("it was there");
    }

    /// Makes the driver do this.
    pub fn driver(&self, does: &str) {
        self.program("checkout/target/debug/stigmer-e2e", does);
    }

    /// `cargo xtask` with these arguments, not started yet.
    pub fn xtask(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path("checkout/target/debug/xtask"));
        command
            .args(arguments)
            .current_dir(self.path("checkout"))
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("CARGO", self.path("bin/cargo"))
            .env("CARGO_MANIFEST_DIR", self.path("checkout/xtask"));
        if let Some(url) = &self.index {
            command
                .env("PIP_INDEX_URL", url)
                .env("PIP_CONFIG_FILE", "/dev/null")
                .env("PIP_NO_CACHE_DIR", "1")
                // No test waits as long: a pip that goes away sooner does so for another reason.
                .env("PIP_DEFAULT_TIMEOUT", "600");
        }
        command
    }

    /// Runs `cargo xtask` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.xtask(arguments).output().expect("xtask starts").into()
    }

    /// The plans that were handed over.
    pub fn plans(&self) -> Vec<Value> {
        let Ok(results) = self.path("checkout/results").read_dir_utf8() else {
            return Vec::new();
        };
        let plan = |run: std::io::Result<camino::Utf8DirEntry>| {
            let path = run.expect("readable").path().join("plan.json");
            serde_json::from_str(&fs::read_to_string(path).expect("a plan")).expect("JSON")
        };
        results.map(plan).collect()
    }

    /// A Python whose pip copies packages from `index`, and which imports whatever is asked for.
    /// Only what unpacks is real.
    fn write_python(&self) {
        let (index, bin) = (self.path("index"), self.path("bin"));
        let real = real_python();
        let script = format!(
            r#"case "$1 $2 $3" in
    "-c import sys"*) echo {bin}/python3; echo 3.11.2; exit ;;
    "-I -m zipfile") exec {real} "$@" ;;
    "-I -S -B") echo 1.0.0; exit ;;
    "-m pip --version") echo pip 23.2.1; exit ;;
    */pip\ --version*) echo pip 1.0.0; exit ;;
esac
while [ $# -gt 1 ]; do
    [ "$1" = --dest ] && dest=$2
    [ "$1" = --requirement ] && asked=$(cat "$2")
    shift
done
cp {index}/"${{asked%%=*}}"/* "$dest""#
        );
        self.program("bin/python3", &script);
    }

    /// Makes Python real, and this index the only one that its pip knows.
    pub fn use_index(&mut self, url: &str) {
        self.program("bin/python3", &format!("exec {} \"$@\"", real_python()));
        self.index = Some(url.to_owned());
    }

    /// A cargo that has built everything already, unless the file `broken` says which verb fails.
    fn write_cargo(&self) {
        let debug = self.path("checkout/target/debug");
        let artefact = |name: &str| {
            let message = json!({
                "reason": "compiler-artifact", "package_id": format!("path+file:///x#{name}@0.1.0"),
                "target": { "name": name }, "executable": debug.join(name), "fresh": true,
            });
            format!("echo '{message}'\n")
        };
        for name in BINARIES {
            self.write(&format!("checkout/target/debug/{name}"), "");
        }
        let script = format!(
            "[ \"$2\" = --version ] && echo \"$1\" 1.0.0 && exit\n\
             [ \"$(cat {0} 2>/dev/null)\" = \"$1\" ] && echo 'error: it is broken' >&2 && exit 101\n\
             case $1 in build) {1} ;; metadata) echo '{{\"packages\": []}}' ;; test) echo 'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured' ;; esac",
            self.path("broken"),
            BINARIES.map(artefact).concat()
        );
        self.program("bin/cargo", &script);
    }
}

/// The interpreter behind whatever `python3` is here.
fn real_python() -> String {
    let code = "import sys; print(sys.executable)";
    let asked = Command::new("python3").args(["-c", code]).output();
    let printed = asked
        .expect("Python is a prerequisite of these tests")
        .stdout;
    String::from_utf8(printed).expect("UTF-8").trim().to_owned()
}
