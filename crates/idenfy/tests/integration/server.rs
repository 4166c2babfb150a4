//! A server that sends given bytes, and treats the connection as told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use idenfy::{Client, Credentials, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any test takes.
/// A test that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(20);

pub const KEY: &str = "the-api-key";
pub const SECRET: &str = "the-api-secret";

/// What happens after the bytes are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Close,
    /// Say nothing more and keep the connection open.
    Hang,
    Reset,
}

/// One request, as far as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    pub body: Vec<u8>,
    pub content_length: Option<usize>,
}

impl Received {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn is_whole(&self) -> bool {
        self.content_length.unwrap_or_default() == self.body.len()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(this, _)| this.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

pub struct Server {
    pub client: Client,
    received: Arc<Mutex<Vec<Received>>>,
    arrivals: tokio::sync::watch::Receiver<usize>,
}

impl Server {
    /// Says the same to every request.
    pub async fn saying(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (arrived, arrivals) = tokio::sync::watch::channel(0);
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            let mut hung = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                let is_whole = request.is_whole();
                log.lock().unwrap().push(request);
                arrived.send_modify(|count| *count += 1);
                // A broken-off request gets no answer.
                if is_whole {
                    stream.write_all(&answer).await.unwrap();
                    stream.flush().await.unwrap();
                    match then {
                        Then::Close => {}
                        Then::Hang => hung.push(stream),
                        Then::Reset => stream.set_zero_linger().unwrap(),
                    }
                }
            }
        });
        Self {
            client: client(&base_url),
            received,
            arrivals,
        }
    }

    /// Answers as soon as a request begins, without reading it.
    pub async fn interrupting(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                assert_eq!(stream.peek(&mut [0]).await.unwrap(), 1);
                stream.write_all(&answer).await.unwrap();
                kept.push(stream);
            }
        });
        let (_, arrivals) = tokio::sync::watch::channel(0);
        Self {
            client: client(&base_url),
            received: Arc::default(),
            arrivals,
        }
    }

    /// An answer with a JSON body.
    pub async fn answering(status: u16, body: &str) -> Self {
        Self::saying(
            answer(status, "Content-Type: application/json\r\n", body),
            Then::Close,
        )
        .await
    }

    pub fn with_timeouts(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeouts(Timeouts {
            token: timeout,
            process: timeout,
            others: timeout,
        });
        self
    }

    /// The only request so far; waits until it has come.
    pub async fn request(&mut self) -> Received {
        self.arrivals.wait_for(|count| *count > 0).await.unwrap();
        let received = self.received.lock().unwrap();
        assert_eq!(received.len(), 1, "the client never repeats a call");
        received.first().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

pub fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "this client is for a test's server only"
)]
pub fn client(base_url: &str) -> Client {
    // A later test of the process finds the first one's provider, which is equivalent.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Client::new(
        http,
        base_url.parse().unwrap(),
        Credentials::new(KEY, SECRET),
    )
}

/// Runs a test with a deadline.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, test).await.unwrap() })
}

/// Reads until the request is whole or the connection ends.
async fn read(stream: &mut TcpStream) -> Received {
    let mut bytes = Vec::new();
    loop {
        let head_length = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .map(|position| position + 4);
        if let Some(head_length) = head_length {
            let mut head = bytes.clone();
            let body = head.split_off(head_length);
            let mut received = Received {
                head: String::from_utf8(head).unwrap(),
                body,
                content_length: None,
            };
            received.content_length = received
                .header("content-length")
                .map(|value| value.parse().unwrap());
            if received.body.len() >= received.content_length.unwrap_or_default() {
                return received;
            }
            let missing = received.content_length.unwrap_or_default() - received.body.len();
            let mut rest = stream.take(missing as u64);
            // A connection that breaks here is what some tests are about.
            rest.read_to_end(&mut received.body).await.ok();
            return received;
        }
        assert_ne!(
            stream.read_buf(&mut bytes).await.unwrap(),
            0,
            "the connection ended before the head did"
        );
    }
}
