//! The whole product, from end to end: a library in SQLite, a CardDAV account and a folder of cards, the driver between
//! them, and other clients that edit on either side. The same stories are played against the server in this process
//! with the habits of each real one, and (ignored by default) against real servers.

// What a story took is of use to those who run it against a server.
#![allow(unreachable_pub, clippy::print_stderr)]

mod accounts;
mod bad_input;
mod cards;
mod fuse;
mod stories;
mod world;
