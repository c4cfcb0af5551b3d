//! Filters of addressbook-query (RFC 6352 section 10.5).

use super::card;
use super::xml::{CARD, Node};

/// A filter: tests of properties, joined by any or all.
pub(super) struct Filter {
    all: bool,
    tests: Vec<PropertyTest>,
}

struct PropertyTest {
    name: String,
    all: bool,
    checks: Vec<Check>,
}

enum Check {
    /// The property is not there.
    Absent,
    Value(TextMatch),
    /// A parameter: none is there, or one that matches, or one of any value.
    NoParameter(String),
    Parameter(String, Option<TextMatch>),
}

struct TextMatch {
    text: String,
    fold: Fold,
    kind: Kind,
    negate: bool,
}

#[derive(Clone, Copy)]
enum Fold {
    Octet,
    Ascii,
    Unicode,
}

#[derive(Clone, Copy)]
enum Kind {
    Equals,
    Contains,
    Starts,
    Ends,
}

impl Filter {
    /// Reads the filter of a report; none if there is no filter, or a part of it is unknown.
    pub(super) fn read(report: &Node) -> Option<Self> {
        let node = report.child(CARD, "filter")?;
        let tests: Option<Vec<PropertyTest>> = node.children.iter().map(property_test).collect();
        Some(Self { all: is_all(node)?, tests: tests? })
    }

    /// Whether a card passes. A filter without tests lets every card through.
    pub(super) fn matches(&self, card: &[u8]) -> bool {
        let text = String::from_utf8_lossy(card);
        let text = card::unfold(&text);
        self.tests.is_empty() || join(self.all, self.tests.iter().map(|test| test.matches(&text)))
    }
}

fn join(all: bool, mut results: impl Iterator<Item = bool>) -> bool {
    if all { results.all(|result| result) } else { results.any(|result| result) }
}

fn is_all(node: &Node) -> Option<bool> {
    match node.attribute("test") {
        None | Some("anyof") => Some(false),
        Some("allof") => Some(true),
        Some(_) => None,
    }
}

fn property_test(node: &Node) -> Option<PropertyTest> {
    if !node.is(CARD, "prop-filter") {
        return None;
    }
    let checks: Option<Vec<Check>> = node.children.iter().map(check).collect();
    Some(PropertyTest { name: node.attribute("name")?.to_owned(), all: is_all(node)?, checks: checks? })
}

