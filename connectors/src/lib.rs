#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
pub mod http;
#[cfg(feature = "testkit")]
pub mod testserver;
