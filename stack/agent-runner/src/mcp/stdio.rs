//! MCP over the pipes of a program: a JSON-RPC message per line, within bounds.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    RoleClient,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::text::beginning;

/// The longest message that is read, in bytes.
const LONGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// How much that is no message a server may write, in bytes: some print notes, which is tolerated.
const MOST_NOISE: usize = 1024 * 1024;

/// The same in lines, which are tried one by one.
const MOST_NOISY_LINES: usize = 10_000;

/// How much of it an error shows, in characters.
const SHOWN: usize = 200;

/// What is known of a server that does not speak as it should.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    ended: Option<String>,
    noise: Option<String>,
}

impl Fault {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, how: &str) {
        self.known().ended.get_or_insert_with(|| how.to_owned());
    }

    fn noise(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        self.known().noise = Some(beginning(text.trim(), SHOWN));
    }

    /// How the conversation ended, if it did.
    pub fn end(&self) -> Option<String> {
        self.known().ended.clone()
    }

    /// What the server wrote that is no message, for an error, or an empty text.
    pub fn noise_seen(&self) -> String {
        match &self.known().noise {
            None => String::new(),
            Some(noise) => format!("; it wrote what is no JSON-RPC message: {noise:?}"),
        }
    }
}

/// The client's end of the conversation.
#[derive(Debug)]
pub struct StdioTransport<R, W> {
    read: BufReader<R>,
    write: Arc<tokio::sync::Mutex<Option<W>>>,
    /// The beginning of a message; it outlives a `receive` that is given up.
    line: Vec<u8>,
    noise: usize,
    noisy_lines: usize,
    fault: Fault,
}

impl<R: AsyncRead, W> StdioTransport<R, W> {
    /// A conversation that reads from `read`, writes to `write`, and tells `fault` what goes wrong.
    pub fn new(read: R, write: W, fault: Fault) -> Self {
        Self {
            read: BufReader::new(read),
            write: Arc::new(tokio::sync::Mutex::new(Some(write))),
            line: Vec::new(),
            noise: 0,
            noisy_lines: 0,
            fault,
        }
    }
}

impl<R: AsyncRead + Unpin, W> StdioTransport<R, W> {
    /// Reads to the end of a line; `None` when the conversation is over. Loses nothing when dropped.
    async fn whole_line(&mut self) -> Option<()> {
        loop {
            let available = match self.read.fill_buf().await {
                Ok([]) => {
                    self.fault.ended("closed its standard output");
                    return None;
                }
                Ok(available) => available,
                Err(error) => {
                    self.fault
                        .ended(&format!("could not be read from: {error}"));
                    return None;
                }
            };
            let newline = available.iter().position(|byte| *byte == b'\n');
            let count = newline.map_or(available.len(), |position| position + 1);
            if self.line.len() + count > LONGEST_MESSAGE {
                self.fault.ended("sent a message of more than 8 MiB");
                return None;
            }
            self.line.extend_from_slice(&available[..count]);
            self.read.consume(count);
            if newline.is_some() {
                return Some(());
            }
        }
    }
}

impl<R, W> Transport<RoleClient> for StdioTransport<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (write, fault) = (Arc::clone(&self.write), self.fault.clone());
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut write = write.lock().await;
            let pipe = write.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let written = async {
                pipe.write_all(&line).await?;
                pipe.flush().await
            };
            written
                .await
                .inspect_err(|error| fault.ended(&format!("could not be written to: {error}")))
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            self.whole_line().await?;
            let line = std::mem::take(&mut self.line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Ok(message) = serde_json::from_slice(&line) {
                return Some(message);
            }
            self.fault.noise(&line);
            self.noise += line.len();
            self.noisy_lines += 1;
            if self.noise > MOST_NOISE || self.noisy_lines > MOST_NOISY_LINES {
                self.fault
                    .ended("floods its standard output with what is no JSON-RPC message");
                return None;
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.write.lock().await.take();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage};
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const PING: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";

    fn transport() -> (
        StdioTransport<DuplexStream, DuplexStream>,
        DuplexStream,
        Fault,
    ) {
        let (server, client) = duplex(64 * 1024);
        let fault = Fault::default();
        let (unused, _) = duplex(1);
        (
            StdioTransport::new(client, unused, fault.clone()),
            server,
            fault,
        )
    }

    fn is_request(message: Option<ServerJsonRpcMessage>) -> bool {
        matches!(message, Some(JsonRpcMessage::Request(_)))
    }

    #[tokio::test]
    async fn messages_are_read_whatever_stands_between_them() {
        let (mut transport, mut server, fault) = transport();
        let text = format!("Server ready!\n\r\n{PING}");
        server.write_all(text.as_bytes()).await.unwrap();
        assert!(is_request(transport.receive().await));
        assert!(
            fault.noise_seen().contains("Server ready!"),
            "{}",
            fault.noise_seen()
        );
        assert_eq!(fault.end(), None);
    }

    #[tokio::test]
    async fn a_receive_that_is_given_up_loses_nothing() {
        let (mut transport, mut server, _) = transport();
        let (first, second) = PING.split_at(20);
        server.write_all(first.as_bytes()).await.unwrap();
        let given_up = tokio::time::timeout(Duration::from_millis(20), transport.receive()).await;
        assert!(given_up.is_err());
        server.write_all(second.as_bytes()).await.unwrap();
        assert!(is_request(transport.receive().await));
    }

    #[tokio::test]
    async fn floods_and_ends_end_the_conversation_and_say_how() {
        let endless_line = "x".repeat(LONGEST_MESSAGE + 1);
        let long_noise = "noise, ".repeat(1000) + "\n";
        let long_noise = long_noise.repeat(MOST_NOISE / long_noise.len() + 2);
        let endless_noise = "noise\n".repeat(MOST_NOISY_LINES + 1);
        for (text, how) in [
            (endless_line.as_str(), "more than 8 MiB"),
            (long_noise.as_str(), "floods its standard output"),
            (endless_noise.as_str(), "floods its standard output"),
            ("{\"half", "closed its standard output"),
        ] {
            let (mut transport, mut server, fault) = transport();
            let writing = async {
                // The client hangs up in the middle of a flood.
                let _ = server.write_all(text.as_bytes()).await;
                drop(server);
            };
            let reading = async {
                let end = transport.receive().await;
                drop(transport);
                end
            };
            let ((), end) = tokio::join!(writing, reading);
            assert!(end.is_none());
            let end = fault.end().unwrap();
            assert!(end.contains(how), "{how:?} is missing in {end:?}");
        }
    }
}
