//! Parses one file of vCards with several crates on one thread: `parse-peers FILE [calcard|ical|vparser|vcard4]`.
//! A line is the crate, cards and properties seen, and MB/s (the median of nine runs after a first).

use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 9;

struct Seen {
    cards: usize,
    properties: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(file) = arguments.first() else {
        eprintln!("usage: parse-peers FILE [CRATE]");
        std::process::exit(2);
    };
    let text = std::fs::read_to_string(file).expect("a readable file in UTF-8");
    let peers: [(&str, fn(&str) -> Seen); 4] = [
        ("calcard", calcard),
        ("ical", ical),
        ("vparser", vparser), // content lines only
        ("vcard4", vcard4),
    ];
    for (name, parse) in peers {
        if arguments.get(1).is_none_or(|only| only == name) {
            measure(name, &text, parse);
        }
    }
}

fn measure(name: &str, text: &str, parse: fn(&str) -> Seen) {
    let mut seen = parse(text);
    let mut seconds = [0.0; RUNS];
    for second in &mut seconds {
        let started = Instant::now();
        seen = black_box(parse(black_box(text)));
        *second = started.elapsed().as_secs_f64();
    }
    seconds.sort_by(f64::total_cmp);
    let speed = text.len() as f64 / 1e6 / seconds[RUNS / 2];
    println!("{name}\tcards={}\tproperties={}\tMB/s={speed:.1}", seen.cards, seen.properties);
}

fn calcard(text: &str) -> Seen {
    let mut seen = Seen { cards: 0, properties: 0 };
    let mut parser = calcard::Parser::new(text);
    loop {
        match parser.entry() {
            calcard::Entry::VCard(card) => {
                seen.cards += 1;
                seen.properties += card.entries.len();
            }
            calcard::Entry::Eof => return seen,
            _ => {}
        }
    }
}

fn ical(text: &str) -> Seen {
    let mut seen = Seen { cards: 0, properties: 0 };
    for card in ical::VcardParser::new(text.as_bytes()).flatten() {
        seen.cards += 1;
        seen.properties += card.properties.len();
    }
    seen
}

fn vparser(text: &str) -> Seen {
    let mut seen = Seen { cards: 0, properties: 0 };
    for line in vparser::Parser::new(text) {
        seen.properties += 1;
        if line.name() == "END" {
            seen.cards += 1;
        }
        black_box(line.value().len());
    }
    seen
}

fn vcard4(text: &str) -> Seen {
    let cards = vcard4::parse_loose(text).map_or(0, |cards| cards.len());
    Seen { cards, properties: 0 }
}
