//! The one table of the knobs: number, flat key, values and meaning, and how each is read and written.

use super::error::nearest;
use super::values::{Text, argument};
use super::{CreateRule, DeleteVsUpdate, Flow, PerDirection, Policy, PolicyError};
use crate::contact::Field;

/// A row of the table: one flat key.
pub struct Knob {
    /// The knob's number: 5 for K5.
    pub number: u8,
    /// The flat key. Where it ends in `.FIELD` or `.NAME`, that stands for any field or name.
    pub key: &'static str,
    /// The values it can have, for people.
    pub values: &'static str,
    /// What it decides, in one line.
    pub meaning: &'static str,
    access: Access,
}

enum Access {
    /// One value.
    One { read: fn(&mut Policy, &str) -> Result<(), String>, write: fn(&Policy) -> String },
    /// A short form for other keys: understood, never stored.
    Short { read: fn(&mut Policy, &str) -> Result<(), String>, write: fn(&Policy) -> String },
    /// One value for each name; an empty text takes a name's value away.
    Many {
        read: fn(&mut Policy, &str, &str) -> Result<(), String>,
        write: fn(&Policy, &str) -> Result<String, String>,
        names: fn(&Policy) -> Vec<String>,
    },
}

macro_rules! one {
    ($number:literal $key:literal [$values:literal] $meaning:literal => $($path:ident).+) => {
        Knob {
            number: $number, key: $key, values: $values, meaning: $meaning,
            access: Access::One {
                read: |policy, text| { policy.$($path).+ = Text::read(text)?; Ok(()) },
                write: |policy| policy.$($path).+.write(),
            },
        }
    };
}

macro_rules! one_of {
    ($number:literal $key:literal $values:ident $meaning:literal => $($path:ident).+) => {
        Knob { values: $values, ..one!($number $key [""] $meaning => $($path).+) }
    };
}

macro_rules! number {
    ($number:literal $key:literal [$values:literal] $meaning:literal => $($path:ident).+ in $range:expr) => {
        Knob {
            number: $number, key: $key, values: $values, meaning: $meaning,
            access: Access::One {
                read: |policy, text| {
                    let value: u32 = Text::read(text)?;
                    if !($range).contains(&value) {
                        return Err(String::new());
                    }
                    policy.$($path).+ = value;
                    Ok(())
                },
                write: |policy| policy.$($path).+.write(),
            },
        }
    };
}

const CREATE: &str = "apply | link_only | ignore";
const FIELD_RULE: &str = "none, or replace | fill_if_empty | additive, then +never_clear +slots(N) +as(FIELD) \
     +delimiter(TEXT) as needed, then :both | :in | :out | :none";
const CONFLICT: &str = "latest | hub_wins | source_wins | priority(SOURCE,…) | keep_both | ask";
const DELETE: &str = "propagate | keep | restore | sole_or_restore | unsubscribe | mark";
const DELETE_VS_UPDATE: &str = "update_wins | delete_wins | ask";
const ORIGINS: &str = "personal,directory,groups,sources,source:NAME in the order wanted";

