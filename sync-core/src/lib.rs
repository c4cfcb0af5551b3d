#![doc = "The core of Acquaint."]
pub mod capability;
pub mod contact;
pub mod driver;
pub mod engine;
pub mod id;
pub mod identity;
pub mod library;
pub mod limits;
pub mod merge;
pub mod plan;
pub mod policy;
pub mod redact;
pub mod source;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
