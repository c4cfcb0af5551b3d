//! Every command in both forms, with its exit code.
#![allow(missing_docs)]

mod support;

use std::fs;
use support::{Desk, card, cards, writes};

/// A library with one folder of four people.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.folder("cards");
    for (uid, first, last, lines) in [
        ("u-ann", "Ann", "Berg", "TITLE:CEO\r\nTEL;TYPE=CELL:+49 170 1234567\r\nX-OWN:kept\r\n"),
        ("u-bob", "Bob", "Stone", "EMAIL:bob@stone.example\r\nORG:Stone & Sons\r\n"),
        ("u-cid", "Cid", "Ray", ""),
        ("u-dee", "Dee", "Fox", ""),
    ] {
        desk.write(&format!("cards/{uid}.vcf"), &card(uid, first, last, lines));
    }
    desk.ok(&["source", "add", "home", "--connector", "vdir", "--url", "cards"]);
    desk
}

fn synced() -> Desk {
    let desk = desk();
    assert_eq!(writes(&desk.done(&["sync"])), 4);
    desk
}

/// The id of a contact by its first name.
fn id(desk: &Desk, name: &str) -> String {
    let list = desk.done(&["contact", "list"]);
    let found = list["contacts"]
        .as_array()
        .expect("contacts")
        .iter()
        .find(|c| c["name"].as_str().is_some_and(|n| n.starts_with(name)));
    found.unwrap_or_else(|| panic!("no {name} in {list}"))["id"].as_str().expect("an id").to_owned()
}

#[test]
fn sources_are_added_listed_shown_set_and_let_go() {
    let desk = Desk::new();
    desk.folder("cards");
    let added = desk.done(&[
        "source",
        "add",
        "home",
        "--connector",
        "vdir",
        "--url",
        "cards",
        "--set",
        "guard_min=4",
    ]);
    assert_eq!((&added["source"], &added["profile"]), (&"home".into(), &"mirror".into()));
    assert_eq!(added["folders"][0]["name"], "cards");
    let text = desk.ok(&["source", "list"]);
    assert!(text.contains("home") && text.contains("vdir") && text.contains("never"), "{text}");
    let list = desk.done(&["source", "list"]);
    assert_eq!(list["sources"][0]["state"], "connected");
    let show = desk.done(&["source", "show", "home"]);
    assert_eq!((&show["policy"]["guard_min"], &show["links"]), (&"4".into(), &0.into()));
    assert_eq!(show["settings"]["url"], desk.text("cards").as_str(), "a path is stored whole");
    assert!(desk.ok(&["source", "show", "home"]).contains("guard_min"));

    let preview = desk.done(&["source", "set", "home", "conflict.title=ask", "--preview"]);
    assert_eq!(preview["rules"][0]["is"], "ask");
    assert_eq!(desk.done(&["source", "show", "home"])["policy"]["conflict.title"], serde_json::Value::Null);
    assert!(desk.ok(&["source", "set", "home", "conflict.title=ask"]).contains("conflict.title"));
    assert_eq!(desk.done(&["source", "show", "home"])["policy"]["conflict.title"], "ask");
    desk.ok(&["source", "set", "home", "conflict.title="]);
    assert_eq!(desk.done(&["source", "show", "home"])["policy"]["conflict.title"], serde_json::Value::Null);

    // A warning is shown, and does not keep the source from being added; a contradiction does.
    desk.folder("more");
    let add = ["source", "add", "more", "--connector", "vdir", "--url", "more", "--set"];
    let (code, name, text) = desk.fails(&[&add[..], &["guard=allow"]].concat());
    assert!(code == 2 && name == "policy" && text.contains("set guard=hold or guard=block"), "{text}");
    let findings = desk.done(&[&add[..], &["match=none"]].concat())["findings"].clone();
    assert_eq!((&findings[0]["severity"], &findings[0]["keys"][0]), (&"warning".into(), &"match".into()));

    assert_eq!(desk.done(&["source", "disconnect", "home"])["state"], "disconnected");
    assert_eq!(desk.done(&["source", "show", "home"])["state"], "disconnected");
    assert_eq!(desk.fails(&["sync", "home"]).1, "disconnected");
    assert!(desk.ok(&["source", "reconnect", "home"]).contains("connected again"));
    assert_eq!(desk.done(&["source", "show", "home"])["state"], "connected");

    let knobs = desk.done(&["source", "knobs"]);
    assert!(knobs["knobs"].as_array().expect("knobs").len() > 40);
    assert_eq!(knobs["profiles"].as_array().expect("profiles").len(), 10);
    let text = desk.ok(&["source", "knobs", "mass"]);
    assert!(text.contains("No rule") || text.contains("guard"), "{text}");
    assert!(desk.ok(&["source", "knobs"]).contains("mirror"));
}

