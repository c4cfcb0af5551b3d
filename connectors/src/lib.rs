#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
pub mod http;
#[cfg(feature = "vdir")]
mod marker;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testserver;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "vdir")]
pub mod vdir;
pub mod wire;
