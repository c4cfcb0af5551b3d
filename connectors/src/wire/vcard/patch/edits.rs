//! What happens to each line of a card, and the bytes that come of it.

use super::super::charset::Source;
use super::super::compose::Groups;
use super::super::decode::Card;
use super::super::fresh::Fresh;
use super::super::line::Line;
use super::super::render::Style;
use std::collections::BTreeMap;

/// Edits of the lines of one card, by their places.
pub(super) struct Edits {
    /// New bytes for a line; none to remove it. Lines that are not here stay.
    lines: BTreeMap<usize, Vec<u8>>,
    /// New lines after a line.
    after: BTreeMap<usize, Vec<u8>>,
    /// New lines at the end of the card.
    end: Vec<u8>,
    count: usize,
}

impl Edits {
    pub(super) fn new(count: usize) -> Self {
        Self { lines: BTreeMap::new(), after: BTreeMap::new(), end: Vec::new(), count }
    }

    /// Other bytes in place of a line; blank lines that follow it stay.
    pub(super) fn replace(&mut self, at: usize, line: &Line<'_>, mut bytes: Vec<u8>) {
        let tail = line.raw.get(line.body..).unwrap_or(&[]);
        let ends_blank = bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n") || bytes.ends_with(b"\r\r");
        if tail.trim_ascii().is_empty() && !ends_blank {
            bytes.extend_from_slice(tail);
        }
        self.lines.insert(at, bytes);
    }

    /// Other bytes in place of a line and all that belongs to it.
    pub(super) fn put(&mut self, at: usize, bytes: Vec<u8>) {
        self.lines.insert(at, bytes);
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.lines.insert(at, Vec::new());
    }

    /// Adds lines after a line, behind those already added there.
    pub(super) fn insert_after(&mut self, at: usize, bytes: &[u8]) {
        self.after.entry(at).or_default().extend_from_slice(bytes);
    }

    /// Adds lines at the end of the card.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.end.extend_from_slice(bytes);
    }

    /// Adds a new line at the end of the card.
    pub(super) fn append(&mut self, fresh: Fresh, groups: &mut Groups, style: Style) {
        groups.write(&mut self.end, &fresh, style);
    }

    /// The bytes of the whole file with the edits made.
    pub(super) fn apply(&self, source: &Source<'_>, card: &Card<'_>, line_end: &[u8]) -> Vec<u8> {
        let mut places = source.places();
        let mut out =
            Output { bytes: Vec::with_capacity(source.text.len() + 256), ended: true, source, line_end };
        out.bytes.extend_from_slice(places.advance(card.start));
        let mut at = card.start;
        for (index, line) in card.lines.iter().enumerate() {
            let is_end = index + 1 == self.count && line.is_boundary(b"END");
            if is_end {
                out.add(&self.end);
            }
            at += line.raw.len();
            let original = places.advance(at);
            match self.lines.get(&index) {
                Some(bytes) => out.add(bytes),
                None => out.keep(original, line.raw),
            }
            if let Some(bytes) = self.after.get(&index) {
                out.add(bytes);
            }
            if index + 1 == self.count && !is_end {
                out.add(&self.end);
            }
        }
        out.bytes.extend_from_slice(places.advance(source.text.len()));
        out.bytes
    }
}

struct Output<'o> {
    bytes: Vec<u8>,
    /// Whether the last line has its line end.
    ended: bool,
    source: &'o Source<'o>,
    line_end: &'o [u8],
}

impl Output<'_> {
    fn keep(&mut self, original: &[u8], text: &[u8]) {
        self.end_line();
        self.bytes.extend_from_slice(original);
        self.ended = text.ends_with(b"\n") || text.ends_with(b"\r");
    }

    fn add(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.end_line();
        self.source.layout.append(&mut self.bytes, text);
        self.ended = text.ends_with(b"\n") || text.ends_with(b"\r");
    }

    fn end_line(&mut self) {
        if !self.ended {
            self.source.layout.append(&mut self.bytes, self.line_end);
            self.ended = true;
        }
    }
}

/// What ends the lines of a card: what ends its first.
pub(super) fn line_end(card: &Card<'_>) -> &'static [u8] {
    let first = card.lines.first().map(|line| line.raw.get(..line.body).unwrap_or(line.raw)).unwrap_or(&[]);
    match first {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        [.., b'\r'] => b"\r",
        _ => b"\r\n",
    }
}
