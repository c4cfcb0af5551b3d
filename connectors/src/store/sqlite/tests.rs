use super::*;
use futures::executor::block_on;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("library.db")
}

fn put(key: &[u8], size: usize) -> Batch {
    Batch { put: vec![(Key(key.to_vec()), vec![b'x'; size])], ..Batch::default() }
}

mod laws {
    use super::*;

    fn open(folder: &TempDir) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(SqliteStore::open(file(folder))?))
    }

    acquaint_core::store_conformance! { fresh: folder, open: open }
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = folder();
    let store = SqliteStore::open(file(&folder)).expect("a new file");
    let before = block_on(store.apply(put(b"a", 10))).expect("room");
    let limit = |pages: &str| {
        store.lock().execute_batch(&format!("PRAGMA max_page_count = {pages}")).expect("valid SQL");
    };
    limit("20");
    assert_eq!(block_on(store.apply(put(b"a", 1 << 20))), Err(StoreError::Full));
    let row = block_on(store.get(vec![Key(b"a".to_vec())])).expect("readable").pop().flatten();
    assert_eq!(row.map(|row| (row.revision, row.bytes.len())), Some((before, 10)));
    assert_eq!(block_on(store.apply(Batch::default())), Ok(before), "a failed batch took a revision");
    limit("4294967294");
    assert!(block_on(store.apply(put(b"a", 1 << 20))).expect("room again") > before);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "mounts a file system: needs root"]
fn a_really_full_disk_loses_nothing() {
    let disk = folder();
    let run = |command: &mut std::process::Command| command.status().expect("a command").success();
    let mut mount = std::process::Command::new("mount");
    assert!(run(mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(disk.path())));
    let result = std::panic::catch_unwind(|| fill(disk.path()));
    assert!(run(std::process::Command::new("umount").arg(disk.path())));
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

#[cfg(target_os = "linux")]
fn fill(folder: &Path) {
    let store = SqliteStore::open(folder.join("library.db")).expect("room for an empty library");
    let before = block_on(store.apply(put(b"a", 10))).expect("room for a row");
    assert_eq!(block_on(store.apply(put(b"b", 2 << 20))), Err(StoreError::Full));
    assert_eq!(block_on(store.apply(Batch::default())), Ok(before));
    drop(store);
    let store = SqliteStore::open(folder.join("library.db")).expect("still whole");
    assert!(block_on(store.get(vec![Key(b"a".to_vec())])).expect("readable")[0].is_some());
    assert!(block_on(store.apply(put(b"c", 10))).expect("room for a row") > before);
}

#[test]
fn a_connection_that_may_not_write_can_read() {
    let folder = folder();
    let store = SqliteStore::open(file(&folder)).expect("a new file");
    let revision = block_on(store.apply(put(b"a", 10))).expect("writable");
    store.lock().execute_batch("PRAGMA query_only = 1").expect("valid SQL");
    assert!(matches!(block_on(store.apply(put(b"b", 10))), Err(StoreError::ReadOnly { .. })));
    assert_eq!(block_on(store.apply(Batch::default())), Ok(revision), "a check writes nothing");
}

#[test]
fn a_file_without_write_permission_can_be_read() {
    let folder = folder();
    let store = SqliteStore::open(file(&folder)).expect("a new file");
    block_on(store.apply(put(b"a", 10))).expect("writable");
    drop(store);
    let mut permissions = std::fs::metadata(file(&folder)).expect("it is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file(&folder), permissions).expect("our own file");
    // An administrator may write all the same.
    let writable = std::fs::OpenOptions::new().write(true).open(file(&folder)).is_ok();
    let store = SqliteStore::open(file(&folder)).expect("readable");
    assert!(block_on(store.get(vec![Key(b"a".to_vec())])).expect("readable")[0].is_some());
    match block_on(store.apply(put(b"b", 10))) {
        Ok(_) => assert!(writable),
        Err(error) => {
            assert!(!writable && matches!(error, StoreError::ReadOnly { .. }), "refused with: {error}");
        }
    }
}

#[test]
fn a_store_that_another_holds_is_busy() {
    let folder = folder();
    let (one, two) = (SqliteStore::open(file(&folder)), SqliteStore::open(file(&folder)));
    let (one, two) = (one.expect("a new file"), two.expect("our own file"));
    two.lock().busy_timeout(std::time::Duration::from_millis(5)).expect("a valid time");
    one.lock().execute_batch("BEGIN IMMEDIATE").expect("nobody else");
    assert_eq!(block_on(two.apply(put(b"a", 10))), Err(StoreError::Busy));
    assert_eq!(block_on(two.get(vec![Key(b"a".to_vec())])), Ok(vec![None]), "readers never wait");
    one.lock().execute_batch("ROLLBACK").expect("it holds");
    block_on(two.apply(put(b"a", 10))).expect("nobody holds it");
}

#[test]
fn every_query_uses_an_index() {
    let folder = folder();
    let store = SqliteStore::open(file(&folder)).expect("a new file");
    for (query, index) in [
        (GET, "by_key (key=?)"),
        (REVISION, "by_key (key=?)"),
        (DELETE, "by_key (key=?)"),
        (SCAN, "by_key (key>? AND key<?)"),
        (CHANGED, "by_revision (revision>?)"),
    ] {
        let connection = store.lock();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).expect("valid SQL");
        let parameters = std::iter::repeat_n(0, statement.parameter_count());
        let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(3));
        let plan: Vec<String> = rows.and_then(Iterator::collect).expect("a plan");
        assert!(plan.len() == 1 && plan[0].contains(index), "{query} is carried out as {plan:?}");
    }
}

#[test]
fn nothing_personal_is_printed() {
    let folder = tempfile::Builder::new().prefix("canary").tempdir().expect("a temporary folder");
    let store = SqliteStore::open(file(&folder)).expect("a new file");
    assert!(!format!("{store:?}").contains("canary"));
    let error = SqliteStore::open(folder.path().join("canary/library.db")).expect_err("no such folder");
    assert!(!format!("{error} {error:?}").contains("canary"));
    store.lock().execute_batch("DROP TABLE rows").expect("valid SQL");
    let error = block_on(store.apply(put(b"canary", 10))).expect_err("no table");
    assert!(!format!("{error} {error:?}").contains("canary"));
}
