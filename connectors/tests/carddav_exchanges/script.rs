//! A server that is a list: the requests that must come, in order, and their answers.

use acquaint_connectors::carddav::{CardDav, Config};
use acquaint_connectors::http::{
    Auth, Connector, Context, Finished, HttpRequest, HttpResponse, Input, Next, TransportError,
};
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Outcome, SourceError};

/// `METHOD /path` and the answer.
pub type Step<'a> = (&'a str, Result<HttpResponse, TransportError>);

pub const BOOK: &str = "/dav/ida/contacts/";

pub fn config() -> Config {
    Config { address: "https://dav.example/".into(), ..Config::default() }
}

pub fn password() -> Auth {
    Auth::Password { user: "ida".into(), password: Redacted("secret".into()) }
}

/// An answer with headers, each `name: value`.
pub fn answer(status: u16, headers: &[&str], body: &str) -> Result<HttpResponse, TransportError> {
    let headers = headers.iter().filter_map(|h| h.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(HttpResponse { status, headers, body: body.as_bytes().to_vec() })
}

/// A multistatus with these children. Prefixes: `d` DAV, `c` CardDAV, `s` calendarserver.org.
pub fn multi(children: &str) -> Result<HttpResponse, TransportError> {
    let root = "<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\" \
                xmlns:s=\"http://calendarserver.org/ns/\">";
    answer(207, &["content-type: application/xml"], &format!("{root}{children}</d:multistatus>"))
}

/// A response with properties.
pub fn found(href: &str, props: &str) -> String {
    format!(
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
}

/// A member with an ETag.
pub fn member(name: &str, etag: &str) -> String {
    found(&format!("{BOOK}{name}"), &format!("<d:getetag>{etag}</d:getetag>"))
}

/// A response with a status.
pub fn status(href: &str, code: u16) -> String {
    format!("<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {code} x</d:status></d:response>")
}

/// A `DAV:error` body.
pub fn error(condition: &str) -> String {
    format!("<d:error xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\"><{condition}/></d:error>")
}

pub fn lost() -> Result<HttpResponse, TransportError> {
    Err(TransportError::Lost { detail: "timed out".into() })
}

pub fn no_connection() -> Result<HttpResponse, TransportError> {
    Err(TransportError::Connect { detail: "refused".into() })
}

/// What came of a script.
pub struct Played {
    pub result: Result<Outcome, SourceError>,
    pub session: Option<Vec<u8>>,
    pub requests: Vec<HttpRequest>,
}

impl Played {
    /// A header of request number `at`.
    pub fn header(&self, at: usize, name: &str) -> Option<&str> {
        self.requests[at].headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn body(&self, at: usize) -> String {
        String::from_utf8(self.requests[at].body.clone()).unwrap()
    }
}

/// Plays a command against a script with these settings.
pub fn play_with(
    config: Config,
    auth: Auth,
    session: Vec<u8>,
    command: Command,
    steps: Vec<Step<'_>>,
) -> Played {
    let connector = CardDav::new(config).expect("settings");
    let mut exchange = connector.start(command, Context { auth, session, entropy: [1; 16] });
    let mut requests = Vec::new();
    let mut steps = steps.into_iter();
    let mut input = Input::Start;
    loop {
        match exchange.next(input) {
            Next::Done(finished) => {
                assert!(steps.next().is_none(), "the script goes on: {:?}", finished.result);
                let Finished { result, session } = *finished;
                return Played { result, session, requests };
            }
            Next::Send(request) => {
                let (wanted, given) = steps
                    .next()
                    .unwrap_or_else(|| panic!("not expected: {} {}", request.method, request.url));
                let path = request.url.strip_prefix("https://dav.example").unwrap_or(&request.url);
                assert_eq!(format!("{} {path}", request.method), wanted);
                requests.push(*request);
                input = match given {
                    Ok(response) => Input::Response(response),
                    Err(error) => Input::Failed(error),
                };
            }
        }
    }
}

/// Plays a command with the usual settings and a session that knows the book.
pub fn play(command: Command, steps: Vec<Step<'_>>) -> Played {
    play_with(config(), password(), known(), command, steps)
}

/// Properties of a book with everything.
pub const PROPS: &str = "<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>\
    <d:displayname>Contacts</d:displayname><d:sync-token>t0</d:sync-token><s:getctag>c0</s:getctag>\
    <d:owner><d:href>/dav/ida/</d:href></d:owner><d:supported-report-set>\
    <d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>\
    <d:supported-report><d:report><c:addressbook-multiget/></d:report></d:supported-report>\
    </d:supported-report-set>";

/// Properties of a book without sync-collection.
pub fn plain_props() -> String {
    PROPS.replace("<d:sync-token>t0</d:sync-token>", "").replace("<d:sync-collection/>", "")
}

/// The session after a discovery that found a book with these properties.
pub fn session_of(props: &str) -> Vec<u8> {
    let principal = "<d:current-user-principal><d:href>/dav/ida/</d:href></d:current-user-principal>";
    let home = "<c:addressbook-home-set><d:href>/dav/ida/</d:href></c:addressbook-home-set>";
    let played = play_with(
        config(),
        password(),
        Vec::new(),
        Command::Open,
        vec![
            ("PROPFIND /.well-known/carddav", answer(301, &["location: /dav/"], "")),
            ("PROPFIND /dav/", multi(&found("/dav/", principal))),
            ("PROPFIND /dav/ida/", multi(&found("/dav/ida/", home))),
            ("PROPFIND /dav/ida/", multi(&found(BOOK, props))),
        ],
    );
    assert!(matches!(played.result, Ok(Outcome::Opened { .. })), "{:?}", played.result);
    played.session.expect("a session")
}

/// The session of a server with everything.
pub fn known() -> Vec<u8> {
    session_of(PROPS)
}

/// A small card.
pub fn card(uid: &str, name: &str) -> String {
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nN:{name};;;;\r\nFN:{name}\r\nX-OWN:kept\r\nEND:VCARD\r\n"
    )
}
