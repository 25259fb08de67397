//! What `ip link`, `ip address` and `ip route` ask the kernel for, in its own language (rtnetlink(7)).

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    libc,
    net::if_::if_nametoindex,
    sys::socket::{
        AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
        socket,
    },
};

/// Which internet.
#[derive(Clone, Copy)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn number(self) -> u8 {
        // Both are below 256 on every system.
        (match self {
            Self::V4 => libc::AF_INET,
            Self::V6 => libc::AF_INET6,
        }) as u8
    }
}

/// A conversation with the kernel about the interfaces of this namespace.
pub(super) struct Route {
    socket: OwnedFd,
    sequence: u32,
}

const HEADER: usize = 16;
/// Where the error number of an acknowledgement is.
const ACKNOWLEDGED: std::ops::Range<usize> = HEADER..HEADER + 4;

impl Route {
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Brings an interface up.
    pub(super) fn up(&mut self, interface: &str) -> io::Result<()> {
        let up = (libc::IFF_UP as u32).to_ne_bytes();
        // struct ifinfomsg: family and type are not asked for; the flags, and which of them count.
        let index = if_nametoindex(interface)?.to_ne_bytes();
        let about = [&[0; 4][..], &index, &up, &up].concat();
        self.ask(libc::RTM_NEWLINK, 0, &about)
    }

    /// Gives an interface an address, 4 or 16 bytes long, alone in its network.
    pub(super) fn address(&mut self, interface: &str, address: &[u8]) -> io::Result<()> {
        let family = match address.len() {
            4 => Family::V4,
            _ => Family::V6,
        };
        let index = if_nametoindex(interface)?.to_ne_bytes();
        // An address has at most 128 bits.
        let prefix = (address.len() * 8) as u8;
        // Nobody else could have it, so nobody is asked.
        let flags = libc::IFA_F_NODAD as u8;
        let about = [&[family.number(), prefix, flags, 0][..], &index].concat();
        let local = attribute(libc::IFA_LOCAL, address);
        let named = attribute(libc::IFA_ADDRESS, address);
        self.ask(
            libc::RTM_NEWADDR,
            libc::NLM_F_CREATE | libc::NLM_F_EXCL,
            &[about, local, named].concat(),
        )
    }

    /// Sends everything that is not for this machine through an interface.
    pub(super) fn default_through(&mut self, interface: &str, family: Family) -> io::Result<()> {
        let index = if_nametoindex(interface)?.to_ne_bytes();
        let about = [
            family.number(),
            0,
            0,
            0,
            libc::RT_TABLE_MAIN,
            libc::RTPROT_STATIC,
            libc::RT_SCOPE_UNIVERSE,
            libc::RTN_UNICAST,
            0,
            0,
            0,
            0,
        ];
        self.ask(
            libc::RTM_NEWROUTE,
            libc::NLM_F_CREATE | libc::NLM_F_EXCL,
            &[&about[..], &attribute(libc::RTA_OIF, &index)].concat(),
        )
    }

    /// Asks for something and waits for the kernel's word.
    fn ask(&mut self, what: u16, how: libc::c_int, body: &[u8]) -> io::Result<()> {
        self.sequence += 1;
        // All of these are small flags, and all messages are short.
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK | how) as u16;
        let length = (HEADER + body.len()) as u32;
        let mut message = Vec::from(length.to_ne_bytes());
        message.extend(what.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        let kernel = NetlinkAddr::new(0, 0);
        let socket = self.socket.as_raw_fd();
        sendto(socket, &message, &kernel, MsgFlags::empty())?;
        let mut answer = [0; 4096];
        let received = recv(socket, &mut answer, MsgFlags::empty())?;
        let word = answer[..received].get(ACKNOWLEDGED);
        let word = word.and_then(|bytes| bytes.try_into().ok());
        let word = word.ok_or_else(|| io::Error::other("the kernel's answer is too short"))?;
        match i32::from_ne_bytes(word) {
            0 => Ok(()),
            error => Err(Errno::from_raw(-error).into()),
        }
    }
}

/// An attribute of a message. The length of what is said here is a multiple of four, so nothing is
/// filled up.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    // A header of four bytes and an address.
    let length = (4 + value.len()) as u16;
    [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat()
}
