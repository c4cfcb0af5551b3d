//! The story against the server in this process, with the habits of each real one.
#![cfg(feature = "testkit")]

use super::life::{Client, Habits, many, play};
use acquaint_connectors::http::Auth;
use acquaint_connectors::testserver::{DavServer, DavTransport, Quirks};
use acquaint_core::redact::Redacted;

fn password() -> Auth {
    Auth::Password { user: "ida".into(), password: Redacted("secret".into()) }
}

fn client(quirks: Quirks) -> (Client<DavTransport>, DavTransport) {
    let transport = DavTransport::new(DavServer::new("ida", "secret").with_quirks(quirks));
    (Client::new("http://dav.test/", None, password(), transport.clone()), transport)
}

#[test]
fn the_story_on_every_kind_of_server() {
    for name in ["standard", "radicale", "xandikos", "sabre", "ox", "no_sync"] {
        eprintln!("{name}");
        let (client, _) = client(Quirks::named(name).unwrap());
        if name != "ox" {
            play(&client, Habits::default());
        }
    }
}

#[test]
fn two_thousand_cards() {
    let (client, _) = client(Quirks::default());
    many(&client, 2_000);
}
