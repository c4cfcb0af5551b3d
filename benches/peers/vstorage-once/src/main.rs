//! One two-way sync of a folder of vCards and a CardDAV address book with the published crate vstorage, then exit.
//!
//! `vstorage-once HOME BOOK FOLDER COLLECTION STATUS [a|b|none] [AT_ONCE]`: the server's root URL, the book's path,
//! the folder that holds the collection's folder, the status database, the side that wins a conflict, and how many
//! operations run at once. `SHOW=1` prints each operation.

use std::env;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use libdav::dav::WebDavClient;
use tower_http::auth::AddAuthorization;
use vstorage::sync::conflict::{KeepSideResolver, resolve_conflicts};
use vstorage::sync::declare::{CollectionDescription, StoragePair, SyncedCollection};
use vstorage::sync::{Side, execute::Executor, plan::Plan, status::StatusDatabase};
use vstorage::{DiscoveryMode, ItemKind, base::Storage, carddav::CardDavStorage, vdir::VdirStorage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    env_logger::init();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [home, book, folder, collection, status, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: vstorage-once HOME BOOK FOLDER COLLECTION STATUS [a|b|none] [AT_ONCE]");
        return ExitCode::from(2);
    };
    let winner = rest.first().map_or("a", String::as_str);
    let at_once = rest.get(1).and_then(|text| text.parse().ok()).unwrap_or(4);

    let connector =
        HttpsConnectorBuilder::new().with_native_roots().unwrap().https_or_http().enable_http1().build();
    let client =
        AddAuthorization::basic(Client::builder(TokioExecutor::new()).build(connector), "bench", "bench");
    let dav = WebDavClient::new(home.parse().unwrap(), client);
    let server: Arc<dyn Storage> = Arc::new(
        CardDavStorage::builder(dav).with_discovery(DiscoveryMode::Collections).build().await.unwrap(),
    );
    let local: Arc<dyn Storage> =
        Arc::new(VdirStorage::builder(folder.clone().into()).unwrap().build(ItemKind::AddressBook));
    let status = Arc::new(StatusDatabase::open_or_create(status).unwrap());

    let pair = StoragePair::new(local.clone(), server.clone()).with_mapping(SyncedCollection::mapped(
        "contacts".into(),
        CollectionDescription::Href { href: collection.clone() },
        CollectionDescription::Href { href: book.clone() },
    ));
    let plan = Plan::new(pair, Some(status.clone())).await.unwrap();
    let executor = Arc::new(Executor::new(local, server, status));
    let operations: Pin<Box<dyn Stream<Item = _>>> = match winner {
        "a" => Box::pin(resolve_conflicts(plan, KeepSideResolver(Side::A))),
        "b" => Box::pin(resolve_conflicts(plan, KeepSideResolver(Side::B))),
        _ => Box::pin(plan),
    };

    let show = env::var_os("SHOW").is_some();
    let mut outcomes = operations
        .map(|operation| {
            let executor = executor.clone();
            async move {
                let operation = operation.map_err(|error| format!("plan: {error}"))?;
                let shown =
                    if show { format!("{operation:?}").chars().take(160).collect() } else { String::new() };
                match executor.execute_operation(operation).await.unwrap() {
                    Ok(()) => Ok(shown),
                    Err(error) => Err(format!("{shown}: {error:#}")),
                }
            }
        })
        .buffer_unordered(at_once);
    let (mut done, mut failed) = (0, 0);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(shown) => {
                done += 1;
                if show {
                    println!("ok {shown}");
                }
            }
            Err(error) => {
                failed += 1;
                eprintln!("error: {error}");
            }
        }
    }
    println!("operations: {done} done, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
