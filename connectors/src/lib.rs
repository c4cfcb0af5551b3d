#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
pub mod http;
#[cfg(feature = "testkit")]
pub mod testserver;
#[cfg(feature = "vdir")]
mod marker;
#[cfg(feature = "vdir")]
pub mod vdir;
pub mod wire;
