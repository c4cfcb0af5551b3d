//! The canonical form of a scenario. Parsing it gives the same scenario again, apart from line numbers.

use super::field::{Assign, Detail, Literal};
use super::lex::is_pair;
use super::model::{
    Caller, Check, Connection, DEFAULT_BOX, Event, Given, Placed, Scenario, Step, Then, When,
};
use std::fmt::{self, Display, Formatter};

/// A text, quoted if it has to be.
struct Text<'a>(&'a str);

/// An element of a list, quoted if it has to be.
struct Element<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\');
        let plain = !self.0.is_empty() && self.0.chars().all(plain);
        if plain && !self.0.starts_with(['#', '[']) && !is_pair(self.0) {
            return f.write_str(self.0);
        }
        quoted(f, self.0)
    }
}

impl Display for Element<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.contains([',', ']']) { quoted(f, self.0) } else { Text(self.0).fmt(f) }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(text) if text.is_empty() => Ok(()),
            Self::One(text) => Text(text).fmt(f),
            Self::Many(texts) => {
                f.write_str("[")?;
                for (place, text) in texts.iter().enumerate() {
                    write!(f, "{}{}", if place > 0 { "," } else { "" }, Element(text))?;
                }
                f.write_str("]")
            }
        }
    }
}

impl<D: Detail> Display for Assign<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key.name(), self.value)
    }
}

/// Things with a blank before each.
struct Each<'a, T>(&'a [T]);

impl<T: Display> Display for Each<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|thing| write!(f, " {thing}"))
    }
}

/// `key=value` pairs with a blank before each.
struct Pairs<'a>(&'a [(String, String)]);

impl Display for Pairs<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| write!(f, " {key}={}", Literal::One(value.clone())))
    }
}

/// A mailbox where it is not the default one, with what comes before it.
struct At<'a>(&'a str, &'a str);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.1 == DEFAULT_BOX { Ok(()) } else { write!(f, "{}{}", self.0, self.1) }
    }
}

/// ` by=U`, if there is a user.
struct By<'a>(&'a Option<String>);

impl Display for By<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |user| write!(f, " by={user}"))
    }
}

impl Display for Scenario {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario {} profile={}{}", self.id, self.profile, Pairs(&self.settings))?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl Display for Placed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(given) => write!(f, "given {given}"),
            Self::When(when) => write!(f, "when {when}"),
            Self::Then(then) => write!(f, "then {then}"),
        }
    }
}

impl Display for Given {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub { name, fields } => write!(f, "hub {name}{}", Each(fields)),
            Self::Source { mailbox, id, fields } => write!(f, "src{} {id}{}", At("@", mailbox), Each(fields)),
            Self::Link { hub, id, mailbox } => write!(f, "link {hub}-{id}{}", At(" ", mailbox)),
            Self::User { user, mailbox } => write!(f, "user {user} {mailbox}"),
            Self::Account { id, name, access } => {
                write!(f, "account {id} name={} access={}", Text(name), access.join(","))
            }
            Self::Group { members } => {
                f.write_str("group ")?;
                quoted(f, members)
            }
            Self::Server { requires } => write!(f, "server requires={}", requires.join(",")),
            Self::Folder { mailbox, name } => folder(f, mailbox, name),
        }
    }
}

fn folder(f: &mut Formatter<'_>, mailbox: &str, name: &str) -> fmt::Result {
    write!(f, "folder{} ", At("@", mailbox))?;
    quoted(f, name)
}

impl Display for When {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::HubAdd { name, fields, by } => write!(f, "hub add {name}{}{}", Each(fields), By(by)),
            Self::HubEdit { name, fields, by } => write!(f, "hub edit {name}{}{}", Each(fields), By(by)),
            Self::HubDelete { name, by } => write!(f, "hub del {name}{}", By(by)),
            Self::SourceAdd { mailbox, id, fields } => {
                write!(f, "src{} add {id}{}", At("@", mailbox), Each(fields))
            }
            Self::SourceEdit { mailbox, id, fields } => {
                write!(f, "src{} edit {id}{}", At("@", mailbox), Each(fields))
            }
            Self::SourceDelete { mailbox, id } => write!(f, "src{} del {id}", At("@", mailbox)),
            Self::Sync(None) => f.write_str("sync"),
            Self::Sync(Some(mailbox)) => write!(f, "sync {mailbox}"),
            Self::Open(name) => write!(f, "open {name}"),
            Self::Search(text) => write!(f, "search {}", Text(text)),
            Self::Call(None) => f.write_str("call anonymous"),
            Self::Call(Some(number)) => write!(f, "call {}", Text(number)),
            Self::Tick(minutes) => write!(f, "tick {minutes}"),
            Self::Donate { mailbox, id, name } => write!(f, "donate {mailbox} {id} as {name}"),
            Self::Subscribe { user, name } => write!(f, "subscribe {user} {name}"),
            Self::Unsubscribe { user, name } => write!(f, "unsubscribe {user} {name}"),
            Self::Connect(settings) => write!(f, "connect{}", Pairs(settings)),
            Self::Disconnect => f.write_str("disconnect"),
            Self::Offline(mailbox) => write!(f, "offline {mailbox}"),
            Self::Online(mailbox) => write!(f, "online {mailbox}"),
            Self::Expire => f.write_str("expire"),
            Self::Set { key, value } => write!(f, "set {key}={}", Literal::One(value.clone())),
            Self::Confirm => f.write_str("confirm"),
            Self::Restore => f.write_str("restore"),
        }
    }
}

impl Display for Then {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(check) => write!(f, "hub {check}"),
            Self::Source { mailbox, check } => write!(f, "src{} {check}", At("@", mailbox)),
            Self::Writes(sides) => {
                f.write_str("writes")?;
                sides.iter().try_for_each(|(side, count)| write!(f, " {side}={count}"))
            }
            Self::Caller(caller) => write!(f, "caller {caller}"),
            Self::Results(names) => {
                f.write_str("results")?;
                names.iter().try_for_each(|name| write!(f, " {}", Text(name)))
            }
            Self::State(state) => write!(f, "state {state}"),
            Self::Event(event) => write!(f, "event {event}"),
            Self::NoEvent(event) => write!(f, "no_event {event}"),
            Self::Folder { mailbox, name } => folder(f, mailbox, name),
        }
    }
}

impl<D: Detail> Display for Check<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has { name, fields } => write!(f, "{name}{}", Each(fields)),
            Self::Gone(name) => write!(f, "{name} gone"),
            Self::Count(count) => write!(f, "count {count}"),
            Self::One(fields) => write!(f, "one{}", Each(fields)),
            Self::None(fields) => write!(f, "none{}", Each(fields)),
        }
    }
}

impl Display for Caller {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Withheld => f.write_str("withheld"),
            Self::Shown(name) => quoted(f, name),
        }
    }
}

impl Display for Connection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(Self::TABLE.iter().find(|(state, _)| state == self).map_or("", |(_, word)| word))
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.words.join(" "), Pairs(&self.facts))
    }
}
