//! Scenarios: sync behaviour written as steps, one a line, and a runner for them.
//!
//! ```scenario
//! scenario DX1-01.1 profile=DX1
//! given src S1 first=Maya phones=[+14155550102]
//! when sync
//! then hub one first=Maya phones=[+14155550102]
//! then writes M=0
//! ```
//!
//! A file holds any number of them, as plain text or in Markdown blocks marked `scenario`. `#` starts a comment.
//! `given` lines say how things stand, `when` lines are steps in order, `then` lines hold at their point in the list.
//! [`Given`], [`When`] and [`Then`] list every form. `hub` is the library, `src` the mailbox `M` of user `u`, `src@A`
//! the mailbox `A` of a `given user` line. Values with blanks are quoted; `f=` says that the field is absent; lists are
//! written `[a,b]` and are sets.

mod check;
mod field;
mod host;
mod lex;
mod markdown;
mod model;
mod parse;
mod print;
mod run;
mod summary;
mod world;

pub use check::{Mismatch, Seen, check, holds};
pub use field::{
    Assign, CARD_FIELDS, Detail, HubField, Key, Literal, SourceField, Takes, blob_of, literal_of, value_of,
};
pub use host::{Draft, Hit, Host, HostError, HostResult, HubCard, HubDetails, Setup};
pub use model::{
    ACCOUNT, Caller, Check, Connection, DEFAULT_BOX, DEFAULT_USER, EVENTS, Event, Given, HubAssign, Placed,
    Scenario, SourceAssign, Step, Then, When,
};
pub use parse::{ParseError, parse};
pub use run::{Failure, run};
pub use summary::{Summary, run_file};
pub use world::{Mailbox, STEP_SECONDS, World};
