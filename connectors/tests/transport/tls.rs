//! Certificates: who is trusted, and that nothing is sent to who is not.

use super::{client, get, options, request, unconnected};
use crate::server::{Seen, Server, ok, serve};
use acquaint_connectors::http::{HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::transport::{HttpClient, HttpOptions, Proxy};
use futures::executor::block_on;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// An authority of the tests' own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Test authority");
    let key = KeyPair::generate().expect("random numbers");
    CertifiedIssuer::self_signed(params, key).expect("a valid certificate")
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).expect("a valid name")
}

/// A TLS server with this certificate, by the authority or by itself.
fn server(params: &CertificateParams, by: Option<&CertifiedIssuer<'static, KeyPair>>) -> Server {
    let key = KeyPair::generate().expect("random numbers");
    let certificate = match by {
        Some(authority) => params.signed_by(&key, authority),
        None => params.self_signed(&key),
    };
    let certificate = certificate.expect("a valid certificate").der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("certificate and key belong together");
    let config = Arc::new(config);
    let answer = |seen: &Seen, output: &mut dyn Write| ok(output, &seen.body);
    Server::start(move |stream, log| {
        let tls = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
        serve(StreamOwned::new(tls, stream), answer, log)
    })
}

fn put(client: &HttpClient, server: &Server) -> Result<HttpResponse, TransportError> {
    let url = format!("https://localhost:{}/", server.address.port());
    block_on(client.send(request("PUT", url, b"body")))
}

fn refused(result: Result<HttpResponse, TransportError>, server: &Server) -> String {
    assert!(server.seen().is_empty(), "something was sent to a server that is not trusted");
    match result {
        Err(TransportError::Tls { detail }) => detail,
        other => panic!("expected a TLS error, got {other:?}"),
    }
}

fn file_of(authority: &CertifiedIssuer<'static, KeyPair>) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(authority.pem().as_bytes()).expect("our own file");
    file
}

/// A client that trusts the authority.
fn trusting(authority: &CertifiedIssuer<'static, KeyPair>) -> HttpClient {
    let file = file_of(authority);
    let options = HttpOptions { ca_file: Some(file.path().to_owned()), ..options() };
    HttpClient::new(&options).expect("a valid file")
}

#[test]
fn a_certificate_of_a_named_authority_is_accepted() {
    let authority = authority();
    let server = server(&params("localhost"), Some(&authority));
    let client = trusting(&authority);
    for _ in 0..3 {
        assert_eq!(put(&client, &server).expect("an answer").body, b"body");
    }
    assert_eq!(server.connections(), 1, "TLS connections are kept as well");
}

#[test]
fn a_self_signed_certificate_is_refused() {
    let server = server(&params("localhost"), None);
    assert!(refused(put(&client(), &server), &server).contains("trusts"));
    let other = authority();
    assert!(refused(put(&trusting(&other), &server), &server).contains("trusts"));
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = authority();
    let mut expired = params("localhost");
    expired.not_before = date_time_ymd(2019, 1, 1);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let server = server(&expired, Some(&authority));
    assert_eq!(refused(put(&trusting(&authority), &server), &server), "it has expired");
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = authority();
    let server = server(&params("other.example"), Some(&authority));
    assert_eq!(refused(put(&trusting(&authority), &server), &server), "it belongs to another host");
}

#[test]
fn a_server_without_tls_is_refused() {
    let server = Server::start(|mut stream, _| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert_eq!(refused(put(&client(), &server), &server), "the server does not speak TLS");
}

#[test]
fn a_server_that_hangs_up_during_the_handshake_was_sent_nothing() {
    let server = Server::start(|stream, _| stream.shutdown(Shutdown::Both));
    unconnected(put(&client(), &server));
}

#[test]
fn a_handshake_that_hangs_is_no_connection() {
    let server = Server::start(|mut stream, _| std::io::copy(&mut stream, &mut std::io::sink()).map(drop));
    let options = HttpOptions { connect_timeout: Duration::from_millis(200), ..options() };
    let client = HttpClient::new(&options).expect("valid options");
    assert_eq!(unconnected(put(&client, &server)), "connecting took too long");
}

/// A proxy that leads every `CONNECT` to this server.
fn tunnel(to: &Server) -> Server {
    let address = to.address;
    Server::start(move |mut stream, log| {
        let asked = serve(&mut stream, |_, _| Ok(false), log);
        asked.and_then(|()| stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"))?;
        let there = TcpStream::connect(address)?;
        let (mut from, mut to) = (stream.try_clone()?, there.try_clone()?);
        std::thread::spawn(move || {
            std::io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Both))
        });
        std::io::copy(&mut &there, &mut stream).map(drop)
    })
}

#[test]
fn certificates_are_checked_through_a_proxy() {
    let authority = authority();
    let server = server(&params("localhost"), Some(&authority));
    let proxy = tunnel(&server);
    let url = format!("http://{}", proxy.address);
    let through = HttpOptions { proxy: Proxy::Url(url.into()), ..options() };
    let client = HttpClient::new(&through).expect("valid options");
    assert!(refused(put(&client, &server), &server).contains("trusts"));
    let file = file_of(&authority);
    let through = HttpOptions { ca_file: Some(file.path().to_owned()), ..through };
    let client = HttpClient::new(&through).expect("valid options");
    for _ in 0..2 {
        assert_eq!(put(&client, &server).expect("an answer").body, b"body");
    }
    assert_eq!(proxy.connections(), 2, "one connection a client");
}

#[test]
fn a_plain_request_to_a_tls_server_is_lost() {
    let server = server(&params("localhost"), None);
    assert!(matches!(get(&client(), &server), Err(TransportError::Lost { .. })));
}

#[test]
fn a_ca_file_must_hold_a_certificate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let damaged = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    for (name, content) in
        [("absent", None), ("empty", Some("")), ("text", Some("hello")), ("damaged", Some(damaged))]
    {
        let file = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).expect("our own file");
        }
        let result = HttpClient::new(&HttpOptions { ca_file: Some(file), ..options() });
        assert!(matches!(result, Err(TransportError::Tls { .. })), "{name}: {result:?}");
    }
}
