//! The labels of a card: which lines each of them names.

use super::super::date;
use super::super::error::CardError;
use super::super::label::Label;
use super::super::line::Line;
use super::super::name::Name;
use super::super::text::unescape;
use super::{Card, text};
use acquaint_core::contact::Value;
use std::cmp::Ordering;

/// The labels of a card by their groups.
#[derive(Default)]
pub(in super::super) struct Labels {
    /// Sorted by group.
    entries: Vec<LabelEntry>,
}

/// The label of one group.
pub(in super::super) struct LabelEntry {
    /// In lower case.
    group: Vec<u8>,
    /// The line it stands in.
    pub(in super::super) line: usize,
    /// What it says.
    pub(in super::super) label: Label,
    /// How many lines it names.
    pub(in super::super) uses: usize,
}

impl Labels {
    /// Finds the labels of a card and counts what they name. The first of several in one group counts.
    pub(super) fn of(card: &Card<'_>) -> Result<Self, CardError> {
        let mut labels = Self::default();
        if !card.has_labels {
            return Ok(labels);
        }
        for (index, (line, name)) in card.lines.iter().zip(&card.names).enumerate() {
            if *name == Name::Label && !line.group().is_empty() {
                let text = text(line)?;
                if let Some(label) = Label::read(&unescape(&text)) {
                    let group = line.group().to_ascii_lowercase();
                    labels.entries.push(LabelEntry { group, line: index, label, uses: 0 });
                }
            }
        }
        labels.entries.sort_by(|a, b| a.group.cmp(&b.group).then(a.line.cmp(&b.line)));
        labels.entries.dedup_by(|later, first| later.group == first.group);
        for (line, name) in card.lines.iter().zip(&card.names) {
            if line.group().is_empty() || !name.takes_label() {
                continue;
            }
            let Some(entry) = labels.find(line.group()).and_then(|at| labels.entries.get_mut(at)) else {
                continue;
            };
            // A date that is none is a property like any other, unless it is the anniversary.
            let names = match name {
                Name::XAbDate if entry.label.is_anniversary() => true,
                Name::XAbDate => {
                    text(line).is_ok_and(|t| matches!(date::read(line, &unescape(&t)), Value::Date(_)))
                }
                _ => !line.value().is_empty(),
            };
            entry.uses += usize::from(names);
        }
        Ok(labels)
    }

    /// The label of a line's group.
    pub(in super::super) fn of_line(&self, line: &Line<'_>) -> Option<&LabelEntry> {
        if self.entries.is_empty() || line.group().is_empty() {
            return None;
        }
        self.entries.get(self.find(line.group())?)
    }

    fn find(&self, group: &[u8]) -> Option<usize> {
        let order = |entry: &LabelEntry| -> Ordering {
            entry.group.iter().copied().cmp(group.iter().map(u8::to_ascii_lowercase))
        };
        self.entries.binary_search_by(order).ok()
    }
}
