#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
#[cfg(feature = "carddav")]
pub mod auth;
#[cfg(feature = "carddav")]
pub mod carddav;
#[cfg(feature = "carddav")]
mod exchange;
pub mod http;
pub mod remote;
#[cfg(feature = "testkit")]
pub mod testserver;
pub mod wire;
