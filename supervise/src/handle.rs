//! A handle on a process that outlives the process: Linux calls it a pidfd.

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Handle;
#[cfg(target_os = "linux")]
pub use linux::Handle;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::retry_on_intr,
        process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
    };

    /// Bound to the process that had the pid when it was opened, whoever has the pid now.
    #[derive(Debug)]
    pub struct Handle(OwnedFd);

    impl Handle {
        /// A handle on the process that has `pid` now; nothing when there is none.
        pub fn open(pid: u32) -> Option<Self> {
            let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
            pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
        }

        /// Sends `signal`; tells whether the process was there to get it.
        pub fn send(&self, signal: Signal) -> bool {
            pidfd_send_signal(&self.0, signal).is_ok()
        }

        /// Blocks until the process ends; tells whether it is certain that it did.
        pub fn wait(&self) -> bool {
            let mut ended = [PollFd::new(&self.0, PollFlags::IN)];
            retry_on_intr(|| poll(&mut ended, None)).is_ok()
        }
    }
}

/// Without `/proc` there is no [`Identity`](super::Identity), hence nobody who could ask.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use rustix::process::Signal;

    /// Never made.
    #[derive(Debug)]
    pub enum Handle {}

    impl Handle {
        /// None.
        pub fn open(_pid: u32) -> Option<Self> {
            None
        }

        /// Cannot be called.
        pub fn send(&self, _signal: Signal) -> bool {
            match *self {}
        }

        /// Cannot be called.
        pub fn wait(&self) -> bool {
            match *self {}
        }
    }
}
