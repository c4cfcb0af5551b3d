//! What cannot be done is said: what happened, who can mend it, what to do next. Nothing is damaged by trying.
#![allow(missing_docs)]

mod support;

use acquaint_connectors::testserver::{DavListener, DavServer, FIRST_BOOK};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use support::{Desk, card, cards, writes};

const PASSWORD: &str = "canary-5f0e";

fn server() -> (Arc<Mutex<DavServer>>, DavListener) {
    let mut server = DavServer::new("ida", PASSWORD);
    server.put(FIRST_BOOK, "a.vcf", card("a", "Ann", "Berg", "").as_bytes());
    let server = Arc::new(Mutex::new(server));
    let listener = DavListener::start(Arc::clone(&server)).expect("a port");
    (server, listener)
}

#[test]
fn wrong_commands_have_exit_code_2() {
    let desk = Desk::new();
    for words in [
        &["fly"][..],
        &[],
        &["sync", "--what"],
        &["contact", "add"],
        &["contact", "add", "--set", "frist=Ann"],
        &["contact", "show", "seven"],
        &["conflict", "resolve", "1-0", "title"],
        &["conflict", "resolve", "1-0", "title", "--hub", "--source"],
        &["source", "add", "a/b", "--connector", "vdir", "--url", "."],
        &["source", "add", "x", "--connector", "vdir", "--url", ".", "--profile", "nothing"],
    ] {
        // A library is there, so that the command itself is what is wrong.
        fs::write(desk.path("acquaint.db"), "").expect("written");
        let (code, document) = desk.json(words);
        assert_eq!(code, 2, "{words:?}: {document}");
        let run = desk.run(words);
        assert!(run.code == 2 && !run.err.is_empty() && run.out.is_empty(), "{words:?}: {}", run.err);
    }
}

#[test]
fn connectors_of_other_builds_are_named() {
    let desk = Desk::new();
    for kind in ["google", "graph", "ews", "ldap"] {
        let words = ["source", "add", "x", "--connector", kind, "--url", "https://x.example"];
        let (code, _, text) = desk.fails(&words);
        assert!(code == 2 && text.contains(&format!("this build has no connector for {kind}")), "{text}");
    }
    let (_, _, text) = desk.fails(&["source", "add", "x", "--connector", "fax", "--url", "1"]);
    assert!(text.contains("carddav and vdir"), "{text}");
    assert!(!desk.path("acquaint.db").exists());
}

#[test]
fn a_mistyped_rule_names_the_nearest() {
    let desk = Desk::new();
    desk.folder("cards");
    let add = ["source", "add", "home", "--connector", "vdir", "--url", "cards"];
    let (code, name, text) = desk.fails(&[&add[..], &["--set", "conflct=ask"]].concat());
    assert_eq!((code, name.as_str()), (2, "policy"));
    assert!(text.contains("did you mean \"conflict\"?"), "{text}");
    assert!(!desk.path("acquaint.db").exists(), "a wrong command leaves no library behind");
    desk.ok(&add);
    let (code, _, text) = desk.fails(&["source", "set", "home", "conflict=aks"]);
    assert!(code == 2 && text.contains("allowed: latest | hub_wins"), "{text}");
    assert_eq!(desk.fails(&["source", "set", "home", "conflict"]).0, 2);
}

#[test]
fn what_is_no_library_is_left_as_it_was() {
    let desk = Desk::new();
    desk.write("text.db", "not a library, but somebody's notes");
    let (code, name, text) = desk.fails(&["--library", "text.db", "contact", "add", "--set", "first=Ann"]);
    assert_eq!((code, name.as_str()), (1, "not_a_library"));
    assert!(text.contains("this is not a usable library") && text.contains("--library FILE"), "{text}");
    assert_eq!(
        fs::read_to_string(desk.path("text.db")).expect("read"),
        "not a library, but somebody's notes"
    );
    desk.folder("folder.db");
    assert_eq!(desk.fails(&["--library", "folder.db", "contact", "list"]).1, "not_a_library");
    assert_eq!(desk.fails(&["--library", "none.db", "contact", "list"]).1, "no_library");
    assert!(!desk.path("none.db").exists());
    let (_, name, text) =
        desk.fails(&["--library", "no/such/folder/x.db", "contact", "add", "--set", "first=A"]);
    assert!(name == "store" && text.contains("folder of the library exists"), "{text}");
}

