//! IP packets: whom they are for, and how to refuse them. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::attempt::Flow;

const ICMP: u8 = 1;
const IGMP: u8 = 2;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_6: u8 = 58;
/// In front of the multicast reports of the kernel.
const HOP_BY_HOP: u8 = 0;

/// Type and code by which a router says that policy forbids the way: both end a connection attempt, and
/// a datagram's socket learns of it as well.
const PROHIBITED_4: [u8; 2] = [3, 13];
const PROHIBITED_6: [u8; 2] = [1, 1];

const HEADER_4: usize = 20;
const HEADER_6: usize = 40;
/// What an ICMP message has in front of the packet that it is about.
const HEADER_ICMP: usize = 8;
/// Every link of IPv6 carries packets of this size.
const SMALLEST_MTU_6: usize = 1280;
const DNS: u16 = 53;
const HEADER_DNS: usize = 12;

/// A packet on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From where to where.
    pub flow: Flow,
    source: IpAddr,
    whole: &'a [u8],
    /// What follows the header of IP.
    content: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Understands a packet; nothing when it is none.
    pub fn parse(whole: &'a [u8]) -> Option<Self> {
        let (protocol, source, to, content) = match whole.first()? >> 4 {
            4 => {
                let header = usize::from(whole[0] & 0xf) * 4;
                let content = whole.get(header.max(HEADER_4)..)?;
                let source = Ipv4Addr::from(array::<4>(whole, 12)?);
                let to = Ipv4Addr::from(array::<4>(whole, 16)?);
                (whole[9], source.into(), to.into(), content)
            }
            6 => {
                let content = whole.get(HEADER_6..)?;
                let source = Ipv6Addr::from(array::<16>(whole, 8)?);
                let to = Ipv6Addr::from(array::<16>(whole, 24)?);
                (whole[6], IpAddr::from(source), IpAddr::from(to), content)
            }
            _ => return None,
        };
        let has_ports = matches!(protocol, TCP | UDP);
        let port = |at| {
            let bytes = array::<2>(content, at).filter(|_| has_ports)?;
            Some(u16::from_be_bytes(bytes))
        };
        let flow = Flow {
            protocol,
            from: port(0),
            to,
            port: port(2),
        };
        Some(Self {
            flow,
            source,
            whole,
            content,
        })
    }

    /// Whether the kernel sent it by itself, because an interface of this kind has neighbours.
    pub fn is_of_the_kernel(&self) -> bool {
        let reports = [IGMP, HOP_BY_HOP, ICMP_6].contains(&self.flow.protocol);
        reports && self.flow.to.is_multicast()
    }

    /// The name that is asked for, when it is a question to a name server.
    pub fn question(&self) -> Option<String> {
        if (self.flow.protocol, self.flow.port) != (UDP, Some(DNS)) {
            return None;
        }
        let mut rest = self.content.get(8 + HEADER_DNS..)?;
        let mut labels = Vec::new();
        loop {
            let (length, after) = rest.split_first()?;
            let length = usize::from(*length);
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(after.get(..length)?).to_lowercase());
            rest = &after[length..];
        }
        Some(labels.join("."))
    }

    /// The packet that refuses it; nothing when it is for many.
    pub fn refusal(&self) -> Option<Vec<u8>> {
        if self.flow.to.is_multicast() {
            return None;
        }
        match (self.flow.to, self.source) {
            (IpAddr::V4(to), IpAddr::V4(source)) => Some(self.refusal_4(to, source)),
            (IpAddr::V6(to), IpAddr::V6(source)) => Some(self.refusal_6(to, source)),
            _ => None,
        }
    }

    fn refusal_4(&self, to: Ipv4Addr, source: Ipv4Addr) -> Vec<u8> {
        let header = self.whole.len() - self.content.len();
        let quoted = &self.whole[..self.whole.len().min(header + 8)];
        let message = icmp(PROHIBITED_4, quoted);
        let length = HEADER_4 + message.len();
        let mut packet = vec![0x45, 0];
        // A header and eight bytes are far from the limit of 16 bits.
        packet.extend((length as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, ICMP, 0, 0]);
        packet.extend(to.octets());
        packet.extend(source.octets());
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum);
        packet.extend(with_checksum(message, &[]));
        packet
    }

    fn refusal_6(&self, to: Ipv6Addr, source: Ipv6Addr) -> Vec<u8> {
        let room = SMALLEST_MTU_6 - HEADER_6 - HEADER_ICMP;
        let message = icmp(PROHIBITED_6, &self.whole[..self.whole.len().min(room)]);
        let addresses = [to.octets(), source.octets()].concat();
        // Cut to fit 1280 bytes just above.
        let length = message.len() as u16;
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([ICMP_6, 64]);
        packet.extend(&addresses);
        let [high, low] = length.to_be_bytes();
        let pseudo_header = [&addresses[..], &[0, 0, high, low, 0, 0, 0, ICMP_6]].concat();
        packet.extend(with_checksum(message, &pseudo_header));
        packet
    }
}

fn icmp(type_and_code: [u8; 2], quoted: &[u8]) -> Vec<u8> {
    [&type_and_code[..], &[0; 6], quoted].concat()
}

