//! A copy at another source of the same family is made after the item as it was read: also in the very first cycle.

use acquaint_core::capability::Capabilities;
use acquaint_core::contact::{Contact, Field};
use acquaint_core::driver::{CancelToken, Clock, Driver};
use acquaint_core::engine::Job;
use acquaint_core::id::{SourceId, UserId};
use acquaint_core::library::{Library, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError, Write};
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock as SimClock, Edit, SimBox};
use acquaint_core::time::Time;
use async_trait::async_trait;
use futures::executor::block_on;
use std::sync::{Arc, Mutex};

struct Now;

impl Clock for Now {
    fn now(&self) -> Time {
        Time(1_000_000)
    }
}

/// Notes the pattern of every create.
struct Watched {
    source: SimBox,
    patterns: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

#[async_trait]
impl HostSource for Watched {
    fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        if let Command::Write(writes) = &command {
            let mut patterns = self.patterns.lock().expect("a lock");
            for write in writes {
                if let Write::Create { template, .. } = write {
                    patterns.push(template.as_ref().map(|raw| raw.bytes.clone()));
                }
            }
        }
        self.source.run(command).await
    }
}

#[test]
fn a_copy_is_made_after_the_item_that_it_comes_from() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let library = block_on(Library::open(Arc::clone(&store), [7; 16])).expect("a library");
    let mut driver = Driver::new(store, Arc::new(Now));
    let patterns = Arc::new(Mutex::new(Vec::new()));
    // The item comes from the last of three sources: the first one of the same family knows nothing of it.
    for name in ["a", "b", "c"] {
        let id = SourceId::new(name).expect("a name");
        let row = SourceRow::new("sim", UserId::from("u"), Policy::default());
        block_on(library.add_source(&id, &row)).expect("added");
        let source = SimBox::new(SimClock::new(Time(1_000_000)));
        if name == "c" {
            let contact = Contact::new().with(Field::First, "Ann");
            source.add("ann", &Edit::from_contact(&contact)).expect("added");
        }
        driver.attach(id, Arc::new(Watched { source, patterns: Arc::clone(&patterns) }));
    }
    let report = block_on(driver.run(Job::Cycle(None), &CancelToken::new(), &mut |_| {}));
    assert_eq!((&report.store_error, &report.bug), (&None, &None));
    let patterns = patterns.lock().expect("a lock");
    assert_eq!(patterns.len(), 2);
    assert!(patterns.iter().all(Option::is_some), "{patterns:?}");
}
