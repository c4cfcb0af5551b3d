//! A simulated source: an address book in memory that behaves as servers do, and misbehaves on request.
//!
//! [`SimBox`] is pure state behind a lock. It reads no clock of its own and draws no random number, so equal calls
//! give equal answers. The user's side ([`SimBox::add`], [`SimBox::edit`], [`SimBox::delete`]) is apart from the
//! engine's side (its [`HostSource`](crate::source::HostSource)), and only the latter's writes are logged.
//!
//! ```
//! use acquaint_core::contact::Field;
//! use acquaint_core::source::{Command, HostSource, Outcome};
//! use acquaint_core::testkit::sim::{Clock, Edit, SimBox};
//!
//! let mailbox = SimBox::new(Clock::default());
//! mailbox.add("S1", &Edit::new().set(Field::First, "Ida")).expect("a new id");
//! let all = Command::Changes { folders: Vec::new(), cursor: None, page: None };
//! let Ok(Outcome::Changes(page)) = futures::executor::block_on(mailbox.run(all)) else { panic!() };
//! assert_eq!(page.rows.len(), 1);
//! assert_eq!(mailbox.writes(), 0);
//! ```

mod answer;
mod clock;
mod edit;
mod faults;
mod mailbox;
mod shelf;
mod write;

pub use clock::Clock;
pub use edit::{Edit, picture, picture_name};
pub use faults::Faults;
pub use mailbox::{Habits, Logged, LoggedKind, SimBox, SimError};
