//! An account on a server, as another client sees it: the server in this process through its back door, real ones
//! through plain HTTP.

use acquaint_connectors::auth::{Scheme, Signer, Verdict};
use acquaint_connectors::carddav::{CardDav, Config};
use acquaint_connectors::http::{Auth, HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::remote::Remote;
use acquaint_connectors::testserver::{
    DavServer, DavTransport, FIRST_BOOK, Quirks, SHARD_ORIGIN, Scheme as Signing,
};
use acquaint_connectors::transport::{HttpClient, HttpOptions};
use acquaint_core::id::RemoteId;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Fetched, HostSource, Outcome};
use futures::executor::block_on;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// The book of an account, and how to reach it.
pub struct Account {
    pub config: Config,
    pub auth: Auth,
    pub transport: Arc<dyn HttpTransport>,
    pub other: Arc<dyn Other>,
    /// Whether the server drops what vCard 3.0 does not name.
    pub lossy: bool,
    /// Whether an update with an old version is carried out all the same.
    pub ignores_if_match: bool,
}

/// Another client of the same book. Names are those within the book.
pub trait Other: Send + Sync {
    /// Every card by name.
    fn cards(&self) -> BTreeMap<String, Vec<u8>>;
    fn put(&self, name: &str, card: &[u8]);
    fn delete(&self, name: &str);
    /// Makes the server forget the positions it has given, if it can be made to.
    fn forget_positions(&self);
    /// The server in this process.
    fn server(&self) -> Option<&DavTransport> {
        None
    }
    /// Removes the book.
    fn clear_away(&self) {}
}

// --- in this process ----------------------------------------------------------------------------------------------

/// The kinds of servers that stories are played on.
pub const KINDS: [&str; 8] =
    ["standard", "radicale", "xandikos", "sabre", "no_sync", "icloud", "google", "ox"];

const ORIGIN: &str = "https://dav.test";

/// An account on the server in this process.
pub fn simulated(mut quirks: Quirks) -> Account {
    // Credentials go to other hosts only over https.
    quirks.home_origin = quirks.home_origin.map(|origin| origin.replace("http:", "https:"));
    let secret = || Redacted("secret".to_owned());
    let auth = match quirks.scheme {
        Signing::Bearer => Auth::Bearer(secret()),
        _ => Auth::Password { user: "ida".into(), password: secret() },
    };
    let (lossy, ignores_if_match) = (quirks.drops_unknown, quirks.ignores_if_match);
    let transport = DavTransport::new(DavServer::new("ida", "secret").with_quirks(quirks));
    transport.with(|server| server.set_origin(ORIGIN));
    let config = Config {
        address: ORIGIN.into(),
        approved_hosts: vec![SHARD_ORIGIN.replace("http://", "")],
        ..Config::default()
    };
    let other = Arc::new(BackDoor(transport.clone()));
    Account { config, auth, transport: Arc::new(transport), other, lossy, ignores_if_match }
}

/// An account on the server of this kind.
pub fn preset(name: &str) -> Account {
    simulated(Quirks::named(name).expect("a preset"))
}

struct BackDoor(DavTransport);

impl Other for BackDoor {
    fn cards(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.with(|server| {
            let names = server.names(FIRST_BOOK);
            let card = |name: String| {
                let bytes = server.get(FIRST_BOOK, &name).expect("listed").to_vec();
                (name, bytes)
            };
            names.into_iter().map(card).collect()
        })
    }

    fn put(&self, name: &str, card: &[u8]) {
        self.0.with(|server| server.put(FIRST_BOOK, name, card));
    }

    fn delete(&self, name: &str) {
        assert!(self.0.with(|server| server.delete(FIRST_BOOK, name)), "{name} is not there");
    }

    fn forget_positions(&self) {
        self.0.with(DavServer::forget_tokens);
    }

    fn server(&self) -> Option<&DavTransport> {
        Some(&self.0)
    }
}

