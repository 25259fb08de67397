//! Names are looked up beyond the border, where the watch sees it.

use std::{fs, io};

use camino::Utf8Path;
use nix::mount::{MsFlags, mount};

const RESOLVER: &str = "/etc/resolv.conf";
const SWITCH: &str = "/etc/nsswitch.conf";

/// Puts files in `folder` in the place of the system's: `name_server` is the only one, and no daemon
/// outside is asked over a socket.
pub(super) fn install(folder: &Utf8Path, name_server: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let resolver = folder.join("resolv.conf");
    fs::write(
        &resolver,
        // One question each: what nobody answers need not be asked again.
        format!("nameserver {name_server}\noptions timeout:1 attempts:1\n"),
    )?;
    put(&resolver, RESOLVER)?;
    match fs::read_to_string(SWITCH) {
        Ok(text) => {
            let switch = folder.join("nsswitch.conf");
            fs::write(&switch, with_plain_hosts(&text))?;
            put(&switch, SWITCH)
        }
        // Without the file, names are looked up in files and by name servers anyway.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn put(file: &Utf8Path, over: &str) -> io::Result<()> {
    let nothing = None::<&str>;
    let bind = MsFlags::MS_BIND;
    Ok(mount(
        Some(file.as_std_path()),
        over,
        nothing,
        bind,
        nothing,
    )?)
}

fn with_plain_hosts(switch: &str) -> String {
    let others = switch.lines().filter(|line| !line.starts_with("hosts:"));
    others
        .chain(["hosts: files myhostname dns"])
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_looked_up_in_files_and_by_name_servers_only() {
        let switch = "passwd: files systemd\nhosts: files mdns4 [NOTFOUND=return] resolve\n";
        assert_eq!(
            with_plain_hosts(switch),
            "passwd: files systemd\nhosts: files myhostname dns\n"
        );
    }
}
