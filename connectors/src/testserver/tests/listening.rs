use super::*;
use crate::testserver::{DavListener, Effect, Fault};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn start() -> (DavListener, Arc<Mutex<DavServer>>) {
    let server = Arc::new(Mutex::new(server(Quirks::default())));
    (DavListener::start(Arc::clone(&server)).unwrap(), server)
}

fn connect(listener: &DavListener) -> TcpStream {
    let stream = TcpStream::connect(listener.origin().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

fn head(method: &str, path: &str, more: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:1\r\nAuthorization: Basic aWRhOnNlY3JldA==\r\n{more}\r\n"
    )
}

/// Reads one answer: head, and body by its Content-Length.
fn receive(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let (listener, server) = start();
    let mut stream = connect(&listener);
    let body = card("n", "Nea");
    let put = head("PUT", &format!("{BOOK}n.vcf"), &format!("Content-Length: {}\r\n", body.len()));
    let (half, rest) = body.split_at(20);
    stream.write_all(format!("{put}{half}").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let get = head("GET", &format!("{BOOK}n.vcf"), "");
    stream.write_all(format!("{rest}{get}").as_bytes()).unwrap();
    let (created, _) = receive(&mut stream);
    assert!(created.starts_with("HTTP/1.1 201 Created\r\n"), "{created}");
    let (got, bytes) = receive(&mut stream);
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
    assert_eq!(bytes, body.as_bytes());
    stream.write_all(head("DELETE", &format!("{BOOK}n.vcf"), "Connection: close\r\n").as_bytes()).unwrap();
    let (deleted, _) = receive(&mut stream);
    assert!(deleted.starts_with("HTTP/1.1 204") && !deleted.contains("content-length"), "{deleted}");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed as asked");
    let server = server.lock().unwrap();
    assert!(server.url().starts_with("http://127.0.0.1:"));
    let seen: Vec<&str> = server.log().map(|entry| entry.origin.as_str()).collect();
    assert_eq!(seen, ["http://localhost:1"; 3], "the origin is the client's");
}

#[test]
fn large_uploads_wait_for_the_go_ahead() {
    let (listener, _server) = start();
    let mut stream = connect(&listener);
    let body = card("n", &"x".repeat(300_000));
    let length = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    stream.write_all(head("PUT", &format!("{BOOK}n.vcf"), &length).as_bytes()).unwrap();
    assert_eq!(receive(&mut stream).0, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert!(receive(&mut stream).0.starts_with("HTTP/1.1 201"));
}

#[test]
fn what_is_not_plain_http_is_refused() {
    let (listener, _server) = start();
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(70_000));
    for (sent, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/2\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
        ("PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        ("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "411"),
        ("PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "413"),
        (&long, "400"),
    ] {
        let mut stream = connect(&listener);
        stream.write_all(sent.as_bytes()).unwrap();
        assert_eq!(receive(&mut stream).0.split(' ').nth(1), Some(status));
    }
}

#[test]
fn ordered_mishaps_break_the_connection() {
    let (listener, server) = start();
    server.lock().unwrap().fail(Fault::new(Effect::LoseAnswer));
    server.lock().unwrap().fail(Fault::new(Effect::BreakOff(10)));
    let mut stream = connect(&listener);
    stream.write_all(head("DELETE", &format!("{BOOK}a.vcf"), "").as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert!(all.is_empty());
    assert_eq!(server.lock().unwrap().count_cards(FIRST_BOOK), 2, "it was carried out");
    let mut stream = connect(&listener);
    stream.write_all(head("GET", &format!("{BOOK}b.vcf"), "").as_bytes()).unwrap();
    stream.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(b"\r\n\r\nBEGIN:VCAR"));
}

#[test]
fn it_stops_at_once_with_connections_open() {
    let (listener, _server) = start();
    let idle = connect(&listener);
    let port = listener.origin();
    let start = Instant::now();
    listener.stop();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(TcpStream::connect(port.strip_prefix("http://").unwrap()).is_err());
    drop(idle);
}