#[test]
fn a_preview_names_every_write_and_makes_none() {
    let desk = desk();
    let before = fs::read(desk.path("acquaint.db")).expect("the library");
    let text = desk.ok(&["sync", "--preview"]);
    assert!(text.contains("Ann Berg") && text.contains("4 writes; nothing was written"), "{text}");
    let preview = desk.done(&["sync", "--preview"]);
    let list = preview["writes"].as_array().expect("writes");
    assert_eq!(list.len(), 4);
    assert!(
        list.iter().all(|w| w["action"] == "create" && w["toward"] == "library" && w["rule"] == "in_create")
    );
    assert!(desk.ok(&["contact", "list"]).contains("no contacts"));
    assert_eq!(fs::read(desk.path("acquaint.db")).expect("the library"), before);

    desk.done(&["sync"]);
    let ann = id(&desk, "Ann");
    desk.ok(&["contact", "edit", &ann, "--set", "title=CTO"]);
    let preview = desk.done(&["sync", "--preview"]);
    let write = &preview["writes"][0];
    assert_eq!(
        (&write["name"], &write["source"], &write["toward"]),
        (&"Ann Berg".into(), &"home".into(), &"source".into())
    );
    let field = &write["fields"][0];
    assert_eq!(
        (&field["field"], &field["old"], &field["new"]),
        (&"title".into(), &"CEO".into(), &"CTO".into())
    );
    assert_eq!(field["by"]["user"], "u");
    let file = fs::read_to_string(desk.path("cards/u-ann.vcf")).expect("a card");
    assert!(file.contains("TITLE:CEO"));
    desk.ok(&["sync"]);
    let file = fs::read_to_string(desk.path("cards/u-ann.vcf")).expect("a card");
    assert_eq!(
        file,
        card("u-ann", "Ann", "Berg", "TITLE:CTO\r\nTEL;TYPE=CELL:+49 170 1234567\r\nX-OWN:kept\r\n")
    );
    assert!(desk.ok(&["sync", "--preview"]).contains("would write nothing"));
    assert_eq!(writes(&desk.done(&["sync"])), 0);
}