static TABLE: &[Knob] = &[
    one!(1 "trigger" ["manual,on_open,on_search,on_push,on_connect,on_call"]
        "events that start a sync, besides the schedule" => trigger.on),
    number!(1 "interval" ["minutes, 0 to 44640; 0: no schedule"]
        "shortest time between two scheduled passes" => trigger.interval in 0..=44_640),
    number!(1 "interval_max" ["minutes, 0 to 44640; 0: as interval"]
        "longest time between two scheduled passes" => trigger.interval_max in 0..=44_640),
    one!(2 "in_folders" ["all | dedicated:NAME (with <account>) | FOLDER|FOLDER…"]
        "folders of the source that are read" => scope.inbound.folders),
    one!(2 "in_shared" ["exclude | include"]
        "folders and contacts that others share" => scope.inbound.shared),
    one!(2 "in_filter" ["none | FIELD=VALUE&FIELD=*…"]
        "contacts of the source that are read" => scope.inbound.filter),
    one!(3 "out_scope" ["all | accessible | owner | owner_or_editor | opted_in | none | specific:type=NAME+folder=NAME…"]
        "hub contacts that go out" => scope.outbound.who),
    one!(3 "out_filter" ["none | FIELD=VALUE&FIELD=*…"]
        "which of them" => scope.outbound.filter),
    one!(4 "scope_exit" ["unlink | remove_copy | freeze"]
        "what happens when a contact leaves the scope" => scope.exit),
    Knob {
        number: 5,
        key: "import_on",
        values: "on | off",
        meaning: "short for in_create and in_update: both ignore, or neither",
        access: Access::Short {
            read: |policy, text| switch(text, &mut policy.create.inbound, &mut policy.update.inbound),
            write: |policy| is_open(policy.create.inbound, policy.update.inbound).write(),
        },
    },
    Knob {
        number: 5,
        key: "export_on",
        values: "on | off",
        meaning: "short for out_create and out_update: both ignore, or neither",
        access: Access::Short {
            read: |policy, text| switch(text, &mut policy.create.outbound, &mut policy.update.outbound),
            write: |policy| is_open(policy.create.outbound, policy.update.outbound).write(),
        },
    },
    one_of!(5 "in_create" CREATE "what a new source contact does in the hub" => create.inbound),
    one_of!(5 "out_create" CREATE "what a new hub contact does at the source" => create.outbound),
    one!(6 "in_update" ["apply | ignore"] "whether changes come in" => update.inbound),
    one!(6 "out_update" ["apply | ignore"] "whether changes go out" => update.outbound),
    one!(6 "push" ["field | record"] "whether an edit sends its field or all mapped fields" => push),
    one_of!(7 "in_delete" DELETE "what a delete at the source does in the hub" => delete.inbound),
    one_of!(7 "out_delete" DELETE "what a delete in the hub does at the source" => delete.outbound),
    one!(7 "delete_tag" ["a tag"] "what `mark` tags the other copy with" => delete_tag),
    one!(7 "delete_untag" ["none | a category"]
        "category that `keep` takes off the copy that stays" => delete_untag),
    Knob {
        number: 8,
        key: "field.FIELD",
        values: FIELD_RULE,
        meaning: "how a field is synced; field.* is every field without a rule, field.custom:* every custom one",
        access: Access::Many {
            read: |policy, name, text| match (name, text) {
                ("*", _) => Text::read(text).map(|rule| policy.fields.default = rule),
                (_, "") => Field::read(name).map(|field| drop(policy.fields.rules.remove(&field))),
                _ => {
                    let (field, rule) = (Field::read(name)?, Text::read(text)?);
                    policy.fields.rules.insert(field, rule);
                    Ok(())
                }
            },
            write: |policy, name| match name {
                "*" => Ok(policy.fields.default.write()),
                _ => Field::read(name)
                    .map(|f| policy.fields.rules.get(&f).map(Text::write).unwrap_or_default()),
            },
            names: |policy| {
                let named = policy.fields.rules.keys().map(Text::write);
                std::iter::once("*".to_owned()).chain(named).collect()
            },
        },
    },
    one_of!(9 "conflict" CONFLICT "which value stays when both sides changed a field" => conflict.default),
    Knob {
        number: 9,
        key: "conflict.FIELD",
        values: CONFLICT,
        meaning: "the same for one field",
        access: Access::Many {
            read: |policy, name, text| {
                let field = Field::read(name)?;
                match text {
                    "" => drop(policy.conflict.rules.remove(&field)),
                    _ => drop(policy.conflict.rules.insert(field, Text::read(text)?)),
                }
                Ok(())
            },
            write: |policy, name| {
                let field = Field::read(name)?;
                Ok(policy.conflict.rules.get(&field).map(Text::write).unwrap_or_default())
            },
            names: |policy| policy.conflict.rules.keys().map(Text::write).collect(),
        },
    },
    one!(9 "conflict_category" ["none | a category"]
        "category of the copy that keep_both makes" => conflict.category),
    Knob {
        number: 9,
        key: "delete_vs_update",
        values: "update_wins | delete_wins | ask, or IN/OUT",
        meaning: "short for in_delete_vs_update and out_delete_vs_update",
        access: Access::Short {
            read: |policy, text| {
                let (inbound, outbound) = text.split_once('/').unwrap_or((text, text));
                policy.conflict.delete_vs_update =
                    PerDirection { inbound: Text::read(inbound)?, outbound: Text::read(outbound)? };
                Ok(())
            },
            write: |policy| {
                let PerDirection::<DeleteVsUpdate> { inbound, outbound } = policy.conflict.delete_vs_update;
                if inbound == outbound {
                    inbound.write()
                } else {
                    format!("{}/{}", inbound.write(), outbound.write())
                }
            },
        },
    },
    one_of!(9 "in_delete_vs_update" DELETE_VS_UPDATE
        "who wins: a delete at the source or a change in the hub" => conflict.delete_vs_update.inbound),
    one_of!(9 "out_delete_vs_update" DELETE_VS_UPDATE
        "who wins: a delete in the hub or a change at the source" => conflict.delete_vs_update.outbound),
    one!(10 "receiver_edit" ["yield | pin | revert | forbid"]
        "what becomes of edits on a side, or of a field, that only receives" => receiver_edit),
    one!(11 "match" ["none | remote_id,uid,marker,email,phone,name,name+company,email+name,phone+name"]
        "keys that tell the same person, the first that hits decides" => matching.keys),
    one!(11 "on_ambiguous" ["create_new | skip | suggest | pick(latest_activity,latest_change,oldest)"]
        "what several candidates lead to" => matching.ambiguous),
    one!(11 "on_match" ["link | suggest"] "what one candidate leads to" => matching.on_match),
    one!(12 "subscription" ["off | opt_in | opt_in(DONOR,OTHERS), each on or off"]
        "whether users choose contacts, and whether a donated one is chosen at first" => subscription),
    one!(13 "required" ["none | name,FIELD,…"]
        "what a new hub contact must have; `name` is any of first, middle, last" => required.what),
    Knob {
        number: 13,
        key: "required.FIELD",
        values: "block | default(VALUE)",
        meaning: "what happens when a required field is empty on create",
        access: Access::Many {
            read: |policy, name, text| {
                let field = Field::read(name)?;
                match (text, argument(text, "default")) {
                    ("" | "block", _) => drop(policy.required.defaults.remove(&field)),
                    (_, Some(value)) if !value.is_empty() => {
                        policy.required.defaults.insert(field, value.to_owned());
                    }
                    _ => return Err(String::new()),
                }
                Ok(())
            },
            write: |policy, name| {
                let default = policy.required.defaults.get(&Field::read(name)?);
                Ok(default.map_or_else(|| "block".to_owned(), |value| format!("default({value})")))
            },
            names: |policy| policy.required.defaults.keys().map(Text::write).collect(),
        },
    },
    Knob {
        number: 14,
        key: "relation.NAME",
        values: "FIELD:none|create,unique_accessible|none|first",
        meaning: "record found by the text of a field: what no hit and what many hits do",
        access: Access::Many {
            read: |policy, name, text| {
                let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
                if name.len() > 64 || !name.bytes().all(fits) {
                    return Err("the name of a relation is A-Z a-z 0-9 _ -".to_owned());
                }
                match text {
                    "" => drop(policy.relations.remove(name)),
                    _ => drop(policy.relations.insert(name.to_owned(), Text::read(text)?)),
                }
                Ok(())
            },
            write: |policy, name| Ok(policy.relations.get(name).map(Text::write).unwrap_or_default()),
            names: |policy| policy.relations.keys().cloned().collect(),
        },
    },
    one!(15 "caller_match" ["e164 | last4 to last15"] "when two numbers are the same" => caller.matching),
    one!(15 "caller_order" ["none, or personal,directory,groups,sources,source:NAME in the order wanted"]
        "which hits of a caller are named first" => caller.origins),
    one!(15 "unknown_caller" ["none | hub | both"] "where an unknown number is saved" => caller.unknown),
    one_of!(16 "search_sources" ORIGINS "what a search goes through, in the order of its hits" => search.origins),
    number!(16 "search_min" ["characters, 1 to 20"]
        "characters before a live source is asked" => search.min_characters in 1..=20),
    number!(16 "search_delay" ["milliseconds, 0 to 10000"]
        "pause in typing before a live source is asked" => search.delay_ms in 0..=10_000),
    number!(16 "search_timeout" ["milliseconds, 100 to 120000"]
        "time after which a slow source is left out" => search.timeout_ms in 100..=120_000),
    one!(16 "collapse" ["linked | none | matched"] "hits that are folded into one" => search.collapse),
    one!(17 "guard" ["hold | block | allow"] "what happens when the guard trips" => guard.action),
    number!(17 "guard_min" ["a number from 1"]
        "fewer removals never trip the guard" => guard.minimum in 1..=u32::MAX),
    number!(17 "guard_share" ["percent, 1 to 100"]
        "share of all links that trips it" => guard.share_percent in 1..=100),
    number!(17 "guard_large" ["a number from 1"]
        "from so many removals on guard_large_share counts" => guard.large_count in 1..=u32::MAX),
    number!(17 "guard_large_share" ["percent, 1 to 100"]
        "smaller share that then trips it" => guard.large_share_percent in 1..=100),
    number!(17 "guard_creates" ["a number; 0: no ceiling"]
        "most creates of a first sync" => guard.create_ceiling in 0..=u32::MAX),
    number!(17 "guard_updates" ["a number; 0: no ceiling"]
        "most updates of a first sync" => guard.update_ceiling in 0..=u32::MAX),
    one!(18 "connection" ["none | email,password,…"]
        "settings without which nothing is tried" => connection.primary),
    one!(18 "connection_advanced" ["none | username,server,…"]
        "settings offered after a refused sign-in" => connection.advanced),
    number!(18 "retry" ["attempts, 1 to 20"]
        "attempts of a request that fails for a passing reason" => connection.retry.attempts in 1..=20),
    number!(18 "retry_wait" ["seconds, 1 to 3600"]
        "wait before the second attempt, doubled each time" => connection.retry.wait_seconds in 1..=3_600),
    one!(19 "on_disconnect" ["keep | remove_unmodified | remove_all"]
        "what becomes of the hub's copies" => disconnect.copies),
    one!(19 "on_reconnect" ["relink | match | new"]
        "how contacts find their partners again" => disconnect.reconnect),
    one!(20 "marker" ["none | photo_watermark | category | hidden_property | folder"]
        "how synced copies are marked at the source" => marker),
    one!(20 "audit" ["on | off"] "whether contacts show who changed them last" => audit),
];

