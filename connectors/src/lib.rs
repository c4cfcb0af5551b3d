#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
pub mod http;
pub mod store;
#[cfg(feature = "transport")]
pub mod transport;
