//! A service is found wherever on this machine it listens.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
};

use serde_json::json;
use stigmer_e2e::harness::{Broken, Failure, Test, story};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::probes::probed;

/// A socket at a port of `address`'s choice, and one that keeps the other loopback address of that port
/// from everybody: bound there, it does not listen.
fn alone(address: SocketAddr) -> std::io::Result<(TcpSocket, Option<TcpSocket>)> {
    let bound = |address: SocketAddr| {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(address).map(|()| socket)
    };
    loop {
        let socket = bound(address)?;
        let port = socket.local_addr()?.port();
        let other: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv6Addr::LOCALHOST, port).into(),
            SocketAddr::V6(address) if address.ip().is_unspecified() => return Ok((socket, None)),
            SocketAddr::V6(_) => (Ipv4Addr::LOCALHOST, port).into(),
        };
        match bound(other) {
            Ok(kept) => return Ok((socket, Some(kept))),
            // Another service of this run has it: there are more ports.
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}

/// Listens at `address`, and hands everything on to `target`; returns the port.
async fn forward(address: SocketAddr, target: &str) -> std::io::Result<u16> {
    let (socket, kept) = alone(address)?;
    let listener: TcpListener = socket.listen(16)?;
    let port = listener.local_addr()?.port();
    let target = target.to_owned();
    tokio::spawn(async move {
        let _kept = kept;
        while let Ok((mut here, _)) = listener.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let mut there = TcpStream::connect(&target).await?;
                tokio::io::copy_bidirectional(&mut here, &mut there).await
            });
        }
    });
    Ok(port)
}

/// Which of 127.0.0.1 and ::1 somebody listens on at `port`.
async fn open_at(port: u16) -> [bool; 2] {
    let is_open = |address: SocketAddr| async move { TcpStream::connect(address).await.is_ok() };
    [
        is_open((Ipv4Addr::LOCALHOST, port).into()).await,
        is_open((Ipv6Addr::LOCALHOST, port).into()).await,
    ]
}

/// How one may ask for what listens on `open` of 127.0.0.1 and ::1: by each address, and by a name that
/// this machine knows both of the addresses of, or the one that is listened on.
fn hosts(open: [bool; 2]) -> Vec<&'static str> {
    let known: Vec<SocketAddr> = ("localhost", 1)
        .to_socket_addrs()
        .map(Iterator::collect)
        .unwrap_or_default();
    let by_name = known
        .iter()
        .any(|address| open[usize::from(address.is_ipv6())]);
    let all = [
        ("127.0.0.1", open[0]),
        ("[::1]", open[1]),
        ("localhost", by_name),
    ];
    all.into_iter()
        .filter_map(|(host, is_open)| is_open.then_some(host))
        .collect()
}

fn needs_ipv6(t: &Test) -> Result<(), Failure> {
    let loopback = std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0));
    loopback.map(drop).map_err(|error| {
        t.skip(&format!(
            "this machine has no ::1 ({error}): enable IPv6 on lo"
        ))
    })
}

#[test]
fn pre_03_listeners_on_ipv4_on_ipv6_and_on_both_are_found_alike() {
    story(async |t| {
        needs_ipv6(&t)?;
        let env = t.environment().start().await?;
        let temporal = t.session().temporal.address.clone();
        let server = env.server().address();
        let model = env.llm().base_url();
        let (model_address, path) = model
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Broken(format!("{model} is no URL of a model")))?;
        for (name, address, open) in [
            (
                "127.0.0.1 only",
                (Ipv4Addr::LOCALHOST, 0).into(),
                [true, false],
            ),
            ("::1 only", (Ipv6Addr::LOCALHOST, 0).into(), [false, true]),
            // Linux takes IPv4 there, too.
            ("both", (Ipv6Addr::UNSPECIFIED, 0).into(), [true, true]),
        ] {
            t.step(format!("services that listen on {name}"));
            let temporal = forward(address, &temporal).await?;
            let server = forward(address, &server).await?;
            let model = forward(address, model_address).await?;
            for port in [temporal, server, model] {
                assert_eq!(open_at(port).await, open, "{name}: the test is wrong");
            }
            for host in hosts(open) {
                let at = |port: u16| format!("{host}:{port}");
                let (code, lines) = probed(&t, |session| {
                    session["temporal"]["address"] = json!(at(temporal));
                    session["playground"] = json!({"server": at(server)});
                    session["llm"] = json!({"base_url": format!("http://{}/{path}", at(model)),
                                            "model": env.llm().model(), "sha256": null});
                })
                .await?;
                assert_eq!(code, Some(0), "{name}, {host}: {lines:?}");
                let work = lines.iter().filter(|line| line.ends_with(" works")).count();
                assert_eq!(work, 3, "{name}, {host}: {lines:?}");
            }
        }
        Ok(())
    });
}
