#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
#[cfg(feature = "carddav")]
pub mod auth;
#[cfg(feature = "carddav")]
pub mod carddav;
#[cfg(feature = "carddav")]
mod exchange;
pub mod http;
#[cfg(feature = "vdir")]
mod marker;
pub mod remote;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testserver;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "vdir")]
pub mod vdir;
pub mod wire;
