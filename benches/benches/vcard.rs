//! How fast cards are read, beside calcard on the same bytes in the same run.
//!
//! Content lines only; contacts, one card at a time as a source delivers them; and calcard's parser, which gives
//! properties with typed values. They take turns, and of each the fastest run counts, being the least disturbed.

#![allow(clippy::print_stdout, reason = "a measurement is for reading")]

use acquaint_benches::cards::book;
use acquaint_connectors::wire::vcard;
use std::hint::black_box;
use std::time::Instant;

/// Seconds of one run.
fn seconds(work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

fn tokenise(text: &str) -> usize {
    vcard::count_lines(text.as_bytes())
}

fn read(cards: &[&[u8]]) -> usize {
    cards.iter().map(|card| vcard::decode(card).map_or(0, |read| read.contact.fields().count())).sum()
}

fn peer(text: &str) -> usize {
    let mut parser = calcard::Parser::new(text);
    let mut count = 0;
    loop {
        match parser.entry() {
            calcard::Entry::VCard(card) => count += card.entries.len(),
            calcard::Entry::Eof => return count,
            _ => {}
        }
    }
}

fn main() {
    const ROUNDS: usize = 40;
    let text = book(4_000, 1);
    let cards: Vec<&[u8]> = vcard::cards(text.as_bytes()).collect();
    println!("{} cards, {} bytes, {} bytes a card", cards.len(), text.len(), text.len() / cards.len());

    let mut best = [f64::MAX; 3];
    for _ in 0..ROUNDS {
        let round = [seconds(|| tokenise(&text)), seconds(|| read(&cards)), seconds(|| peer(&text))];
        for (best, now) in best.iter_mut().zip(round) {
            *best = best.min(now);
        }
    }
    let [lines, typed, peer] = best.map(|seconds| text.len() as f64 / 1e6 / seconds);
    println!("tokenised        {lines:7.1} MB/s  {:5.2} x calcard", lines / peer);
    println!("read to contacts {typed:7.1} MB/s  {:5.2} x calcard", typed / peer);
    println!("calcard          {peer:7.1} MB/s");
}
