//! Simulated sources, the scenario runner and conformance kits, for our tests, for hosts' tests and for the command
//! line.

pub mod host;
pub mod scenario;
pub mod sim;
pub mod store_conformance;
