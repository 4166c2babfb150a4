//! A file server that answers with the bytes that a test wrote out, and counts its connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The answer to every request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status line and headers, each ended by `\r\n`; the empty line after them is added.
    pub head: String,
    /// The body; the connection ends after it.
    pub body: Vec<u8>,
}

impl Answer {
    /// 200 with a true `Content-Length`.
    pub fn file(body: Vec<u8>) -> Self {
        let length = body.len();
        Self::promising(length, body)
    }

    /// 200 with a `Content-Length` of the test's choice.
    pub fn promising(length: usize, body: Vec<u8>) -> Self {
        Self {
            head: format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n"),
            body,
        }
    }

    /// A status and headers of the test's choice, without a body.
    pub fn empty(status: u16, headers: &str) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: 0\r\n"),
            body: Vec::new(),
        }
    }
}

/// Listens on a port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct FileServer {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    heard: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl FileServer {
    /// Starts a server.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(answer: Answer) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answer.clone()));
            }
        });
        Ok(Self {
            origin,
            heard,
            task,
        })
    }

    /// A link to a file on this server.
    pub fn link(&self) -> String {
        format!("{}/file", self.origin)
    }

    /// How many connections there have been.
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Errors are ignored: the other side hangs up when it has seen enough.
async fn serve(mut stream: TcpStream, answer: Answer) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let head = format!("{}Connection: close\r\n\r\n", answer.head);
    if stream.write_all(head.as_bytes()).await.is_ok()
        && stream.write_all(&answer.body).await.is_ok()
    {
        drop(stream.shutdown().await);
    }
}
