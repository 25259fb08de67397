use std::{env, error::Error, fs, path::PathBuf};

use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;

/// Compiles `proto/` without a system protoc: descriptors by protox, types by prost, services by
/// tonic behind the `grpc` feature, and reflection for every message.
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from("proto");
    println!("cargo:rerun-if-changed=proto");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let descriptors = protox::Compiler::new([&root])?
        .include_imports(true)
        .include_source_info(false)
        .open_files(&files)?
        .encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &descriptors)?;

    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    let mut builder = tonic_prost_build::configure()
        .client_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .include_file("modules.rs");
    for message in pool
        .all_messages()
        .filter(|m| m.package_name().starts_with("ai.stigmer"))
    {
        let name = message.full_name();
        builder = builder
            .type_attribute(name, "#[derive(::prost_reflect::ReflectMessage)]")
            .type_attribute(name, format!("#[prost_reflect(message_name = \"{name}\")]"))
            .type_attribute(
                name,
                "#[prost_reflect(descriptor_pool = \"crate::DESCRIPTORS\")]",
            );
    }
    builder.compile_fds(prost_types_set(&descriptors)?)?;
    Ok(())
}

fn prost_types_set(bytes: &[u8]) -> Result<prost_types::FileDescriptorSet, prost::DecodeError> {
    prost_types::FileDescriptorSet::decode(bytes)
}

fn collect(dir: &PathBuf, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
