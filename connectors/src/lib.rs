#![doc = "Connectors of Acquaint."]
#![warn(missing_docs)]
pub mod http;
pub mod store;
