//! Measurements of Acquaint's parts, run with `cargo bench -p acquaint-benches`. Each generates what it works on.

pub mod cards;
