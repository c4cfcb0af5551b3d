//! Rewriting one line of a list: only what differs, keeping parameters the model does not know.

use super::super::CardVersion;
use super::super::decode::Claim;
use super::super::fresh::{self, Fresh, types_and_label, write_label, write_types};
use super::super::label::Label;
use super::super::line::{Line, Transfer};
use super::super::name::Name;
use super::super::params::Param;
use super::{Patch, says};
use acquaint_core::contact::{Element, Field, Value};

impl Patch<'_, '_> {
    /// The bytes of a line as it shall be, with the line of a new label; `None` when it already is so.
    pub(super) fn row(&mut self, field: &Field, at: usize, elements: &[&Element]) -> Option<Vec<u8>> {
        let line = self.card.lines.get(at)?;
        let name = *self.card.names.get(at)?;
        let Some(Claim::Elements(_, first, count)) = self.reading.claims.get(at) else { return None };
        let old = self.reading.decoded.contact.list(field).get(*first..first + count)?;
        if old.len() == elements.len() && old.iter().zip(elements).all(|(old, new)| old == *new) {
            return None;
        }
        let fresh = fresh::element(field, elements, Some(name), self.style.version)?;
        let rewritten = match field {
            Field::Extra => None,
            _ => self.rewrite(field, at, line, name, old, elements, &fresh),
        };
        let bytes = match rewritten {
            Some(bytes) => bytes,
            None => {
                self.drop_label(line);
                let fresh = fresh::element(field, elements, None, self.style.version)?;
                let mut bytes = Vec::new();
                self.groups.write(&mut bytes, &fresh, self.style);
                bytes
            }
        };
        Some(bytes)
    }

    #[allow(clippy::too_many_arguments)]
    fn rewrite(
        &mut self,
        field: &Field,
        at: usize,
        line: &Line<'_>,
        name: Name,
        old: &[Element],
        elements: &[&Element],
        fresh: &Fresh,
    ) -> Option<Vec<u8>> {
        let version = self.style.version;
        let element = *elements.first()?;
        let same_value = old.len() == elements.len()
            && old.iter().zip(elements).all(|(old, new)| old.content == new.content)
            && line.transfer == Transfer::Plain;
        let entry = self.reading.labels.of_line(line).filter(|entry| entry.uses > 0);
        let hidden = hidden_types(line, name);
        let (types, label) = wanted(line, name, element, entry.map(|entry| &entry.label), &hidden);
        let mut params = retype(line, &types, &hidden, element.pref, version, |param| {
            same_value || !(value_params(param) || stale_params(param))
        });
        if !same_value {
            params.extend_from_slice(&fresh.params);
        }
        // Where the label goes.
        let group_has_label = entry.is_some();
        let shared = entry.is_some_and(|entry| self.uses.get(entry.line).is_some_and(|uses| *uses > 1));
        let mut group = line.group().to_vec();
        let mut new_label = None;
        let mut relabel = None;
        match (&label, entry) {
            (None, Some(_)) if shared => group.clear(),
            (None, _) => {}
            (Some(label), Some(entry)) if entry.label == *label => {}
            (Some(label), Some(entry)) if !shared => relabel = Some((entry.line, label)),
            (Some(label), _) => {
                if group.is_empty() || group_has_label {
                    group = self.groups.free().into_bytes();
                }
                new_label = Some(label);
            }
        }
        let mut bytes = Vec::new();
        if same_value {
            self.style.raw_line(&mut bytes, &group, line.name(), &params, line.value());
        } else {
            self.style.line(&mut bytes, &group, line.name(), &params, &fresh.value);
        }
        let value = Value::List(elements.iter().map(|element| (*element).clone()).collect());
        if !says(&bytes, label.as_ref(), version, field, Some(&value)) {
            return None;
        }
        let tail = line.raw.get(line.body..).unwrap_or(&[]);
        if tail.trim_ascii().is_empty() && line.transfer != Transfer::Base64 {
            bytes.extend_from_slice(tail);
        }
        match (relabel, entry) {
            (Some((at, label)), _) => {
                let value = super::escaped(&label.text(), super::Kind::Text, version);
                self.replace_value(at, &value, b"");
            }
            (None, Some(_)) if label.is_none() || new_label.is_some() => self.drop_label(line),
            _ => {}
        }
        if let Some(label) = new_label {
            write_label(&mut bytes, &group, label, self.style);
        }
        let _ = at;
        Some(bytes)
    }

    /// Lets go of the label of a line; removes it when it names nothing else.
    fn drop_label(&mut self, line: &Line<'_>) {
        let Some(entry) = self.reading.labels.of_line(line) else { return };
        let Some(uses) = self.uses.get_mut(entry.line) else { return };
        *uses = uses.saturating_sub(1);
        if *uses == 0 && self.reading.claims.get(entry.line) == Some(&Claim::Label) {
            self.edits.remove(entry.line);
        }
    }
}

