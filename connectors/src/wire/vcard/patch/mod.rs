//! Writing changed fields into an existing card: only their lines are rewritten.

mod edits;
mod list;
mod matching;
mod row;

use super::CardVersion;
use super::charset::Source;
use super::compose::{self, Groups};
use super::decode::{Card, Claim, Reading, read_alone, text};
use super::error::CardError;
use super::fresh::{self, Fresh};
use super::full_name::{Composition, full_name};
use super::label::Label;
use super::line::lines;
use super::name::Name;
use super::render::Style;
use super::text::{Kind, escaped, split, unescape};
use acquaint_core::contact::{Blob, Contact, Field, Shape, Value};
use acquaint_core::source::ItemKind;
use edits::Edits;
use row::{keep_params, value_params};
use std::borrow::Cow;

/// Writes the `changed` fields of `contact` into the first card of `raw`; every other line stays byte for byte.
///
/// Lines of elements that did not change stay too, as do parameters the model does not know on lines whose label or
/// types changed. A changed name carries the full name along if that only says what the other names say. REV is left
/// alone. New lines end like the card's own; in vCard 2.1 they are quoted-printable where they have to be.
///
/// # Errors
/// When `raw` cannot be decoded, or the photo changed and its bytes are not in `blobs`.
pub fn patch(raw: &[u8], contact: &Contact, changed: &[Field], blobs: &[Blob]) -> Result<Vec<u8>, CardError> {
    rewrite(raw, contact, changed, blobs, None)
}

/// The same, and gives the card a UID.
pub(super) fn rewrite(
    raw: &[u8],
    contact: &Contact,
    changed: &[Field],
    blobs: &[Blob],
    uid: Option<&str>,
) -> Result<Vec<u8>, CardError> {
    let source = Source::new(raw);
    let card = Card::find(&source.text)?;
    let reading = card.read()?;
    let mut target = reading.decoded.contact.clone();
    for field in changed {
        target.put(field.clone(), contact.get(field).cloned());
    }
    let mut fields = target.changed_fields(&reading.decoded.contact);
    fields.retain(|field| changed.contains(field));
    let groups = Groups::new(card.lines.iter().map(|line| line.group().to_vec()));
    let style = Style { version: card.version, line_end: edits::line_end(&card) };
    let uses = reading.claims.iter().map(|_| 0).collect();
    let edits = Edits::new(card.lines.len());
    let mut patch =
        Patch { card: &card, reading: &reading, target: &target, blobs, style, groups, edits, uses };
    patch.count_uses();
    patch.names(&fields);
    patch.full_name(&fields);
    patch.organization(&fields)?;
    for field in &fields {
        match field.shape() {
            Shape::List => patch.list(field),
            Shape::Text | Shape::Date | Shape::Photo => patch.single(field)?,
        }
    }
    if let Some(uid) = uid {
        patch.uid(uid);
    }
    Ok(patch.edits.apply(&source, &card, style.line_end))
}

/// A card being patched.
struct Patch<'p, 'c> {
    card: &'p Card<'c>,
    reading: &'p Reading,
    /// The contact as it shall be.
    target: &'p Contact,
    blobs: &'p [Blob],
    style: Style,
    groups: Groups,
    edits: Edits,
    /// For each label line, how many lines it still names.
    uses: Vec<usize>,
}

impl Patch<'_, '_> {
    fn count_uses(&mut self) {
        for line in &self.card.lines {
            if let Some(entry) = self.reading.labels.of_line(line)
                && let Some(uses) = self.uses.get_mut(entry.line)
            {
                *uses = entry.uses;
            }
        }
    }

    fn find(&self, claim: &Claim) -> Option<usize> {
        self.reading.claims.iter().position(|c| c == claim)
    }

    /// Another value in place of the value of a line; its name, group and parameters stay.
    fn replace_value(&mut self, at: usize, value: &str, more: &[u8]) {
        let Some(line) = self.card.lines.get(at) else { return };
        let mut params = keep_params(line, |param| !value_params(param));
        params.extend_from_slice(more);
        let mut out = Vec::new();
        self.style.line(&mut out, line.group(), line.name(), &params, value);
        self.edits.replace(at, line, out);
    }

