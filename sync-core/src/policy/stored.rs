//! The stored form of a policy: a flat map of key → text, with the profile's name and what differs from it.

use super::profile::Profile;
use super::{Policy, PolicyError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The key under which the profile's name stands.
const PROFILE: &str = "profile";

impl Policy {
    /// The profile's name and every knob that differs from it.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let base: BTreeMap<String, String> =
            Self::profile(&self.base).unwrap_or_else(|_| Self::plain()).entries().into_iter().collect();
        let own: BTreeMap<String, String> = self.entries().into_iter().collect();
        // A name that only the base has is taken away by an empty text.
        let gone = base.keys().filter(|key| !own.contains_key(*key)).map(|key| (key.clone(), String::new()));
        let differs = own.iter().filter(|(key, value)| base.get(*key) != Some(value));
        let mut map: BTreeMap<String, String> =
            gone.chain(differs.map(|(key, value)| (key.clone(), value.clone()))).collect();
        map.insert(PROFILE.to_owned(), self.base.clone());
        map
    }

    /// Reads a map of flat keys. Without a profile it starts from the default one.
    ///
    /// # Errors
    /// When the profile, a key or a value is not known.
    pub fn from_map<'a>(map: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PolicyError> {
        let (profile, settings): (Vec<_>, Vec<_>) = map.into_iter().partition(|(key, _)| *key == PROFILE);
        let mut policy = match profile.first() {
            Some((_, name)) => Self::profile(name)?,
            None => Self::default(),
        };
        for (key, value) in settings {
            policy.set(key, value)?;
        }
        Ok(policy)
    }

    /// Reads TOML: `key = "value"`, tables for families (`[field]`), numbers and `true`/`false` as they are.
    ///
    /// # Errors
    /// When it is not TOML, or a key or value is not known.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let map = flat(text)?;
        Self::from_map(map.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    /// The stored form as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let table: toml::Table =
            self.to_map().into_iter().map(|(key, value)| (key, toml::Value::String(value))).collect();
        table.to_string()
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_map().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = flatten(BTreeMap::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Self::from_map(map.iter().map(|(key, value)| (key.as_str(), value.as_str())))
            .map_err(D::Error::custom)
    }
}

/// Reads a profile's file: its name, a line about it, and its differences from the knobs' defaults.
pub(super) fn read_profile(file: &str) -> Result<Profile, PolicyError> {
    let mut map = flat(file)?;
    let mut take =
        |key: &str| map.remove(key).ok_or_else(|| PolicyError::Syntax(format!("a profile needs {key}")));
    let (name, about) = (take("name")?, take("about")?);
    let mut policy = Policy { base: name.clone(), ..Policy::plain() };
    for (key, value) in &map {
        policy.set(key, value)?;
    }
    Ok(Profile { name, about, policy })
}

/// A value as TOML or JSON writes it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a setting must be a text, a number, true, false, or a table of them")]
enum Plain {
    Text(String),
    Number(u64),
    Switch(bool),
    Family(BTreeMap<String, Plain>),
}

/// The flat map of a TOML text.
fn flat(text: &str) -> Result<BTreeMap<String, String>, PolicyError> {
    let tree = toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    flatten(tree)
}

/// `{field: {first: replace}}` as `field.first = replace`.
fn flatten(tree: BTreeMap<String, Plain>) -> Result<BTreeMap<String, String>, PolicyError> {
    let mut flat = BTreeMap::new();
    for (key, value) in tree {
        let text = match value {
            Plain::Text(text) => text,
            Plain::Number(number) => number.to_string(),
            Plain::Switch(on) => if on { "on" } else { "off" }.to_owned(),
            Plain::Family(family) => {
                for (name, text) in flatten(family)? {
                    once(&mut flat, format!("{key}.{name}"), text)?;
                }
                continue;
            }
        };
        once(&mut flat, key, text)?;
    }
    Ok(flat)
}

/// Enters a setting that must not be there already (`"field.first"` beside `[field] first`).
fn once(flat: &mut BTreeMap<String, String>, key: String, text: String) -> Result<(), PolicyError> {
    if flat.contains_key(&key) {
        return Err(PolicyError::Syntax(format!("{key} is set twice")));
    }
    flat.insert(key, text);
    Ok(())
}
