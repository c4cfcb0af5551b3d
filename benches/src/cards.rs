//! Generated address books: vCard 3.0, about 0.9 KB a card, the same for the same seed.

use std::fmt::Write as _;

const FIRST: [&str; 12] = [
    "Anna", "Björn", "Çelik", "Dana", "Élodie", "Farah", "Günther", "María", "Nguyễn", "Søren", "伟", "Олег",
];
const LAST: [&str; 12] = [
    "Almeida", "Brown", "Čapek", "Díaz", "Eriksson", "Fischer", "Müller", "Novák", "O'Neil", "Wójcik",
    "Yılmaz", "Zhang",
];
const COMPANY: [&str; 5] = ["Acme GmbH", "Globex\\; Holdings", "Initech\\, Inc.", "Stark & Söhne", "Hooli"];
const CITY: [&str; 6] = ["Berlin", "São Paulo", "Kraków", "Lyon", "Austin", "Łódź"];
const STREET: [&str; 4] = ["Hauptstr.", "Rue de la Paix", "Main St", "Avenida Paulista"];
const COUNTRY: [&str; 4] = ["Germany", "Brasil", "Polska", "France"];
const TITLE: [&str; 4] = ["Account Manager", "CTO", "Einkäufer", "Directrice"];
const WORDS: [&str; 12] = [
    "met",
    "at the trade fair",
    "asked for a quote",
    "prefers mornings",
    "renewal",
    "in spring",
    "key account",
    "of the Kraków office",
    "call",
    "before visiting",
    "invoice",
    "to head office",
];

/// A small generator of numbers: the state of a linear congruence (Knuth, MMIX).
pub struct Numbers(u64);

impl Numbers {
    /// Starts from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = self.below(from.len() as u64);
        from.get(place as usize).copied().unwrap_or("")
    }
}

/// The cards of a book one after the other.
#[must_use]
pub fn book(cards: u64, seed: u64) -> String {
    let mut out = String::new();
    for place in 0..cards {
        card(&mut out, place, seed);
    }
    out
}

fn phone(n: &mut Numbers) -> String {
    let (country, area) = [(1, 415), (49, 30), (44, 20), (48, 22)][n.below(4) as usize];
    let (a, b) = (1_000 + n.below(9_000), 100 + n.below(9_900));
    match n.below(5) {
        0 => format!("+{country}{area}{a}{b}"),
        1 => format!("+{country} ({area}) {a}-{b}"),
        2 => format!("00{country} {area} {a} {b}"),
        3 => format!("{area}.{a}.{b}"),
        _ => format!("+{country} {area} {a} {b};ext={}", n.below(999)),
    }
}

fn card(out: &mut String, place: u64, seed: u64) {
    let mut n = Numbers::new(seed.wrapping_mul(1_000_003).wrapping_add(place));
    let n = &mut n;
    let uid = format!("{:08x}-0000-4000-8000-{place:012x}", n.below(u64::from(u32::MAX)));
    let (first, last) = (n.pick(&FIRST), n.pick(&LAST));
    let prefix = n.pick(&["", "Dr.", "Ms."]);
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:3.0".into(),
        "PRODID:-//generated//cards//EN".into(),
        format!("UID:{uid}"),
        format!("N:{last};{first};;{prefix};"),
        format!("FN:{first} {last}"),
        format!("ORG:{};{}", n.pick(&COMPANY), n.pick(&["Sales", "R&D", "Ops"])),
        format!("TITLE:{}", n.pick(&TITLE)),
    ];
    for count in 0..2 + n.below(3) {
        let kind = n.pick(&["CELL", "WORK,VOICE", "HOME,VOICE", "WORK,FAX", "MAIN"]);
        let pref = if count == 0 { ";TYPE=PREF" } else { "" };
        lines.push(format!("TEL;TYPE={kind}{pref}:{}", phone(n)));
    }
    for count in 0..1 + n.below(3) {
        let (kind, host) = (n.pick(&["WORK", "HOME"]), n.pick(&["example.com", "mail.example.org"]));
        lines.push(format!("EMAIL;TYPE=INTERNET,{kind}:u{place}.{count}@{host}"));
    }
    for _ in 0..1 + n.below(2) {
        let (kind, street, city) = (n.pick(&["HOME", "WORK"]), n.pick(&STREET), n.pick(&CITY));
        let (number, code, country) = (n.below(300), 10_000 + n.below(89_999), n.pick(&COUNTRY));
        lines.push(format!("ADR;TYPE={kind}:;;{street} {number};{city};;{code};{country}"));
    }
    lines.push(format!("item1.URL:https://www.example.com/people/{uid}"));
    lines.push("item1.X-ABLabel:_$!<HomePage>!$_".into());
    if n.below(2) == 0 {
        lines.push(format!("BDAY:{}-{:02}-{:02}", 1940 + n.below(65), 1 + n.below(12), 1 + n.below(28)));
    }
    lines.push(format!(
        "CATEGORIES:{},{}",
        n.pick(&["Customers", "Friends"]),
        n.pick(&["Press", "Suppliers"])
    ));
    let mut note = String::from("NOTE:");
    for _ in 0..4 + n.below(16) {
        let _ = write!(note, "{} ", n.pick(&WORDS));
    }
    lines.push(note + "\\nsecond line");
    lines.push(format!("X-CRM-ID:{}", n.below(1_000_000_000)));
    lines.push(format!("X-PHONETIC-LAST-NAME:{last}"));
    lines.push(format!("REV:2025-{:02}-{:02}T{:02}:00:00Z", 1 + n.below(12), 1 + n.below(28), n.below(24)));
    lines.push("END:VCARD".into());
    for line in lines {
        fold(out, &line);
    }
}

fn fold(out: &mut String, line: &str) {
    let mut room = 75_usize;
    for c in line.chars() {
        if room < c.len_utf8() {
            out.push_str("\r\n ");
            room = 74;
        }
        room -= c.len_utf8();
        out.push(c);
    }
    out.push_str("\r\n");
}
