//! Serves a sample address book on a port of this machine, for use by hand:
//!
//! `cargo run -p acquaint-connectors --no-default-features --features testkit --example testserver -- [PRESET [PORT]]`
#![allow(clippy::print_stdout, reason = "it talks to a person")]

use acquaint_connectors::testserver::{DavListener, DavServer, FIRST_BOOK, Quirks};
use std::sync::{Arc, Mutex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let preset = arguments.next().unwrap_or_else(|| "standard".into());
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let names: Vec<&str> = Quirks::PRESETS.iter().map(|(name, _)| *name).collect();
    let quirks = Quirks::named(&preset).ok_or_else(|| format!("the presets are {}", names.join(", ")))?;

    let mut server = DavServer::new("ida", "secret").with_quirks(quirks);
    for (name, person) in [("a.vcf", "Ada Example"), ("b.vcf", "Ben Example"), ("c.vcf", "Zoë Example")] {
        let card = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:sample-{name}\r\nFN:{person}\r\nN:;;;;\r\nEND:VCARD\r\n"
        );
        server.put(FIRST_BOOK, name, card.as_bytes());
    }
    let book = server.book_href(FIRST_BOOK);
    let server = Arc::new(Mutex::new(server));
    let listener = DavListener::start_on(port, server)?;
    println!("{}{book}  user ida, password secret; end with Ctrl-C", listener.origin());
    loop {
        std::thread::park();
    }
}