#[test]
fn a_library_of_a_newer_release_is_refused() {
    let desk = Desk::new();
    desk.ok(&["contact", "add", "--set", "first=Ann"]);
    let mut bytes = fs::read(desk.path("acquaint.db")).expect("read");
    // PRAGMA user_version, where the format stands.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(desk.path("acquaint.db"), &bytes).expect("written");
    let (code, name, text) = desk.fails(&["contact", "list"]);
    assert_eq!((code, name.as_str()), (1, "from_the_future"));
    assert!(text.contains("format 99") && text.contains("update this program"), "{text}");
    assert_eq!(fs::read(desk.path("acquaint.db")).expect("read"), bytes);
}

/// The tests may run as root, whom no permission stops: `/proc` takes no files from anybody.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written() {
    let desk = Desk::new();
    let (code, name, text) =
        desk.fails(&["--library", "/proc/acquaint.db", "contact", "add", "--set", "first=A"]);
    assert_eq!(code, 1);
    assert!(name == "read_only" || name == "store", "{name}: {text}");
    desk.ok(&["contact", "add", "--set", "first=Ann"]);
    assert_eq!(desk.fails(&["contact", "export", "/proc/all.vcf"]).1, "file");
    // Contacts cannot go out; they stay, and the folder is named as the reason.
    desk.ok(&["source", "add", "home", "--connector", "vdir", "--url", "/proc/self/net"]);
    let (code, document) = desk.json(&["sync"]);
    assert!(code == 1 || document["sources"]["home"]["source"]["created"] == 0, "{document}");
    assert!(desk.ok(&["contact", "list"]).contains("Ann"));
}

#[test]
fn a_missing_folder_deletes_nothing() {
    let desk = Desk::new();
    let (code, name, text) = desk.fails(&["source", "add", "home", "--connector", "vdir", "--url", "cards"]);
    assert_eq!((code, name.as_str()), (1, "settings"));
    assert!(text.contains("there is no such folder"), "{text}");
    let folder = desk.folder("cards");
    for uid in ["a", "b", "c"] {
        desk.write(&format!("cards/{uid}.vcf"), &card(uid, "P", uid, ""));
    }
    desk.ok(&["source", "add", "home", "--connector", "vdir", "--url", "cards"]);
    desk.ok(&["sync"]);
    fs::rename(&folder, desk.path("away")).expect("renamed");
    let run = desk.run(&["sync"]);
    assert!(run.code == 1 && run.out.contains("there is no such folder"), "{}{}", run.out, run.err);
    let (code, document) = desk.json(&["sync"]);
    assert_eq!((code, &document["sources"]["home"]["error"]["code"]), (1, &"settings".into()));
    assert_eq!(document["error"]["code"], "settings");
    assert!(desk.ok(&["contact", "list"]).contains("3 contacts"));
    fs::rename(desk.path("away"), &folder).expect("renamed");
    assert_eq!(writes(&desk.done(&["sync"])), 0);
    assert_eq!(cards(&folder).len(), 3);
}

