//! What was built in one place, used in another.

use crate::world::World;

const FILE: &str = "suite.tar.gz";
const PROGRAM: &str = "checkout/target/debug/stigmer-server";

/// A machine that packed what it had built.
fn packed() -> World {
    let world = World::new();
    for tool in ["tar", "gzip", "mkdir"] {
        world.link(tool);
    }
    let ended = world.run(&["archive", "pack", FILE]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    world
}

#[test]
fn what_was_packed_is_put_where_a_build_puts_it() {
    let world = packed();
    let (built, record) = (
        world.read(PROGRAM),
        "checkout/target/debug/stigmer-e2e.build.json",
    );
    let known = world.read(record);
    world.write(PROGRAM, "something else");
    world.write(record, "{}");
    let ended = world.run(&["archive", "unpack", FILE]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((world.read(PROGRAM), world.read(record)), (built, known));
    assert!(!world.path("checkout/target/unpacked").exists());
}

#[test]
fn another_commit_and_a_file_that_is_none_are_refused_and_replace_nothing() {
    let world = packed();
    world.write(PROGRAM, "mine");
    world.program("bin/git", "echo another");
    world.write("checkout/none.tar.gz", "no archive");
    for (file, named) in [(FILE, "another"), ("none.tar.gz", "none.tar.gz")] {
        let ended = world.run(&["archive", "unpack", file]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let errors = ended.errors();
        assert!(errors.len() == 1 && errors[0].contains(named), "{errors:?}");
        assert_eq!(world.read(PROGRAM), "mine");
    }
}
