//! Container images, made from nothing but one static program: the same program gives the same
//! digests, wherever and whenever it is done, and whichever engine loads it.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stigmer_e2e_plan::ContainerPart;

use super::tar::Tar;

/// What all images say, and what each is called: the images that Nix makes say the same.
static BLUEPRINT: LazyLock<Blueprint> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../nix/images.json"))
        .expect("a file of this crate is what its tests saw")
});

/// How much of a digest is in a tag: enough to tell images apart.
const TAG: usize = 16;

#[derive(Debug, Deserialize)]
struct Blueprint {
    user: String,
    /// Where the user may write, if something is mounted there.
    home: String,
    /// `HOME`; and `USER`, which programs ask for where there is no list of users.
    env: Vec<String>,
    labels: BTreeMap<String, String>,
    images: BTreeMap<ContainerPart, Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    program: String,
}

/// The user and group that programs of images run as, `uid:gid`.
pub fn user() -> &'static str {
    &BLUEPRINT.user
}

/// The user and the group of images, as numbers.
///
/// # Panics
///
/// When the blueprint has none; a test of this crate would have seen that.
pub fn ids() -> (u32, u32) {
    let ids = || {
        let (user, group) = user().split_once(':')?;
        Some((user.parse().ok()?, group.parse().ok()?))
    };
    ids().expect("the user of images is `uid:gid`")
}

/// Where the program is in the image of `part`.
pub fn program_in(part: ContainerPart) -> String {
    format!("/{}", BLUEPRINT.images[&part].program)
}

/// An image, ready to be loaded.
#[derive(Debug)]
pub struct Image {
    /// `name:tag`; the tag is the beginning of its digest.
    pub reference: String,
    /// SHA-256 of its configuration: what the classic image store knows it by.
    pub config: String,
    /// SHA-256 of its manifest: what containerd's image store knows it by.
    pub manifest: String,
    layer: Blob,
    config_text: Vec<u8>,
    manifest_text: Vec<u8>,
}

#[derive(Debug)]
struct Blob {
    digest: String,
    content: Vec<u8>,
}

impl Image {
    /// The image of `part`, whose program is `program`.
    pub fn of(part: ContainerPart, program: &[u8]) -> Self {
        let Named {
            name,
            program: file,
        } = &BLUEPRINT.images[&part];
        let mut layer = Tar::default();
        layer.file(file, 0o555, program);
        // A volume that is mounted here belongs to the user of the image from the start.
        let home = BLUEPRINT.home.trim_start_matches('/');
        let parents = home.rmatch_indices('/').map(|(at, _)| &home[..at]);
        for parent in parents.collect::<Vec<_>>().into_iter().rev() {
            layer.folder(parent, 0o755, (0, 0));
        }
        layer.folder(home, 0o700, ids());
        let layer = Blob::of(layer.finish());
        let config = Blob::of(bytes(&config(file, &layer.digest)));
        let manifest = Blob::of(bytes(&manifest(&config, &layer)));
        Self {
            reference: format!("{name}:{}", &config.digest[..TAG]),
            config: config.digest,
            manifest: manifest.digest,
            layer,
            config_text: config.content,
            manifest_text: manifest.content,
        }
    }

    /// How many bytes it has unpacked.
    pub fn size(&self) -> usize {
        self.layer.content.len()
    }

    /// The archive that `docker load` takes: an OCI image layout, with the older `manifest.json` beside it.
    pub fn archive(&self) -> Vec<u8> {
        let (name, tag) = self
            .reference
            .split_once(':')
            .expect("a reference has a tag");
        let index = json!({
            "manifests": [{
                "annotations": {
                    "io.containerd.image.name": format!("docker.io/{name}:{tag}"),
                    "org.opencontainers.image.ref.name": tag,
                },
                "digest": sha256(&self.manifest),
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "size": self.manifest_text.len(),
            }],
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "schemaVersion": 2,
        });
        let classic = json!([{
            "Config": path_of(&self.config),
            "Layers": [path_of(&self.layer.digest)],
            "RepoTags": [self.reference],
        }]);
        let mut tar = Tar::default();
        tar.file(&path_of(&self.config), 0o444, &self.config_text);
        tar.file(&path_of(&self.layer.digest), 0o444, &self.layer.content);
        tar.file(&path_of(&self.manifest), 0o444, &self.manifest_text);
        tar.file("index.json", 0o444, &bytes(&index));
        tar.file("manifest.json", 0o444, &bytes(&classic));
        tar.file("oci-layout", 0o444, br#"{"imageLayoutVersion":"1.0.0"}"#);
        tar.finish()
    }
}

impl Blob {
    fn of(content: Vec<u8>) -> Self {
        let hash = Sha256::digest(&content);
        Self {
            digest: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            content,
        }
    }
}

// Keys are in alphabetical order: an object may keep the order in which it is written, or sort.

fn config(file: &str, layer: &str) -> Value {
    json!({
        "architecture": architecture(),
        "config": {
            "Entrypoint": [format!("/{file}")],
            "Env": BLUEPRINT.env,
            "Labels": BLUEPRINT.labels,
            "User": BLUEPRINT.user,
        },
        "os": "linux",
        "rootfs": { "diff_ids": [sha256(layer)], "type": "layers" },
    })
}

fn manifest(config: &Blob, layer: &Blob) -> Value {
    let descriptor = |kind: &str, blob: &Blob| {
        json!({
            "digest": sha256(&blob.digest),
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "size": blob.content.len(),
        })
    };
    json!({
        "config": descriptor("config.v1+json", config),
        "layers": [descriptor("layer.v1.tar", layer)],
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "schemaVersion": 2,
    })
}

/// This machine's architecture, as images call it: programs are built for no other.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn sha256(digest: &str) -> String {
    format!("sha256:{digest}")
}

fn path_of(digest: &str) -> String {
    format!("blobs/sha256/{digest}")
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_program_gives_the_same_archive_and_another_gives_another() {
        let image = |program: &[u8]| Image::of(ContainerPart::Server, program);
        let (first, second, other) = (image(b"a"), image(b"a"), image(b"b"));
        assert_eq!(first.archive(), second.archive());
        assert_eq!(first.reference, second.reference);
        assert_ne!(first.reference, other.reference);
        assert_ne!(first.manifest, other.manifest);
    }

    /// Whoever changes what is in an image sees it here: engines know images by these digests.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn an_image_has_the_digests_that_it_always_had() {
        let image = Image::of(ContainerPart::Server, b"a program");
        assert_eq!(image.reference, "stigmer/server:5784ae5e67d891a6");
        assert_eq!(
            image.manifest,
            "fff35b8976adf24c384653491d0f95ba8c76d7df6a5441b49e6735c5d699ee56"
        );
    }

    #[test]
    fn every_part_has_an_image_that_is_not_root() {
        for part in ContainerPart::ALL {
            assert!(program_in(part).ends_with(part.name()));
            let image = Image::of(part, b"a program");
            assert!(
                image
                    .reference
                    .starts_with(&format!("stigmer/{}:", part.name()))
            );
            let config: Value = serde_json::from_slice(&image.config_text).unwrap();
            assert_eq!(config["config"]["User"], "65534:65534");
            assert_eq!(config["config"]["Entrypoint"], json!([program_in(part)]));
        }
    }
}
