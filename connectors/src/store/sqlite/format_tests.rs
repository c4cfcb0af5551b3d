use super::super::SqliteStore;
use super::*;
use acquaint_core::store::{Batch, Key, Row, Store};
use futures::executor::block_on;
use std::fs;

/// A folder for one file, and everything in it before and after.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn with(bytes: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.file(), bytes).expect("a file of our own");
        place
    }

    fn file(&self) -> PathBuf {
        // A name that must be escaped in an URI.
        self.0.path().join("li br%61ry?é#.db")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).expect("the file is there")
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.file())
    }

    /// A library with a few hundred rows, closed.
    fn filled() -> Self {
        let place = Self::new();
        let store = place.open().expect("a new file");
        let put = (0..300_u16).map(|n| (Key(n.to_be_bytes().to_vec()), vec![b'x'; 300])).collect();
        block_on(store.apply(Batch { put, ..Batch::default() })).expect("no condition");
        place
    }

    /// Asserts that opening is refused and leaves the file, and nothing else, behind.
    fn refused(&self) -> StoreError {
        let before = self.bytes();
        let error = self.open().expect_err("it must be refused");
        assert_eq!(self.bytes(), before, "the file was touched");
        let left = fs::read_dir(self.0.path()).expect("the folder is there").count();
        assert_eq!(left, 1, "something was left beside the file");
        error
    }

    fn refused_as_corrupt(&self) {
        let error = self.refused();
        assert!(matches!(error, StoreError::Corrupt { .. }), "it was refused with: {error}");
    }

    /// Runs SQL on the file as somebody else would.
    fn meddle(&self, sql: &str) {
        Connection::open(self.file()).and_then(|file| file.execute_batch(sql)).expect("valid SQL");
    }
}

fn get(store: &SqliteStore, key: &[u8]) -> Option<Row> {
    block_on(store.get(vec![Key(key.to_vec())])).expect("a whole file").pop().flatten()
}

#[test]
fn marks_are_in_the_file_from_the_first_byte() {
    let place = Place::new();
    let store = place.open().expect("a new file");
    // Read behind SQLite's back, while all later commits are still in the log.
    let bytes = place.bytes();
    assert_eq!(bytes.get(68..72), Some(b"ACQT".as_slice()));
    assert_eq!(bytes.get(60..64), Some([0, 0, 0, 1].as_slice()));
    drop(store);
}

#[test]
fn an_empty_file_becomes_a_library() {
    let place = Place::with(b"");
    drop(place.open().expect("as good as no file"));
    place.open().expect("our own file");
}

#[test]
fn foreign_files_are_refused_untouched() {
    for bytes in [
        b"BEGIN:VCARD\r\nVERSION:3.0\r\n".as_slice(),
        b"x",
        &[0; 512],
        &[0; 8192],
        b"SQLite format 3\0",
        &[b"SQLite format 3\0".as_slice(), &[0xFF; 4080]].concat(),
        "a text\n".repeat(5000).as_bytes(),
    ] {
        Place::with(bytes).refused_as_corrupt();
    }
    for sql in [
        "CREATE TABLE notes (text); INSERT INTO notes VALUES ('x')",
        "PRAGMA application_id = 7; CREATE TABLE notes (text)",
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text)",
    ] {
        let place = Place::new();
        place.meddle(sql);
        place.refused_as_corrupt();
    }
}

#[test]
fn foreign_file_with_an_interrupted_transaction_is_not_rolled_back() {
    let place = Place::new();
    place.meddle("CREATE TABLE notes (text); INSERT INTO notes VALUES ('x')");
    // A journal beside the file: SQLite itself would play it back on opening.
    let file = place.file();
    let writer = Connection::open(&file).expect("a database");
    writer.execute_batch("PRAGMA cache_spill = 1; PRAGMA cache_size = 1; BEGIN").expect("valid SQL");
    writer.execute_batch("UPDATE notes SET text = hex(zeroblob(100000))").expect("valid SQL");
    let journal = place.0.path().join("li br%61ry?é#.db-journal");
    let kept = (fs::read(&file).expect("there"), fs::read(&journal).expect("there"));
    drop(writer);
    fs::write(&file, &kept.0).expect("ours");
    fs::write(&journal, &kept.1).expect("ours");
    assert!(matches!(place.open(), Err(StoreError::Corrupt { .. })));
    assert_eq!((fs::read(&file).expect("there"), fs::read(&journal).expect("there")), kept);
}

#[test]
fn truncated_files_are_refused_untouched() {
    let whole = Place::filled().bytes();
    assert!(whole.len() > 10 * 8192, "the file is too small to cut");
    for length in [1, 99, 100, 4096, 8192, 3 * 8192, whole.len() / 2, whole.len() - 8192] {
        Place::with(&whole[..length]).refused_as_corrupt();
    }
}

#[test]
fn damaged_files_are_refused_or_read_but_never_wrong() {
    let whole = Place::filled().bytes();
    let mut refused = 0;
    for page in 0..whole.len() / 8192 {
        let mut bytes = whole.clone();
        bytes[page * 8192..][..8192].fill(0xA5);
        let place = Place::with(&bytes);
        let read = place.open().and_then(|store| {
            (0..300_u16).try_for_each(|n| {
                let row = block_on(store.get(vec![Key(n.to_be_bytes().to_vec())]))?.pop().flatten();
                assert!(row.is_none_or(|row| row.bytes == [b'x'; 300]), "garbage was read");
                Ok(())
            })
        });
        match read {
            Err(StoreError::Corrupt { .. }) => refused += 1,
            Ok(()) => {}
            Err(error) => panic!("a damaged page {page} was answered with: {error}"),
        }
    }
    assert!(refused > 10, "only {refused} damaged pages were noticed");
}

