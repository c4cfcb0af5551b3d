//! Simulated sources and the scenario runner, for our tests, for hosts' tests and for the command line.

pub mod scenario;
pub mod sim;
