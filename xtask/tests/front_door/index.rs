//! A package index on 127.0.0.1 that speaks the simple repository protocol, and can break a
//! connection in the middle of a file.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// What happens when a file is asked for the first time, after half of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut.
    Cut,
    /// Nothing more is sent until the other side goes away.
    Stall,
}

/// A request for a file, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The file.
    pub file: String,
    /// The `Range` header.
    pub range: Option<String>,
}

struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: Mutex<BTreeMap<String, Fault>>,
    requests: Mutex<Vec<Request>>,
    /// Told how it went each time a fault has happened to its end.
    happened: Mutex<mpsc::Sender<Happened>>,
}

/// What is told about a fault.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// Half of the file was sent; the connection stands still.
    Stalled,
    /// Whoever asked has gone away.
    GoneAway,
}

/// A running index. Its threads end with the process of the test.
pub struct Index {
    state: Arc<State>,
    happened: mpsc::Receiver<Happened>,
    /// Where it listens.
    pub url: String,
}

impl Index {
    /// Serves `files`, named as their packages name them, with a fault in some of them.
    pub fn serve(files: Vec<(String, Vec<u8>)>, faults: &[(&str, Fault)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/simple/", listener.local_addr().expect("bound"));
        let (sender, happened) = mpsc::channel();
        let faults = faults
            .iter()
            .map(|(file, fault)| ((*file).to_owned(), *fault));
        let state = Arc::new(State {
            files: files.into_iter().collect(),
            faults: Mutex::new(faults.collect()),
            requests: Mutex::default(),
            happened: Mutex::new(sender),
        });
        let of_thread = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&of_thread);
                // A client that goes away in the middle is what this is about.
                thread::spawn(move || state.answer(connection).ok());
            }
        });
        Self {
            state,
            happened,
            url,
        }
    }

    /// The requests for `file` so far.
    pub fn requests(&self, file: &str) -> Vec<Request> {
        let all = self.state.requests.lock();
        let all = all.unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|it| it.file == file).cloned().collect()
    }

    /// Waits until the next thing happened to a file with a fault.
    pub fn wait_for(&self, expected: Happened) {
        let happened = self.happened.recv_timeout(Duration::from_secs(60));
        assert_eq!(happened.as_ref(), Ok(&expected));
    }
}

impl State {
    fn answer(&self, mut connection: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(connection.try_clone()?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut range = None;
        for line in lines {
            let line = line?;
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("range") => {
                    range = Some(value.to_owned());
                }
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        match path.trim_matches('/').split_once('/') {
            Some(("simple", package)) => self.list(package, &mut connection),
            Some(("files", file)) => self.send(file, range, &mut connection),
            _ => respond(&mut connection, "404 Not Found", "", b""),
        }
    }

    fn list(&self, package: &str, connection: &mut TcpStream) -> std::io::Result<()> {
        let of_package = |file: &&String| {
            let name = file.split('-').next().unwrap_or_default();
            name.replace('_', "-") == package
        };
        let links = self.files.keys().filter(of_package);
        let links = links.map(|file| format!("<a href=\"/files/{file}\">{file}</a>\n"));
        let page = format!(
            "<!DOCTYPE html><html><body>{}</body></html>",
            links.collect::<String>()
        );
        respond(
            connection,
            "200 OK",
            "Content-Type: text/html\r\n",
            page.as_bytes(),
        )
    }

    fn send(
        &self,
        file: &str,
        range: Option<String>,
        connection: &mut TcpStream,
    ) -> std::io::Result<()> {
        let Some(content) = self.files.get(file) else {
            return respond(connection, "404 Not Found", "", b"");
        };
        let lock = |faults: &Mutex<BTreeMap<String, Fault>>| {
            let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
            faults.remove(file)
        };
        let fault = lock(&self.faults);
        let start = range.as_deref().map(|range| {
            let start = range.trim_start_matches("bytes=").trim_end_matches('-');
            start
                .parse::<usize>()
                .unwrap_or_else(|e| panic!("{e} in {range:?}"))
        });
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(Request {
            file: file.to_owned(),
            range,
        });
        drop(requests);
        let headers =
            "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nETag: \"1\"\r\n";
        match (start, fault) {
            (Some(start), _) => {
                let (last, size) = (content.len() - 1, content.len());
                let headers = format!("{headers}Content-Range: bytes {start}-{last}/{size}\r\n");
                respond(
                    connection,
                    "206 Partial Content",
                    &headers,
                    &content[start..],
                )
            }
            (None, None) => respond(connection, "200 OK", headers, content),
            (None, Some(fault)) => {
                head(connection, "200 OK", headers, content.len())?;
                connection.write_all(&content[..content.len() / 2])?;
                connection.flush()?;
                if fault == Fault::Stall {
                    self.tell(Happened::Stalled);
                    // Comes back when the other side closes, with or without an error.
                    let _ = connection.read(&mut [0]);
                    self.tell(Happened::GoneAway);
                }
                Ok(())
            }
        }
    }

    fn tell(&self, what: Happened) {
        let sender = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody may be listening any more.
        let _ = sender.send(what);
    }
}

fn head(to: &mut TcpStream, status: &str, headers: &str, length: usize) -> std::io::Result<()> {
    write!(
        to,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
}

fn respond(to: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    head(to, status, headers, body.len())?;
    to.write_all(body)
}