/// Whether creates or updates of one direction flow.
fn is_open(create: CreateRule, update: Flow) -> bool {
    (create, update) != (CreateRule::Ignore, Flow::Ignore)
}

/// Opens or closes a direction. One that is open already stays as it is.
fn switch(text: &str, create: &mut CreateRule, update: &mut Flow) -> Result<(), String> {
    match (bool::read(text)?, is_open(*create, *update)) {
        (false, _) => (*create, *update) = (CreateRule::Ignore, Flow::Ignore),
        (true, false) => (*create, *update) = (CreateRule::Apply, Flow::Apply),
        (true, true) => {}
    }
    Ok(())
}

impl Knob {
    fn family(&self) -> Option<&'static str> {
        match self.access {
            Access::Many { .. } => self.key.split_once('.').map(|(family, _)| family),
            Access::One { .. } | Access::Short { .. } => None,
        }
    }

    /// The rows that a flat key belongs to, with the name in it.
    fn find(key: &str) -> Option<(&'static Knob, &str)> {
        let family = |knob: &&Knob| {
            let name = key.strip_prefix(knob.family()?)?.strip_prefix('.')?;
            (!name.is_empty()).then_some(name)
        };
        TABLE
            .iter()
            .find(|knob| knob.family().is_none() && knob.key == key)
            .map(|knob| (knob, ""))
            .or_else(|| TABLE.iter().find_map(|knob| family(&knob).map(|name| (knob, name))))
    }
}

