//! The way from the parts to Temporal, on which a test has its faults: cut, frozen, led elsewhere.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::listening::Running;

/// How much is forwarded at a time.
const CHUNK: usize = 64 * 1024;

/// A TCP proxy in front of one backend, on a port of its own. It knows nothing of what it forwards.
/// Ends when dropped.
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
    frozen: watch::Sender<bool>,
    open: AtomicUsize,
}

impl Link {
    /// A link to `backend` (`host:port`), which is cut.
    pub(crate) fn to(backend: &str) -> io::Result<Self> {
        let reserved = reuse((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self {
            address: reserved.local_addr()?,
            way: Arc::new(Way {
                backend: Mutex::new(backend.to_owned()),
                frozen: watch::Sender::new(false),
                open: AtomicUsize::new(0),
            }),
            running: Mutex::default(),
            _reserved: reserved,
        })
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends every connection; whoever connects from now on is refused, as if nobody listened.
    pub fn cut(&self) {
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
            let way = self.way.clone();
            let address = self.address;
            let listen = move || reuse(address)?.listen(1024);
            *running = Some(Running::new(listen, move |listener| accept(listener, way))?);
        }
        Ok(())
    }

    /// Accepts and holds: connections stay open, and nothing passes in either direction.
    pub fn freeze(&self) {
        self.way.frozen.send_replace(true);
    }

    /// Lets everything pass again, also what came in between.
    pub fn thaw(&self) {
        self.way.frozen.send_replace(false);
    }

    /// Leads connections that are made from now on to `backend` (`host:port`).
    pub fn retarget(&self, backend: &str) {
        backend.clone_into(&mut locked(&self.way.backend));
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.way.open.load(Ordering::Relaxed)
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
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, way),
        pump(from_server, to_client, way)
    )
    .map(drop)
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: &Way) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Echoes every connection, prefixed by `name`.
    async fn echo(name: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    to.write_all(name.as_bytes()).await?;
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn read(stream: &mut TcpStream) -> io::Result<String> {
        let mut buffer = [0; 64];
        let read = timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let count = read.expect("an answer or an end within 5 s")?;
        Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
    }

    #[tokio::test]
    async fn a_cut_link_refuses_and_a_restored_one_leads_to_its_backend() {
        let (one, two) = (echo("one").await, echo("two").await);
        let link = Link::to(&one).unwrap();
        let refused = TcpStream::connect(link.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        link.restore().unwrap();
        let mut client = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(read(&mut client).await.unwrap(), "one");
        assert_eq!(link.connections(), 1);
        link.cut();
        assert!(
            read(&mut client).await.unwrap_or_default().is_empty(),
            "the connection is still open"
        );
        assert_eq!(link.connections(), 0);
        let refused = TcpStream::connect(link.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        link.retarget(&two);
        link.restore().unwrap();
        let mut client = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(read(&mut client).await.unwrap(), "two");
    }

    #[tokio::test]
    async fn a_frozen_link_accepts_and_holds_until_it_is_thawed() {
        let link = Link::to(&echo("one").await).unwrap();
        link.restore().unwrap();
        let mut old = TcpStream::connect(link.address()).await.unwrap();
        assert_eq!(read(&mut old).await.unwrap(), "one");
        link.freeze();
        let mut new = TcpStream::connect(link.address()).await.unwrap();
        old.write_all(b"held").await.unwrap();
        let mut buffer = [0; 1];
        for stream in [&mut old, &mut new] {
            let answer = timeout(Duration::from_millis(100), stream.read(&mut buffer)).await;
            assert!(answer.is_err(), "something passed: {answer:?}");
        }
        link.thaw();
        assert_eq!(read(&mut old).await.unwrap(), "held");
        assert_eq!(read(&mut new).await.unwrap(), "one");
    }
}
