//! Whose socket a packet came from.

use std::fs;

use crate::attempt::{Flow, Sender};

/// The longest command line that is told.
const LONGEST: usize = 200;
/// The field of a line of `/proc/net/tcp` that has the socket's inode.
const INODE: usize = 9;

/// Who sent a packet, when the system still knows.
pub(crate) fn sender_of(flow: &Flow, test_variable: &str) -> Sender {
    let tables = match flow.protocol {
        6 => ["tcp", "tcp6"],
        17 => ["udp", "udp6"],
        _ => return Sender::default(),
    };
    let inode = tables.iter().find_map(|table| {
        let table = fs::read_to_string(format!("/proc/self/net/{table}")).ok()?;
        inode_in(&table, flow.from?, flow.port?)
    });
    let pid = inode.and_then(|inode| process_with(&format!("socket:[{inode}]")));
    let Some(pid) = pid else {
        return Sender::default();
    };
    let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).ok();
    let test = read("environ").and_then(|block| variable_in(&block, test_variable));
    Sender {
        program: read("cmdline").map(|line| command_line(&line)),
        pid: Some(pid),
        test,
    }
}

/// The inode of the socket at `port` that is connected to `remote`, or to nobody.
fn inode_in(table: &str, port: u16, remote: u16) -> Option<u64> {
    let port_of = |address: &str| {
        let (_, port) = address.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (here, there) = (port_of(fields.get(1)?)?, port_of(fields.get(2)?)?);
        let is_it = here == port && (there == remote || there == 0);
        let inode = fields.get(INODE)?.parse().ok()?;
        (is_it && inode != 0).then_some(inode)
    })
}

/// A process that has an open descriptor of `target`.
fn process_with(target: &str) -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid: &u32| {
        // A process may have ended, or be somebody else's.
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let mut targets = descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.any(|found| found.to_str() == Some(target))
    })
}

/// The words of a command line, as long as it is short.
fn command_line(block: &[u8]) -> String {
    let text = String::from_utf8_lossy(block);
    let words: Vec<_> = text.split('\0').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn variable_in(block: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(block);
    text.split('\0')
        .find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_connected_socket_is_told_from_others_on_the_same_port() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1234 0100007F:0050 01 00000000:00000000 00:00000000 00000000  0  0 111 1
   1: 010200C0:1234 070200C0:01BB 02 00000001:00000000 01:00000000 00000000  0  0 222 1
   2: 010200C0:1235 070200C0:01BB 02 00000001:00000000 01:00000000 00000000  0  0 0 1
";
        assert_eq!(inode_in(table, 0x1234, 443), Some(222));
        assert_eq!(inode_in(table, 0x1235, 443), None);
        assert_eq!(inode_in("", 1, 1), None);
    }

    #[test]
    fn this_process_is_found_by_its_sockets() {
        let flow = |protocol, from| Flow {
            protocol,
            from: Some(from),
            to: [127, 0, 0, 1].into(),
            port: Some(9),
        };
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let ports = [
            (17, udp.local_addr().expect("bound").port()),
            (6, tcp.local_addr().expect("bound").port()),
        ];
        for (protocol, port) in ports {
            let sender = sender_of(&flow(protocol, port), "NO_SUCH_VARIABLE");
            assert_eq!(sender.pid, Some(std::process::id()), "{protocol}");
            assert!(sender.program.is_some_and(|program| !program.is_empty()));
            assert_eq!(sender.test, None);
        }
    }

    #[test]
    fn the_test_is_read_from_the_environment() {
        let block = b"A=1\0STIGMER_TEST_X=no\0STIGMER_TEST=app_01\0";
        assert_eq!(
            variable_in(block, "STIGMER_TEST").as_deref(),
            Some("app_01")
        );
        assert_eq!(command_line(b"curl\0-s\0x\0"), "curl -s x");
    }
}