/// `message` with the checksum of itself and of what stands for the addresses in its place.
fn with_checksum(mut message: Vec<u8>, pseudo_header: &[u8]) -> Vec<u8> {
    let sum = checksum(&[pseudo_header, &message].concat());
    message[2..4].copy_from_slice(&sum);
    message
}

/// The checksum of IP (RFC 1071): the complement of the sum of all pairs of bytes.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let pairs = bytes.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 packet from 10.0.0.1 to 192.0.2.7.
    fn packet_4(protocol: u8, content: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
        packet.extend([10, 0, 0, 1, 192, 0, 2, 7]);
        packet.extend(content);
        packet
    }

    fn packet_6(protocol: u8, to: Ipv6Addr, content: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 0, protocol, 64];
        packet.extend(Ipv6Addr::LOCALHOST.octets());
        packet.extend(to.octets());
        packet.extend(content);
        packet
    }

    /// From port 4660 to 443.
    const SYN: [u8; 8] = [0x12, 0x34, 1, 187, 0, 0, 0, 1];

    #[test]
    fn addresses_and_ports_are_read() {
        let bytes = packet_4(TCP, &SYN);
        let flow = Packet::parse(&bytes).expect("a packet").flow;
        let to = IpAddr::from([192, 0, 2, 7]);
        assert_eq!((flow.protocol, flow.to), (TCP, to));
        assert_eq!((flow.from, flow.port), (Some(0x1234), Some(443)));
        let to: Ipv6Addr = "2001:db8::9".parse().expect("an address");
        let bytes = packet_6(UDP, to, &SYN);
        let flow = Packet::parse(&bytes).expect("a packet").flow;
        assert_eq!((flow.to, flow.port), (to.into(), Some(443)));
        let bytes = packet_4(ICMP, &SYN);
        assert_eq!(Packet::parse(&bytes).expect("a packet").flow.port, None);
    }

    #[test]
    fn what_is_no_packet_is_none_and_nothing_is_read_beyond_its_end() {
        let whole = packet_4(UDP, &SYN);
        for length in 0..whole.len() {
            if let Some(packet) = Packet::parse(&whole[..length]) {
                packet.question();
                packet.refusal();
            }
        }
        assert_eq!(Packet::parse(&[0x75; 60]), None);
        assert_eq!(Packet::parse(&[]), None);
    }

    #[test]
    fn the_name_that_is_asked_for_is_read() {
        let mut content = vec![0x12, 0x34, 0, 53, 0, 0, 0, 0];
        content.extend([0; HEADER_DNS]);
        content.extend(b"\x07Example\x04test\x00\x00\x01\x00\x01");
        let bytes = packet_4(UDP, &content);
        let packet = Packet::parse(&bytes).expect("a packet");
        assert_eq!(packet.question().as_deref(), Some("example.test"));
        let bytes = packet_4(UDP, &content[..content.len() - 7]);
        assert_eq!(Packet::parse(&bytes).expect("a packet").question(), None);
    }

    #[test]
    fn a_refusal_goes_back_quotes_the_packet_and_adds_up() {
        let bytes = packet_4(TCP, &SYN);
        let refusal = Packet::parse(&bytes).and_then(|packet| packet.refusal());
        let refusal = refusal.expect("it is for one machine");
        assert_eq!(refusal[12..20], [192, 0, 2, 7, 10, 0, 0, 1]);
        assert_eq!(refusal[20..22], PROHIBITED_4);
        assert_eq!(refusal[28..], bytes);
        // What carries its own checksum sums up to nothing.
        assert_eq!(checksum(&refusal[..20]), [0, 0]);
        assert_eq!(checksum(&refusal[20..]), [0, 0]);
    }

    #[test]
    fn a_refusal_of_ipv6_adds_up_with_its_addresses() {
        let to: Ipv6Addr = "2001:db8::9".parse().expect("an address");
        let bytes = packet_6(TCP, to, &SYN);
        let refusal = Packet::parse(&bytes).and_then(|packet| packet.refusal());
        let refusal = refusal.expect("it is for one machine");
        let length = refusal.len() - HEADER_6;
        assert_eq!(usize::from(refusal[5]), length);
        let pseudo_header = [&refusal[8..40], &[0, 0, 0, refusal[5], 0, 0, 0, ICMP_6]].concat();
        let all = [&pseudo_header[..], &refusal[40..]].concat();
        assert_eq!(checksum(&all), [0, 0]);
    }

    #[test]
    fn what_the_kernel_sends_by_itself_is_known_and_multicast_of_programs_is_not_it() {
        let routers: Ipv6Addr = "ff02::2".parse().expect("an address");
        let solicitation = packet_6(ICMP_6, routers, &[133, 0, 0, 0]);
        assert!(
            Packet::parse(&solicitation)
                .expect("a packet")
                .is_of_the_kernel()
        );
        let names: Ipv6Addr = "ff02::fb".parse().expect("an address");
        let question = packet_6(UDP, names, &SYN);
        let question = Packet::parse(&question).expect("a packet");
        assert!(!question.is_of_the_kernel());
        assert_eq!(question.refusal(), None);
    }
}