/// Lets another client do something just before the next request of a method reaches the server.
pub struct Meddler {
    inner: Arc<dyn HttpTransport>,
    method: &'static str,
    deed: Mutex<Option<Deed>>,
}

/// What another client does, once.
pub type Deed = Box<dyn FnOnce() + Send>;

impl Account {
    /// The same account, with somebody who acts once, just before the first request of this method.
    pub fn meddled(mut self, method: &'static str) -> (Self, Arc<Meddler>) {
        let meddler = Arc::new(Meddler { inner: self.transport, method, deed: Mutex::default() });
        self.transport = Arc::<Meddler>::clone(&meddler);
        (self, meddler)
    }
}

impl Meddler {
    pub fn plan(&self, deed: Deed) {
        *self.deed.lock().expect("whole") = Some(deed);
    }

    /// Whether it has been done.
    pub fn done(&self) -> bool {
        self.deed.lock().expect("whole").is_none()
    }
}

#[async_trait::async_trait]
impl HttpTransport for Meddler {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.method == self.method {
            let deed = self.deed.lock().expect("whole").take();
            // In a thread: the deed may wait for answers, which nothing polled here may.
            if let Some(deed) = deed {
                std::thread::spawn(deed).join().expect("done");
            }
        }
        self.inner.send(request).await
    }
}

// --- real servers -------------------------------------------------------------------------------------------------

/// A new, empty book on a real server, which `variable` names as `URL USER PASSWORD`.
pub fn live(variable: &str, story: &str) -> Account {
    let setting =
        std::env::var(variable).unwrap_or_else(|_| panic!("set {variable} to \"URL USER PASSWORD\""));
    let words: Vec<&str> = setting.split(' ').collect();
    let [url, user, password] = words[..] else { panic!("{variable} is not \"URL USER PASSWORD\"") };
    let auth = Auth::Password { user: user.into(), password: Redacted(password.into()) };
    let http = || Arc::new(HttpClient::new(&HttpOptions::default()).expect("a client"));
    let config = |book| Config { address: url.into(), book, ..Config::default() };

    // Names differ between runs, so that what an aborted one left does no harm.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("sync {story} {} {count}", std::process::id());
    let connector = CardDav::new(config(None)).expect("settings");
    let maker = Remote::new(connector, Wire(http()), auth.clone(), [3; 16]);
    let folder = match block_on(maker.run(Command::EnsureFolder(name))) {
        Ok(Outcome::Folder(folder)) => folder.id,
        other => panic!("no book: {other:?}"),
    };
    let origin: String = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let base =
        if folder.as_str().contains("://") { folder.0.clone() } else { format!("{origin}{}", folder.0) };
    let other = Plain {
        http: http(),
        book: format!("{}/", base.trim_end_matches('/')),
        auth: auth.clone(),
        scheme: Mutex::default(),
        requests: AtomicU64::new(0),
        reader: Remote::new(
            CardDav::new(config(Some(folder.0.clone()))).expect("settings"),
            Wire(http()),
            auth.clone(),
            [4; 16],
        ),
        cache: variable == "ACQUAINT_RADICALE",
    };
    Account {
        config: config(Some(folder.0)),
        auth,
        transport: http(),
        other: Arc::new(other),
        lossy: false,
        ignores_if_match: false,
    }
}

/// A shared transport as a transport.
#[derive(Clone)]
pub struct Wire(pub Arc<dyn HttpTransport>);

#[async_trait::async_trait]
impl HttpTransport for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.0.send(request).await
    }
}

/// A client that knows three methods.
struct Plain {
    http: Arc<HttpClient>,
    book: String,
    auth: Auth,
    scheme: Mutex<Scheme>,
    requests: AtomicU64,
    /// Reads cards in bulk.
    reader: Remote<CardDav, Wire>,
    /// The server keeps its positions in `.Radicale.cache`, below the folder that ACQUAINT_RADICALE_FOLDER names.
    cache: bool,
}

