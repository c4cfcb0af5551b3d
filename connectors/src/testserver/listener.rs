//! The server on a port of this machine, for tests of real HTTP transports and for use by hand.

use super::transport::lock;
use super::{DavServer, Reply};
use crate::http::{HttpRequest, HttpResponse};
use acquaint_core::limits;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Connections served at once; more are told 503.
const CONNECTIONS: usize = 64;
/// Bytes of a request line and its headers.
const HEAD_BYTES: usize = 64 << 10;
/// A connection without a byte for so long is closed.
const IDLE: Duration = Duration::from_secs(30);
/// How often a waiting connection looks whether to stop.
const POLL: Duration = Duration::from_millis(50);

/// Serves a [`DavServer`] by HTTP/1.1 on `127.0.0.1`, a thread a connection. Stops when dropped.
///
/// Requests need `Content-Length`; chunked ones get 411. An ordered [`Reply::Unreachable`] can only be shown as a
/// connection that closes without an answer.
#[derive(Debug)]
pub struct DavListener {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl DavListener {
    /// Serves on a free port. The origin of the server becomes that of the listener.
    ///
    /// # Errors
    /// When the system gives no port.
    pub fn start(server: Arc<Mutex<DavServer>>) -> io::Result<Self> {
        Self::start_on(0, server)
    }

    /// Serves on this port; 0 for a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_on(port: u16, server: Arc<Mutex<DavServer>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        lock(&server).set_origin(&format!("http://{address}"));
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let accepting = thread::Builder::new()
            .name("dav listener".into())
            .spawn(move || accept(&listener, &server, &stopping))?;
        Ok(Self { address, stop, accepting: Some(accepting) })
    }

    /// The origin to ask: `http://127.0.0.1:PORT`. `http://localhost:PORT` is another origin of the same server.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes all connections and waits until they are closed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for DavListener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, server: &Arc<Mutex<DavServer>>, stop: &Arc<AtomicBool>) {
    let mut open: Vec<JoinHandle<()>> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(POLL);
            continue;
        };
        open.retain(|thread| !thread.is_finished());
        if open.len() >= CONNECTIONS {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            continue;
        }
        let (server, stop) = (Arc::clone(server), Arc::clone(stop));
        let serve = move || {
            // A connection that breaks is the client's business.
            let _ = Connection { stream, buffer: Vec::new(), stop }.serve(&server);
        };
        if let Ok(thread) = thread::Builder::new().name("dav connection".into()).spawn(serve) {
            open.push(thread);
        }
    }
    for thread in open {
        let _ = thread.join();
    }
}

struct Connection {
    stream: TcpStream,
    /// Bytes read and not used yet.
    buffer: Vec<u8>,
    stop: Arc<AtomicBool>,
}

/// A request line with headers.
struct Head {
    request: HttpRequest,
    length: usize,
    chunked: bool,
    keep: bool,
    waits: bool,
}

impl Connection {
    fn serve(&mut self, server: &Mutex<DavServer>) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.stream.set_read_timeout(Some(POLL))?;
        self.stream.set_write_timeout(Some(IDLE))?;
        let host = self.stream.local_addr()?.to_string();
        while let Some(end) = self.head_end()? {
            let head = if end > HEAD_BYTES {
                None
            } else {
                parse(self.buffer.get(..end).unwrap_or_default(), &host)
            };
            let Some(mut head) = head else { return self.refuse(400) };
            self.buffer.drain(..end);
            if head.chunked {
                return self.refuse(411);
            }
            if head.length > limits::CARD_BYTES {
                return self.refuse(413);
            }
            if head.waits && self.buffer.is_empty() {
                self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            while self.buffer.len() < head.length {
                self.fill()?;
            }
            head.request.body = self.buffer.drain(..head.length).collect();
            let reply = lock(server).reply(&head.request);
            match reply {
                Reply::Whole(response) => self.send(&response, head.keep, None)?,
                Reply::Part(response, bytes) => return self.send(&response, false, Some(bytes)),
                Reply::Lost | Reply::Unreachable => return Ok(()),
            }
            if !head.keep {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads until the buffer holds a whole head, or too much; none if the client is done.
    fn head_end(&mut self) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            let from = searched.min(self.buffer.len());
            if let Some(at) = memchr::memmem::find(self.buffer.get(from..).unwrap_or_default(), b"\r\n\r\n") {
                return Ok(Some(from + at + 4));
            }
            if self.buffer.len() > HEAD_BYTES {
                return Ok(Some(self.buffer.len()));
            }
            searched = self.buffer.len().saturating_sub(3);
            match self.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads some bytes; an error at the end, when idle for too long, or when the listener stops.
    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        let until = Instant::now() + IDLE;
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
                    return Ok(());
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if self.stop.load(Ordering::SeqCst) || Instant::now() > until {
                        return Err(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn refuse(&mut self, status: u16) -> io::Result<()> {
        self.send(&super::reply::empty(status), false, None)
    }

    fn send(&mut self, response: &HttpResponse, keep: bool, cut: Option<usize>) -> io::Result<()> {
        let mut bytes = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status)).into_bytes();
        for (name, value) in &response.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if response.header("content-length").is_none() && !matches!(response.status, 204 | 304) {
            bytes.extend_from_slice(format!("content-length: {}\r\n", response.body.len()).as_bytes());
        }
        if !keep {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        let end = cut.unwrap_or(usize::MAX).min(response.body.len());
        bytes.extend_from_slice(response.body.get(..end).unwrap_or_default());
        self.stream.write_all(&bytes)
    }
}

/// Reads a head; none if it is not one of HTTP/1.
fn parse(head: &[u8], host: &str) -> Option<Head> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    let mut headers = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let url = if target.starts_with('/') {
        format!("http://{}{target}", header("host").unwrap_or(host))
    } else {
        target.to_owned()
    };
    let length = header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let connection = header("connection").unwrap_or_default().to_ascii_lowercase();
    let keep = if version == "HTTP/1.0" { connection == "keep-alive" } else { connection != "close" };
    let chunked = header("transfer-encoding").is_some();
    let waits = header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    let request =
        HttpRequest { method: method.to_owned(), url, headers, body: Vec::new(), idempotent: false };
    Some(Head { request, length, chunked, keep, waits })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        207 => "Multi-Status",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Status",
    }
}
