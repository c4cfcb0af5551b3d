//! Inputs that tempt a parser into squares or into much memory. Alone in this file, because it counts the memory of
//! the whole process.

use acquaint_connectors::wire::vcard::{cards, decode, same_meaning};
use peak_alloc::PeakAlloc;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory beyond ten times the input that many short lines may take: the caps hold their number.
const SHORT_LINES: usize = 4 << 20;

fn card(lines: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n").into_bytes()
}

/// Inputs of a megabyte or more that tempt a parser into squares.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let big = 1 << 20;
    vec![
        ("semicolons", card(&format!("N:{}\r\n", ";".repeat(big)))),
        ("semicolons of nothing", card(&format!("X-A:{}\r\n", ";".repeat(big)))),
        ("commas", card(&format!("CATEGORIES:{}\r\n", ",".repeat(big)))),
        ("backslashes", card(&format!("NOTE:{}\r\n", "\\".repeat(big)))),
        ("parameters", card(&format!("TEL{}:1\r\n", ";A=\"b\"".repeat(60_000)))),
        ("open quotes", card(&"TEL;A=\"b:1\r\n".repeat(9_000))),
        ("one open quote", card(&format!("TEL;A=\"{}:1\r\n", ";b:".repeat(big / 3)))),
        ("folds", card(&format!("NOTE:{}\r\n", "a\r\n ".repeat(big / 4)))),
        ("folds of a name", card(&format!("NO{}TE:a\r\n", "\r\n ".repeat(big / 3)))),
        ("soft breaks", card(&format!("NOTE;QUOTED-PRINTABLE:{}\r\n", "=\r\n".repeat(big / 3)))),
        ("codes", card(&format!("NOTE;QUOTED-PRINTABLE:{}\r\n", "=C3".repeat(big / 3)))),
        ("blank lines", card(&"\r\n".repeat(big / 2))),
        ("stray lines", card(&"a\r\n".repeat(big / 3))),
        ("lines", card(&"A:\r\n".repeat(big / 4))),
        ("begins", b"BEGIN:VCARD\n".repeat(big / 12)),
        ("agents", b"BEGIN:VCARD\nAGENT:\n".repeat(big / 19)),
        ("colons", b":".repeat(big)),
        ("colon lines", b"BEGIN:VCARD\n".iter().chain(b":\n".repeat(big / 2).iter()).copied().collect()),
        ("groups", card(&format!("{}TEL:1\r\n", "a.".repeat(big / 2)))),
        ("equals", card(&format!("TEL;{}:1\r\n", "=".repeat(big)))),
        ("base64 lines", card(&format!("PHOTO;ENCODING=b:\r\n{}", "AAAA\r\n".repeat(big / 6)))),
        ("no text", vec![0xFF; big]),
        ("invalid text", card("").into_iter().chain(vec![0xC3; big]).collect()),
        (
            "invalid note",
            [b"BEGIN:VCARD\nNOTE:".to_vec(), vec![0xE4; big], b"\nEND:VCARD\n".to_vec()].concat(),
        ),
        ("half of UTF-16", [vec![0xFF, 0xFE], [0, 0xD8].repeat(big / 2)].concat()),
        ("twenty megabytes", card(&format!("NOTE:{}\r\n", "ab c\r\n ".repeat(20 << 20 >> 3)))),
        ("a large picture", card(&format!("PHOTO;ENCODING=b:{}\r\n", "/9j/".repeat(3 << 20)))),
    ]
}

#[test]
fn hostile_cards_cost_what_their_size_allows() {
    for (name, bytes) in hostile() {
        let start = Instant::now();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        drop(decode(&bytes));
        let most = MEMORY.peak_usage().saturating_sub(before);
        assert!(most <= 10 * bytes.len() + SHORT_LINES, "{name}: {most} bytes of memory for {}", bytes.len());
        assert!(same_meaning(&bytes, &bytes), "{name}");
        let found = cards(&bytes).map(<[u8]>::len).sum::<usize>();
        assert!(found <= bytes.len(), "{name}");
        // Unoptimised and on a busy machine; a square of a megabyte would take an hour.
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    }
}