    fn names(&mut self, fields: &[Field]) {
        const PARTS: [Field; 5] = [Field::Last, Field::First, Field::Middle, Field::Prefix, Field::Suffix];
        let is_group = self.reading.decoded.kind == ItemKind::Group;
        let renamed_group = is_group && fields.contains(&Field::FullName);
        if !PARTS.iter().any(|part| fields.contains(part)) && !renamed_group {
            return;
        }
        let version = self.style.version;
        let line = self.find(&Claim::Names).and_then(|at| Some((at, self.card.lines.get(at)?)));
        let Some((at, line)) = line else {
            if let Some(value) = compose::names(self.target, version).filter(|v| v.bytes().any(|b| b != b';'))
            {
                self.edits.append(Fresh::plain("N", value), &mut self.groups, self.style);
            }
            return;
        };
        let Ok(old) = text(line) else { return };
        let mut parts: Vec<Cow<'_, str>> = split(&old, b';').map(Cow::Borrowed).collect();
        for (place, part) in PARTS.iter().enumerate() {
            if fields.contains(part) {
                if parts.len() <= place {
                    parts.resize(place + 1, Cow::Borrowed(""));
                }
                if let Some(slot) = parts.get_mut(place) {
                    *slot = Cow::Owned(escaped(self.target.text(part), Kind::Text, version));
                }
            }
        }
        // A group has its name here too.
        let old_name = self.reading.decoded.contact.text(&Field::FullName);
        if renamed_group
            && self.target.text(&Field::Last).is_empty()
            && let Some(first) = parts.first_mut().filter(|part| unescape(part) == old_name)
        {
            *first = Cow::Owned(escaped(self.target.text(&Field::FullName), Kind::Text, version));
        }
        let value = parts.join(";");
        self.replace_value(at, &value, b"");
    }

    fn full_name(&mut self, fields: &[Field]) {
        let line = self.find(&Claim::Single(Field::FullName));
        let blank = line.is_some() && self.reading.decoded.contact.text(&Field::FullName).is_empty();
        let follows = self.reading.way.is_some() || (blank && !fields.is_empty());
        if !follows && !fields.contains(&Field::FullName) {
            return;
        }
        let way = self.reading.way.unwrap_or(Composition::Full);
        let name = full_name(self.target, way);
        let value = escaped(&name, Kind::Text, self.style.version);
        match line {
            Some(at) => {
                let known = self.card.lines.get(at).and_then(|line| text(line).ok());
                if known.is_none_or(|known| unescape(&known) != name) {
                    self.replace_value(at, &value, b"");
                }
            }
            None => self.edits.append(Fresh::plain("FN", value), &mut self.groups, self.style),
        }
    }

    fn organization(&mut self, fields: &[Field]) -> Result<(), CardError> {
        if !fields.contains(&Field::Company) && !fields.contains(&Field::Department) {
            return Ok(());
        }
        let version = self.style.version;
        let found = self.find(&Claim::Organization).and_then(|at| Some((at, self.card.lines.get(at)?)));
        let value = compose::organization(self.target, version);
        match (found, value) {
            (Some((at, _)), None) => self.clear(at, Name::Org),
            (None, Some(value)) => {
                self.edits.append(Fresh::plain("ORG", value), &mut self.groups, self.style)
            }
            (None, None) => {}
            (Some((at, line)), Some(value)) => {
                let old = text(line)?;
                let (old, new): (Vec<&str>, Vec<&str>) =
                    (split(&old, b';').collect(), split(&value, b';').collect());
                let keep_units = !fields.contains(&Field::Department);
                let (company, units) = if keep_units { (&new, &old) } else { (&new, &new) };
                let company = if fields.contains(&Field::Company) { company } else { &old };
                let mut parts: Vec<&str> = company.iter().take(1).copied().collect();
                parts.extend(units.iter().skip(1));
                let value = parts.join(";");
                self.replace_value(at, &value, b"");
            }
        }
        Ok(())
    }

    /// Removes the line of a field with one value; blanks it where another line would take its place.
    fn clear(&mut self, at: usize, name: Name) {
        let would_inherit = |other: usize, known: Name| {
            let spare = matches!(
                self.reading.claims.get(other),
                Some(Claim::Elements(Field::Extra | Field::Dates, ..))
            );
            let anniversary = || {
                let label = self.card.lines.get(other).and_then(|line| self.reading.labels.of_line(line));
                label.is_some_and(|entry| entry.label.is_anniversary())
            };
            spare
                && match (name, known) {
                    (Name::Gender | Name::XGender, Name::Gender | Name::XGender) => true,
                    (Name::Anniversary | Name::XAbDate, Name::Anniversary) => true,
                    (Name::Anniversary | Name::XAbDate, Name::XAbDate) => anniversary(),
                    _ => known == name,
                }
        };
        let mut others = self.card.names.iter().enumerate().skip(at + 1);
        if others.any(|(other, known)| would_inherit(other, *known)) {
            // A field of the host's own keeps its name.
            let old =
                self.card.lines.get(at).filter(|_| name == Name::Custom).and_then(|line| text(line).ok());
            let blank = old.and_then(|old| split(&old, b';').next().map(|field| format!("{field};")));
            self.replace_value(at, &blank.unwrap_or_default(), b"");
        } else {
            self.remove(at);
        }
    }

