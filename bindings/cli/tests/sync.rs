//! The real binary against a real socket: both ways, two processes at once, and killed in the middle.
#![allow(missing_docs)]

mod support;

use acquaint_connectors::testserver::{DavListener, DavServer, FIRST_BOOK};
use acquaint_connectors::wire::vcard::decode;
use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use support::{Desk, card, cards, writes};

struct World {
    desk: Desk,
    server: Arc<Mutex<DavServer>>,
    _listener: DavListener,
}

impl World {
    /// A folder `cards` and a server, both sources of one library.
    fn new(rules: &[&str]) -> Self {
        let server = Arc::new(Mutex::new(DavServer::new("ida", "secret")));
        let listener = DavListener::start(Arc::clone(&server)).expect("a port");
        let mut desk = Desk::new();
        desk.set("TEST_PASSWORD", "secret");
        desk.folder("cards");
        let url = listener.origin();
        let folder = ["source", "add", "folder", "--connector", "vdir", "--url", "cards"];
        let work = ["source", "add", "work", "--connector", "carddav", "--url", &url, "--user", "ida"];
        desk.ok(&[&folder[..], rules].concat());
        desk.ok(&[&work[..], &["--password-env", "TEST_PASSWORD"], rules].concat());
        Self { desk, server, _listener: listener }
    }

    fn server(&self) -> MutexGuard<'_, DavServer> {
        self.server.lock().expect("a server")
    }

    fn server_cards(&self) -> Vec<Vec<u8>> {
        let server = self.server();
        let names = server.names(FIRST_BOOK);
        names.iter().filter_map(|name| server.get(FIRST_BOOK, name)).map(|bytes| bytes.to_vec()).collect()
    }

    /// Waits until the server holds so many cards, and gives it locked: it answers nobody meanwhile.
    fn frozen_at(&self, count: usize) -> MutexGuard<'_, DavServer> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let server = self.server();
            if server.count_cards(FIRST_BOOK) >= count {
                return server;
            }
            drop(server);
            assert!(Instant::now() < until, "the sync does not get on");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn uids<'a>(cards: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<String> {
    let uid = |bytes: &Vec<u8>| decode(bytes).expect("a card").uid.expect("a UID");
    let mut uids: Vec<String> = cards.into_iter().map(uid).collect();
    uids.sort();
    uids
}

fn fill(world: &World, count: usize) -> Vec<String> {
    let mut expected: Vec<String> = (0..count).map(|n| format!("uid-{n:04}")).collect();
    for (n, uid) in expected.iter().enumerate() {
        let lines = format!("TEL:+4930{n:06}\r\nX-OWN;P=q:kept {n}\r\n");
        world.desk.write(&format!("cards/{n:04}.vcf"), &card(uid, "Person", &format!("No{n}"), &lines));
    }
    expected.sort();
    expected
}

#[test]
fn folder_and_server_come_in_step_over_a_socket() {
    let world = World::new(&[]);
    let desk = &world.desk;
    desk.write("cards/ann.vcf", &card("u-ann", "Ann", "Berg", "TITLE:CEO\r\n"));
    let bob = card("u-bob", "Bob", "Stone", "X-KEEP:me\r\nTEL:+1 415 5550101\r\n");
    world.server().put(FIRST_BOOK, "bob.vcf", bob.as_bytes());
    let done = desk.done(&["sync"]);
    let report = &done["sources"]["work"];
    assert_eq!((&report["source"]["created"], &report["library"]["created"]), (&1.into(), &1.into()));
    assert_eq!(report["traffic"]["requests"]["PUT"], 1);
    assert!(report["traffic"]["bytes_down"].as_u64() > Some(100));
    assert_eq!(done["sources"]["folder"]["traffic"], serde_json::Value::Null);
    let folder = cards(&desk.path("cards"));
    let folder: Vec<&Vec<u8>> = folder.iter().map(|(_, card)| card).collect();
    assert_eq!(uids(folder.iter().copied()), uids(&world.server_cards()));
    assert!(folder.iter().any(|card| *card == bob.as_bytes()), "the copy is the card, byte for byte");

    // Different fields on both sides, then rest: one request.
    let edited = bob.replace("END:", "NOTE:from the server\r\nEND:");
    world.server().put(FIRST_BOOK, "bob.vcf", edited.as_bytes());
    let found = desk.done(&["search", "bob", "--local"])["hits"][0]["id"].as_str().expect("an id").to_owned();
    desk.ok(&["contact", "edit", &found, "--set", "title=CTO"]);
    desk.ok(&["sync"]);
    let text =
        String::from_utf8(world.server().get(FIRST_BOOK, "bob.vcf").expect("Bob").to_vec()).expect("text");
    for line in ["NOTE:from the server\r\n", "TITLE:CTO\r\n", "X-KEEP:me\r\n", "TEL:+1 415 5550101\r\n"] {
        assert!(text.contains(line), "{text}");
    }
    let quiet = desk.done(&["sync"]);
    assert_eq!((writes(&quiet), &quiet["sources"]["work"]["traffic"]["total"]), (0, &1.into()));
    // The session is kept in the library: no discovery after the first time.
    assert_eq!(quiet["sources"]["work"]["traffic"]["requests"].get("PROPFIND"), None);
    // What only the server shows is found live, and folded into the contact it is linked to.
    assert_eq!(desk.done(&["search", "bob"])["total"], 1);
}

