//! The HTTP transport against servers that answer well, badly, slowly and not at all.

#[path = "transport/server.rs"]
mod server;
#[path = "transport/tls.rs"]
mod tls;

use acquaint_connectors::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::transport::{HttpClient, HttpOptions, Proxy};
use futures::StreamExt;
use futures::executor::block_on;
use futures::future::{join_all, select};
use server::{Seen, Server, ok};
use std::io::{self, Read};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

fn options() -> HttpOptions {
    HttpOptions {
        proxy: Proxy::Direct,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
        ..HttpOptions::default()
    }
}

fn client() -> HttpClient {
    HttpClient::new(&options()).expect("valid options")
}

fn request(method: &str, url: String, body: &[u8]) -> HttpRequest {
    HttpRequest { method: method.to_owned(), url, headers: Vec::new(), body: body.to_vec(), idempotent: true }
}

fn get(client: &HttpClient, server: &Server) -> Result<HttpResponse, TransportError> {
    block_on(client.send(request("GET", server.url("/"), b"")))
}

fn lost(result: Result<HttpResponse, TransportError>) -> String {
    match result {
        Err(TransportError::Lost { detail }) => detail,
        other => panic!("expected a lost answer, got {other:?}"),
    }
}

fn unconnected(result: Result<HttpResponse, TransportError>) -> String {
    match result {
        Err(TransportError::Connect { detail }) => detail,
        other => panic!("expected no connection, got {other:?}"),
    }
}

#[test]
fn any_method_goes_out_with_its_body_and_a_length() {
    let server = Server::plain(|seen, output| ok(output, &seen.body));
    let client = client();
    for method in ["PROPFIND", "REPORT", "MKCOL", "MOVE", "PROPPATCH", "PUT", "POST", "DELETE", "GET"] {
        for body in [b"".as_slice(), b"<x/>", &[b'x'; 100_000]] {
            if method == "GET" && !body.is_empty() {
                continue;
            }
            let mut request = request(method, server.url("/a%20b?c"), body);
            request.headers =
                vec![("depth".to_owned(), "1".to_owned()), ("if-match".to_owned(), "\"é\"".to_owned())];
            let answer = block_on(client.send(request)).expect("an answer");
            assert_eq!((answer.status, answer.body.as_slice()), (200, body), "{method}");
            assert_eq!(answer.header("etag"), Some("\"1\""));
            let seen = server.seen().pop().expect("it arrived");
            assert!(seen.head.starts_with(&format!("{method} /a%20b?c HTTP/1.1\r\n")), "{}", seen.head);
            let bare = matches!(method, "GET" | "DELETE") && body.is_empty();
            let length = (!bare).then(|| body.len().to_string());
            assert_eq!(seen.header("content-length"), length.as_deref(), "{method}");
            assert_eq!(seen.header("depth"), Some("1"));
        }
    }
}

#[test]
fn nothing_is_added_but_host_length_and_agent() {
    let server = Server::plain(|_, output| ok(output, b""));
    let mut request = request("PUT", server.url("/"), b"x");
    request.headers = vec![("content-type".to_owned(), "text/vcard".to_owned())];
    block_on(client().send(request)).expect("an answer");
    let head = server.seen().remove(0).head.to_ascii_lowercase();
    let mut names: Vec<&str> =
        head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host", "user-agent"]);
    assert!(head.contains("user-agent: acquaint/"));
}

#[test]
fn redirects_and_errors_are_answers() {
    for status in ["301 Moved", "302 Found", "307 Again", "401 Who", "412 Changed", "500 Oops", "204 Empty"] {
        let server = Server::plain(move |_, output| {
            write!(output, "HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:1/\r\nDAV: 1\r\nDav: 3\r\n")?;
            let body = if status.starts_with("204") { "\r\n" } else { "Content-Length: 4\r\n\r\nbody" };
            output.write_all(body.as_bytes()).map(|()| true)
        });
        for method in ["GET", "PROPFIND", "PUT"] {
            let answer = block_on(client().send(request(method, server.url("/"), b""))).expect("an answer");
            assert_eq!(answer.status.to_string(), status[..3]);
            assert_eq!(answer.header("location"), Some("http://127.0.0.1:1/"));
            let dav: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "dav").collect();
            assert_eq!(dav.len(), 2, "a header that comes twice is kept twice");
        }
        assert_eq!(server.connections(), 3, "a redirect was followed");
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::plain(|_, output| ok(output, b"x"));
    let client = client();
    for _ in 0..20 {
        get(&client, &server).expect("an answer");
    }
    assert_eq!((server.connections(), server.seen().len()), (1, 20));
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let server = Server::plain(|_, output| ok(output, b"x").map(|_| false));
    let client = client();
    for _ in 0..3 {
        get(&client, &server).expect("an answer");
        // Time for the end of the connection to arrive.
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.connections(), 3);
}

#[test]
fn chunked_answers_and_those_that_end_with_the_connection_are_read() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", "to the end"),
        ("HTTP/1.0 200 OK\r\n\r\nold", "old"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"),
    ] {
        let server = Server::plain(move |_, output| output.write_all(answer.as_bytes()).map(|()| false));
        let answer = get(&client(), &server).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer.body), body);
    }
}