impl Plain {
    fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
        let target = format!("/{}", url.splitn(4, '/').nth(3).unwrap_or_default());
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut entropy = [5; 16];
        entropy[..8].copy_from_slice(&number.to_le_bytes());
        let mut signer = Signer::new(self.auth.clone(), self.scheme.lock().expect("whole").clone(), entropy);
        for _ in 0..3 {
            let mut all: Vec<(String, String)> =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            all.extend(signer.sign(method, &target).map(|value| ("authorization".to_owned(), value)));
            let request = HttpRequest {
                method: method.into(),
                url: url.into(),
                headers: all,
                body: body.to_vec(),
                idempotent: true,
            };
            let answer = block_on(self.http.send(request.clone()))
                .or_else(|_| block_on(self.http.send(request)))
                .unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer.status == 401 && signer.refused(&answer) == Verdict::Retry {
                continue;
            }
            *self.scheme.lock().expect("whole") = signer.scheme().clone();
            return answer;
        }
        panic!("{method}: not signed in");
    }

    fn names(&self) -> Vec<String> {
        let body =
            br#"<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>"#;
        let answer = self.send("PROPFIND", &self.book, &[("depth", "1"), ("content-type", "text/xml")], body);
        assert_eq!(answer.status, 207);
        let text = String::from_utf8(answer.body).expect("text");
        // Good enough for the three servers that this is for.
        let hrefs = text.split("href>").skip(1).step_by(2).filter_map(|part| part.split('<').next());
        hrefs.filter_map(|href| Some(href.rsplit_once('/')?.1.to_owned())).filter(|n| !n.is_empty()).collect()
    }
}

/// So many cards are asked for one by one.
const FEW: usize = 50;

impl Plain {
    fn read(&self, names: &[String]) -> BTreeMap<String, Vec<u8>> {
        let mut cards = BTreeMap::new();
        for some in names.chunks(200) {
            let ids = some.iter().map(|name| RemoteId(name.clone())).collect();
            let Ok(Outcome::Items(items)) = block_on(self.reader.run(Command::Fetch(ids))) else {
                panic!("cards cannot be read")
            };
            for item in items {
                let Fetched::Item(item) = item else { panic!("{item:?}") };
                cards.insert(item.id.0, item.raw.bytes);
            }
        }
        assert_eq!(cards.len(), names.len());
        cards
    }
}

impl Other for Plain {
    fn cards(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.names();
        if names.len() > FEW {
            return self.read(&names);
        }
        let card = |name: String| {
            let answer = self.send("GET", &format!("{}{name}", self.book), &[], b"");
            assert_eq!(answer.status, 200, "{name}");
            (name, answer.body)
        };
        names.into_iter().map(card).collect()
    }

    fn put(&self, name: &str, card: &[u8]) {
        let url = format!("{}{name}", self.book);
        let answer = self.send("PUT", &url, &[("content-type", "text/vcard; charset=utf-8")], card);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!((200..300).contains(&answer.status), "{name}: {} {text}", answer.status);
    }

    fn delete(&self, name: &str) {
        let answer = self.send("DELETE", &format!("{}{name}", self.book), &[], b"");
        assert!((200..300).contains(&answer.status), "{name}: {}", answer.status);
    }

    fn forget_positions(&self) {
        if !self.cache {
            return;
        }
        let folder = std::env::var_os("ACQUAINT_RADICALE_FOLDER")
            .expect("ACQUAINT_RADICALE_FOLDER names the state folder of the server");
        forget_caches(std::path::Path::new(&folder));
    }

    fn clear_away(&self) {
        self.send("DELETE", &self.book, &[], b"");
    }
}

fn forget_caches(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).expect("the folder of the server").flatten() {
        let path = entry.path();
        if entry.file_name() == ".Radicale.cache" {
            std::fs::remove_dir_all(path).expect("its cache");
        } else if path.is_dir() {
            forget_caches(&path);
        }
    }
}
