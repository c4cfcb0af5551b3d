//! The life of an address book, played against servers: the one in this process with the habits of each real one, and
//! (ignored by default) real ones.

// What the story took is of use to those who run it against a server.
#![allow(unreachable_pub, clippy::print_stderr)]

mod life;
mod presets;
mod servers;
