//! Several processes on one library, and processes that are killed. Each child is this test binary again, running
//! one of the ignored tests below.

use acquaint_connectors::store::SqliteStore;
use acquaint_core::store::{Batch, Key, KeyRange, Require, Revision, Row, Store, StoreError};
use futures::executor::block_on;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const FILE: &str = "ACQUAINT_TEST_LIBRARY";

/// Starts a child on a library; what it prints can be read line by line.
fn child(test: &str, file: &Path) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FILE, file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program can be started");
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    (child, output)
}

fn file_of_child() -> PathBuf {
    PathBuf::from(std::env::var_os(FILE).expect("started by another test"))
}

/// Tells the parent. Not by a macro that could be captured or buffered.
fn tell(line: &str) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| output.flush())
        .expect("the parent listens");
}

fn key(name: &str, n: u32) -> Key {
    Key([name.as_bytes(), b"/", &n.to_be_bytes()].concat())
}

/// Applies a batch, waiting as long as another process holds the file.
fn apply(store: &SqliteStore, batch: &Batch) -> Result<Revision, StoreError> {
    loop {
        match block_on(store.apply(batch.clone())) {
            Err(StoreError::Busy) => {}
            result => return result,
        }
    }
}

fn get(store: &SqliteStore, key: Key) -> Option<Row> {
    block_on(store.get(vec![key])).expect("readable").pop().flatten()
}

fn number(row: Option<&Row>) -> u32 {
    row.map_or(0, |row| {
        u32::from_be_bytes(row.bytes.get(..4).and_then(|b| b.try_into().ok()).expect("four bytes"))
    })
}

const INCREMENTS: u32 = 60;

/// Adds one, `INCREMENTS` times, and tells each revision and at last how often it met a conflict.
#[test]
#[ignore = "run by two_processes_lose_no_increment in a process of its own"]
fn child_increments() {
    let store = SqliteStore::open(file_of_child()).expect("a library");
    let mut row = get(&store, key("count", 0));
    tell("ready");
    std::io::stdin().read_line(&mut String::new()).expect("the parent says go");
    let (mut done, mut conflicts) = (0, 0);
    while done < INCREMENTS {
        let batch = Batch {
            require: vec![Require { key: key("count", 0), revision: row.as_ref().map(|row| row.revision) }],
            put: vec![(key("count", 0), (number(row.as_ref()) + 1).to_be_bytes().to_vec())],
            delete: Vec::new(),
        };
        match apply(&store, &batch) {
            Ok(Revision(revision)) => {
                tell(&format!("revision {revision}"));
                done += 1;
            }
            Err(StoreError::Conflict) => conflicts += 1,
            Err(error) => panic!("{error}"),
        }
        row = get(&store, key("count", 0));
    }
    tell(&format!("conflicts {conflicts}"));
}

#[test]
fn two_processes_lose_no_increment() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("library.db");
    let mut children: Vec<_> = (0..2).map(|_| child("child_increments", &file)).collect();
    // Both have read the same before either writes: one of the first two commits meets a conflict.
    for (_, output) in &mut children {
        let ready = output.lines().map_while(Result::ok).any(|line| line.contains("ready"));
        assert!(ready, "a child failed before it began");
    }
    for (child, _) in &mut children {
        child.stdin.take().expect("it is piped").write_all(b"go\n").expect("the child listens");
    }
    let (mut revisions, mut conflicts) = (BTreeSet::new(), 0);
    for (mut child, output) in children {
        let mut newest = 0;
        for line in output.lines().map_while(Result::ok) {
            if let Some(revision) = line.strip_prefix("revision ").and_then(|n| n.parse::<u64>().ok()) {
                assert!(revision > newest, "revisions went back");
                newest = revision;
                assert!(revisions.insert(revision), "two processes were given one revision");
            }
            conflicts += line.strip_prefix("conflicts ").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
        }
        assert!(child.wait().expect("it ends").success());
    }
    let store = SqliteStore::open(&file).expect("our own file");
    assert_eq!(number(get(&store, key("count", 0)).as_ref()), 2 * INCREMENTS);
    assert_eq!(revisions.len() as u32, 2 * INCREMENTS);
    assert!(conflicts > 0, "both of two conflicting commits went through");
}

const ROWS: u32 = 12;

