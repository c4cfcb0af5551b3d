//! `sync`: one cycle over the sources, or a preview of it.

use super::{chosen, report};
use crate::errors::Failure;
use crate::host::{Host, Ran};
use crate::output::progress::Meter;
use crate::output::{Output, Reply};
use acquaint_core::engine::Job;
use acquaint_core::id::SourceId;
use acquaint_core::library::SourceState;
use futures::executor::block_on;

/// Arguments of `sync`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint sync                     all sources
  acquaint sync work                one of them
  acquaint sync --preview           what it would write, by contact and field; writes nothing anywhere
  acquaint sync --confirm-deletes   also let deletes happen that are held

A sync never waits for an answer: what both sides changed and the rules leave to you is in
`acquaint conflict list`, deletes that look like an accident are in `acquaint held list`.")]
pub(crate) struct SyncArgs {
    /// Sources by name; none: all.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only say what a sync would write.
    #[arg(long, conflicts_with = "confirm_deletes")]
    pub(crate) preview: bool,
    /// Let the deletes happen that are held, those of earlier syncs and those that this one would hold.
    #[arg(long)]
    pub(crate) confirm_deletes: bool,
}

/// Carries out `sync`.
pub(crate) fn run(args: &SyncArgs, host: &Host, output: Output) -> Result<Reply, Failure> {
    let sources = chosen(host, &args.names)?;
    let rows = block_on(host.library.sources())?;
    if rows.is_empty() {
        return Err(Failure::new(
            "no_source",
            "the library has no source to sync with",
            "`acquaint source add --help` shows how to add one",
        ));
    }
    let off = |id: &&SourceId| rows.get(*id).is_some_and(|row| row.state == SourceState::Disconnected);
    if let Some(id) = sources.iter().flatten().find(off) {
        let next = format!("`acquaint source reconnect {id}` takes it up again");
        return Err(Failure::new("disconnected", format!("{id} is disconnected"), next));
    }
    if args.preview {
        let (writes, ran) = host.preview(Job::Cycle(sources))?;
        return report::preview(host, &writes, &ran);
    }
    let mut ran = cycle(host, Job::Cycle(sources.clone()), output)?;
    if args.confirm_deletes && !held(host, sources.as_deref())?.is_empty() {
        let confirmed = cycle(host, Job::Held { sources, confirm: true }, output)?;
        ran = report::merge(ran, confirmed);
    }
    report::report(host, &ran)
}

/// Runs a job with a progress bar.
pub(crate) fn cycle(host: &Host, job: Job, output: Output) -> Result<Ran, Failure> {
    let meter = Meter::new(output.json);
    host.run(job, &mut |progress| meter.observe(progress))
}

/// The sources, of those chosen, that hold deletes.
fn held(host: &Host, sources: Option<&[SourceId]>) -> Result<Vec<SourceId>, Failure> {
    let held = block_on(host.library.held())?;
    let wanted = |source: &SourceId| sources.is_none_or(|sources| sources.contains(source));
    Ok(held.into_iter().map(|(source, _, _)| source).filter(|source| wanted(source)).collect())
}
