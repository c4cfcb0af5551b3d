//! The story against real servers. Each is named by an environment variable with URL, user and password.
#![cfg(feature = "transport")]

use super::life::{Client, Habits, many, play};
use acquaint_connectors::http::Auth;
use acquaint_connectors::transport::{HttpClient, HttpOptions};
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Outcome, SourceError};

fn http() -> HttpClient {
    HttpClient::new(&HttpOptions::default()).unwrap()
}

fn live(variable: &str) {
    let setting =
        std::env::var(variable).unwrap_or_else(|_| panic!("set {variable} to \"URL USER PASSWORD\""));
    let mut parts = setting.split(' ').map(str::to_owned);
    let (url, user, secret) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let auth = Auth::Password { user: user.clone(), password: Redacted(secret) };
    let connect = |book: Option<&str>| Client::new(&url, book, auth.clone(), http());

    let account = connect(None);
    let Ok(Outcome::Opened { folders, capabilities }) = account.run(Command::Open) else {
        panic!("not opened")
    };
    eprintln!("{folders:?} {capabilities:?}");
    let name = "Acquaint – test & more";
    let make = || match account.run(Command::EnsureFolder(name.into())) {
        Ok(Outcome::Folder(folder)) => folder,
        other => panic!("no folder: {other:?}"),
    };
    let folder = make();
    assert_eq!(make(), folder);
    assert!(folder.writable && folder.name == name, "{folder:?}");

    let client = connect(Some(folder.id.as_str()));
    client.clear();
    play(&client, Habits::default());
    many(&client, 2_000);
    client.clear();

    let wrong = Auth::Password { user, password: Redacted("wrong".into()) };
    let wrong = Client::new(&url, None, wrong, http()).run(Command::Open);
    if variable != "ACQUAINT_XANDIKOS" {
        assert!(matches!(wrong, Err(SourceError::Auth { .. })), "{wrong:?}");
    }
}

#[test]
#[ignore = "needs a Radicale server, named by ACQUAINT_RADICALE"]
fn radicale() {
    live("ACQUAINT_RADICALE");
}

#[test]
#[ignore = "needs a Xandikos server, named by ACQUAINT_XANDIKOS"]
fn xandikos() {
    live("ACQUAINT_XANDIKOS");
}

#[test]
#[ignore = "needs a SabreDAV server, named by ACQUAINT_SABREDAV"]
fn sabredav() {
    live("ACQUAINT_SABREDAV");
}
