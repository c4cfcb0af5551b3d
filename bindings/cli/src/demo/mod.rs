//! placeholder
use crate::args::DemoArgs;
use crate::errors::Failure;
use crate::output::{Output, Reply};
pub(crate) fn run(_: &DemoArgs, _: Output) -> Result<Reply, Failure> {
    Ok(Reply::done(serde_json::json!({}), ""))
}
