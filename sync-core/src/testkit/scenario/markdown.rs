//! The lines of a file that belong to scenarios.

/// A line with its number, from 1.
pub(super) type NumberedLine<'a> = (usize, &'a str);

/// Every line.
pub(super) fn all_lines(text: &str) -> Vec<NumberedLine<'_>> {
    text.lines().enumerate().map(|(place, line)| (place.saturating_add(1), line)).collect()
}

/// The lines within fenced code blocks (CommonMark section 4.5) whose info string begins with `scenario`. Blocks of
/// other kinds may show such a block and are passed over.
///
/// # Errors
/// The line and the problem, when a block is not closed.
pub(super) fn lines(text: &str) -> Result<Vec<NumberedLine<'_>>, (usize, String)> {
    let mut within: Option<Fence> = None;
    let mut lines = Vec::new();
    for (number, line) in all_lines(text) {
        let fence = Fence::read(number, line);
        match (&within, fence) {
            (None, fence) => within = fence,
            (Some(open), Some(fence)) if open.is_closed_by(&fence) => within = None,
            (Some(open), _) if open.info == "scenario" => lines.push((number, line)),
            (Some(_), _) => {}
        }
    }
    match within {
        Some(open) if open.info == "scenario" => Err((
            open.line,
            format!("expected a closing {} of this block", open.mark.to_string().repeat(open.length)),
        )),
        _ => Ok(lines),
    }
}

struct Fence<'a> {
    line: usize,
    mark: char,
    length: usize,
    /// The first word of the info string.
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn read(line: usize, text: &'a str) -> Option<Self> {
        let text = text.trim_start();
        let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        // Both marks are one byte long.
        let length = text.len().saturating_sub(info.len());
        (length >= 3).then(|| Self { line, mark, length, info: info.split_whitespace().next().unwrap_or("") })
    }

    fn is_closed_by(&self, other: &Fence<'_>) -> bool {
        other.mark == self.mark && other.length >= self.length && other.info.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scenario_blocks_count() {
        let text =
            "a\n```scenario\nb\n```\n````text\n```scenario\nc\n```\n````\n~~~ scenario x\nd\n```\n~~~\n";
        assert_eq!(lines(text), Ok(vec![(3, "b"), (11, "d"), (12, "```")]));
        assert_eq!(lines("x\n```scenario\ny\n").map_err(|(line, _)| line), Err(2));
    }
}
