//! Tools for tests, ours and those of hosts: conformance kits for what a host may implement itself.

pub mod store_conformance;
