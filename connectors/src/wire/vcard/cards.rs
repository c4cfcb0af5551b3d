//! The cards of a file that has many.

use super::charset::Source;
use super::line::lines;

/// The cards of a file, each from BEGIN to END as it stands there; what is between them is skipped.
///
/// A card without END goes up to the next BEGIN, or to the end.
pub fn cards(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let source = Source::new(bytes);
    let mut ends = Vec::new();
    let (mut at, mut start) = (0, None);
    for line in lines(&source.text) {
        if line.is_boundary(b"BEGIN")
            && let Some(open) = start.replace(at)
        {
            ends.push((open, at));
        }
        if line.is_boundary(b"END")
            && let Some(open) = start.take()
        {
            ends.push((open, at + line.body));
        }
        at += line.raw.len();
    }
    if let Some(open) = start {
        ends.push((open, at));
    }
    let mut places = source.places();
    let mut found = Vec::with_capacity(ends.len());
    for (start, end) in ends {
        places.advance(start);
        found.push(places.advance(end));
    }
    found.into_iter()
}