    /// Removes a line, and its label if that names nothing else.
    fn remove(&mut self, at: usize) {
        self.edits.remove(at);
        let Some(line) = self.card.lines.get(at) else { return };
        let Some(entry) = self.reading.labels.of_line(line) else { return };
        let Some(uses) = self.uses.get_mut(entry.line) else { return };
        *uses = uses.saturating_sub(1);
        if *uses == 0 && entry.line != at && self.reading.claims.get(entry.line) == Some(&Claim::Label) {
            self.edits.remove(entry.line);
        }
    }

    fn single(&mut self, field: &Field) -> Result<(), CardError> {
        if is_name_part(field) {
            return Ok(());
        }
        let claims = [Claim::Single(field.clone()), Claim::Twin(field.clone())];
        let found: Vec<usize> = (0..self.card.lines.len())
            .filter(|at| self.reading.claims.get(*at).is_some_and(|claim| claims.contains(claim)))
            .collect();
        let version = self.style.version;
        let Some(fresh) = fresh::single(field, self.target, self.blobs, version) else {
            if self.target.get(field).is_some() && *field == Field::Photo {
                return Err(CardError::MissingPicture);
            }
            for at in found.into_iter().rev() {
                let name = self.card.names.get(at).copied().unwrap_or(Name::Other);
                self.clear(at, name);
            }
            return Ok(());
        };
        if found.is_empty() {
            self.edits.append(fresh, &mut self.groups, self.style);
            return Ok(());
        }
        for at in found {
            self.replace_single(at, field, &fresh);
        }
        Ok(())
    }

    fn replace_single(&mut self, at: usize, field: &Field, fresh: &Fresh) {
        let (Some(line), Some(name)) = (self.card.lines.get(at), self.card.names.get(at)) else { return };
        let version = self.style.version;
        let value = match (name, self.target.get(field)) {
            (Name::Gender, Some(value)) => fresh::gender(value, true, version),
            (Name::XGender, Some(value)) => fresh::gender(value, false, version),
            _ => fresh.value.clone(),
        };
        let mut params = keep_params(line, |param| {
            !value_params(param) && !(*field == Field::Photo && (param.is_type() || param.is("MEDIATYPE")))
        });
        params.extend_from_slice(&fresh.params);
        let mut out = Vec::new();
        self.style.line(&mut out, line.group(), line.name(), &params, &value);
        let label = self.reading.labels.of_line(line).map(|entry| &entry.label);
        if says(&out, label, version, field, self.target.get(field)) {
            self.edits.replace(at, line, out);
        } else {
            self.remove(at);
            self.edits.append(fresh.clone(), &mut self.groups, self.style);
        }
    }

    fn uid(&mut self, uid: &str) {
        if uid.is_empty() || self.reading.decoded.uid.as_deref() == Some(uid) {
            return;
        }
        let value = escaped(uid, Kind::Uri, self.style.version);
        match self.card.names.iter().position(|name| *name == Name::Uid) {
            Some(at) => self.replace_value(at, &value, b""),
            None => self.edits.append(Fresh::plain("UID", value), &mut self.groups, self.style),
        }
    }
}

fn is_name_part(field: &Field) -> bool {
    matches!(
        field,
        Field::FullName
            | Field::First
            | Field::Last
            | Field::Middle
            | Field::Prefix
            | Field::Suffix
            | Field::Company
            | Field::Department
    )
}

/// Whether a line says exactly this value of a field.
fn says(
    line: &[u8],
    label: Option<&Label>,
    version: CardVersion,
    field: &Field,
    value: Option<&Value>,
) -> bool {
    let Some(line) = lines(line).next() else { return false };
    read_alone(&line, label, version).is_ok_and(|contact| contact.get(field) == value)
}