#[test]
fn our_marks_without_our_tables_are_refused() {
    let place = Place::filled();
    place.meddle("DROP TABLE head");
    place.refused_as_corrupt();
    let place = Place::filled();
    place.meddle("DELETE FROM head");
    place.refused_as_corrupt();
    let place = Place::filled();
    place.meddle("PRAGMA user_version = 0");
    place.refused_as_corrupt();
}

#[test]
fn a_file_from_the_future_is_refused_untouched() {
    let place = Place::filled();
    place.meddle("PRAGMA user_version = 7");
    assert_eq!(place.refused(), StoreError::FromTheFuture { found: 7, supported: 1 });
    let place = Place::filled();
    place.meddle("PRAGMA user_version = -1");
    assert_eq!(place.refused(), StoreError::FromTheFuture { found: u32::MAX, supported: 1 });
}

#[test]
fn a_future_that_is_only_in_the_log_is_seen_and_left_there() {
    let place = Place::filled();
    let file = place.file();
    let newer = Connection::open(&file).expect("a database");
    newer.execute_batch("PRAGMA user_version = 2; CREATE TABLE more (x)").expect("valid SQL");
    // As after a crash of the newer release: the log is there and nobody has it open.
    let crashed = Place::with(&place.bytes());
    fs::copy(wal_of(&file), wal_of(&crashed.file())).expect("a log");
    drop(newer);
    let before = (crashed.bytes(), fs::read(wal_of(&crashed.file())).expect("a log"));
    let error = crashed.open().expect_err("it is from the future");
    assert_eq!(error, StoreError::FromTheFuture { found: 2, supported: 1 });
    assert_eq!((crashed.bytes(), fs::read(wal_of(&crashed.file())).expect("a log")), before);
}

/// Two synthetic steps on top of the real ones: one changes rows, one adds a table.
const LATER: [&str; 3] = [
    STEPS[0],
    "UPDATE rows SET bytes = CAST(bytes || '!' AS BLOB)",
    "CREATE TABLE notes (text TEXT NOT NULL) STRICT; INSERT INTO notes SELECT 'from ' || count(*) FROM rows",
];

#[test]
fn an_older_format_is_brought_up_to_date_once() {
    let place = Place::filled();
    for _ in 0..2 {
        let file = open(&place.file(), &LATER).expect("an older file of ours");
        assert_eq!(read_marks(&file), Ok(Marks { application: APPLICATION_ID, format: 3, empty: false }));
        let note: String = file.query_row("SELECT text FROM notes", [], |row| row.get(0)).expect("step 3");
        assert_eq!(note, "from 300");
        let bytes: Vec<u8> =
            file.query_row("SELECT bytes FROM rows LIMIT 1", [], |row| row.get(0)).expect("a row");
        assert_eq!(bytes, [&[b'x'; 300], b"!".as_slice()].concat(), "the step was taken another time");
    }
    assert_eq!(place.refused(), StoreError::FromTheFuture { found: 3, supported: 1 });
}

#[test]
fn several_handles_migrate_once() {
    let place = Place::filled();
    let file = place.file();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| open(&file, &LATER).expect("an older file of ours"));
        }
    });
    let file = open(&file, &LATER).expect("our file");
    let longest: i64 = file.query_row("SELECT max(length(bytes)) FROM rows", [], |r| r.get(0)).expect("rows");
    assert_eq!(longest, 301);
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let place = Place::filled();
    let failing = [LATER[0], LATER[1], "INSERT INTO nowhere VALUES (1)"];
    assert!(open(&place.file(), &failing).is_err());
    let store = place.open().expect("still the old format");
    assert_eq!(get(&store, &[0, 7]).map(|row| row.bytes), Some(vec![b'x'; 300]));
}

#[test]
fn several_handles_make_one_new_file() {
    for _ in 0..10 {
        let place = Place::new();
        std::thread::scope(|scope| {
            for n in 0..4_u8 {
                let place = &place;
                scope.spawn(move || {
                    let store = place.open().expect("a new file, or that of another");
                    let put = vec![(Key(vec![n]), vec![n])];
                    block_on(store.apply(Batch { put, ..Batch::default() })).expect("no condition");
                });
            }
        });
        let store = place.open().expect("our own file");
        assert!((0..4_u8).all(|n| get(&store, &[n]).is_some()));
    }
}

#[test]
fn folders_and_missing_folders_are_refused() {
    let place = Place::new();
    assert!(matches!(SqliteStore::open(place.0.path()), Err(StoreError::Corrupt { .. })));
    let nowhere = place.0.path().join("nowhere/library.db");
    assert!(matches!(SqliteStore::open(nowhere), Err(StoreError::Failed { .. })));
}

#[test]
fn a_crash_while_the_log_is_moved_is_no_damage() {
    let place = Place::filled();
    let store = place.open().expect("our own file");
    let put = (0..3000_u16).map(|n| (Key(n.to_be_bytes().to_vec()), vec![b'y'; 500])).collect();
    let before = place.bytes();
    block_on(store.apply(Batch { put, ..Batch::default() })).expect("no condition");
    let log = fs::read(wal_of(&place.file())).expect("a log");
    {
        let file = store.lock();
        file.execute_batch("PRAGMA wal_checkpoint(PASSIVE)").expect("valid SQL");
    }
    let after = place.bytes();
    assert!(after.len() > before.len());
    // The first page tells the new size, the file has the old one.
    let torn = Place::with(&[&after[..8192], &before[8192..]].concat());
    fs::write(wal_of(&torn.file()), log).expect("ours");
    let store = torn.open().expect("log and file together are whole");
    assert_eq!(get(&store, &2999_u16.to_be_bytes()).map(|row| row.bytes), Some(vec![b'y'; 500]));
}