/// The parameters of a line that pass, as written.
pub(super) fn keep_params(line: &Line<'_>, keep: impl Fn(&Param<'_>) -> bool) -> Vec<u8> {
    line.params().filter(|param| keep(param)).flat_map(|param| param.raw.iter().copied()).collect()
}

/// Parameters that say how the value is written, and change with it.
pub(super) fn value_params(param: &Param<'_>) -> bool {
    param.is_encoding()
        || ["CHARSET", "VALUE", "X-APPLE-OMIT-YEAR", "X-ABCROP-RECTANGLE", "X-SERVICE-TYPE", "SERVICE-TYPE"]
            .iter()
            .any(|name| param.is(name))
}

/// Parameters that say the value once more, and are wrong when it changed.
fn stale_params(param: &Param<'_>) -> bool {
    ["LABEL", "GEO", "TZ", "CC", "X-USER", "USERNAME", "X-DISPLAYNAME", "X-USERID"]
        .iter()
        .any(|name| param.is(name))
}

/// Types of a line that the model does not show as tags: they stay whatever the tags are.
fn hidden_types(line: &Line<'_>, name: Name) -> Vec<String> {
    let types = line.params().filter(Param::is_type).flat_map(|param| param.values());
    let mut types = types.map(|value| String::from_utf8_lossy(value).to_lowercase());
    match name {
        Name::Email => vec!["internet".to_owned()],
        Name::XSocialProfile if !line.params().any(|p| p.is("X-SERVICE-TYPE") || p.is("SERVICE-TYPE")) => {
            types
                .find(|tag| tag != "pref" && !super::super::decode::STANDARD_TYPES.contains(&tag.as_str()))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The types and the label that say an element's tags and label, staying with what the line already has.
fn wanted(
    line: &Line<'_>,
    name: Name,
    element: &Element,
    label: Option<&Label>,
    hidden: &[String],
) -> (Vec<String>, Option<Label>) {
    let types = line.params().filter(Param::is_type).flat_map(|param| param.values());
    let has: Vec<String> = types.map(|value| String::from_utf8_lossy(value).to_lowercase()).collect();
    let is_new = |tag: &String| !has.contains(tag) || hidden.contains(tag);
    if let (None, Some(Label::Builtin(tag))) = (&element.label, label)
        && element.tags.contains(tag)
    {
        let types = element.tags.iter().filter(|other| *other != tag || !is_new(other));
        return (types.cloned().collect(), label.cloned());
    }
    let implied = match name {
        Name::XRelation(tag) => Some(tag),
        _ => None,
    };
    let property = String::from_utf8_lossy(line.name()).to_uppercase();
    let (mut types, mut label) = types_and_label(&property, element, implied);
    if let Some(Label::Builtin(tag)) = &label
        && !is_new(tag)
    {
        types.push(tag.clone());
        label = None;
    }
    (types, label)
}

/// The parameters of a line with other types and preference; what stays keeps its spelling.
fn retype(
    line: &Line<'_>,
    types: &[String],
    hidden: &[String],
    pref: Option<u8>,
    version: CardVersion,
    keep: impl Fn(&Param<'_>) -> bool,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut missing: Vec<&String> = types.iter().collect();
    let mut said_pref = false;
    let has_pref = line.params().any(|p| p.is("PREF"));
    for param in line.params() {
        if param.is_type() {
            let stays = |value: &[u8]| {
                let tag = String::from_utf8_lossy(value).to_lowercase();
                if tag == "pref" {
                    return pref == Some(1) && !(has_pref && version == CardVersion::V40);
                }
                types.contains(&tag) || hidden.contains(&tag)
            };
            let kept: Vec<&[u8]> = param.values().filter(|value| stays(value)).collect();
            for value in &kept {
                let tag = String::from_utf8_lossy(value).to_lowercase();
                said_pref |= tag == "pref";
                missing.retain(|other| **other != tag);
            }
            if kept.len() == param.values().count() {
                out.extend_from_slice(param.raw);
            } else if !kept.is_empty() {
                out.push(b';');
                out.extend_from_slice(param.name);
                out.push(b'=');
                let quote: &[u8] = if param.value.contains(&b'"') { b"\"" } else { b"" };
                out.extend_from_slice(quote);
                out.extend_from_slice(&kept.join(&b','));
                out.extend_from_slice(quote);
            }
        } else if param.is("PREF") {
            if pref.is_some_and(|pref| param.text(true).parse() == Ok(pref)) && !said_pref {
                said_pref = true;
                out.extend_from_slice(param.raw);
            }
        } else if keep(&param) {
            out.extend_from_slice(param.raw);
        }
    }
    let pref = pref.filter(|_| !said_pref);
    write_types(&mut out, missing.into_iter().map(String::as_str), pref, version);
    out
}
