//! K8: which fields are synced, in which direction and how they merge.

use super::values::{Text, argument};
use crate::contact::Field;
use std::collections::BTreeMap;

/// A direction of sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the source into the hub.
    In,
    /// From the hub out to the source.
    Out,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }
}

/// The directions in which one field flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldDirection {
    /// Both.
    #[default]
    Both,
    /// Only from the source into the hub.
    In,
    /// Only from the hub to the source.
    Out,
    /// Neither: the field is not mapped.
    None,
}

/// How a field's value merges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldMode {
    /// Three-way merge of the value, or of each element of a list.
    #[default]
    Replace,
    /// Written only where the target is empty; never overwrites.
    FillIfEmpty,
    /// Lists only: inbound adds elements and never removes; a hub edit replaces the source's whole list.
    Additive,
}

/// How one field is synced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldRule {
    /// How values merge.
    pub mode: FieldMode,
    /// Whether an emptied field leaves the other side as it is.
    pub never_clear: bool,
    /// Where it flows.
    pub direction: FieldDirection,
    /// Most elements of a list that the source takes; the rest is reported as a loss (E-10).
    pub slots: Option<u32>,
    /// The field of the source in which the hub's field is kept, where it is another one.
    pub source_field: Option<Field>,
    /// A line of the source's text that parts the engine's text, above, from the user's own, below, which stays.
    pub delimiter: Option<String>,
}

impl FieldRule {
    /// The rule of a field that is not mapped.
    #[must_use]
    pub fn unmapped() -> Self {
        Self { direction: FieldDirection::None, ..Self::default() }
    }

    /// Whether the field flows in this direction.
    #[must_use]
    pub fn flows(&self, direction: Direction) -> bool {
        match self.direction {
            FieldDirection::Both => true,
            FieldDirection::In => direction == Direction::In,
            FieldDirection::Out => direction == Direction::Out,
            FieldDirection::None => false,
        }
    }
}

/// The rules of all fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldRules {
    /// Fields without a rule of their own (`field.*`).
    pub default: FieldRule,
    /// Fields with one. `custom:*` stands for every custom field that is not named itself.
    pub rules: BTreeMap<Field, FieldRule>,
}

impl FieldRules {
    /// The rule that holds for a field.
    #[must_use]
    pub fn rule(&self, field: &Field) -> &FieldRule {
        let any_custom = || match field {
            Field::Custom(_) => self.rules.get(&Field::Custom("*".to_owned())),
            _ => None,
        };
        self.rules.get(field).or_else(any_custom).unwrap_or(&self.default)
    }

    /// Whether any field flows one way only.
    #[must_use]
    pub fn any_one_way(&self) -> bool {
        let one_way = |rule: &FieldRule| matches!(rule.direction, FieldDirection::In | FieldDirection::Out);
        one_way(&self.default) || self.rules.values().any(one_way)
    }

    /// Whether any field flows at all.
    #[must_use]
    pub fn any_mapped(&self) -> bool {
        let mapped = |rule: &FieldRule| rule.direction != FieldDirection::None;
        mapped(&self.default) || self.rules.values().any(mapped)
    }
}

/// `MODE[+never_clear][+slots(N)][+as(FIELD)][+delimiter(TEXT)][:DIRECTION]`, or `none`. Without a mode: `replace`.
impl Text for FieldRule {
    fn read(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::unmapped());
        }
        let mut rule = Self::default();
        let mut words = text;
        for (suffix, direction) in [
            (":both", FieldDirection::Both),
            (":in", FieldDirection::In),
            (":out", FieldDirection::Out),
            (":none", FieldDirection::None),
        ] {
            if let Some(rest) = text.strip_suffix(suffix) {
                (words, rule.direction) = (rest, direction);
            }
        }
        // The delimiter is free text, so it comes last and may contain anything.
        if let Some((before, rest)) = words.split_once("+delimiter(") {
            let delimiter = rest
                .strip_suffix(')')
                .filter(|line| !line.trim().is_empty() && !line.chars().any(char::is_control));
            rule.delimiter = Some(delimiter.ok_or("delimiter(TEXT) needs a text and comes last")?.to_owned());
            words = before;
        }
        for (place, word) in words.split('+').enumerate() {
            match word {
                "replace" if place == 0 => rule.mode = FieldMode::Replace,
                "fill_if_empty" if place == 0 => rule.mode = FieldMode::FillIfEmpty,
                "additive" if place == 0 => rule.mode = FieldMode::Additive,
                "never_clear" => rule.never_clear = true,
                _ => match (argument(word, "slots"), argument(word, "as")) {
                    (Some(count), _) => match count.parse() {
                        Ok(count) if count > 0 => rule.slots = Some(count),
                        _ => return Err(format!("slots({count}) needs a number from 1")),
                    },
                    (_, Some(field)) => rule.source_field = Some(Field::read(field)?),
                    _ => return Err(format!("{word:?} is no part of a field rule")),
                },
            }
        }
        Ok(rule)
    }

    fn write(&self) -> String {
        if *self == Self::unmapped() {
            return "none".to_owned();
        }
        let mut text = match self.mode {
            FieldMode::Replace => "replace",
            FieldMode::FillIfEmpty => "fill_if_empty",
            FieldMode::Additive => "additive",
        }
        .to_owned();
        if self.never_clear {
            text.push_str("+never_clear");
        }
        if let Some(slots) = self.slots {
            text.push_str(&format!("+slots({slots})"));
        }
        if let Some(field) = &self.source_field {
            text.push_str(&format!("+as({})", field.write()));
        }
        if let Some(delimiter) = &self.delimiter {
            text.push_str(&format!("+delimiter({delimiter})"));
        }
        text.push_str(match self.direction {
            FieldDirection::Both => "",
            FieldDirection::In => ":in",
            FieldDirection::Out => ":out",
            FieldDirection::None => ":none",
        });
        text
    }
}

/// The host field that the scenarios name without the `custom:` in front.
const INDUSTRY: &str = "industry";

/// The key of a field; the scenarios' `industry` stands for `custom:industry`.
impl Text for Field {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            INDUSTRY => Ok(Field::Custom(INDUSTRY.to_owned())),
            _ => text.parse().map_err(|error: crate::contact::UnknownField| {
                match super::nearest(text, Field::NAMED.iter().map(Field::name)) {
                    Some(near) => format!("{error}; did you mean {near}?"),
                    None => error.to_string(),
                }
            }),
        }
    }

    fn write(&self) -> String {
        self.key()
    }
}
