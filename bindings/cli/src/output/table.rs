//! Tables for people: columns as wide as their longest cell, cut to the terminal's width.

use super::{clean, heading};
use console::{Term, measure_text_width, truncate_str};

/// Blanks between columns.
const GAP: usize = 2;
/// No column is cut below this.
const LEAST: usize = 8;

/// A table under construction.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.iter().map(|cell| clean(cell)).collect());
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, cut to the width of the terminal if it goes to one.
    pub(crate) fn render(&self) -> String {
        let term = Term::stdout();
        let width = term.is_term().then(|| usize::from(term.size().1));
        self.render_in(width)
    }

    fn render_in(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let mut text = line(self.head.iter().map(|cell| (heading(cell), measure_text_width(cell))), &widths);
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let cut = truncate_str(cell, *width, "…").into_owned();
                let measured = measure_text_width(&cut);
                (cut, measured)
            });
            text.push_str(&line(cells, &widths));
        }
        text
    }

    fn widths(&self, width: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|cell| measure_text_width(cell)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        let Some(most) = width else { return widths };
        let gaps = GAP.saturating_mul(widths.len().saturating_sub(1));
        loop {
            let over = widths.iter().sum::<usize>().saturating_add(gaps).saturating_sub(most);
            let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > LEAST && over > 0) else {
                return widths;
            };
            *widest -= over.min(*widest - LEAST).div_ceil(2).max(1);
        }
    }
}

fn line(cells: impl Iterator<Item = (String, usize)>, widths: &[usize]) -> String {
    let mut text = String::new();
    for ((cell, measured), width) in cells.zip(widths) {
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(measured).saturating_add(GAP)));
    }
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::new(&["ID", "NAME"]);
        table.row(["1-0", "田中 さくら"]);
        table.row(["1-100", "Jörg"]);
        assert_eq!(table.render_in(None), "ID     NAME\n1-0    田中 さくら\n1-100  Jörg\n");
        let narrow = table.render_in(Some(16));
        assert!(
            narrow.lines().all(|line| measure_text_width(line) <= 16) && narrow.contains('…'),
            "{narrow}"
        );
    }
}
