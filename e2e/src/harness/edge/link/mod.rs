//! The way from the parts to Temporal, or from the runners to the server, on which a test has its
//! faults: cut, frozen, led elsewhere, and of single calls where the link knows gRPC.

mod calls;
mod grpc;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};

use super::{host, listening::Running};
use crate::harness::faults;
pub use calls::{Calls, Fault};

/// How much is forwarded at a time.
const CHUNK: usize = 64 * 1024;

/// A TCP proxy in front of one backend, on a port of its own. Ends when dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    way: Arc<Way>,
    running: Mutex<Option<Running>>,
    /// Bound and never listening: keeps the port ours, and connections to it refused, while it is cut.
    _reserved: TcpSocket,
}

/// What every connection looks at.
#[derive(Debug)]
struct Way {
    backend: Mutex<String>,
    /// Of a link that knows gRPC; any other knows nothing of what it forwards.
    calls: Option<Arc<Calls>>,
    frozen: watch::Sender<bool>,
    open: AtomicUsize,
}

impl Link {
    /// A link to `backend` (`host:port`), which is cut. It knows nothing of what it forwards.
    pub fn to(backend: &str) -> io::Result<Self> {
        Self::new(backend, None)
    }

    /// A link to `backend` (`host:port`), which is cut. It knows gRPC: calls are counted and may go wrong.
    pub fn of_calls_to(backend: &str) -> io::Result<Self> {
        Self::new(backend, Some(Arc::default()))
    }

    fn new(backend: &str, calls: Option<Arc<Calls>>) -> io::Result<Self> {
        let reserved = reuse((host(), 0).into())?;
        Ok(Self {
            address: reserved.local_addr()?,
            way: Arc::new(Way {
                backend: Mutex::new(backend.to_owned()),
                calls,
                frozen: watch::Sender::new(false),
                open: AtomicUsize::new(0),
            }),
            running: Mutex::default(),
            _reserved: reserved,
        })
    }

    /// Where it is reached.
    pub fn socket(&self) -> SocketAddr {
        self.address
    }

    /// Where it is reached, `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends every connection; whoever connects from now on is refused, as if nobody listened.
    pub fn cut(&self) {
        self.note("is cut");
        drop(locked(&self.running).take());
    }

    /// Accepts connections again after [`cut`](Self::cut).
    ///
    /// # Errors
    ///
    /// When the system has no threads or sockets left.
    pub fn restore(&self) -> io::Result<()> {
        let mut running = locked(&self.running);
        if running.is_none() {
            self.note("is open");
            let way = self.way.clone();
            let address = self.address;
            let listen = move || reuse(address)?.listen(1024);
            *running = Some(Running::new(listen, move |listener| accept(listener, way))?);
        }
        Ok(())
    }

    /// Accepts and holds: connections stay open, and nothing passes in either direction.
    pub fn freeze(&self) {
        self.note("is frozen");
        self.way.frozen.send_replace(true);
    }

    /// Lets everything pass again, also what came in between.
    pub fn thaw(&self) {
        self.note("lets everything pass");
        self.way.frozen.send_replace(false);
    }

    /// Leads connections that are made from now on to `backend` (`host:port`).
    pub fn retarget(&self, backend: &str) {
        self.note(&format!("now leads to {backend}"));
        backend.clone_into(&mut locked(&self.way.backend));
    }

    fn note(&self, what: &str) {
        faults::note(format!("the link at {} {what}", self.address));
    }

    /// Its gRPC calls.
    ///
    /// # Panics
    ///
    /// When the link was not made to know gRPC.
    pub fn calls(&self) -> &Calls {
        self.calls_if_any()
            .expect("this link knows nothing of what it forwards")
    }

    pub(in crate::harness) fn calls_if_any(&self) -> Option<&Calls> {
        self.way.calls.as_deref()
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.way.open.load(Ordering::Relaxed)
    }

    /// How much is held right now by the frozen link: pieces that came, and connections.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.way.frozen.receiver_count()
    }
}

/// A socket bound to `address`, which others may be bound to as long as only one of them listens.
fn reuse(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let open = Open::new(way.clone());
                tokio::spawn(async move {
                    // Its end is seen by both sides; nobody else asks for the reason.
                    let _ = forward(client, &open.0).await;
                });
            }
            // The client went away before it was accepted.
            Err(error) => tracing::warn!(%error, "a link accepts no connection"),
        }
    }
}

async fn forward(client: TcpStream, way: &Way) -> io::Result<()> {
    passable(way).await;
    let backend = locked(&way.backend).clone();
    let server = TcpStream::connect(backend).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    if let Some(calls) = &way.calls {
        // Frozen before anything answers a ping in the backend's place.
        let (near, far) = tokio::io::duplex(CHUNK);
        let (from_near, to_near) = tokio::io::split(near);
        return tokio::try_join!(
            pump(from_client, to_near, way),
            pump(from_near, to_client, way),
            grpc::serve(far, server, calls.clone()),
        )
        .map(drop);
    }
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, way),
        pump(from_server, to_client, way)
    )
    .map(drop)
}

/// Passes on what comes, when it may pass, until there is no more.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: &Way,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = from.read(&mut buffer).await?;
        passable(way).await;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}

/// Waits while the link is frozen.
async fn passable(way: &Way) {
    // The sender lives as long as `way`.
    let _ = way.frozen.subscribe().wait_for(|frozen| !frozen).await;
}

/// One connection, counted until dropped.
struct Open(Arc<Way>);

impl Open {
    fn new(way: Arc<Way>) -> Self {
        way.open.fetch_add(1, Ordering::Relaxed);
        Self(way)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
