//! Patching a list: each row of it is a line, with one element, or with several where commas separate them.

use super::super::decode::Claim;
use super::super::fresh;
use super::super::name::Name;
use super::Patch;
use super::matching::{pair, rising};
use acquaint_core::contact::{Contact, Content, Element, Field};
use std::collections::BTreeSet;

/// A line of the list as it shall be.
pub(super) struct Row<'e> {
    /// The line whose place it takes.
    pub(super) line: Option<usize>,
    /// What it says.
    pub(super) elements: Vec<&'e Element>,
}

impl Row<'_> {
    /// Whether this is a property with a name that the model knows.
    fn has_known_name(&self) -> bool {
        self.elements.iter().any(|element| match &element.content {
            Content::Property(property) => {
                !matches!(Name::of(property.name.as_bytes()), Name::Other | Name::Label)
            }
            _ => false,
        })
    }
}

impl<'p> Patch<'p, '_> {
    pub(super) fn list(&mut self, field: &Field) {
        let rows = self.rows(field);
        let mut stays = rising(&rows.iter().map(|row| row.line).collect::<Vec<_>>());
        // Of several TITLE the first is the title, the others are properties like any other: a property with such a
        // name must not get in front of the first.
        let to_end = *field == Field::Extra
            && rows.iter().zip(&stays).any(|(row, stays)| !stays && row.has_known_name());
        if to_end {
            let moved = rows
                .windows(2)
                .position(|pair| matches!(pair, [a, b] if b.line.is_none() || b.line < a.line));
            let kept = if rows.first().is_some_and(|row| row.line.is_none()) {
                0
            } else {
                moved.map_or(0, |at| at + 1)
            };
            stays = (0..rows.len()).map(|at| at < kept).collect();
        }
        let kept: BTreeSet<usize> = rows.iter().filter_map(|row| row.line).collect();
        for (at, claim) in self.reading.claims.iter().enumerate() {
            if matches!(claim, Claim::Elements(of, ..) if of == field) && !kept.contains(&at) {
                self.remove(at);
            }
        }
        // The first row that stays is where rows before it go, in front of it.
        let first = rows.iter().zip(&stays).find(|(_, stays)| **stays).and_then(|(row, _)| row.line);
        let last_old =
            self.reading.claims.iter().rposition(|c| matches!(c, Claim::Elements(of, ..) if of == field));
        let mut anchor = match first {
            Some(line) => line.checked_sub(1),
            None => last_old,
        };
        for (row, stays) in rows.iter().zip(stays) {
            if to_end && !stays {
                anchor = None;
            }
            let Some(line) = row.line else {
                self.insert(anchor, field, &row.elements);
                continue;
            };
            let bytes = self.row(field, line, &row.elements);
            if stays {
                if let Some(bytes) = bytes {
                    self.edits.put(line, bytes);
                }
                anchor = Some(self.end_of(line));
            } else {
                let raw = self.card.lines.get(line).map(|line| line.raw.to_vec()).unwrap_or_default();
                self.edits.remove(line);
                let mut bytes = bytes.unwrap_or(raw);
                if !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r") {
                    bytes.extend_from_slice(self.style.line_end);
                }
                self.insert_bytes(anchor, &bytes);
            }
        }
    }

    /// The rows as they shall be, each with the old line it continues.
    fn rows(&self, field: &Field) -> Vec<Row<'p>> {
        let target: &'p Contact = self.target;
        let old = self.reading.decoded.contact.list(field);
        let new = target.list(field);
        let mut line_of = vec![0; old.len()];
        for (at, claim) in self.reading.claims.iter().enumerate() {
            if let Claim::Elements(of, first, count) = claim
                && of == field
            {
                line_of.iter_mut().skip(*first).take(*count).for_each(|line| *line = at);
            }
        }
        let (old, new): (Vec<&Element>, Vec<&Element>) = (old.iter().collect(), new.iter().collect());
        let pairs = pair(field, &old, &new);
        let lines = pairs.iter().map(|pair| pair.and_then(|place| line_of.get(place).copied()));
        if !matches!(field, Field::Nicknames | Field::Categories) {
            return new
                .into_iter()
                .zip(lines)
                .map(|(element, line)| Row { line, elements: vec![element] })
                .collect();
        }
        let mut rows: Vec<Row<'p>> = Vec::new();
        let mut used = BTreeSet::new();
        for (element, line) in new.into_iter().zip(lines) {
            let joins = |row: &&mut Row<'p>| {
                let alike = row.elements.last().is_some_and(|other| !other.differs_in_detail(element));
                alike && (line.is_none() || row.line == line)
            };
            match rows.last_mut().filter(joins) {
                Some(row) => row.elements.push(element),
                None => {
                    let line = line.filter(|line| used.insert(*line));
                    rows.push(Row { line, elements: vec![element] });
                }
            }
        }
        rows
    }

    /// Where what follows a line goes: after the line of its label, if that comes next.
    fn end_of(&self, line: usize) -> usize {
        let label = self.card.lines.get(line).and_then(|line| self.reading.labels.of_line(line));
        match label {
            Some(entry)
                if entry.line == line + 1 && self.reading.claims.get(entry.line) == Some(&Claim::Label) =>
            {
                entry.line
            }
            _ => line,
        }
    }

    fn insert(&mut self, anchor: Option<usize>, field: &Field, elements: &[&Element]) {
        if let Some(fresh) = fresh::element(field, elements, None, self.style.version) {
            let mut bytes = Vec::new();
            self.groups.write(&mut bytes, &fresh, self.style);
            self.insert_bytes(anchor, &bytes);
        }
    }

    fn insert_bytes(&mut self, anchor: Option<usize>, bytes: &[u8]) {
        match anchor {
            Some(at) => self.edits.insert_after(at, bytes),
            None => self.edits.push(bytes),
        }
    }
}