#[test]
fn several_requests_are_in_flight_at_once() {
    // The server answers none before all four have arrived.
    let together = Arc::new(Barrier::new(4));
    let server = Server::plain(move |_, output| {
        together.wait();
        ok(output, b"x")
    });
    let client = client();
    let sends = (0..4).map(|_| client.send(request("GET", server.url("/"), b"")));
    assert!(block_on(join_all(sends)).iter().all(Result::is_ok));
}

#[test]
fn no_more_than_allowed_are_in_flight() {
    let server = Server::plain(|_, output| {
        std::thread::sleep(Duration::from_millis(5));
        ok(output, b"x")
    });
    let client = HttpClient::new(&HttpOptions { in_flight: 2, ..options() }).expect("valid options");
    let sends = (0..12).map(|_| client.send(request("GET", server.url("/"), b"")));
    assert!(block_on(join_all(sends)).iter().all(Result::is_ok));
    assert!(server.connections() <= 2, "{} connections were opened", server.connections());
}

#[test]
fn a_slow_answer_is_lost_in_time() {
    let server = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")?;
        output.flush()?;
        std::thread::sleep(Duration::from_secs(3));
        Ok(false)
    });
    let silent = Server::plain(|_, _| {
        std::thread::sleep(Duration::from_secs(3));
        Ok(false)
    });
    let options = HttpOptions { timeout: Duration::from_millis(300), ..options() };
    let client = HttpClient::new(&options).expect("valid options");
    for server in [server, silent] {
        let start = Instant::now();
        assert_eq!(lost(get(&client, &server)), "the request took too long");
        let taken = start.elapsed();
        assert!(taken >= Duration::from_millis(250) && taken < Duration::from_secs(2), "it took {taken:?}");
    }
}

#[test]
fn a_slow_answer_within_the_time_is_read() {
    let server = Server::plain(|_, output| {
        for piece in ["HTTP/1.1 200 OK\r\nContent-", "Length: 4\r\n\r\n", "ab", "cd"] {
            output.write_all(piece.as_bytes())?;
            output.flush()?;
            // Longer than the transport waits in one go.
            std::thread::sleep(Duration::from_millis(150));
        }
        Ok(false)
    });
    assert_eq!(get(&client(), &server).expect("an answer").body, b"abcd");
}

#[test]
fn cut_answers_are_lost() {
    for cut in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ] {
        let server = Server::plain(move |_, output| output.write_all(cut.as_bytes()).map(|()| false));
        lost(get(&client(), &server));
    }
}

#[test]
fn garbage_is_lost() {
    let binary: &[u8] = &[0xFF; 3000];
    for garbage in [
        b"SSH-2.0-OpenSSH_9.6\r\n".as_slice(),
        b"\0\0\0\0\r\n\r\n",
        binary,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"<html>hello</html>",
    ] {
        let server = Server::plain(move |_, output| output.write_all(garbage).map(|()| false));
        lost(get(&client(), &server));
    }
}

#[test]
fn oversized_bodies_are_refused_at_the_limit() {
    let options = HttpOptions { response_bytes: 1000, ..options() };
    let client = HttpClient::new(&options).expect("valid options");
    let limit = Err(TransportError::TooLarge { limit: 1000 });
    let announced = |length: usize| Server::plain(move |_, output| ok(output, &vec![b'x'; length]));
    assert_eq!(get(&client, &announced(1000)).map(|answer| answer.body.len()), Ok(1000));
    assert_eq!(get(&client, &announced(1001)).map(|answer| answer.body.len()), limit);
    let open = |length: usize| {
        Server::plain(move |_, output| {
            output.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            output.write_all(&vec![b'x'; length]).map(|()| false)
        })
    };
    assert_eq!(get(&client, &open(1000)).map(|answer| answer.body.len()), Ok(1000));
    assert_eq!(get(&client, &open(1001)).map(|answer| answer.body.len()), limit);
    // Endless: it must stop by itself.
    let endless = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            output.write_all(b"5\r\nabcde\r\n")?;
        }
    });
    assert_eq!(get(&client, &endless).map(|answer| answer.body.len()), limit);
}

#[test]
fn endless_headers_are_refused() {
    let server = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            output.write_all(b"X-Header: value\r\n")?;
        }
    });
    assert!(matches!(
        get(&client(), &server),
        Err(TransportError::TooLarge { .. } | TransportError::Lost { .. })
    ));
}

#[test]
fn a_refused_port_or_an_unknown_host_is_no_connection() {
    let refused =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    unconnected(block_on(client().send(request("PUT", format!("http://{refused}/"), b"x"))));
    unconnected(block_on(client().send(request("PUT", format!("https://{refused}/"), b"x"))));
    unconnected(block_on(client().send(request("GET", "http://nowhere.invalid/".to_owned(), b""))));
}

