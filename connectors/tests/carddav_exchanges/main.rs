//! Exchanges with servers written down line by line: what is asked, what is answered, what comes of it.

#![allow(unreachable_pub)]

mod discovery;
mod fetching;
mod hostile;
mod listing;
mod remote;
mod safety;
mod script;
mod writing;
