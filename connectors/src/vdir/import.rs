//! Reading one file with many cards, of any size: a card at a time.

use crate::wire::vcard::{self, CardError, Decoded};
use acquaint_core::limits::CARD_BYTES;
use std::fmt;
use std::io::{self, BufRead};

/// A card of a file with many.
pub struct Imported {
    /// Its place in the file, from 1.
    pub number: u64,
    /// The line of its BEGIN, from 1.
    pub line: u64,
    /// The card as written.
    pub bytes: Vec<u8>,
    /// What it says.
    pub decoded: Decoded,
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imported({}, line {}, {} bytes)", self.number, self.line, self.bytes.len())
    }
}

/// A part of a file that gave no card. The cards after it are read all the same.
#[derive(Debug, thiserror::Error)]
#[error("card {number}, line {line}: {problem}")]
pub struct ImportError {
    /// The place in the file, from 1.
    pub number: u64,
    /// The line where it begins, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: ImportProblem,
}

/// What is wrong with a part of a file.
#[derive(Debug, thiserror::Error)]
pub enum ImportProblem {
    /// The user: the card is too large.
    #[error("the card is larger than {CARD_BYTES} bytes")]
    TooLarge,
    /// The file's writer: another card begins, or the file ends, before this one does.
    #[error("the card has no END:VCARD")]
    NoEnd,
    /// The user: this is no vCard file, or one in UTF-16.
    #[error("text that is part of no card; is this a vCard file in UTF-8?")]
    Stray,
    /// The file's writer: the card cannot be understood.
    #[error(transparent)]
    Card(CardError),
    /// The user: the file cannot be read on. Nothing follows.
    #[error("the file cannot be read: {0}")]
    Read(io::Error),
}

/// The cards of a file in turn. Memory holds one card, at most [`CARD_BYTES`] of it.
pub fn import<R: BufRead>(reader: R) -> impl Iterator<Item = Result<Imported, ImportError>> {
    Cards { reader, number: 0, line: 0, waiting: None, ended: false }.map(|part| {
        let Part { number, line, content } = part;
        let failed = |problem| ImportError { number, line, problem };
        let bytes = content.map_err(failed)?;
        match vcard::decode(&bytes) {
            Ok(decoded) => Ok(Imported { number, line, bytes, decoded }),
            Err(error) => Err(failed(ImportProblem::Card(error))),
        }
    })
}

/// A card or what is in its place.
struct Part {
    number: u64,
    line: u64,
    content: Result<Vec<u8>, ImportProblem>,
}

/// Splits at the lines that begin and end a card; a card within a card (AGENT of vCard 2.1) stays in it.
struct Cards<R> {
    reader: R,
    number: u64,
    line: u64,
    /// A BEGIN line that was read while the card before it had no END yet.
    waiting: Option<Vec<u8>>,
    ended: bool,
}

/// What a line means to the splitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Begin,
    End,
    Agent,
    Blank,
    Other,
}

impl<R: BufRead> Iterator for Cards<R> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        if self.ended {
            return None;
        }
        let mut text = self.waiting.take().unwrap_or_default();
        let mut open: usize = usize::from(!text.is_empty());
        let mut start = self.line;
        let mut stray = false;
        let mut after_agent = false;
        loop {
            let (mark, line) = match self.read_line(&mut text) {
                Ok(Some(read)) => read,
                Ok(None) => {
                    self.ended = true;
                    let problem = if open > 0 { ImportProblem::NoEnd } else { ImportProblem::Stray };
                    return (open > 0 || stray).then(|| self.part(start, Err(problem)));
                }
                Err(error) => {
                    self.ended = true;
                    return Some(self.part(self.line, Err(ImportProblem::Read(error))));
                }
            };
            match (mark, open) {
                (Mark::Begin, 0) if stray => {
                    self.waiting = Some(line);
                    return Some(self.part(start, Err(ImportProblem::Stray)));
                }
                (Mark::Begin, 0) => {
                    start = self.line;
                    open = 1;
                }
                (Mark::Begin, _) if after_agent => open = open.saturating_add(1),
                (Mark::Begin, _) => {
                    self.waiting = Some(line);
                    return Some(self.part(start, Err(ImportProblem::NoEnd)));
                }
                (Mark::End, 1) => {
                    let content =
                        if text.len() > CARD_BYTES { Err(ImportProblem::TooLarge) } else { Ok(text) };
                    return Some(self.part(start, content));
                }
                (Mark::End, 2..) => open -= 1,
                (Mark::Blank, 0) => text.clear(),
                (_, 0) => {
                    if !stray {
                        start = self.line;
                    }
                    stray = true;
                    text.clear();
                }
                (Mark::Agent | Mark::Blank | Mark::Other, _) => {}
            }
            after_agent = mark == Mark::Agent || after_agent && mark == Mark::Blank;
        }
    }
}