/// Batch `n`: every row of the first table, a new row of the second, and the removal of an old one.
fn batch(n: u32, revision: Option<Revision>) -> Batch {
    let content = [n.to_be_bytes().as_slice(), &vec![b'x'; 700]].concat();
    let mut put: Vec<_> = (0..ROWS).map(|row| (key("row", row), content.clone())).collect();
    put.push((key("log", n), content));
    let delete = n.checked_sub(20).map(|old| key("log", old)).into_iter().collect();
    Batch { require: vec![Require { key: key("row", 0), revision }], put, delete }
}

/// Commits one batch after the other until it is killed; tells each before and after.
#[test]
#[ignore = "run by killed_processes_leave_whole_batches in a process of its own"]
fn child_commits() {
    let store = SqliteStore::open(file_of_child()).expect("a library");
    let row = get(&store, key("row", 0));
    let (mut n, mut revision) = (number(row.as_ref()), row.map(|row| row.revision));
    loop {
        n += 1;
        let applied = apply(&store, &batch(n, revision)).expect("nobody else writes");
        tell(&format!("applied {n} {}", applied.0));
        revision = Some(applied);
    }
}

/// What must hold after any kill: the newest batch is whole, and so is its removal of an old row.
fn check(file: &Path, told: (u32, u64)) -> (u32, u64) {
    let store = SqliteStore::open(file).expect("a killed process leaves a library");
    let rows = block_on(store.scan(vec![KeyRange::prefix(*b"row/"), KeyRange::prefix(*b"log/")], 100));
    let rows = rows.expect("readable");
    let Revision(head) = block_on(store.apply(Batch::default())).expect("readable");
    let n = number(rows[0].first().map(|(_, row)| row));
    if n > 0 {
        assert_eq!(rows[0].len(), ROWS as usize);
        assert!(
            rows[0].iter().all(|(_, row)| number(Some(row)) == n && row.revision.0 == head),
            "half a batch"
        );
        assert_eq!(rows[1].len() as u32, n.min(20), "half a batch");
        assert!(rows[1].last().is_some_and(|(name, row)| *name == key("log", n) && row.revision.0 == head));
    }
    assert!(n >= told.0 && n <= told.0 + 1, "batch {} was told, {n} is there", told.0);
    assert!(head >= told.1, "revision {} was told, {head} is the newest", told.1);
    (n, head)
}

#[test]
fn killed_processes_leave_whole_batches() {
    let kills: u32 = match std::env::var("ACQUAINT_KILLS") {
        Ok(text) => text.parse().expect("ACQUAINT_KILLS is a number"),
        Err(_) => 30,
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("library.db");
    // A fixed sequence of moments (splitmix64), so that a failure can be repeated as far as time can.
    let mut seed = 0x5EED_u64;
    let mut below = |limit: u64| {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 29)) % limit
    };
    let mut state = (0, 0);
    for _ in 0..kills {
        let (mut child, mut output) = child("child_commits", &file);
        // Some are killed while they open the file, most while they commit.
        if below(5) > 0 {
            let wanted = 1 + below(6);
            let told = (&mut output).lines().map_while(Result::ok).filter_map(|line| applied(&line));
            state = told.take(usize::try_from(wanted).expect("a small number")).last().unwrap_or(state);
        }
        std::thread::sleep(Duration::from_micros(below(4_000)));
        child.kill().expect("it runs until then");
        child.wait().expect("it ends");
        let told = output.lines().map_while(Result::ok).filter_map(|line| applied(&line)).last();
        let told = told.unwrap_or(state);
        state = check(&file, told);
    }
    assert!(state.0 > kills, "only {} batches were committed between {kills} kills", state.0);
}

fn applied(line: &str) -> Option<(u32, u64)> {
    // The harness prints the test's name before the first line.
    let (_, numbers) = line.split_once("applied ")?;
    let (n, revision) = numbers.split_once(' ')?;
    Some((n.parse().ok()?, revision.parse().ok()?))
}

#[test]
fn a_file_killed_while_it_is_made_can_be_opened() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for round in 0..15_u32 {
        let file = folder.path().join(format!("library{round}.db"));
        let (mut child, output) = child("child_commits", &file);
        // Watch for the file, then strike within the next moment.
        while std::fs::metadata(&file).is_err() {
            assert!(
                child.try_wait().expect("it was started").is_none(),
                "the child failed before it made a file"
            );
        }
        std::thread::sleep(Duration::from_micros(u64::from(round) * 40));
        child.kill().expect("it runs until then");
        child.wait().expect("it ends");
        let told = output.lines().map_while(Result::ok).filter_map(|line| applied(&line)).last();
        check(&file, told.unwrap_or((0, 0)));
    }
}
