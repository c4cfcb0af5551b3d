//! The life of an address book, played against servers: the one in this process with the habits of each real one, and
//! (ignored by default) real ones.

mod life;
mod presets;
mod servers;
mod socket;
