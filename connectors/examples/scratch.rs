#![allow(missing_docs, clippy::print_stdout)]
use acquaint_connectors::store::SqliteStore;
use acquaint_connectors::vdir::{Vdir, VdirOptions};
use acquaint_core::driver::*;
use acquaint_core::engine::Job;
use acquaint_core::id::*;
use acquaint_core::library::*;
use acquaint_core::policy::Policy;
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::sync::Arc;
struct Now;
impl Clock for Now {
    fn now(&self) -> Time {
        Time(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64)
    }
}
fn main() {
    let mut args = std::env::args().skip(1);
    let (db, dirs): (String, Vec<String>) = (args.next().unwrap(), args.collect());
    let store: Arc<dyn acquaint_core::store::Store> =
        Arc::new(SqliteStore::open(std::path::Path::new(&db)).unwrap());
    let library = block_on(Library::open(store.clone(), [7; 16])).unwrap();
    let mut driver = Driver::new(store, Arc::new(Now)).alone();
    for (n, dir) in dirs.iter().enumerate() {
        let id = SourceId::new(format!("s{n}")).unwrap();
        let _ =
            block_on(library.add_source(&id, &SourceRow::new("vdir", UserId::from("u"), Policy::default())));
        driver.attach(id, Arc::new(Vdir::open(std::path::Path::new(dir), VdirOptions::default()).unwrap()));
    }
    let t = std::time::Instant::now();
    let report = block_on(driver.run(Job::Cycle(None), &CancelToken::new(), &mut |_| {}));
    for (s, r) in &report.sources {
        println!("{s} {:?} {:?}", r.counts, r.error);
    }
    println!("{:?} {:?} {:?}", t.elapsed(), report.store_error, report.bug);
}
