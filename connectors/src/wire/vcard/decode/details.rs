//! What the parameters of a line say: types, preference, service, character set.

use super::super::CardVersion;
use super::super::label::Label;
use super::super::line::Line;
use super::super::params;
use super::super::service;
use acquaint_core::contact::{Content, Element};
use std::collections::BTreeSet;

/// The parameters that matter to an element.
#[derive(Default)]
pub(super) struct Details<'l> {
    /// Types in lower case.
    pub(super) tags: BTreeSet<String>,
    pub(super) pref: Option<u8>,
    pub(super) charset: Option<&'l [u8]>,
    /// Whether the value is said to be a URI.
    pub(super) uri: bool,
    pub(super) service: Option<String>,
    pub(super) user: Option<String>,
}

/// Types that never name the service of a social profile.
pub(in super::super) const STANDARD_TYPES: [&str; 4] = ["home", "work", "other", "internet"];

impl<'l> Details<'l> {
    /// Reads the parameters of a line; the type `hidden` is taken for granted.
    pub(super) fn of(line: &'l Line<'_>, hidden: &[u8], version: CardVersion) -> Self {
        let caret = version == CardVersion::V40;
        let mut details = Self::default();
        let mut preferred = false;
        for param in line.params() {
            if param.is_type() {
                for value in param.values() {
                    if value.eq_ignore_ascii_case(b"pref") {
                        preferred = true;
                    } else if !value.eq_ignore_ascii_case(hidden) {
                        details.tags.insert(tag(value, caret));
                    }
                }
            } else if param.is("PREF") {
                let pref = param.text(caret).parse().ok().filter(|pref| (1..=100).contains(pref));
                details.pref = pref.or(details.pref);
            } else if param.is("CHARSET") {
                details.charset = Some(param.value.trim_ascii());
            } else if param.is("VALUE") {
                details.uri = param.value.trim_ascii().eq_ignore_ascii_case(b"uri");
            } else if param.is("X-SERVICE-TYPE") || param.is("SERVICE-TYPE") {
                details.service = Some(service::canonical(&param.text(caret)));
            } else if param.is("X-USER") || param.is("USERNAME") {
                details.user = Some(param.text(caret).into_owned());
            }
        }
        if preferred && details.pref.is_none() {
            details.pref = Some(1);
        }
        details
    }

    /// Takes the first type that is none of the usual ones: in `X-SOCIALPROFILE;type=twitter` it is the service.
    pub(super) fn service_by_type(&mut self, line: &Line<'_>, version: CardVersion) {
        let types = line.params().filter(params::Param::is_type).flat_map(|param| param.values());
        let mut tags = types.map(|value| tag(value, version == CardVersion::V40));
        if let Some(first) = tags.find(|tag| tag != "pref" && !STANDARD_TYPES.contains(&tag.as_str())) {
            self.tags.remove(&first);
            self.service = Some(service::canonical(&first));
        }
    }

    /// An element with these details.
    pub(super) fn element(self, content: Content, label: Option<&Label>) -> Element {
        let Self { mut tags, pref, .. } = self;
        let label = match label {
            Some(Label::Custom(text)) => Some(text.clone()),
            Some(Label::Builtin(tag)) => {
                tags.insert(tag.clone());
                None
            }
            None => None,
        };
        Element { id: 0, content, label, tags, pref }
    }
}

fn tag(value: &[u8], caret: bool) -> String {
    if value.is_ascii() && !(caret && value.contains(&b'^')) {
        return value.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
    }
    params::decode(value, caret).to_lowercase()
}
