//! The connectors of Acquaint: how the core's source commands become CardDAV requests or files in a folder, and where
//! a library is kept.
//!
//! | feature | module | what |
//! |---|---|---|
//! | always | [`wire`] | vCard 2.1, 3.0 and 4.0 without loss: only the lines of changed fields are rewritten |
//! | always | [`http`], [`remote`] | HTTP as plain data; a connector that does no I/O, driven over the host's transport |
//! | `carddav` | [`carddav`], [`auth`] | CardDAV (RFC 6352), sans-IO; Basic, Digest and bearer authentication |
//! | `vdir` | [`vdir`] | a folder with one card a file; import and export of files with many cards |
//! | `sqlite` | [`store`] | the library in one SQLite file |
//! | `transport` | [`transport`] | an HTTP client for Rust hosts |
//! | `testkit` | [`testserver`] | a CardDAV server in the process, with the habits and faults of real ones |

#[cfg(feature = "carddav")]
pub mod auth;
#[cfg(feature = "carddav")]
pub mod carddav;
#[cfg(feature = "carddav")]
mod exchange;
pub mod http;
#[cfg(any(feature = "carddav", feature = "vdir"))]
mod marker;
pub mod remote;
#[cfg(feature = "sqlite")]
pub mod store;
#[cfg(feature = "testkit")]
pub mod testserver;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "vdir")]
pub mod vdir;
pub mod wire;

/// The example of the README runs as a test.
#[cfg(all(doctest, feature = "vdir"))]
#[doc = include_str!("../../README.md")]
struct Readme;
