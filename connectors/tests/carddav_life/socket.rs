//! HTTP/1.1 over a plain socket, one connection a request: enough for servers on this machine.

use acquaint_connectors::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use async_trait::async_trait;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[derive(Default)]
pub struct Socket;

#[async_trait]
impl HttpTransport for Socket {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let rest = request.url.strip_prefix("http://").expect("plain http");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let stream = TcpStream::connect(host)
            .map_err(|error| TransportError::Connect { detail: error.kind().to_string() })?;
        exchange(stream, host, path, &request)
            .map_err(|error| TransportError::Lost { detail: error.kind().to_string() })
    }
}

fn exchange(
    mut stream: TcpStream,
    host: &str,
    path: &str,
    request: &HttpRequest,
) -> std::io::Result<HttpResponse> {
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    stream.set_nodelay(true)?;
    let mut head = format!("{} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", request.method);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&request.body);
    stream.write_all(&bytes)?;

    let mut reader = BufReader::new(stream);
    let (mut status, mut headers): (u16, Vec<(String, String)>) = (0, Vec::new());
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        match line.trim_end().split_once(':') {
            _ if status == 0 => status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0),
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => {}
        }
        line.clear();
    }
    let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let mut body = Vec::new();
    if header("transfer-encoding").is_some_and(|t| t.eq_ignore_ascii_case("chunked")) {
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| std::io::ErrorKind::InvalidData)?;
            if size == 0 {
                break;
            }
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = header("content-length").and_then(|l| l.parse::<u64>().ok()) {
        reader.take(length).read_to_end(&mut body)?;
    } else if status != 204 {
        reader.read_to_end(&mut body)?;
    }
    Ok(HttpResponse { status, headers, body })
}
