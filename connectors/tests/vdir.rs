//! The vdir source as the engine sees it: a folder, commands and outcomes.

#![cfg(feature = "vdir")]

use acquaint_connectors::vdir::{Vdir, VdirOptions};
use acquaint_connectors::wire::vcard;
use acquaint_core::contact::{Blob, Contact, Field, Value};
use acquaint_core::id::{RemoteId, Version};
use acquaint_core::source::{
    Change, Changes, Command, Cursor, Fetched, HostSource, Item, Outcome, Raw, Refusal, RefusalKind, Removal,
    SourceError, Write, WriteOutcome,
};
use futures::executor::block_on;
use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

const KEY: &str = "4fbe8971-0bc3-424c-9c26-36c3e1eff6b1";

fn card(uid: &str, name: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nX-KEPT:as it is\r\nEND:VCARD\r\n")
}

/// A folder for one test.
struct World {
    folder: tempfile::TempDir,
    vdir: Vdir,
}

impl World {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(folder.path().join(name), card(name, name)).unwrap();
        }
        let vdir = Vdir::open(folder.path(), VdirOptions::default()).unwrap();
        Self { folder, vdir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        block_on(self.vdir.run(command))
    }

    fn try_changes(&self, cursor: Option<&Cursor>) -> Result<Changes, SourceError> {
        match self.run(Command::Changes { folders: Vec::new(), cursor: cursor.cloned(), page: None })? {
            Outcome::Changes(changes) => Ok(changes),
            other => panic!("{other:?}"),
        }
    }

    fn changes(&self, cursor: Option<&Cursor>) -> Changes {
        self.try_changes(cursor).unwrap()
    }

    fn cursor(&self) -> Cursor {
        self.changes(None).cursor.unwrap()
    }

    fn fetch(&self, id: &str) -> Fetched {
        match self.run(Command::Fetch(vec![id.into()])).unwrap() {
            Outcome::Items(mut items) if items.len() == 1 => items.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn item(&self, id: &str) -> Item {
        match self.fetch(id) {
            Fetched::Item(item) => *item,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(&self, id: &str) -> Refusal {
        match self.fetch(id) {
            Fetched::Failed(_, refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn write(&self, writes: Vec<Write>) -> Vec<WriteOutcome> {
        match self.run(Command::Write(writes)).unwrap() {
            Outcome::Written(outcomes) => outcomes,
            other => panic!("{other:?}"),
        }
    }

    fn write_one(&self, write: Write) -> WriteOutcome {
        self.write(vec![write]).remove(0)
    }

    /// Every name in the folder, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn create(key: &str, name: &str) -> Write {
    Write::Create {
        folder: None,
        key: key.into(),
        uid: format!("uid of {key}").into(),
        contact: Contact::new().with(Field::FullName, name),
        blobs: Vec::new(),
        template: None,
        marker: false,
    }
}

fn update(item: &Item, name: &str) -> Write {
    let mut contact = item.contact.clone();
    contact.set(Field::FullName, name.into());
    Write::Update {
        id: item.id.clone(),
        guard: item.version.clone(),
        contact,
        changed: vec![Field::FullName],
        blobs: Vec::new(),
        raw: item.raw.clone(),
        marker: None,
    }
}

fn delete(item: &Item) -> Write {
    Write::Delete { id: item.id.clone(), guard: item.version.clone() }
}

fn listed(changes: &Changes) -> BTreeMap<String, Version> {
    let rows = changes.rows.iter().filter_map(|row| match row {
        Change::Listed { id, version } => Some((id.0.clone(), version.clone()?)),
        _ => None,
    });
    rows.collect()
}

fn removed(changes: &Changes) -> Vec<&str> {
    let rows = changes.rows.iter().filter_map(|row| match row {
        Change::Removed { id, why: Removal::Deleted } => Some(id.as_str()),
        _ => None,
    });
    rows.collect()
}

fn touch(path: &Path, time: SystemTime) {
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn a_first_listing_is_complete_and_names_only_cards() {
    let world =
        World::new(&["a.vcf", "Ida Grün.vcf", "B.VCF", ".hidden.vcf", "c.vcf.tmp", "displayname", "color"]);
    fs::create_dir(world.path("folder.vcf")).unwrap();
    let changes = world.changes(None);
    assert!(changes.complete && changes.next_page.is_none());
    let ids: Vec<String> = listed(&changes).into_keys().collect();
    assert_eq!(ids, ["B.VCF", "Ida Grün.vcf", "a.vcf"]);
    assert_eq!(changes.rows.len(), 3);
    assert_eq!(world.item("a.vcf").version, listed(&changes).remove("a.vcf"));
}

#[test]
fn nothing_changed_is_no_rows() {
    let world = World::new(&["a.vcf", "b.vcf"]);
    let cursor = world.cursor();
    let again = world.changes(Some(&cursor));
    assert_eq!((again.rows.len(), again.complete), (0, false));
    // Touched and copied files have other stamps and the same content.
    touch(&world.path("a.vcf"), SystemTime::now() - Duration::from_secs(99));
    fs::copy(world.path("b.vcf"), world.path("b.new")).unwrap();
    fs::rename(world.path("b.new"), world.path("b.vcf")).unwrap();
    let touched = world.changes(again.cursor.as_ref());
    assert_eq!(touched.rows, []);
    assert_ne!(touched.cursor, again.cursor);
}

#[test]
fn edits_new_files_and_deletions_are_rows() {
    let world = World::new(&["a.vcf", "b.vcf", "c.vcf"]);
    let cursor = world.cursor();
    fs::write(world.path("a.vcf"), card("a", "another")).unwrap();
    fs::remove_file(world.path("b.vcf")).unwrap();
    fs::write(world.path("d.vcf"), card("d", "new")).unwrap();
    let changes = world.changes(Some(&cursor));
    assert!(!changes.complete);
    assert_eq!(listed(&changes).into_keys().collect::<Vec<_>>(), ["a.vcf", "d.vcf"]);
    assert_eq!(removed(&changes), ["b.vcf"]);
    assert_eq!(world.changes(changes.cursor.as_ref()).rows, []);
}

#[test]
fn a_rename_is_a_removal_and_a_new_card() {
    let world = World::new(&["a.vcf"]);
    let before = world.changes(None);
    fs::rename(world.path("a.vcf"), world.path("z.vcf")).unwrap();
    let changes = world.changes(before.cursor.as_ref());
    assert_eq!(removed(&changes), ["a.vcf"]);
    assert_eq!(listed(&changes).get("z.vcf"), listed(&before).get("a.vcf"));
}

#[test]
fn an_edit_of_equal_size_and_time_is_seen() {
    let world = World::new(&["a.vcf"]);
    let time = SystemTime::now() - Duration::from_secs(3_600);
    let path = world.path("a.vcf");
    for (old, new) in [("Ida", "Eva"), ("Eva", "Udo"), ("Udo", "Ute")] {
        fs::write(&path, card("a", old)).unwrap();
        touch(&path, time);
        let before = world.changes(None);
        fs::write(&path, card("a", new)).unwrap();
        touch(&path, time);
        let changes = world.changes(before.cursor.as_ref());
        assert_eq!(listed(&changes).len(), 1, "{old} → {new}");
        assert_ne!(listed(&changes), listed(&before));
    }
}

#[test]
fn an_empty_folder_is_a_listing_and_a_missing_one_an_error() {
    let world = World::new(&["a.vcf", "b.vcf", "c.vcf"]);
    let cursor = world.cursor();
    for name in ["a.vcf", "b.vcf", "c.vcf"] {
        fs::remove_file(world.path(name)).unwrap();
    }
    assert_eq!(removed(&world.changes(Some(&cursor))).len(), 3);
    let empty = world.changes(None);
    assert!(empty.complete && empty.rows.is_empty());

    fs::remove_dir(world.folder.path()).unwrap();
    for cursor in [None, Some(&cursor)] {
        assert!(matches!(world.try_changes(cursor), Err(SourceError::Local { .. })));
    }
    assert!(matches!(world.run(Command::Fetch(vec!["a.vcf".into()])), Err(SourceError::Local { .. })));
    assert!(matches!(world.write_one(create(KEY, "Ida")), WriteOutcome::NotSent(SourceError::Local { .. })));
    assert!(matches!(world.run(Command::Open), Err(SourceError::Settings { .. })));

    // A file in place of the folder.
    fs::write(world.folder.path(), "").unwrap();
    assert!(matches!(world.try_changes(Some(&cursor)), Err(SourceError::Local { .. })));
    assert!(matches!(world.run(Command::Open), Err(SourceError::Settings { .. })));
    fs::remove_file(world.folder.path()).unwrap();
    fs::create_dir(world.folder.path()).unwrap();
}

#[test]
fn opening_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    let error = Vdir::open(&missing, VdirOptions::default()).unwrap_err();
    assert!(error.needs_settings(), "{error}");
    assert!(!error.to_string().contains("none"));
    assert!(!missing.exists());
}

#[test]
fn a_strange_cursor_has_expired() {
    let world = World::new(&["a.vcf"]);
    for bytes in [&b""[..], b"x", b"\x01\xff\xff\xff\xff"] {
        assert_eq!(world.try_changes(Some(&Cursor(bytes.to_vec()))), Err(SourceError::CursorExpired));
    }
}

#[test]
fn what_is_no_single_card_is_parked_not_deleted() {
    let world = World::new(&["large.vcf", "two.vcf", "cut.vcf", "empty.vcf", "text.vcf", "binary.vcf"]);
    let cursor = world.cursor();
    File::create(world.path("large.vcf")).unwrap().set_len((16 << 20) + 1).unwrap();
    fs::write(world.path("two.vcf"), card("1", "Ida") + &card("2", "Eva")).unwrap();
    fs::write(world.path("cut.vcf"), &card("1", "Ida")[..50]).unwrap();
    fs::write(world.path("empty.vcf"), "").unwrap();
    fs::write(world.path("text.vcf"), "a shopping list").unwrap();
    fs::write(world.path("binary.vcf"), b"\x00\xff\xfe\n").unwrap();
    let changes = world.changes(Some(&cursor));
    assert_eq!((listed(&changes).len(), removed(&changes).len()), (6, 0));
    for (name, kind) in [
        ("large.vcf", RefusalKind::TooLarge),
        ("two.vcf", RefusalKind::Unreadable),
        ("cut.vcf", RefusalKind::Unreadable),
        ("empty.vcf", RefusalKind::Unreadable),
        ("text.vcf", RefusalKind::Unreadable),
        ("binary.vcf", RefusalKind::Unreadable),
    ] {
        assert_eq!(world.refusal(name).kind, kind, "{name}");
    }
    assert!(world.refusal("two.vcf").detail.contains("2 cards"));
    // Mended, it comes back.
    fs::write(world.path("large.vcf"), card("1", "Ida")).unwrap();
    let mended = world.changes(changes.cursor.as_ref());
    assert_eq!(listed(&mended).into_keys().collect::<Vec<_>>(), ["large.vcf"]);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.vcf");
    fs::write(&secret, card("s", "Secret")).unwrap();
    let world = World::new(&["a.vcf"]);
    let cursor = world.cursor();
    fs::remove_file(world.path("a.vcf")).unwrap();
    symlink(&secret, world.path("a.vcf")).unwrap();
    symlink(outside.path(), world.path("folder.vcf")).unwrap();
    symlink("loop.vcf", world.path("loop.vcf")).unwrap();
    symlink("nowhere", world.path("dangling.vcf")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(world.path("pipe.vcf")).status().unwrap();
    assert!(pipe.success());

    let changes = world.changes(Some(&cursor));
    assert_eq!(removed(&changes), [""; 0], "a card that became a link is not deleted elsewhere");
    for name in ["a.vcf", "folder.vcf", "loop.vcf", "dangling.vcf", "pipe.vcf"] {
        assert!(listed(&changes).contains_key(name), "{name}");
        assert_eq!(world.refusal(name).kind, RefusalKind::Unreadable, "{name}");
    }
    let guard = listed(&changes).remove("a.vcf");
    let write = Write::Delete { id: "a.vcf".into(), guard };
    assert!(matches!(world.write_one(write), WriteOutcome::Rejected(_)));
    assert!(secret.exists());
}

#[test]
fn ids_lead_to_no_other_place() {
    let world = World::new(&["a.vcf"]);
    fs::create_dir(world.path("sub")).unwrap();
    fs::write(world.path("sub/b.vcf"), card("b", "b")).unwrap();
    fs::write(world.path("displayname"), "Friends").unwrap();
    for id in ["sub/b.vcf", "./a.vcf", "../a.vcf", "displayname", "sub%2Fb.vcf", "", "a.vcf/", "a\0.vcf"] {
        assert_eq!(world.fetch(id), Fetched::Gone(id.into()), "{id}");
        let write = Write::Delete { id: id.into(), guard: None };
        assert_eq!(world.write_one(write), WriteOutcome::Gone, "{id}");
    }
    assert_eq!(world.names(), ["a.vcf", "displayname", "sub"]);
}

#[test]
fn odd_names_sync_like_any_other() {
    let long = "x".repeat(251) + ".vcf";
    let mut names = vec![
        "a b.vcf",
        "Grün – Ümläut.vcf",
        "100%.vcf",
        "a%2Fb.vcf",
        "..dots..vcf.vcf",
        "名前.vcf",
        "-r.vcf",
        &long,
    ];
    let plain = World::new(&[]);
    fs::write(plain.path("A.vcf"), "").unwrap();
    let folds_case = plain.path("a.vcf").exists();
    if !folds_case {
        names.extend(["case.vcf", "Case.vcf"]);
    }
    let visible: Vec<&str> = names.into_iter().filter(|name| !name.starts_with('.')).collect();
    let world = World::new(&visible);
    let before = world.changes(None);
    let ids: Vec<String> = listed(&before).into_keys().collect();
    assert_eq!(ids.len(), visible.len());
    for id in &ids {
        let item = world.item(id);
        let outcome = world.write_one(update(&item, "changed"));
        assert!(
            matches!(&outcome, WriteOutcome::Applied { id: same, .. } if same.0 == *id),
            "{id}: {outcome:?}"
        );
        assert_eq!(world.item(id).contact.text(&Field::FullName), "changed", "{id}");
    }
    assert_eq!(listed(&world.changes(before.cursor.as_ref())).len(), visible.len());
    for id in &ids {
        assert!(matches!(world.write_one(delete(&world.item(id))), WriteOutcome::Applied { .. }), "{id}");
    }
    assert_eq!(world.names(), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_sync_too() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new(&["caf%E9.vcf"]);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.vcf");
    fs::write(world.folder.path().join(name), card("c", "Café")).unwrap();
    let ids: Vec<String> = listed(&world.changes(None)).into_keys().collect();
    assert_eq!(ids, ["caf%25E9.vcf", "caf%E9.vcf"]);
    let item = world.item("caf%E9.vcf");
    assert_eq!(item.contact.text(&Field::FullName), "Café");
    assert!(matches!(world.write_one(delete(&item)), WriteOutcome::Applied { .. }));
    assert_eq!(world.names(), ["caf%E9.vcf"]);
}

#[test]
fn a_create_makes_one_file_and_is_found_by_its_key() {
    let world = World::new(&[]);
    let WriteOutcome::Applied { id, version, item: Some(item) } = world.write_one(create(KEY, "Ida")) else {
        panic!()
    };
    assert_eq!(id.0, format!("{KEY}.vcf"));
    assert_eq!(world.names(), [id.0.as_str()]);
    let fetched = world.item(id.as_str());
    assert_eq!((&fetched.contact, &fetched.raw, &fetched.uid), (&item.contact, &item.raw, &item.uid));
    assert_eq!((&fetched.version, fetched.modified), (&version, item.modified));
    assert_eq!(world.run(Command::FindByKey(KEY.into())), Ok(Outcome::Found(Some(Box::new(fetched)))));
    assert_eq!(world.run(Command::FindByKey("other".into())), Ok(Outcome::Found(None)));

    // The same again: the answer was lost, nothing is made twice.
    assert!(
        matches!(world.write_one(create(KEY, "Ida")), WriteOutcome::Applied { id: same, .. } if same == id)
    );
    // Edited since: never overwritten, the engine finds it by its key.
    fs::write(world.path(&id.0), card(KEY, "Ida Grün")).unwrap();
    assert_eq!(world.write_one(create(KEY, "Ida")), WriteOutcome::Unknown);
    assert_eq!(world.item(id.as_str()).contact.text(&Field::FullName), "Ida Grün");
    // Damaged since: there is nothing to find, so say so.
    fs::write(world.path(&id.0), "damaged").unwrap();
    assert!(matches!(world.write_one(create(KEY, "Ida")), WriteOutcome::Rejected(_)));
    assert_eq!(world.names(), [id.0.as_str()]);
}

#[test]
fn hostile_keys_stay_in_the_folder() {
    let world = World::new(&[]);
    let long = "k".repeat(500);
    let keys = ["../out", "/tmp/out", ".hidden", "a/b", "con:x", "", "Größe", &long];
    for key in keys {
        assert!(matches!(world.write_one(create(key, "Ida")), WriteOutcome::Applied { .. }), "{key}");
        let found = world.run(Command::FindByKey(key.into())).unwrap();
        assert!(matches!(found, Outcome::Found(Some(_))), "{key}");
    }
    assert_eq!(listed(&world.changes(None)).len(), keys.len());
}

/// A create after the pattern of another source's card, and what came of it.
fn copy(template: &str) -> (World, String) {
    let world = World::new(&[]);
    let decoded = vcard::decode(template.as_bytes()).unwrap();
    let mut write = create("k", "");
    if let Write::Create { template: pattern, contact, uid, .. } = &mut write {
        *pattern = Some(Raw { format: "text/vcard".into(), bytes: template.into() });
        *contact = decoded.contact;
        *uid = decoded.uid.unwrap().into();
    }
    let outcome = world.write_one(write);
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let text = fs::read_to_string(world.path("k.vcf")).unwrap();
    (world, text)
}

#[test]
fn a_template_is_copied_byte_for_byte() {
    let old = card("u", "Ida").replace("X-KEPT:", "x-Kept;A=b:").replace("\r\n", "\n");
    assert_eq!(copy(&old).1, old);
    let new = card("u", "Ida").replace("3.0", "4.0");
    assert_eq!(copy(&new).1, new);
    let oldest = copy(&card("u", "Ida").replace("3.0", "2.1")).1;
    assert!(oldest.contains("VERSION:3.0\r\n") && oldest.contains("X-KEPT:as it is\r\n"), "{oldest}");
}

#[test]
fn the_marker_comes_and_goes_without_a_trace() {
    let world = World::new(&[]);
    let mut write = create(KEY, "Ida");
    if let Write::Create { marker, .. } = &mut write {
        *marker = true;
    }
    let WriteOutcome::Applied { item: Some(item), .. } = world.write_one(write) else { panic!() };
    assert!(item.marked && item.contact.list(&Field::Extra).is_empty());
    let plain = Contact::new().with(Field::FullName, "Ida");
    assert_eq!(item.contact, plain);

    let mark = |item: &Item, wanted, changed: &[Field]| {
        let write = Write::Update {
            id: item.id.clone(),
            guard: item.version.clone(),
            contact: item.contact.clone(),
            changed: changed.to_vec(),
            blobs: Vec::new(),
            raw: item.raw.clone(),
            marker: wanted,
        };
        assert!(matches!(world.write_one(write), WriteOutcome::Applied { .. }));
        world.item(item.id.as_str())
    };
    let item = mark(&item, None, &[Field::Extra]);
    assert!(item.marked, "an update that does not speak of the marker leaves it");
    let bare = mark(&item, Some(false), &[]);
    assert!(!bare.marked && !String::from_utf8_lossy(&bare.raw.bytes).contains("MARKER"));
    let again = mark(&bare, Some(true), &[]);
    assert!(again.marked && again.contact == plain);
}

#[test]
fn pictures_come_with_the_card() {
    let world = World::new(&[]);
    let blob = Blob::new(b"\xff\xd8\xff\xe0 not really a picture".to_vec());
    let mut write = create(KEY, "Ida");
    if let Write::Create { contact, blobs, .. } = &mut write {
        contact.set(Field::Photo, Value::Photo(blob.photo("image/jpeg")));
        blobs.push(blob.clone());
    }
    let WriteOutcome::Applied { id, item: Some(item), .. } = world.write_one(write) else { panic!() };
    assert_eq!(item.blobs, std::slice::from_ref(&blob));
    assert_eq!(world.run(Command::FetchPhoto(id)), Ok(Outcome::Photo(Some(blob))));
    assert_eq!(world.run(Command::FetchPhoto("none.vcf".into())), Ok(Outcome::Photo(None)));
}

#[test]
fn a_card_too_large_to_be_read_again_is_not_written() {
    let world = World::new(&["a.vcf"]);
    let item = world.item("a.vcf");
    let long = "x".repeat(16 << 20);
    for write in [create(KEY, &long), update(&item, &long)] {
        let outcome = world.write_one(write);
        assert!(matches!(outcome, WriteOutcome::Rejected(r) if r.kind == RefusalKind::TooLarge));
    }
    assert_eq!(world.names(), ["a.vcf"]);
    assert_eq!(world.item("a.vcf"), item);
}

#[test]
fn an_update_touches_only_what_changed() {
    let world = World::new(&["a.vcf"]);
    let item = world.item("a.vcf");
    let WriteOutcome::Applied { version, item: Some(after), .. } = world.write_one(update(&item, "Eva"))
    else {
        panic!()
    };
    let text = fs::read_to_string(world.path("a.vcf")).unwrap();
    assert!(text.contains("FN:Eva\r\n") && text.contains("X-KEPT:as it is\r\n"), "{text}");
    assert_eq!((after.version, version), (world.item("a.vcf").version, world.item("a.vcf").version));
    assert_eq!(world.names(), ["a.vcf"]);
}

#[test]
fn an_update_that_changes_nothing_writes_nothing() {
    let world = World::new(&["a.vcf"]);
    let before = fs::metadata(world.path("a.vcf")).unwrap();
    let item = world.item("a.vcf");
    let outcome = world.write_one(update(&item, "a.vcf"));
    assert!(matches!(outcome, WriteOutcome::Applied { version, .. } if version == item.version));
    let after = fs::metadata(world.path("a.vcf")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!((before.ino(), before.ctime_nsec()), (after.ino(), after.ctime_nsec()));
    }
}

#[test]
fn a_card_that_changed_since_is_stale() {
    let world = World::new(&["a.vcf", "b.vcf"]);
    let (a, b) = (world.item("a.vcf"), world.item("b.vcf"));
    fs::write(world.path("a.vcf"), card("a", "edited")).unwrap();
    fs::write(world.path("b.vcf"), card("b", "edited")).unwrap();
    assert_eq!(world.write(vec![update(&a, "Eva"), delete(&b)]), [WriteOutcome::Stale, WriteOutcome::Stale]);
    fs::remove_file(world.path("a.vcf")).unwrap();
    fs::remove_file(world.path("b.vcf")).unwrap();
    assert_eq!(world.write(vec![update(&a, "Eva"), delete(&b)]), [WriteOutcome::Gone, WriteOutcome::Gone]);
    assert_eq!(world.names(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn permissions_survive_an_update() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(&["a.vcf", "fixed.vcf"]);
    for mode in [0o600, 0o640, 0o664] {
        fs::set_permissions(world.path("a.vcf"), fs::Permissions::from_mode(mode)).unwrap();
        let item = world.item("a.vcf");
        assert!(matches!(world.write_one(update(&item, &format!("{mode:o}"))), WriteOutcome::Applied { .. }));
        assert_eq!(fs::metadata(world.path("a.vcf")).unwrap().permissions().mode() & 0o777, mode);
    }
    fs::set_permissions(world.path("fixed.vcf"), fs::Permissions::from_mode(0o444)).unwrap();
    let item = world.item("fixed.vcf");
    for write in [update(&item, "Eva"), delete(&item)] {
        let outcome = world.write_one(write);
        assert!(matches!(outcome, WriteOutcome::Rejected(r) if r.kind == RefusalKind::ReadOnly));
    }
    assert_eq!(world.names(), ["a.vcf", "fixed.vcf"]);
}

#[test]
fn a_batch_gives_its_outcomes_in_order() {
    let world = World::new(&["a.vcf", "b.vcf", "c.vcf"]);
    let (a, b) = (world.item("a.vcf"), world.item("b.vcf"));
    let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
    let mut writes: Vec<Write> = keys.iter().map(|key| create(key, key)).collect();
    writes.push(update(&a, "Eva"));
    writes.push(delete(&b));
    writes.push(Write::Move { id: "c.vcf".into(), guard: None, folder: "other".into() });
    let outcomes = world.write(writes);
    for (key, outcome) in keys.iter().zip(&outcomes) {
        assert!(matches!(outcome, WriteOutcome::Applied { id, .. } if id.0 == format!("{key}.vcf")));
    }
    assert!(matches!(&outcomes[20], WriteOutcome::Applied { id, item: Some(_), .. } if id.0 == "a.vcf"));
    assert!(matches!(&outcomes[21], WriteOutcome::Applied { id, item: None, .. } if id.0 == "b.vcf"));
    assert!(matches!(&outcomes[22], WriteOutcome::Rejected(r) if r.kind == RefusalKind::Invalid));
    assert_eq!(world.names().len(), 22);
}

#[test]
fn a_read_only_source_writes_nothing_at_all() {
    let world = World::new(&["a.vcf"]);
    fs::write(world.path(".acquaint-1-0.tmp"), "of another process").unwrap();
    let before = fs::metadata(world.folder.path()).unwrap().modified().unwrap();
    let options = VdirOptions { read_only: true, ..VdirOptions::default() };
    let vdir = Vdir::open(world.folder.path(), options).unwrap();
    let list =
        |cursor| block_on(vdir.run(Command::Changes { folders: Vec::new(), cursor, page: None })).unwrap();
    let Outcome::Changes(first) = list(None) else { panic!() };
    let Outcome::Changes(again) = list(first.cursor) else { panic!() };
    assert_eq!(again.rows, []);
    let Outcome::Written(outcomes) = block_on(vdir.run(Command::Write(vec![create(KEY, "Ida")]))).unwrap()
    else {
        panic!()
    };
    assert!(matches!(&outcomes[..], [WriteOutcome::Rejected(r)] if r.kind == RefusalKind::ReadOnly));
    let Outcome::Opened { folders, capabilities } = block_on(vdir.run(Command::Open)).unwrap() else {
        panic!()
    };
    assert!(!folders[0].writable && !capabilities.writable);
    assert_eq!(fs::metadata(world.folder.path()).unwrap().modified().unwrap(), before);
}

#[test]
fn the_folder_has_the_name_its_users_gave_it() {
    let world = World::new(&[]);
    let name = || match world.run(Command::Open).unwrap() {
        Outcome::Opened { folders, .. } => folders[0].name.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(name(), world.folder.path().file_name().unwrap().to_string_lossy());
    fs::write(world.path("displayname"), "Freunde\n").unwrap();
    assert_eq!(name(), "Freunde");
    assert!(matches!(world.run(Command::EnsureFolder("Freunde".into())), Ok(Outcome::Folder(_))));
    assert!(matches!(world.run(Command::EnsureFolder("Neu".into())), Err(SourceError::Settings { .. })));
}

/// As root every file can be read and written, and the test says so; the memory disk below is for root.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_or_written_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(&["a.vcf", "b.vcf"]);
    let cursor = world.cursor();
    let b = world.item("b.vcf");
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    set(&world.path("a.vcf"), 0);
    let may_read = File::open(world.path("a.vcf")).is_ok();
    let changes = world.changes(Some(&cursor));
    assert_eq!((listed(&changes).len(), removed(&changes).len()), (usize::from(!may_read), 0));
    match world.fetch("a.vcf") {
        Fetched::Item(_) => assert!(may_read),
        Fetched::Failed(_, refusal) => assert!(!may_read && refusal.detail.contains("permissions")),
        Fetched::Gone(_) => panic!(),
    }

    set(world.folder.path(), 0o555);
    let may_write = File::create(world.path("probe")).is_ok();
    let denied = |outcome: &WriteOutcome| matches!(outcome, WriteOutcome::NotSent(SourceError::Local { detail }) if detail.contains("permission"));
    for outcome in world.write(vec![create(KEY, "Ida"), update(&b, "Eva")]) {
        assert_eq!(matches!(outcome, WriteOutcome::Applied { .. }), may_write, "{outcome:?}");
        assert_eq!(denied(&outcome), !may_write, "{outcome:?}");
    }
    let outcome = world.write_one(delete(&world.item("b.vcf")));
    assert_eq!(denied(&outcome), !may_write, "{outcome:?}");
    assert!(may_write || world.names() == ["a.vcf", "b.vcf"]);

    set(world.folder.path(), 0);
    let listing = world.try_changes(None);
    assert_eq!(listing.is_ok(), may_read);
    assert!(may_read || matches!(listing, Err(SourceError::Local { .. })));
    set(world.folder.path(), 0o755);
}

/// A full disk and a disk mounted read-only, on a small memory disk.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "mounts a file system: needs root"]
fn full_and_read_only_disks() {
    let disk = tempfile::tempdir().unwrap();
    let mount = |options: &str| {
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(disk.path())
            .status();
        assert!(status.unwrap().success());
    };
    mount("size=64k");
    let vdir = Vdir::open(disk.path(), VdirOptions::default()).unwrap();
    let write = |writes| match block_on(vdir.run(Command::Write(writes))).unwrap() {
        Outcome::Written(outcomes) => outcomes,
        other => panic!("{other:?}"),
    };
    let outcomes = write((0..40).map(|n| create(&format!("key-{n}"), &"x".repeat(3_000))).collect());
    let applied = outcomes.iter().filter(|o| matches!(o, WriteOutcome::Applied { .. })).count();
    let full = outcomes
        .iter()
        .filter(
            |o| matches!(o, WriteOutcome::NotSent(SourceError::Local { detail }) if detail.contains("full")),
        )
        .count();
    let names: Vec<_> = fs::read_dir(disk.path()).unwrap().map(|e| e.unwrap().file_name()).collect();

    let status =
        std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(disk.path()).status().unwrap();
    assert!(status.success());
    let id = RemoteId(names[0].to_string_lossy().into_owned());
    let read_only = write(vec![create("late", "Ida"), Write::Delete { id, guard: None }]);
    let opened = block_on(vdir.run(Command::Open));
    let listed = block_on(vdir.run(Command::Changes { folders: Vec::new(), cursor: None, page: None }));
    let status = std::process::Command::new("umount").arg(disk.path()).status().unwrap();
    assert!(status.success());

    assert!(applied > 0 && full > 0 && applied + full == 40, "{applied} {full}");
    assert_eq!(names.len(), applied, "nothing half written, no temporary files");
    for outcome in &read_only {
        let advised = matches!(outcome, WriteOutcome::NotSent(SourceError::Local { detail }) if detail.contains("read-only"));
        assert!(advised, "{outcome:?}");
    }
    assert!(matches!(opened, Ok(Outcome::Opened { folders, .. }) if !folders[0].writable));
    assert!(matches!(listed, Ok(Outcome::Changes(changes)) if changes.rows.len() == applied));
}
