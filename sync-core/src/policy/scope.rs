//! K2 to K4: which contacts of each side take part.

use super::values::{ScopeExit, Shared, Text, escape, split_escaped};
use crate::contact::{Contact, Field, Value};

/// Which contacts take part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Of the source.
    pub inbound: InboundScope,
    /// Of the hub.
    pub outbound: OutboundScope,
    /// What happens when one leaves.
    pub exit: ScopeExit,
}

/// Which contacts of the source are read (K2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboundScope {
    /// From which folders.
    pub folders: Folders,
    /// Whether folders and items of other people count.
    pub shared: Shared,
    /// Which of their contacts.
    pub filter: Filter,
}

/// The folders that are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Folders {
    /// Every folder that holds contacts.
    #[default]
    All,
    /// Those with these names.
    Selected(Vec<String>),
    /// One that the engine makes and owns. `<account>` in the template stands for the account's name.
    Dedicated(String),
}

impl Folders {
    /// The name of the engine's own folder, for an account; none where the profile has no folder of its own.
    #[must_use]
    pub fn dedicated_name(&self, account: &str) -> Option<String> {
        match self {
            Self::Dedicated(template) => Some(template.replace("<account>", account)),
            Self::All | Self::Selected(_) => None,
        }
    }
}

/// Which contacts of the hub go out (K3). Directory and local-only contacts never do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundScope {
    /// Whose.
    pub who: Export,
    /// Which of them.
    pub filter: Filter,
}

/// The contacts of the hub that go out, seen from the source's user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Export {
    /// All.
    #[default]
    All,
    /// Those that the user may see.
    Accessible,
    /// Those that the user owns.
    Owner,
    /// Those that the user owns or may edit.
    OwnerOrEditor,
    /// Those that the user may see and that are of one of these types or in one of these folders.
    Specific(Vec<Choice>),
    /// Those to which the user is subscribed (K12).
    OptedIn,
    /// None.
    None,
}

/// A part of [`Export::Specific`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Contacts of this type.
    Type(String),
    /// Contacts in this hub folder.
    Folder(String),
}

/// A record filter: every condition must hold. None: everything passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(pub Vec<Condition>);

/// A field that must hold something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// The value, or one element of the list, compared without case; `None`: any value.
    pub value: Option<String>,
}

impl Filter {
    /// Whether a contact passes.
    #[must_use]
    pub fn passes(&self, contact: &Contact) -> bool {
        self.0.iter().all(|condition| condition.holds(contact))
    }
}

impl Condition {
    fn holds(&self, contact: &Contact) -> bool {
        let Some(value) = contact.get(&self.field) else { return false };
        let Some(wanted) = self.value.as_deref().map(str::to_lowercase) else { return true };
        let same = |shown: String| shown.to_lowercase() == wanted;
        match value {
            Value::List(elements) => elements.iter().any(|element| same(element.content.show())),
            Value::Text(_) | Value::Date(_) | Value::Photo(_) => same(value.show()),
        }
    }
}

/// `all`, `dedicated:NAME`, or names with `|` between. One folder that is itself called `all` is written `all|`.
impl Text for Folders {
    fn read(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        if let Some(template) = text.strip_prefix("dedicated:") {
            return match template {
                "" => Err("dedicated: needs a folder name".to_owned()),
                _ => Ok(Self::Dedicated(template.to_owned())),
            };
        }
        let names: Vec<String> = split_escaped(text, '|').into_iter().filter(|n| !n.is_empty()).collect();
        if names.is_empty() { Err("no folder is named".to_owned()) } else { Ok(Self::Selected(names)) }
    }

    fn write(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Dedicated(template) => format!("dedicated:{template}"),
            Self::Selected(names) => {
                let text = names.iter().map(|name| escape(name, '|')).collect::<Vec<_>>().join("|");
                if text == "all" || text.starts_with("dedicated:") { format!("{text}|") } else { text }
            }
        }
    }
}

/// One word, or `specific:` with `type=NAME` and `folder=NAME`, `+` between.
impl Text for Export {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text {
            "all" => Self::All,
            "accessible" => Self::Accessible,
            "owner" => Self::Owner,
            "owner_or_editor" => Self::OwnerOrEditor,
            "opted_in" => Self::OptedIn,
            "none" => Self::None,
            _ => {
                let choices = text.strip_prefix("specific:").ok_or_else(String::new)?;
                let parts = split_escaped(choices, '+').into_iter().filter(|part| !part.is_empty());
                Self::Specific(parts.map(|part| Choice::read(&part)).collect::<Result<_, _>>()?)
            }
        })
    }

    fn write(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Accessible => "accessible".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::OwnerOrEditor => "owner_or_editor".to_owned(),
            Self::OptedIn => "opted_in".to_owned(),
            Self::None => "none".to_owned(),
            Self::Specific(choices) => {
                let parts: Vec<String> = choices.iter().map(|choice| escape(&choice.write(), '+')).collect();
                format!("specific:{}", parts.join("+"))
            }
        }
    }
}

impl Text for Choice {
    fn read(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("type", name)) if !name.is_empty() => Ok(Self::Type(name.to_owned())),
            Some(("folder", name)) if !name.is_empty() => Ok(Self::Folder(name.to_owned())),
            _ => Err(format!("{text:?} is neither type=NAME nor folder=NAME")),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Type(name) => format!("type={name}"),
            Self::Folder(name) => format!("folder={name}"),
        }
    }
}

/// `none`, or conditions `FIELD=VALUE` (`FIELD=*`: any value) with `&` between.
impl Text for Filter {
    fn read(text: &str) -> Result<Self, String> {
        if matches!(text, "" | "none") {
            return Ok(Self::default());
        }
        let mut conditions = Vec::new();
        for part in split_escaped(text, '&') {
            let (field, value) =
                part.split_once('=').ok_or_else(|| format!("{part:?} is not FIELD=VALUE"))?;
            let value = match value {
                "" => return Err(format!("{part:?} has no value; FIELD=* stands for any")),
                "*" => None,
                _ => Some(value.to_owned()),
            };
            conditions.push(Condition { field: Field::read(field)?, value });
        }
        Ok(Self(conditions))
    }

    fn write(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        let conditions = self.0.iter().map(|condition| {
            let value = condition.value.as_deref().unwrap_or("*");
            escape(&format!("{}={value}", condition.field.write()), '&')
        });
        conditions.collect::<Vec<_>>().join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Element;

    #[test]
    fn a_filter_passes_when_every_condition_holds() {
        let contact = Contact::new()
            .with(Field::Company, "Acme & Sons")
            .with_element(Field::Categories, Element::text("VIP"))
            .with_element(Field::Categories, Element::text("CRM"));
        for (filter, passes) in [
            ("none", true),
            ("categories=crm", true),
            ("categories=VIP&categories=CRM", true),
            ("categories=VIP&categories=Other", false),
            ("categories=VI", false),
            ("company=acme \\& sons", true),
            ("company=*", true),
            ("phones=*", false),
            ("custom:industry=Steel", false),
        ] {
            assert_eq!(Filter::read(filter).unwrap().passes(&contact), passes, "{filter}");
        }
    }

    #[test]
    fn the_own_folder_is_named_after_the_account() {
        let folders = Folders::read("dedicated:Pipeliner (<account>)").unwrap();
        assert_eq!(folders.dedicated_name("ACME").as_deref(), Some("Pipeliner (ACME)"));
        assert_eq!(Folders::All.dedicated_name("ACME"), None);
    }
}
