#![doc = "The core of Acquaint."]
pub mod capability;
pub mod contact;
pub mod id;
pub mod limits;
pub mod redact;
pub mod source;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
