//! New namespaces for this process.

use std::{fs, io};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare as unshare_flags},
    unistd::{getegid, geteuid},
};

/// Puts this process into network and mount namespaces of its own; in a user namespace as well where
/// only that gives the right to, in which it stays the same user.
pub(super) fn unshare() -> io::Result<()> {
    let wanted = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    match unshare_flags(wanted) {
        Err(Errno::EPERM) => as_root_of_a_user_namespace(wanted)?,
        other => other?,
    }
    // What is mounted here must not be seen outside.
    let nothing = None::<&str>;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    Ok(mount(nothing, "/", nothing, private, nothing)?)
}

fn as_root_of_a_user_namespace(wanted: CloneFlags) -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare_flags(wanted | CloneFlags::CLONE_NEWUSER)?;
    // Without this, the kernel takes no map of groups from somebody who is not root.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}
