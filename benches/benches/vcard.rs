//! How fast cards are read, beside calcard on the same bytes in the same run.
//!
//! The middle of many runs counts: tokenised (content lines only), read into contacts one card at a time as a source
//! delivers them, and calcard's parser, which gives properties with typed values.

#![allow(clippy::print_stdout, reason = "a measurement is for reading")]

use acquaint_benches::cards::book;
use acquaint_connectors::wire::vcard;
use std::hint::black_box;
use std::time::Instant;

/// Megabytes a second, the middle of the runs.
fn speed(bytes: usize, runs: usize, mut work: impl FnMut() -> usize) -> f64 {
    black_box(work());
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    bytes as f64 / 1e6 / seconds[runs / 2]
}

fn main() {
    let text = book(4_000, 1);
    let cards: Vec<&[u8]> = vcard::cards(text.as_bytes()).collect();
    println!("{} cards, {} bytes, {} bytes a card", cards.len(), text.len(), text.len() / cards.len());

    let runs = 25;
    let lines = speed(text.len(), runs, || vcard::count_lines(text.as_bytes()));
    let typed = speed(text.len(), runs, || {
        cards.iter().map(|card| vcard::decode(card).map_or(0, |read| read.contact.fields().count())).sum()
    });
    let peer = speed(text.len(), runs, || {
        let mut parser = calcard::Parser::new(&text);
        let mut count = 0;
        loop {
            match parser.entry() {
                calcard::Entry::VCard(card) => count += card.entries.len(),
                calcard::Entry::Eof => break count,
                _ => {}
            }
        }
    });
    println!("tokenised        {lines:7.1} MB/s  {:5.2} x calcard", lines / peer);
    println!("read to contacts {typed:7.1} MB/s  {:5.2} x calcard", typed / peer);
    println!("calcard          {peer:7.1} MB/s");
}