impl Policy {
    /// The table of all knobs, in their order.
    #[must_use]
    pub fn table() -> &'static [Knob] {
        TABLE
    }

    /// Sets a knob by its flat key.
    ///
    /// # Errors
    /// When no knob has the key, or the value is none of its values.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), PolicyError> {
        let (knob, name) = Knob::find(key).ok_or_else(|| unknown(key))?;
        let done = match &knob.access {
            _ if value.len() > VALUE_BYTES => Err(format!("it is longer than {VALUE_BYTES} bytes")),
            Access::One { read, .. } | Access::Short { read, .. } => read(self, value),
            Access::Many { read, .. } => read(self, name, value),
        };
        done.map_err(|detail| refused(knob, key, value, detail))
    }

    /// The value of a knob as text; setting it again changes nothing. Empty where a name of a family has no value
    /// of its own.
    ///
    /// # Errors
    /// When no knob has the key.
    pub fn get(&self, key: &str) -> Result<String, PolicyError> {
        let (knob, name) = Knob::find(key).ok_or_else(|| unknown(key))?;
        match &knob.access {
            Access::One { write, .. } | Access::Short { write, .. } => Ok(write(self)),
            Access::Many { write, .. } => write(self, name).map_err(|_| unknown(key)),
        }
    }

    /// Every stored key with its value, in the order of the table.
    pub(super) fn entries(&self) -> Vec<(String, String)> {
        let mut entries = Vec::new();
        for knob in TABLE {
            match (&knob.access, knob.family()) {
                (Access::One { write, .. }, _) => entries.push((knob.key.to_owned(), write(self))),
                (Access::Many { write, names, .. }, Some(family)) => {
                    entries.extend(names(self).into_iter().filter_map(|name| {
                        write(self, &name).ok().map(|value| (format!("{family}.{name}"), value))
                    }));
                }
                (Access::Many { .. }, None) | (Access::Short { .. }, _) => {}
            }
        }
        entries
    }
}

/// Longest value of a knob: generous for a list of folders, finite for a hostile file.
const VALUE_BYTES: usize = 16 << 10;

fn unknown(key: &str) -> PolicyError {
    if key == "profile" {
        return PolicyError::ProfileIsFixed;
    }
    let families = TABLE.iter().filter_map(Knob::family);
    let nearest = match key.split_once('.') {
        Some((family, name)) if !name.is_empty() => {
            nearest(family, families).map(|near| format!("{near}.{name}"))
        }
        _ => nearest(key, TABLE.iter().filter(|knob| knob.family().is_none()).map(|knob| knob.key)),
    };
    PolicyError::UnknownKey { key: shorten(key), nearest }
}

fn refused(knob: &Knob, key: &str, value: &str, detail: String) -> PolicyError {
    PolicyError::Value { key: shorten(key), value: shorten(value), allowed: knob.values, detail }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