#[test]
fn killed_in_the_middle_of_a_first_up() {
    // Without matching, only the keys of creates can keep a card from being made twice.
    let world = World::new(&["--set", "match=none"]);
    let desk = &world.desk;
    let expected = fill(&world, 300);
    let before = cards(&desk.path("cards"));
    for moment in [1, 70, 71, 190] {
        let mut child = desk.spawn(&["sync"]);
        let server = world.frozen_at(moment);
        child.kill().expect("killed");
        child.wait().expect("it ends");
        assert!(server.count_cards(FIRST_BOOK) < 300, "killed in the middle");
    }
    let done = desk.done(&["sync"]);
    assert_eq!(done["sources"]["work"]["busy"], false, "the lease of the dead is taken over at once");
    let at_server = world.server_cards();
    assert_eq!(uids(&at_server), expected, "nothing lost, nothing doubled");
    assert_eq!(cards(&desk.path("cards")), before, "the folder is as it was");
    let bytes = |list: Vec<Vec<u8>>| list.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(bytes(at_server), bytes(before.into_iter().map(|(_, card)| card).collect()));
    assert_eq!(desk.done(&["contact", "list"])["contacts"].as_array().map(Vec::len), Some(300));
    assert_eq!(writes(&desk.done(&["sync"])), 0);
}

#[test]
fn killed_in_the_middle_of_a_first_down() {
    let world = World::new(&["--set", "match=none"]);
    let desk = &world.desk;
    for n in 0..300 {
        let text = card(&format!("uid-{n:04}"), "Person", &format!("No{n}"), "X-OWN:kept\r\n");
        world.server().put(FIRST_BOOK, &format!("{n}.vcf"), text.as_bytes());
    }
    for files in [1, 150] {
        let mut child = desk.spawn(&["sync"]);
        let until = Instant::now() + Duration::from_secs(60);
        while cards(&desk.path("cards")).len() < files {
            assert!(Instant::now() < until, "the sync does not get on");
        }
        child.kill().expect("killed");
        child.wait().expect("it ends");
    }
    desk.ok(&["sync"]);
    let folder = cards(&desk.path("cards"));
    assert_eq!(uids(folder.iter().map(|(_, card)| card)), uids(&world.server_cards()));
    assert_eq!(folder.len(), 300);
    assert_eq!(writes(&desk.done(&["sync"])), 0);
    // What a killed run leaves beside the cards is hidden and no card; it is cleared away when it is old.
    for entry in fs::read_dir(desk.path("cards")).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(name.ends_with(".vcf") || (name.starts_with('.') && name.ends_with(".tmp")), "{name}");
    }
}

#[test]
fn two_syncs_at_once() {
    let world = World::new(&[]);
    fill(&world, 30);
    let first = world.desk.spawn(&["sync"]);
    let server = world.frozen_at(1);
    let (code, name, text) = world.desk.fails(&["sync"]);
    assert_eq!((code, name.as_str()), (1, "busy"), "{text}");
    assert!(
        text.contains("another acquaint syncs this library now") && text.contains("wait until it is done"),
        "{text}"
    );
    // Everything else goes on meanwhile.
    world.desk.ok(&["contact", "add", "--set", "first=Late"]);
    drop(server);
    let output = first.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    world.desk.ok(&["sync"]);
    assert_eq!(world.server_cards().len(), 31);
    assert_eq!(writes(&world.desk.done(&["sync"])), 0);
}

#[test]
fn several_processes_write_one_library() {
    let desk = Desk::new();
    let children: Vec<_> =
        (0..8).map(|n| desk.spawn(&["contact", "add", "--set", &format!("first=P{n}"), "--json"])).collect();
    let ids: BTreeSet<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
            document["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 8);
    assert_eq!(desk.done(&["contact", "list"])["contacts"].as_array().map(Vec::len), Some(8));
}

#[test]
fn the_demo_proves_itself() {
    let desk = Desk::new();
    let text = desk.ok(&["demo", "--folder", "demo"]);
    assert!(!text.contains("FAILS") && text.contains("Left to look at:"), "{text}");
    let begun = Instant::now();
    let document = desk.done(&["demo", "--folder", "again"]);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let proofs = document["proofs"].as_array().expect("proofs");
    assert!(proofs.len() >= 10 && proofs.iter().all(|proof| proof["holds"] == true), "{document}");
    // What is left behind can be looked at.
    assert!(desk.ok(&["--library", "again/acquaint.db", "contact", "list"]).contains("11 contacts"));
    assert_eq!(cards(&desk.path("again/cards")).len(), 11);
    assert_eq!(cards(&desk.path("again/server")).len(), 11);
    assert_eq!(desk.fails(&["demo", "--folder", "again"]).1, "file");
}
