//! `demo`: the whole job without any account, network or other program, with a proof at the end.

mod cards;
mod proof;
mod world;

use crate::args::DemoArgs;
use crate::commands::report;
use crate::errors::Failure;
use crate::host::Host;
use crate::output::{Exit, Output, Reply, bad, good, heading};
use acquaint_core::engine::{Job, Progress};
use acquaint_core::id::ContactId;
use acquaint_core::library::Entry;
use futures::executor::block_on;
use proof::{Ledger, Proof, bystanders, put_back, sides_agree};
use serde_json::{Value, json};
use std::fmt::Write as _;
use world::World;

/// Carries out `demo`.
pub(crate) fn run(args: &DemoArgs, output: Output) -> Result<Reply, Failure> {
    let mut world = World::new(args.folder.as_deref(), output)?;
    let folder = world.folder.display().to_string();
    story(&mut world).map_err(|failure| Failure {
        message: format!("{} (the demo's files are in {folder})", failure.message),
        ..failure
    })
}

/// The steps of the demo.
fn story(world: &mut World) -> Result<Reply, Failure> {
    let mut ledger = Ledger::default();
    ledger.note(world)?;
    let before = world.server();

    world.say(
        "An address book of 12 cards on a CardDAV server, a folder with one card, and an empty library.",
    );
    let (cards, secret) = (path(world, "cards"), path(world, "password"));
    let folder =
        ["source", "add", "folder", "--connector", "vdir", "--url", &cards, "--set", "conflict.title=ask"];
    world.command(&folder)?;
    let server =
        ["source", "add", "server", "--connector", "carddav", "--url", "http://dav.test/", "--user", "ida"];
    world.command(&[&server[..], &["--password-file", &secret, "--set", "conflict.title=ask"]].concat())?;

    world.say("First sync: server → library → folder. Priya is on both sides and becomes one contact.");
    world.command(&["sync"])?;
    world.command(&["contact", "list"])?;
    ledger.note(world)?;
    let copied = world.cards()?;

    world.say("Now both sides are edited: Anna's title at the server and her note in the folder; Zoë's title on both; Sam is deleted in the folder.");
    world.edit_at_server("anna.vcf", "TITLE:Physicist", "TITLE:Head of Research")?;
    let anna = world.edit_in_folder(
        "UID:0a6f1a5e-anna",
        "END:VCARD",
        "NOTE:Prefers calls after lunch\r\nEND:VCARD",
    )?;
    world.edit_at_server("zoe.vcf", "TITLE:Engineer", "TITLE:Senior Engineer")?;
    let zoe = world.edit_in_folder("FN:Zoë Grünwald", "TITLE:Engineer", "TITLE:Team Lead")?;
    ledger.note(world)?;
    let sam = world.delete_in_folder("UID:sam-6")?;

    world.say("What would a sync write?");
    let preview = world.command(&["sync", "--preview"])?.json;
    world.say("The sync does exactly that.");
    let done = sync_and_watch(world)?;
    let planned = preview.get("writes").and_then(Value::as_array).cloned().unwrap_or_default();
    let same = comparable(&planned) == comparable(&done);
    let as_planned = Proof::new(
        "the sync did what the preview said",
        same && !done.is_empty(),
        format!("{} writes planned, {} done", planned.len(), done.len()),
    );

    world
        .say("Zoë's title was changed on both sides, and the rule conflict.title=ask leaves it to the user.");
    let open = world.command(&["conflict", "list"])?.json;
    let id = open.pointer("/conflicts/0/contact").and_then(Value::as_str).unwrap_or_default().to_owned();
    world.command(&["conflict", "resolve", &id, "title", "--source"])?;
    world.command(&["sync"])?;
    world.command(&["explain", &id])?;

    world.say("A call comes in.");
    let caller = world.command(&["caller", "+49 30 5550101"])?.json;

    let edited = ["anna.vcf", "zoe.vcf", "sam.vcf", "priya.vcf"];
    let server_bystanders =
        bystanders(&before, &world.server(), &edited, "server cards that nobody touched are byte-identical");

    world
        .say("An accident at the server: seven of its eleven cards are gone. The guard holds these deletes.");
    let gone = ["joerg.vcf", "tomas.vcf", "maya.vcf", "kenji.vcf", "acme.vcf", "lena.vcf", "omar.vcf"];
    let before_accident = world.server();
    for name in gone {
        world.delete_at_server(name);
    }
    let guarded = world.command(&["sync"])?;
    world.command(&["held", "list"])?;
    world.command(&["held", "restore"])?;

    world.say("A last sync, and the proof.");
    let quiet = world.command(&["sync"])?.json;
    let host = world.host()?;
    let proofs = [
        as_planned,
        ledger.nothing_lost(world, &host)?,
        sides_agree(world)?,
        server_bystanders,
        bystanders(
            &copied,
            &world.cards()?,
            &[&anna, &zoe, &sam],
            "folder cards that nobody touched are byte-identical",
        ),
        Proof::new(
            "the caller is found",
            caller.pointer("/contacts/0/fields/last") == Some(&json!("Berg")),
            "by number",
        ),
        Proof::new(
            "the guard held the mass delete",
            guarded.exit == Exit::Waiting
                && count(&guarded.json, "/sources/server/held") == gone.len() as u64,
            format!("{} deletes held", count(&guarded.json, "/sources/server/held")),
        ),
        put_back(&before_accident, &world.server(), &gone)?,
        quiet_proof(&quiet),
        no_conflicts(&host)?,
    ];
    world.leave_server_cards()?;
    Ok(ending(world, &proofs))
}