#[test]
fn contacts_are_added_shown_edited_and_deleted() {
    let desk = Desk::new();
    let words = [
        "contact",
        "add",
        "--set",
        "first=Ann",
        "--set",
        "birthday=--04-12",
        "--add",
        "phones:work=+49301234",
    ];
    assert_eq!(desk.ok(&words), "Added Ann as 1-0.\n");
    let added = desk.done(&["contact", "add", "--set", "first=Eve", "--add", "emails=eve@x.example"]);
    assert_eq!((&added["name"], &added["id"]), (&"Eve".into(), &"2-0".into()));
    let show = desk.done(&["contact", "show", "1-0"]);
    assert_eq!(show["fields"]["birthday"], "--04-12");
    assert_eq!(show["fields"]["phones"][0]["tags"][0], "work");
    assert!(desk.ok(&["contact", "show", "1-0"]).contains("+49301234 (work)"));
    let text =
        desk.ok(&["contact", "edit", "1-0", "--remove", "phones=+49 30 1234", "--add", "phones:cell=+49171"]);
    assert_eq!(text, "phones: “+49301234 (work)” → “+49171 (cell)”\n");
    let edited =
        desk.done(&["contact", "edit", "1-0", "--set", "custom:industry=Steel", "--set", "birthday="]);
    assert_eq!(edited["edited"].as_array().map(Vec::len), Some(2));
    assert_eq!(edited["fields"]["custom:industry"], "Steel");
    assert!(desk.ok(&["contact", "edit", "1-0", "--set", "first=Ann"]).contains("Nothing changed"));
    assert!(desk.ok(&["contact", "list"]).contains("2 contacts"));
    let page = desk.done(&["contact", "list", "--limit", "1", "--after", "1-0"]);
    assert_eq!(page["contacts"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["contacts"][0]["id"], "2-0");
    assert_eq!(desk.done(&["contact", "delete", "2-0"])["deleted"], "2-0");
    assert!(desk.ok(&["contact", "delete", "1-0"]).contains("acquaint undo"));
    assert!(desk.ok(&["contact", "list"]).contains("no contacts"));
}

#[test]
fn a_picture_comes_from_a_file_and_leaves_in_a_card() {
    let desk = Desk::new();
    fs::write(desk.path("face.png"), b"\x89PNG\r\n\x1a\nrest").expect("written");
    desk.ok(&["contact", "add", "--set", "first=Ann", "--set", "photo=face.png"]);
    let photo = desk.done(&["contact", "show", "1-0"])["fields"]["photo"].clone();
    assert_eq!((&photo["media"], &photo["size"]), (&"image/png".into(), &12.into()));
    desk.ok(&["contact", "export", "ann.vcf"]);
    let text = fs::read_to_string(desk.path("ann.vcf")).expect("a card");
    assert!(text.contains("PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgpyZXN0"), "{text}");
}

#[test]
fn a_file_is_imported_once_and_exported_whole() {
    let desk = Desk::new();
    let people: String =
        (0..250).map(|n| card(&format!("u-{n}"), "P", &format!("No{n}"), "X-OWN:kept\r\n")).collect();
    desk.write("in.vcf", &format!("{people}stray\r\n{}", card("u-0", "P", "No0", "")));
    let run = desk.run(&["contact", "import", "in.vcf"]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.starts_with("250 contacts added.\n1 card there already (same UID), left out.\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("in.vcf, line 1751: text that is part of no card"), "{}", run.out);
    let (code, again) = desk.json(&["contact", "import", "in.vcf"]);
    assert_eq!((code, again["added"].as_array().map(Vec::len), &again["known"]), (1, Some(0), &251.into()));
    assert_eq!(again["problems"][0]["line"], 1751);

    assert_eq!(desk.done(&["contact", "export", "out.vcf"])["written"], 250);
    assert!(desk.ok(&["contact", "export", "two.vcf", "1-0", "1-1"]).contains("2 contacts"));
    assert_eq!(desk.fails(&["contact", "export", "out.vcf"]).1, "file");
    desk.ok(&["contact", "export", "out.vcf", "--replace", "--version4"]);
    let back = desk.done(&["--library", "other.db", "contact", "import", "out.vcf"]);
    assert_eq!(back["added"].as_array().map(Vec::len), Some(250));
    let show = desk.done(&["--library", "other.db", "contact", "show", "1-0"]);
    assert_eq!((&show["uid"], &show["fields"]["extra"][0]["value"]), (&"u-0".into(), &"X-OWN:kept".into()));
    // Undoing the import takes back its hundred contacts of that batch.
    let undone = desk.done(&["--library", "other.db", "undo", "1"]);
    assert_eq!(undone["undone"].as_array().map(Vec::len), Some(100));
}

#[test]
fn a_conflict_waits_and_is_resolved_each_way() {
    let desk = synced();
    desk.ok(&["source", "set", "home", "conflict=ask"]);
    desk.ok(&["sync"]);
    let ann = id(&desk, "Ann");
    for (round, (choice, expected)) in
        [(&["--source"][..], "Boss 0"), (&["--hub"][..], "CTO 1"), (&["--value", "Neither"][..], "Neither")]
            .into_iter()
            .enumerate()
    {
        let (boss, cto) = (format!("Boss {round}"), format!("CTO {round}"));
        let path = desk.path("cards/u-ann.vcf");
        let old = fs::read_to_string(&path).expect("a card");
        let title = old.lines().find(|line| line.starts_with("TITLE:")).expect("a title").to_owned();
        fs::write(&path, old.replace(&title, &format!("TITLE:{boss}"))).expect("written");
        desk.ok(&["contact", "edit", &ann, "--set", &format!("title={cto}")]);
        let run = desk.run(&["sync"]);
        assert_eq!(run.code, 3, "{}{}", run.out, run.err);
        assert!(run.out.contains("acquaint conflict list"), "{}", run.out);
        assert_eq!(desk.run(&["conflict", "list"]).code, 3);
        let (code, list) = desk.json(&["conflict", "list"]);
        assert_eq!(code, 3);
        let open = &list["conflicts"][0];
        assert_eq!((&open["library_value"], &open["source_value"]), (&cto.into(), &boss.into()));
        assert_eq!((&open["field"], &open["contact"]), (&"title".into(), &ann.as_str().into()));
        let resolved = desk.done(&[&["conflict", "resolve", &ann, "title"][..], choice].concat());
        assert_eq!(resolved["value"], expected);
        desk.ok(&["sync"]);
        assert!(fs::read_to_string(&path).expect("a card").contains(&format!("TITLE:{expected}\r\n")));
        assert_eq!(writes(&desk.done(&["sync"])), 0);
        assert_eq!(desk.done(&["conflict", "list"])["conflicts"].as_array().map(Vec::len), Some(0));
    }
    assert!(desk.ok(&["conflict", "list"]).contains("no open conflicts"));
    // A decision is an edit, and can be taken back like one.
    let passes = desk.done(&["history"]);
    let resolve =
        passes["passes"].as_array().expect("passes").iter().rev().find(|pass| pass["reason"] == "resolve");
    let number = resolve.expect("a pass")["pass"].to_string();
    assert_eq!(desk.done(&["undo", &number])["undone"][0]["again"], "CTO 2");
}

#[test]
fn a_mass_delete_is_held_until_it_is_answered() {
    let desk = synced();
    let delete = || {
        for (name, _) in cards(&desk.path("cards")).into_iter().take(3) {
            fs::remove_file(desk.path(&format!("cards/{name}"))).expect("deleted");
        }
    };
    delete();
    let run = desk.run(&["sync"]);
    assert_eq!(run.code, 3);
    assert!(run.out.contains("acquaint held confirm"), "{}", run.out);
    assert_eq!(desk.run(&["held", "list"]).code, 3);
    let (_, held) = desk.json(&["held", "list"]);
    assert_eq!(held["held"].as_array().map(Vec::len), Some(3));
    assert_eq!(held["held"][0]["deleted_at"], "source");
    assert!(desk.ok(&["contact", "list"]).contains("4 contacts"));
    // Put back, with the lines that no program of ours knows.
    desk.ok(&["held", "restore"]);
    let now = cards(&desk.path("cards"));
    assert_eq!(now.len(), 4);
    let ann = now.iter().find(|(_, card)| card.windows(10).any(|part| part == b"N:Berg;Ann")).expect("Ann");
    let text = String::from_utf8_lossy(&ann.1);
    assert!(
        ["UID:u-ann\r\n", "TITLE:CEO\r\n", "X-OWN:kept\r\n"].iter().all(|line| text.contains(line)),
        "{text}"
    );
    assert_eq!(writes(&desk.done(&["sync"])), 0);
    assert!(desk.ok(&["held", "list"]).contains("No deletes are held"));
    // Confirmed, in one go.
    delete();
    assert_eq!(desk.json(&["sync"]).0, 3);
    let confirmed = desk.done(&["held", "confirm", "home"]);
    assert_eq!(confirmed["sources"]["home"]["library"]["deleted"], 3);
    assert_eq!(desk.done(&["contact", "list"])["contacts"].as_array().map(Vec::len), Some(1));
    assert_eq!(desk.fails(&["held", "restore"]).1, "none_held");
}

#[test]
fn deletes_can_be_confirmed_beforehand() {
    let desk = synced();
    for (name, _) in cards(&desk.path("cards")) {
        fs::remove_file(desk.path(&format!("cards/{name}"))).expect("deleted");
    }
    let done = desk.done(&["sync", "--confirm-deletes"]);
    assert_eq!(done["sources"]["home"]["library"]["deleted"], 4);
    assert!(desk.ok(&["contact", "list"]).contains("no contacts"));
}

#[test]
fn history_explains_and_can_be_taken_back() {
    let desk = synced();
    let ann = id(&desk, "Ann");
    desk.ok(&["contact", "edit", &ann, "--set", "title=CTO", "--set", "notes=Likes tea"]);
    let pass = desk.done(&["contact", "edit", &ann, "--set", "notes=Likes coffee"])["pass"]
        .as_u64()
        .expect("a pass");
    desk.ok(&["sync"]);
    let sentences = desk.done(&["explain", &ann])["sentences"].clone();
    let sentences: Vec<&str> =
        sentences.as_array().expect("list").iter().filter_map(|s| s.as_str()).collect();
    assert!(sentences[0].contains("came into the library from home"), "{sentences:?}");
    let says = |words: &[&str]| sentences.iter().any(|s| words.iter().all(|word| s.contains(word)));
    assert!(says(&["title of the contact", "“CEO”", "“CTO”", "user u", "edited it here"]), "{sentences:?}");
    assert!(says(&["title of the copy at home", "out_update=apply", "K6"]), "{sentences:?}");
    assert!(desk.ok(&["explain", &ann]).contains("It is kept in step with a card at home."));
    assert!(desk.ok(&["history"]).contains("Ann Berg"));
    let history = desk.done(&["history", &ann]);
    assert_eq!(history["entries"].as_array().map(Vec::len), Some(3));
    assert!(desk.ok(&["history", &ann]).contains("“Likes tea”"));

    // The first edit: the title goes back, the note was changed since and stays.
    let first = (pass - 1).to_string();
    let preview = desk.done(&["undo", &first, "--preview"]);
    assert_eq!(
        (preview["undone"].as_array().map(Vec::len), preview["left"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    assert_eq!(desk.done(&["contact", "show", &ann])["fields"]["title"], "CTO");
    assert!(desk.ok(&["undo", &first]).contains("changed since"));
    assert_eq!(desk.done(&["contact", "show", &ann])["fields"]["title"], "CEO");
    desk.ok(&["sync"]);
    assert!(fs::read_to_string(desk.path("cards/u-ann.vcf")).expect("a card").contains("TITLE:CEO"));

    // A delete comes back, under the old id, and goes out again.
    let deleted = desk.done(&["contact", "delete", &ann])["pass"].to_string();
    desk.ok(&["sync"]);
    assert_eq!(cards(&desk.path("cards")).len(), 3);
    assert_eq!(desk.done(&["undo", &deleted])["undone"][0]["action"], "restore");
    assert_eq!(desk.done(&["contact", "show", &ann])["name"], "Ann Berg");
    desk.ok(&["sync"]);
    assert_eq!(cards(&desk.path("cards")).len(), 4);
    assert_eq!(writes(&desk.done(&["sync"])), 0);

    // What a first sync brought in goes, except what was edited since.
    let undone = desk.done(&["undo", "1"]);
    assert_eq!(undone["undone"].as_array().map(Vec::len), Some(3));
    assert_eq!(undone["left"][0]["contact"], ann.as_str());
    assert!(desk.ok(&["undo", "1"]).contains("nothing to take back"));
}

#[test]
fn people_are_found_by_name_number_and_address() {
    let desk = synced();
    let names = |words: &[&str]| -> Vec<String> {
        let found = desk.done(words);
        found["hits"]
            .as_array()
            .expect("hits")
            .iter()
            .filter_map(|hit| Some(hit["name"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(names(&["search", "an"]), ["Ann Berg"]);
    assert_eq!(names(&["search", "ST"]), ["Bob Stone"]);
    assert_eq!(names(&["search", "bob", "sons"]), ["Bob Stone"]);
    assert_eq!(names(&["search", "bob@st"]), ["Bob Stone"]);
    assert_eq!(names(&["search", "1234"]), ["Ann Berg"]);
    assert_eq!(names(&["search", "nobody", "--local"]), [""; 0]);
    assert!(desk.ok(&["search", "berg"]).contains("Ann Berg"));
    assert!(desk.ok(&["search", "xyz"]).contains("Nothing found"));
    for (number, by) in
        [("+49 170 1234567", "number"), ("0049-170-1234567", "number"), ("0170 1234567", "national")]
    {
        let found = desk.done(&["caller", number]);
        assert_eq!(
            (&found["contacts"][0]["name"], &found["matched_by"]),
            (&"Ann Berg".into(), &by.into()),
            "{number}"
        );
    }
    assert!(desk.ok(&["caller", "+491701234567"]).contains("Ann Berg"));
    assert!(desk.ok(&["caller", "+1 170 1234567"]).contains("Nobody"));
    assert_eq!(desk.fails(&["caller", "anonymous"]).0, 2);
}

#[test]
fn scenarios_are_run_from_files() {
    let desk = Desk::new();
    let good = "scenario A-1 profile=mirror\ngiven src S1 first=Maya\nwhen sync\nthen hub one first=Maya\n";
    desk.write("good.scenario", good);
    desk.write("both.md", &format!("# Text\n\n```scenario\n{good}\nscenario A-2 profile=mirror\ngiven src S1 first=Maya\nwhen sync\nthen hub count 2\n```\n"));
    desk.write("bad.scenario", "scenario A-1 profile=mirror\nthen fly\n");
    desk.write("none.md", "nothing\n");
    assert_eq!(desk.ok(&["scenario", "good.scenario"]), "1 passed, 0 failed\n");
    let run = desk.run(&["scenario", "both.md"]);
    assert!(
        run.code == 1 && run.out.ends_with("1 passed, 1 failed\n") && run.out.contains("A-2"),
        "{}",
        run.out
    );
    let (code, document) = desk.json(&["scenario", "good.scenario", "both.md"]);
    assert_eq!((code, &document["passed"], &document["failed"]), (1, &2.into(), &1.into()));
    assert_eq!(desk.fails(&["scenario", "bad.scenario"]).1, "scenario");
    assert_eq!(desk.run(&["scenario", "none.md"]).code, 1);
}

#[test]
fn help_and_version_are_no_errors() {
    let desk = Desk::new();
    let help = desk.ok(&["--help"]);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    for words in [&["sync", "--help"][..], &["source", "add", "--help"], &["contact", "edit", "--help"]] {
        assert!(desk.ok(words).contains("Examples:"));
    }
    assert!(desk.ok(&["--version"]).starts_with("acquaint 0."));
    assert!(desk.done(&["sync", "--help"])["help"].as_str().is_some_and(|help| help.contains("Examples:")));
}

#[test]
fn no_colour_and_no_control_characters_leave_a_pipe() {
    let desk = Desk::new();
    desk.ok(&["contact", "add", "--set", "first=A\u{1b}[31m\u{202e}B", "--set", "notes=one\ntwo"]);
    for words in
        [&["contact", "list"][..], &["contact", "show", "1-0"], &["explain", "1-0"], &["search", "b"]]
    {
        let text = desk.ok(words);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{words:?}");
    }
    // Programs get the value as it is.
    assert_eq!(desk.done(&["contact", "show", "1-0"])["fields"]["first"], "A\u{1b}[31m\u{202e}B");
}

#[test]
fn a_source_that_has_moved_is_found_again() {
    let desk = synced();
    fs::rename(desk.path("cards"), desk.path("moved")).expect("renamed");
    assert_eq!(desk.json(&["sync"]).0, 1);
    assert_eq!(desk.done(&["source", "list"])["sources"][0]["state"], "needs_settings");
    assert_eq!(desk.fails(&["source", "set", "home", "url=nowhere"]).1, "settings");
    let preview = desk.done(&["source", "set", "home", "url=moved", "--preview"]);
    assert_eq!(writes(&preview["sync"]), 0, "{preview}");
    let set = desk.done(&["source", "set", "home", "url=moved"]);
    assert_eq!(
        (&set["rules"][0]["key"], &set["rules"][0]["is"]),
        (&"url".into(), &desk.text("moved").into())
    );
    assert_eq!(writes(&desk.done(&["sync"])), 0);
    assert_eq!(desk.done(&["source", "list"])["sources"][0]["state"], "connected");
    // Another folder under the same name looks like everything deleted: the guard holds that.
    desk.folder("empty");
    desk.ok(&["source", "set", "home", "url=empty"]);
    assert_eq!(desk.json(&["sync"]).0, 3);
    assert_eq!(desk.done(&["contact", "list"])["contacts"].as_array().map(Vec::len), Some(4));
}

/// Programs branch on the codes: each is in the manual.
#[test]
fn every_error_code_is_documented() {
    let manual = include_str!("../JSON.md");
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut codes = std::collections::BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text: String = fs::read_to_string(path).expect("text").split_whitespace().collect();
            for before in ["Failure::new(\"", "Self::new(\"", "=>(\"", "code:\"", "=>{(\""] {
                let found = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
                let is_code = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                codes.extend(found.filter(is_code).map(str::to_owned));
            }
        }
    }
    assert!(codes.len() > 30, "{codes:?}");
    for code in codes {
        assert!(manual.contains(&format!("`{code}`")), "{code} is not in JSON.md");
    }
}
