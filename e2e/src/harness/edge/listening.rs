//! An HTTP server of a test on a port of its own. It can close the port and open it again.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use axum::{Router, serve::ListenerExt as _};
use tokio::runtime::{Builder, Runtime};

use super::host;

/// A listening server. It runs on a thread of its own, so that what the test does meanwhile neither
/// delays an answer nor keeps a connection open. Ends when dropped.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    router: Router,
    running: Mutex<Option<Running>>,
}

impl Listening {
    /// Serves `router` on a free port of [`host`].
    pub(super) fn start(router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((host(), 0))?;
        let address = listener.local_addr()?;
        let running = Mutex::new(Some(serve(listener, router.clone())?));
        Ok(Self {
            address,
            router,
            running,
        })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and cuts every connection. Whoever connects from now on is refused.
    pub(super) fn close(&self) {
        drop(self.running().take());
    }

    /// Listens again on the same port, unless it does.
    pub(super) fn open(&self) -> io::Result<()> {
        let mut running = self.running();
        if running.is_none() {
            let listener = TcpListener::bind(self.address)?;
            *running = Some(serve(listener, self.router.clone())?);
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(listener: TcpListener, router: Router) -> io::Result<Running> {
    listener.set_nonblocking(true)?;
    let listen = || tokio::net::TcpListener::from_std(listener);
    Running::new(listen, async move |listener| {
        // A piece of an answer that waits for the last one to be acknowledged comes 40 ms late.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "an edge ended");
        }
    })
}

/// The tasks of a server, connections included, on a thread of their own. Dropped, all of them have
/// ended and the port is closed.
#[derive(Debug)]
pub(super) struct Running(Option<Runtime>);

impl Running {
    /// Has `serve` accept the connections of what `listen` opens.
    pub(super) fn new<F>(
        listen: impl FnOnce() -> io::Result<tokio::net::TcpListener>,
        serve: impl FnOnce(tokio::net::TcpListener) -> F,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("edge")
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let listener = listen()?;
        drop(entered);
        runtime.spawn(serve(listener));
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // The port is closed once the runtime is gone; waiting for that takes an instant, but no
            // runtime may do it on its own thread.
            let ended = thread::spawn(move || drop(runtime)).join();
            if ended.is_err() {
                tracing::error!("an edge panicked");
            }
        }
    }
}