fn check(node: &Node) -> Option<Check> {
    match node.name.pair() {
        (CARD, "is-not-defined") => Some(Check::Absent),
        (CARD, "text-match") => Some(Check::Value(text_match(node)?)),
        (CARD, "param-filter") => {
            let name = node.attribute("name")?.to_owned();
            match node.children.as_slice() {
                [] => Some(Check::Parameter(name, None)),
                [only] if only.is(CARD, "is-not-defined") => Some(Check::NoParameter(name)),
                [only] if only.is(CARD, "text-match") => {
                    Some(Check::Parameter(name, Some(text_match(only)?)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn text_match(node: &Node) -> Option<TextMatch> {
    let fold = match node.attribute("collation") {
        None | Some("default" | "i;unicode-casemap") => Fold::Unicode,
        Some("i;ascii-casemap") => Fold::Ascii,
        Some("i;octet") => Fold::Octet,
        Some(_) => return None,
    };
    let kind = match node.attribute("match-type") {
        None | Some("contains") => Kind::Contains,
        Some("equals") => Kind::Equals,
        Some("starts-with") => Kind::Starts,
        Some("ends-with") => Kind::Ends,
        Some(_) => return None,
    };
    let negate = node.attribute("negate-condition") == Some("yes");
    Some(TextMatch { text: fold.apply(&node.text), fold, kind, negate })
}

impl Fold {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Octet => text.to_owned(),
            Self::Ascii => text.to_ascii_lowercase(),
            Self::Unicode => text.to_lowercase(),
        }
    }
}

impl PropertyTest {
    fn matches(&self, text: &str) -> bool {
        let found = card::values(text, &self.name);
        if self.checks.is_empty() {
            return !found.is_empty();
        }
        join(
            self.all,
            self.checks.iter().map(|check| match check {
                Check::Absent => found.is_empty(),
                Check::Value(wanted) => found.iter().any(|(_, value)| wanted.matches(value)),
                Check::NoParameter(name) => {
                    found.iter().any(|(parameters, _)| parameter_values(parameters, name).next().is_none())
                }
                Check::Parameter(name, wanted) => {
                    found.iter().flat_map(|(parameters, _)| parameter_values(parameters, name)).any(|value| {
                        wanted.as_ref().is_none_or(|wanted| value.split(',').any(|part| wanted.matches(part)))
                    })
                }
            }),
        )
    }
}

fn parameter_values<'a>(parameters: &'a [&'a str], name: &'a str) -> impl Iterator<Item = &'a str> {
    parameters
        .iter()
        .filter_map(|parameter| parameter.split_once('='))
        .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

impl TextMatch {
    fn matches(&self, value: &str) -> bool {
        let value = self.fold.apply(value);
        let hit = match self.kind {
            Kind::Equals => value == self.text,
            Kind::Contains => value.contains(&self.text),
            Kind::Starts => value.starts_with(&self.text),
            Kind::Ends => value.ends_with(&self.text),
        };
        hit != self.negate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testserver::xml;

    const IDA: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ida Ärmel\r\nitem1.EMAIL;TYPE=work,pref:ida@x.exam\r\n \
        ple\r\nTEL:1\r\nEND:VCARD\r\n";

    fn passes(filter: &str) -> Option<bool> {
        let body = format!("<q xmlns='{CARD}'>{filter}</q>");
        Filter::read(&xml::parse(body.as_bytes()).unwrap()).map(|filter| filter.matches(IDA.as_bytes()))
    }

    #[test]
    fn filters_find_what_they_should() {
        let yes = [
            "<filter/>",
            "<filter><prop-filter name='TEL'/></filter>",
            "<filter><prop-filter name='FN'><text-match>ÄRM</text-match></prop-filter></filter>",
            "<filter><prop-filter name='email'><text-match match-type='ends-with'>example</text-match></prop-filter></filter>",
            "<filter><prop-filter name='NOTE'><is-not-defined/></prop-filter></filter>",
            "<filter><prop-filter name='EMAIL'><param-filter name='type'><text-match match-type='equals'>PREF</text-match></param-filter></prop-filter></filter>",
            "<filter><prop-filter name='NOTE'/><prop-filter name='TEL'/></filter>",
            "<filter><prop-filter name='TEL'><param-filter name='TYPE'><is-not-defined/></param-filter></prop-filter></filter>",
            "<filter><prop-filter name='TEL'><text-match negate-condition='yes'>2</text-match></prop-filter></filter>",
        ];
        let no = [
            "<filter test='allof'><prop-filter name='NOTE'/><prop-filter name='TEL'/></filter>",
            "<filter><prop-filter name='FN'><text-match collation='i;ascii-casemap'>ä</text-match></prop-filter></filter>",
            "<filter><prop-filter name='FN'><text-match collation='i;octet'>ida</text-match></prop-filter></filter>",
            "<filter><prop-filter name='FN'><text-match match-type='equals'>Ida</text-match></prop-filter></filter>",
            "<filter><prop-filter name='FN' test='allof'><text-match>ida</text-match><text-match>xyz</text-match></prop-filter></filter>",
        ];
        for filter in yes {
            assert_eq!(passes(filter), Some(true), "{filter}");
        }
        for filter in no {
            assert_eq!(passes(filter), Some(false), "{filter}");
        }
        let unknown =
            ["", "<filter><other/></filter>", "<filter test='x'/>", "<filter><prop-filter/></filter>"];
        for filter in unknown {
            assert_eq!(passes(filter), None, "{filter}");
        }
    }
}
