//! The core of Acquaint, an embeddable contact-sync engine: pure, deterministic, without I/O.
//!
//! A [`library::Library`] holds contacts and the sources they are kept in step with. The [`engine::Engine`] decides
//! what has to happen (`step(event) -> effects`); a [`driver::Driver`] carries it out over a [`store::Store`] and
//! [`source::HostSource`]s that the host supplies. What a sync may do is data, a [`policy::Policy`].
//!
//! A whole run, with a simulated address book as the source:
//!
//! ```
//! use acquaint_core::contact::{Contact, Element, Field};
//! use acquaint_core::driver::{CancelToken, Clock, Driver};
//! use acquaint_core::engine::Job;
//! use acquaint_core::id::{SourceId, UserId};
//! use acquaint_core::library::{Edit, Library, SourceRow};
//! use acquaint_core::policy::Policy;
//! use acquaint_core::store::{MemoryStore, Store};
//! use acquaint_core::testkit::sim::{Clock as SimClock, Edit as SimEdit, SimBox};
//! use acquaint_core::time::Time;
//! use std::sync::Arc;
//!
//! struct Now(SimClock);
//! impl Clock for Now {
//!     fn now(&self) -> Time {
//!         self.0.now()
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! let clock = SimClock::new(Time(1_800_000_000_000));
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! let library = Library::open(Arc::clone(&store), [7; 16]).await?; // sixteen random bytes in real life
//!
//! // One source, under the default rules: two-way, all fields, the later edit of a field wins.
//! let home = SourceId::new("home")?;
//! let me = UserId::from("me");
//! library.add_source(&home, &SourceRow::new("simulated", me.clone(), Policy::default())).await?;
//! let address_book = SimBox::new(clock.clone());
//! let ann = Contact::new().with(Field::First, "Ann").with_element(Field::Phones, Element::text("+41 31 5550101"));
//! address_book.add("ann", &SimEdit::from_contact(&ann))?;
//!
//! let mut driver = Driver::new(store, Arc::new(Now(clock.clone())));
//! driver.attach(home.clone(), Arc::new(address_book.clone()));
//! let never = CancelToken::new();
//! let report = driver.run(Job::Cycle(None), &never, &mut |_progress| {}).await;
//! assert_eq!(report.sources[&home].counts.hub_created, 1);
//!
//! // Edits of different fields on both sides: both survive, and a preview says so beforehand.
//! clock.move_to(clock.now().plus_seconds(60));
//! address_book.edit("ann", &SimEdit::new().set(Field::Last, "Stone"))?;
//! let contact = library.contacts(None, 10).await?[0].id;
//! let edit = Edit { fields: vec![(Field::Title, Some("CEO".into()))], ..Edit::default() };
//! library.edit(contact, &edit, &me, clock.now()).await?;
//! let (writes, _) = driver.preview(Job::Cycle(None), &never).await;
//! assert_eq!(writes.len(), 2); // one into the library, one to the source
//! driver.run(Job::Cycle(None), &never, &mut |_progress| {}).await;
//! let item = &address_book.items()[0];
//! assert_eq!((item.contact.text(&Field::Last), item.contact.text(&Field::Title)), ("Stone", "CEO"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The layers, each of which knows only those before it: leaf helpers ([`id`], [`time`], [`limits`], [`redact`]) →
//! [`contact`] → [`capability`], [`policy`] → [`identity`], [`merge`] → rows of the [`library`] → [`plan`] →
//! [`engine`] → [`directory`] → [`driver`]. [`store`] and [`source`] are the types at the rim.

pub mod capability;
pub mod contact;
pub mod directory;
pub mod driver;
pub mod engine;
pub mod id;
pub mod identity;
pub mod library;
pub mod limits;
pub mod merge;
pub mod plan;
pub mod policy;
pub mod redact;
pub mod source;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