impl<R: BufRead> Cards<R> {
    fn part(&mut self, line: u64, content: Result<Vec<u8>, ImportProblem>) -> Part {
        self.number = self.number.saturating_add(1);
        Part { number: self.number, line, content }
    }

    /// Reads a line and appends it to `text`, as far as there is room for a card and one byte more: enough to know
    /// that it is too large. Gives its mark and its first bytes; `None` at the end of the file.
    fn read_line(&mut self, text: &mut Vec<u8>) -> io::Result<Option<(Mark, Vec<u8>)>> {
        let mut head: Vec<u8> = Vec::with_capacity(HEAD);
        let mut empty = true;
        let mut after_return = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            // A line ends with a line feed, a carriage return (old Macs), or both.
            let (used, ended) = match (memchr::memchr2(b'\r', b'\n', buffer), buffer.first()) {
                _ if after_return => (usize::from(buffer.first() == Some(&b'\n')), true),
                (_, None) if empty => return Ok(None),
                (_, None) => (0, true),
                (Some(at), _) => {
                    after_return = buffer.get(at) == Some(&b'\r');
                    (at.saturating_add(1), !after_return)
                }
                (None, _) => (buffer.len(), false),
            };
            empty = false;
            let part = first(buffer, used);
            let room = CARD_BYTES.saturating_add(1).saturating_sub(text.len());
            text.extend_from_slice(first(part, room));
            head.extend_from_slice(first(part, HEAD.saturating_sub(head.len())));
            self.reader.consume(used);
            if ended {
                self.line = self.line.saturating_add(1);
                return Ok(Some((mark(&head, self.line == 1), head)));
            }
        }
    }
}

/// Bytes of a line that are looked at: more than any line that means something here.
const HEAD: usize = 64;

fn first(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}

