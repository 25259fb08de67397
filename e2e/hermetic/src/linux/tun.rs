//! An interface whose other end is a file.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
};

use nix::libc;

const NAME_SIZE: usize = 16;

/// `struct ifreq`, as far as TUNSETIFF reads and writes it; the rest is its union's size.
#[repr(C)]
struct Request {
    name: [u8; NAME_SIZE],
    flags: libc::c_short,
    rest: [u8; 22],
}

mod call {
    nix::ioctl_write_ptr_bad!(
        set_interface,
        nix::libc::TUNSETIFF as nix::libc::Ioctl,
        super::Request
    );
}

/// The file, which belongs to no interface yet. Its interface will be in the network namespace that it
/// was opened in.
pub(super) fn open() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")
}

/// Makes the interface `name` in the network namespace of this process: packets without any header in
/// front. It is gone when the file is closed.
pub(super) fn name(tun: &File, name: &str) -> io::Result<()> {
    let mut request = Request {
        name: [0; NAME_SIZE],
        flags: (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short,
        rest: [0; 22],
    };
    // One byte stays zero, which ends the name.
    let length = name.len().min(NAME_SIZE - 1);
    request.name[..length].copy_from_slice(&name.as_bytes()[..length]);
    // SAFETY: the descriptor is open for as long as `tun` is borrowed. TUNSETIFF reads and writes one
    // `struct ifreq` of 40 bytes, which `Request` has the layout and the size of, and keeps no pointer
    // to it. The kernel writes the interface's name back, any bytes being valid for the array.
    #[expect(unsafe_code, reason = "there is no safe way to make such an interface")]
    let made = unsafe { call::set_interface(tun.as_raw_fd(), &raw const request) };
    Ok(made.map(drop)?)
}

const _: () = assert!(size_of::<Request>() == size_of::<libc::ifreq>());
