//! A server of a few lines on the loopback: it reads requests and does with them what a test says.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line =
            self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers each request with what `answer` writes; an error of it, or `false`, closes the connection.
    pub(crate) fn plain<F>(answer: F) -> Self
    where
        F: Fn(&Seen, &mut dyn Write) -> io::Result<bool> + Send + Sync + 'static,
    {
        Self::start(move |stream, log| serve(stream, &answer, log))
    }

    /// Hands each connection to a function.
    pub(crate) fn start<F>(connection: F) -> Self
    where
        F: Fn(TcpStream, &Mutex<Vec<Seen>>) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on the loopback");
        let address = listener.local_addr().expect("it is bound");
        let (connections, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counter, log, connection) = (connections.clone(), seen.clone(), Arc::new(connection));
        // It ends with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let (log, connection) = (log.clone(), connection.clone());
                std::thread::spawn(move || connection(stream, &log));
            }
        });
        Self { address, connections, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }
}

/// Answers the requests of one connection, plain or in TLS.
pub(crate) fn serve<S: Read + Write>(
    mut stream: S,
    answer: impl Fn(&Seen, &mut dyn Write) -> io::Result<bool>,
    log: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    while let Some(seen) = read_request(&mut stream)? {
        log.lock().expect("no test panics while it holds this").push(seen.clone());
        if !answer(&seen, &mut stream)? {
            break;
        }
        stream.flush()?;
    }
    Ok(())
}

fn read_request(stream: &mut impl Read) -> io::Result<Option<Seen>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend(byte);
    }
    let mut seen = Seen { head: String::from_utf8_lossy(&head).into_owned(), body: Vec::new() };
    let length = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    seen.body = vec![0; length];
    stream.read_exact(&mut seen.body)?;
    Ok(Some(seen))
}

/// A complete answer with this body.
pub(crate) fn ok(output: &mut dyn Write, body: &[u8]) -> io::Result<bool> {
    write!(output, "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n", body.len())?;
    output.write_all(body)?;
    Ok(true)
}
