#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
#[cfg(feature = "carddav")]
mod exchange;
pub mod http;
pub mod wire;