fn mark(line: &[u8], first: bool) -> Mark {
    let line = if first { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
    // A line that begins with a blank continues the one before it.
    let line = line.trim_ascii_end();
    let agent = line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"AGENT"));
    if line.is_empty() {
        Mark::Blank
    } else if line.eq_ignore_ascii_case(b"BEGIN:VCARD") {
        Mark::Begin
    } else if line.eq_ignore_ascii_case(b"END:VCARD") {
        Mark::End
    } else if agent && matches!(line.get(5), Some(b':' | b';')) && line.ends_with(b":") {
        Mark::Agent
    } else {
        Mark::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn card(name: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEND:VCARD\r\n")
    }

    /// What a text gives, in short: the line of each card with its length, or the error.
    fn read(text: &[u8], buffer: usize) -> Vec<String> {
        let reader = BufReader::with_capacity(buffer, text);
        let short = |part: Result<Imported, ImportError>| match part {
            Ok(card) => format!("{} {}", card.line, card.bytes.len()),
            Err(error) => error.to_string(),
        };
        import(reader).map(short).collect()
    }

    #[test]
    fn cards_come_one_by_one_with_their_lines() {
        let size = card("Ida").len();
        let one = card("Ida");
        let bare = one.replace('\r', "");
        for (text, parts) in [
            (String::new(), vec![]),
            ("\r\n \n".into(), vec![]),
            (one.clone(), vec![format!("1 {size}")]),
            (one.clone() + "\r\n\n" + &one, vec![format!("1 {size}"), format!("7 {size}")]),
            (format!("\u{feff}{one}"), vec![format!("1 {}", size + 3)]),
            (bare.clone(), vec![format!("1 {}", size - 4)]),
            (bare.replace('\n', "\r") + &bare, vec![format!("1 {}", size - 4), format!("5 {}", size - 4)]),
            (bare.trim_end().into(), vec![format!("1 {}", size - 5)]),
            (one.to_lowercase(), vec![format!("1 {size}")]),
            (
                "hello\n".to_owned() + &one,
                vec![
                    "card 1, line 1: text that is part of no card; is this a vCard file in UTF-8?".into(),
                    format!("2 {size}"),
                ],
            ),
            (
                "BEGIN:VCARD\nFN:x\n".to_owned() + &one,
                vec!["card 1, line 1: the card has no END:VCARD".into(), format!("3 {size}")],
            ),
            (
                one.clone() + "BEGIN:VCARD\nFN:x",
                vec![format!("1 {size}"), "card 2, line 5: the card has no END:VCARD".into()],
            ),
        ] {
            for buffer in [1, 7, 8_192] {
                assert_eq!(read(text.as_bytes(), buffer), parts, "{text:?} {buffer}");
            }
        }
    }

    #[test]
    fn a_card_in_a_card_belongs_to_it() {
        let text = "BEGIN:VCARD\nVERSION:2.1\nFN:a\nAGENT:\nBEGIN:VCARD\nFN:b\nEND:VCARD\nEND:VCARD\n";
        let both = text.to_owned() + &card("c");
        assert_eq!(read(both.as_bytes(), 64).len(), 2);
    }

    #[test]
    fn a_large_card_is_left_out_and_the_next_read() {
        for (extra, whole) in [(0, true), (1, false)] {
            let frame = "BEGIN:VCARD\nVERSION:3.0\nFN:a\nNOTE:\nEND:VCARD\n".len();
            let note = "x".repeat(CARD_BYTES - frame + extra);
            let text = format!("BEGIN:VCARD\nVERSION:3.0\nFN:a\nNOTE:{note}\nEND:VCARD\n{}", card("b"));
            let parts = read(text.as_bytes(), 8_192);
            assert_eq!(parts.len(), 2);
            assert_eq!(parts[0].contains("larger"), !whole, "{}", parts[0]);
            assert!(parts[1].starts_with("6 "), "{}", parts[1]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_lines_end_in_cards_or_errors(choice in proptest::collection::vec(0_usize..8, 0..40), buffer in 1_usize..40) {
            let lines = ["BEGIN:VCARD\n", "END:VCARD\r\n", "FN:x\n", "AGENT:\n", "\n", " folded\n", "\u{0}", "\u{feff}"];
            let text: String = choice.into_iter().filter_map(|at| lines.get(at).copied()).collect();
            let parts = read(text.as_bytes(), buffer);
            proptest::prop_assert!(parts.len() <= text.matches('\n').count() + 1);
            proptest::prop_assert_eq!(&parts, &read(text.as_bytes(), 8_192));
        }
    }

    #[test]
    fn memory_holds_no_more_than_one_card() {
        let endless = BufReader::new(io::Read::take(io::repeat(b'x'), 3 * CARD_BYTES as u64));
        let mut cards = Cards { reader: endless, number: 0, line: 0, waiting: None, ended: false };
        let mut text = Vec::new();
        let (mark, head) = cards.read_line(&mut text).unwrap().unwrap();
        assert_eq!((mark, head.len(), text.len()), (Mark::Other, HEAD, CARD_BYTES + 1));
        assert!(cards.read_line(&mut text).unwrap().is_none());
    }

    #[test]
    fn a_reading_error_ends_the_file() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let parts: Vec<_> = import(BufReader::new(Broken)).collect();
        assert!(matches!(&parts[..], [Err(ImportError { problem: ImportProblem::Read(_), .. })]));
    }
}
