//! From the stored settings of a source to something that carries out its commands.
//!
//! Settings never hold a secret: they say where it is (`password_env`, `password_file`), and it is read anew for every
//! run.

use acquaint_connectors::carddav::{CardDav, Config};
use acquaint_connectors::http::{Auth, HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::remote::{Remote, Traffic};
use acquaint_connectors::transport::{HttpClient, HttpOptions};
use acquaint_connectors::vdir::{Vdir, VdirOptions};
use acquaint_core::capability::Capabilities;
use acquaint_core::library::SourceRow;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names of settings.
pub(crate) const SETTINGS: [&str; 6] = ["url", "user", "password_env", "password_file", "book", "ca_file"];

/// Settings of a source by name; see [`SETTINGS`].
pub(crate) type Settings = BTreeMap<String, String>;

/// Makes the transport of a source. The demo has one without sockets.
pub(crate) type Network = Arc<dyn Fn(&Settings) -> Result<Wire, SourceError> + Send + Sync>;

/// The network of this machine.
pub(crate) fn internet() -> Network {
    Arc::new(|settings| {
        let options =
            HttpOptions { ca_file: settings.get("ca_file").map(Into::into), ..HttpOptions::default() };
        let client = HttpClient::new(&options).map_err(|error| SourceError::Settings {
            setting: if settings.contains_key("ca_file") { "ca_file" } else { "proxy" }.to_owned(),
            detail: error.to_string(),
        })?;
        Ok(Wire(Arc::new(client)))
    })
}

/// A transport whose kind is only known when the program runs.
#[derive(Clone)]
pub(crate) struct Wire(pub(crate) Arc<dyn HttpTransport>);

#[async_trait]
impl HttpTransport for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.0.send(request).await
    }
}

/// A source that can be asked.
pub(crate) enum Connected {
    /// Over the network.
    Remote(Arc<Remote<CardDav, Wire>>),
    /// On this machine.
    Local(Arc<dyn HostSource>),
}

impl Connected {
    /// The connectors of this build.
    pub(crate) const CONNECTORS: [&str; 2] = ["carddav", "vdir"];

    /// Makes the source that a row describes. One whose settings are wrong answers every command with what is wrong,
    /// so that the others sync all the same.
    pub(crate) fn new(row: &SourceRow, session: Vec<u8>, seed: [u8; 16], network: &Network) -> Self {
        match connect(row, session, seed, network) {
            Ok(connected) => connected,
            Err(error) => Self::Local(Arc::new(Broken(error))),
        }
    }

    /// Who carries out the commands.
    pub(crate) fn source(&self) -> Arc<dyn HostSource> {
        match self {
            Self::Remote(remote) => Arc::clone(remote) as Arc<dyn HostSource>,
            Self::Local(source) => Arc::clone(source),
        }
    }

    /// The connector's session, if it is to be stored.
    pub(crate) fn take_session(&self) -> Option<Vec<u8>> {
        match self {
            Self::Remote(remote) => remote.take_session(),
            Self::Local(_) => None,
        }
    }

    /// What went over the network, if the source is there.
    pub(crate) fn traffic(&self) -> Option<Traffic> {
        match self {
            Self::Remote(remote) => Some(remote.traffic()),
            Self::Local(_) => None,
        }
    }
}

fn connect(
    row: &SourceRow,
    session: Vec<u8>,
    seed: [u8; 16],
    network: &Network,
) -> Result<Connected, SourceError> {
    let settings = &row.settings;
    let url = settings.get("url").cloned().unwrap_or_default();
    match row.connector.as_str() {
        "vdir" => Ok(Connected::Local(Arc::new(Vdir::open(url, VdirOptions::default())?))),
        "carddav" => {
            let config = Config { address: url, book: settings.get("book").cloned(), ..Config::default() };
            let connector = CardDav::new(config)?;
            let remote = Remote::new(connector, network(settings)?, auth(settings)?, seed);
            Ok(Connected::Remote(Arc::new(remote.with_session(session))))
        }
        other => Err(SourceError::Settings {
            setting: "connector".to_owned(),
            detail: format!(
                "this build has no connector named {other}; it has {}",
                Connected::CONNECTORS.join(" and ")
            ),
        }),
    }
}

/// Reads the secret from where the settings say it is.
fn auth(settings: &Settings) -> Result<Auth, SourceError> {
    let wrong = |setting: &str, detail: String| SourceError::Settings { setting: setting.to_owned(), detail };
    let Some(user) = settings.get("user") else { return Ok(Auth::None) };
    let password = match (settings.get("password_env"), settings.get("password_file")) {
        (Some(name), _) => std::env::var(name)
            .map_err(|_| wrong("password_env", format!("the environment variable {name} is not set")))?,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                wrong("password_file", format!("{path} cannot be read: {}", error.kind()))
            })?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        (None, None) => {
            return Err(wrong(
                "password",
                "a user is named, but no --password-env or --password-file".to_owned(),
            ));
        }
    };
    Ok(Auth::Password { user: user.clone(), password: Redacted(password) })
}

/// A source whose settings are wrong.
struct Broken(SourceError);

#[async_trait]
impl HostSource for Broken {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn run(&self, _: Command) -> Result<Outcome, SourceError> {
        Err(self.0.clone())
    }
}
