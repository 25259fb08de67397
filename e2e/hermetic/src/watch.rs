//! The watch at the border: a thread that reads every packet on its way out, and refuses it.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    thread::{self, JoinHandle},
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::{Attempt, attempt::Tally, owner::sender_of, packet::Packet};

/// More than the interface hands over at once.
const LARGEST_PACKET: usize = 1 << 16;

/// A thread that watches.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Closing it ends the thread.
    stop: UnixStream,
    thread: JoinHandle<Tally>,
}

impl Watch {
    /// Begins to watch the interface behind `tun`, which does not block.
    pub(crate) fn start(tun: File, test_variable: &'static str) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let thread = thread::Builder::new()
            .name("border".to_owned())
            .spawn(move || watch(tun, &stopped, test_variable))?;
        Ok(Self { stop, thread })
    }

    /// Ends it; returns what it saw.
    pub(crate) fn end(self) -> Vec<Attempt> {
        drop(self.stop);
        let tally = self.thread.join();
        tally
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            .into_attempts()
    }
}

fn watch(mut tun: File, stopped: &UnixStream, test_variable: &str) -> Tally {
    let mut tally = Tally::default();
    let mut buffer = vec![0; LARGEST_PACKET];
    loop {
        // Everything that was sent so far, also before the end.
        let is_over = wait(&tun, stopped);
        loop {
            match tun.read(&mut buffer) {
                Ok(length) => {
                    if let Some(refusal) = take(&buffer[..length], &mut tally, test_variable) {
                        // Whoever waits for an answer that cannot be written waits longer, and no more.
                        let _ = tun.write(&refusal);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // The interface is gone, and nothing is sent through it.
                Err(_) => return tally,
            }
        }
        if is_over {
            return tally;
        }
    }
}

/// Waits for a packet or the end; says whether it is the end.
fn wait(tun: &File, stopped: &UnixStream) -> bool {
    let mut both = [
        PollFd::new(tun, PollFlags::IN),
        PollFd::new(stopped, PollFlags::IN),
    ];
    // An interrupted wait is one that found nothing.
    let _ = poll(&mut both, None);
    !both[1].revents().is_empty()
}

/// Writes down who sent a packet, before the answer lets them go on; returns the answer.
fn take(bytes: &[u8], tally: &mut Tally, test_variable: &str) -> Option<Vec<u8>> {
    let packet = Packet::parse(bytes)?;
    if packet.is_of_the_kernel() {
        return None;
    }
    let name = packet.question();
    if tally.is_new(&packet.flow, name.as_deref()) {
        let sender = sender_of(&packet.flow, test_variable);
        tally.add(packet.flow.clone(), name, sender);
    }
    packet.refusal()
}