fn path(world: &World, name: &str) -> String {
    world.folder.join(name).to_string_lossy().into_owned()
}

/// Runs `sync`, and gives the writes that it made.
fn sync_and_watch(world: &mut World) -> Result<Vec<Value>, Failure> {
    let host = world.host()?;
    let mut writes: Vec<(ContactId, Entry)> = Vec::new();
    let ran = host.run(Job::Cycle(None), &mut |progress| {
        if let Progress::Writes(entries) = progress {
            writes.extend(entries.iter().cloned());
        }
    })?;
    let reply = report::report(&host, &ran)?;
    world.show(&["sync"], &reply);
    let names = report::names(&host, &writes)?;
    Ok(report::writes_json(&writes, &names))
}

/// The writes without the moment at which they were planned or done.
fn comparable(writes: &[Value]) -> Vec<Value> {
    let mut writes = writes.to_vec();
    for write in writes.iter_mut().filter_map(Value::as_object_mut) {
        write.remove("at");
    }
    writes
}

fn count(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// The last sync wrote nothing on any side.
fn quiet_proof(document: &Value) -> Proof {
    let sources = document.get("sources").and_then(Value::as_object);
    let side = |report: &Value, side: &str| -> u64 {
        ["created", "updated", "deleted"].iter().map(|what| count(report, &format!("/{side}/{what}"))).sum()
    };
    let writes: u64 = sources
        .into_iter()
        .flatten()
        .map(|(_, report)| side(report, "library") + side(report, "source"))
        .sum();
    let synced = sources.map_or(0, serde_json::Map::len);
    let requests = count(document, "/sources/server/traffic/total");
    Proof::new(
        "a further sync writes nothing",
        writes == 0 && synced == 2,
        format!("{writes} writes, {requests} request(s) to the server"),
    )
}

fn no_conflicts(host: &Host) -> Result<Proof, Failure> {
    let open = block_on(host.library.conflicts())?.len() + block_on(host.library.held())?.len();
    Ok(Proof::new("nothing waits any more", open == 0, format!("{open} conflicts and held deletes")))
}

fn ending(world: &mut World, proofs: &[Proof]) -> Reply {
    let holds = proofs.iter().all(|proof| proof.holds);
    let mut text = String::new();
    for proof in proofs {
        let mark = if proof.holds { good("holds") } else { bad("FAILS") };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{mark}  {} ({})", proof.what, proof.detail);
    }
    let folder = world.folder.display().to_string();
    let _ = write!(
        text,
        "\n{}\n  {folder}/acquaint.db   the library: acquaint --library {folder}/acquaint.db contact list\n  \
         {folder}/cards         the folder with one card a file\n  \
         {folder}/server        the cards as the server has them now\n",
        heading("Left to look at:")
    );
    let mut document = json!({
        "folder": folder,
        "steps": world.steps(),
        "proofs": proofs.iter().map(Proof::json).collect::<Vec<_>>(),
    });
    if !holds {
        let failure =
            Failure::new("proof", "a proof of the demo fails", "please report this with the output above");
        if let Some(object) = document.as_object_mut() {
            object.insert("error".to_owned(), failure.json());
        }
    }
    Reply { json: document, text, exit: if holds { Exit::Done } else { Exit::Failed } }
}