#[test]
fn secrets_are_checked_and_never_told() {
    let (server, listener) = server();
    let url = listener.origin();
    let mut desk = Desk::new();
    let add = ["source", "add", "work", "--connector", "carddav", "--url", &url, "--user", "ida"];
    let with =
        |more: &[&'static str]| -> Vec<&str> { add.iter().copied().chain(more.iter().copied()).collect() };
    let (_, name, text) = desk.fails(&with(&["--password-env", "TEST_PASSWORD"]));
    assert!(name == "settings" && text.contains("TEST_PASSWORD is not set"), "{text}");
    assert_eq!(desk.fails(&with(&[])).1, "settings");
    assert_eq!(desk.fails(&with(&["--password-file", "nowhere"])).1, "settings");
    desk.set("TEST_PASSWORD", "wrong-canary");
    let (code, name, text) = desk.fails(&with(&["--password-env", "TEST_PASSWORD"]));
    assert_eq!((code, name.as_str()), (1, "auth"));
    assert!(text.contains("check --user and the password") && !text.contains("canary"), "{text}");
    assert_eq!(
        desk.done(&["source", "list"])["sources"].as_array().map(Vec::len),
        Some(0),
        "nothing was added"
    );
    desk.set("TEST_PASSWORD", PASSWORD);
    let mut told = desk.ok(&with(&["--password-env", "TEST_PASSWORD"]));
    for words in [
        &["sync"][..],
        &["sync", "--json"],
        &["source", "show", "work"],
        &["source", "show", "work", "--json"],
    ] {
        told += &desk.ok(words);
    }
    assert!(!told.contains("canary"));
    // The password changes while nobody looks: the sync says so, and nothing is lost.
    server.lock().expect("a server").set_password("another");
    let run = desk.run(&["sync"]);
    assert!(run.code == 1 && run.out.contains("the sign-in was refused"), "{}", run.out);
    assert!(!(run.out + &run.err).contains("canary"));
    assert!(desk.ok(&["contact", "list"]).contains("Ann Berg"));
    for entry in fs::read_dir(desk.path(".")).expect("a folder") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("read");
        assert!(!bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes()));
        // As Basic sends it: base64 of `ida:canary-5f0e`.
        assert!(!bytes.windows(20).any(|part| part == b"aWRhOmNhbmFyeS01ZjBl"));
    }
}

#[test]
fn a_web_page_is_no_address_book() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let page = "<!DOCTYPE html><html><body>Please sign in</body></html>";
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                    page.len()
                )
                .as_bytes(),
            );
        }
    });
    let desk = Desk::new();
    let (code, name, text) = desk.fails(&["source", "add", "work", "--connector", "carddav", "--url", &url]);
    assert_eq!((code, name.as_str()), (1, "not_a_source"), "{text}");
    assert!(text.contains("does not lead to an address book") && text.contains("check --url"), "{text}");
    assert_eq!(desk.done(&["source", "list"])["sources"].as_array().map(Vec::len), Some(0));
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let url = format!("http://{nobody}/");
    let (_, name, text) = desk.fails(&["source", "add", "work", "--connector", "carddav", "--url", &url]);
    assert!(name == "unreachable" && text.contains("check the network"), "{text}");
    assert_eq!(
        desk.fails(&["source", "add", "w", "--connector", "carddav", "--url", "ftp://x"]).1,
        "settings"
    );
}

#[test]
fn names_that_lead_nowhere() {
    let desk = Desk::new();
    desk.ok(&["contact", "add", "--set", "first=Ann"]);
    for (words, name) in [
        (&["contact", "show", "9-9"][..], "no_contact"),
        (&["contact", "edit", "9-9", "--set", "first=B"], "no_contact"),
        (&["contact", "delete", "9-9"], "no_contact"),
        (&["history", "9-9"], "no_contact"),
        (&["explain", "9-9"], "no_contact"),
        (&["contact", "edit", "1-0", "--remove", "phones=+1"], "no_value"),
        (&["contact", "import", "none.vcf"], "file"),
        (&["source", "show", "none"], "no_source"),
        (&["source", "set", "none", "conflict=ask"], "no_source"),
        (&["source", "disconnect", "none"], "no_source"),
        (&["source", "reconnect", "none"], "no_source"),
        (&["sync"], "no_source"),
        (&["sync", "none"], "no_source"),
        (&["conflict", "resolve", "1-0", "title", "--hub"], "no_conflict"),
        (&["held", "confirm"], "none_held"),
        (&["undo", "99"], "no_pass"),
        (&["scenario", "none.scenario"], "file"),
    ] {
        assert_eq!(desk.fails(words).1, name, "{words:?}");
    }
    desk.folder("cards");
    let add = ["source", "add", "home", "--connector", "vdir", "--url", "cards"];
    desk.ok(&add);
    assert_eq!(desk.fails(&add).1, "source_exists");
    let (_, _, text) = desk.fails(&["sync", "hom"]);
    assert!(text.contains("choose one of: home"), "{text}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::new();
    let many: String =
        (0..3_000).map(|n| card(&format!("u{n}"), "A rather long first name", &n.to_string(), "")).collect();
    desk.write("many.vcf", &many);
    desk.ok(&["contact", "import", "many.vcf"]);
    for words in [&["contact", "list"][..], &["contact", "list", "--json"]] {
        let mut child = desk.spawn(words);
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.is_empty(), "{:?} {text}", output.status);
    }
}