#[test]
fn malformed_requests_are_not_sent() {
    let server = Server::plain(|_, output| ok(output, b"x"));
    for url in ["", "not a url", "/path", "http://", "http://[::1", "ftp://127.0.0.1/"] {
        unconnected(block_on(client().send(request("GET", url.to_owned(), b""))));
    }
    for method in ["", "GET /", "G\r\nET"] {
        unconnected(block_on(client().send(request(method, server.url("/"), b""))));
    }
    for (name, value) in [("a b", "x"), ("a", "x\r\nb: y"), ("", "x"), ("a", "\0")] {
        let mut request = request("GET", server.url("/"), b"");
        request.headers = vec![(name.to_owned(), value.to_owned())];
        unconnected(block_on(client().send(request)));
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_server_that_hangs_up_on_a_body_has_lost_it() {
    // It reads the head, then closes with the body unread.
    let server = Server::start(|mut stream, _| {
        let mut head = [0; 200];
        stream.read(&mut head).map(drop)
    });
    let put = request("PUT", server.url("/"), &vec![b'x'; 20 << 20]);
    lost(block_on(client().send(put)));
}

#[test]
fn dropping_the_future_ends_the_request() {
    let (told_begin, begun) = futures::channel::mpsc::unbounded();
    let (told_end, ended) = mpsc::channel();
    let server = Server::start(move |mut stream, _| {
        let mut bytes = [0; 1000];
        // The request, then nothing until the other side closes.
        while stream.read(&mut bytes)? > 0 {
            told_begin.unbounded_send(()).map_err(io::Error::other)?;
        }
        told_end.send(Instant::now()).map_err(io::Error::other)
    });
    let client = HttpClient::new(&HttpOptions { in_flight: 1, ..options() }).expect("valid options");
    let (sent, queued) = (request("GET", server.url("/"), b""), request("GET", server.url("/queued"), b""));
    let sends = join_all([client.send(sent), client.send(queued)]);
    // Dropped as soon as the first has arrived.
    drop(block_on(select(sends, begun.into_future())));
    let dropped = Instant::now();
    let ended = ended.recv_timeout(Duration::from_secs(5)).expect("the connection is closed");
    assert!(ended.saturating_duration_since(dropped) < Duration::from_secs(2));
    // The only thread is free again, and what was queued behind is not sent.
    let other = Server::plain(|_, output| ok(output, b"x"));
    get(&client, &other).expect("an answer");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_proxy_is_asked_to_connect_and_its_refusal_is_no_connection() {
    let proxy = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n").map(|()| false)
    });
    let url = format!("http://user:canary@{}", proxy.address);
    let options = HttpOptions { proxy: Proxy::Url(url.into()), ..options() };
    let client = HttpClient::new(&options).expect("valid options");
    let result = block_on(client.send(request("PUT", "https://example.invalid/x".to_owned(), b"body")));
    assert_eq!(unconnected(result), "the proxy refused");
    let seen: Vec<Seen> = proxy.seen();
    assert!(seen[0].head.starts_with("CONNECT example.invalid:443 "), "{}", seen[0].head);
    assert!(!seen.iter().any(|seen| seen.head.contains("/x")));
    assert!(!format!("{options:?} {client:?}").contains("canary"));
}

#[test]
#[ignore = "run by the_environment_names_the_proxy in a process of its own"]
fn child_asks_as_the_environment_says() {
    let client =
        HttpClient::new(&HttpOptions { proxy: Proxy::Environment, ..options() }).expect("valid options");
    let result = block_on(client.send(request("GET", "https://example.invalid/".to_owned(), b"")));
    assert_eq!(unconnected(result), "the proxy refused");
    let direct = Server::plain(|_, output| ok(output, b"x"));
    get(&client, &direct).expect("NO_PROXY names this host");
}

#[test]
fn the_environment_names_the_proxy() {
    let proxy = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 403 Never\r\nContent-Length: 0\r\n\r\n").map(|()| false)
    });
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "child_asks_as_the_environment_says", "--ignored"]);
    for name in ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
        child.env_remove(name);
    }
    child.env("HTTPS_PROXY", format!("http://{}", proxy.address)).env("NO_PROXY", "127.0.0.1,localhost");
    let output = child.output().expect("this program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn nothing_of_a_request_is_in_errors_or_debug() {
    let refused =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let cut = Server::plain(|_, output| {
        output.write_all(b"HTTP/1.1 200 OK\r\nX: canary\r\nContent-Length: 10\r\n\r\ncanary").map(|()| false)
    });
    let garbage = Server::plain(|_, output| output.write_all(b"canary\r\n\r\n").map(|()| false));
    for url in [
        format!("http://{refused}/canary"),
        cut.url("/canary"),
        garbage.url("/canary"),
        "http://canary.invalid/".to_owned(),
        "canary".to_owned(),
        "http://canary:canary canary/".to_owned(),
    ] {
        let mut request = request("GET", url, b"");
        request.headers = vec![("authorization".to_owned(), "Basic canary".to_owned())];
        let client = client();
        let error = block_on(client.send(request.clone())).expect_err("it fails");
        let printed = format!("{error} {error:?} {client:?} {request:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
