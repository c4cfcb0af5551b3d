//! The parser: lines of the notation to typed steps. What it does not know is an error, never skipped.

use super::field::{Assign, Detail, HubField, Key, Literal, SourceField, Takes};
use super::lex::{Token, tokens};
use super::markdown;
use super::model::{
    Caller, Check, Connection, DEFAULT_BOX, EVENTS, Event, Given, Placed, Scenario, Step, Then, When,
};
use std::collections::{BTreeSet, VecDeque};

/// A line that is not a step. The author of the scenario can mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ParseError {
    /// The file as named by the caller.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What was expected, and what was found.
    pub problem: String,
}

/// Reads the scenarios of a file: of the blocks marked `scenario` if its name ends in `.md`, else of the whole text.
///
/// # Errors
/// The first line that is wrong. A file without any scenario is an error too.
pub fn parse(file: &str, text: &str) -> Result<Vec<Scenario>, ParseError> {
    let error = |line, problem: String| ParseError { file: file.to_owned(), line, problem };
    let markdown = file.to_lowercase().ends_with(".md");
    let lines = if markdown { markdown::lines(text) } else { Ok(markdown::all_lines(text)) };
    let lines = lines.map_err(|(line, problem)| error(line, problem))?;
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut last = 1;
    for (number, line) in lines {
        last = number;
        let mut words = Words(tokens(line).map_err(|problem| error(number, problem))?.into());
        if words.0.is_empty() {
            continue;
        }
        let step = match words.line(file, number).map_err(|problem| error(number, problem))? {
            Line::Header(scenario) => {
                if !ids.insert(scenario.id.clone()) {
                    return Err(error(number, format!("scenario {} comes twice", scenario.id)));
                }
                finished(scenarios.last()).map_err(|(line, problem)| error(line, problem))?;
                scenarios.push(scenario);
                continue;
            }
            Line::Step(step) => step,
        };
        let Some(scenario) = scenarios.last_mut() else {
            return Err(error(number, "expected scenario ID profile=P before the first step".into()));
        };
        scenario.steps.push(Placed { line: number, step });
    }
    if scenarios.is_empty() {
        return Err(error(last, "expected at least one scenario".into()));
    }
    finished(scenarios.last()).map_err(|(line, problem)| error(line, problem))?;
    Ok(scenarios)
}

fn finished(scenario: Option<&Scenario>) -> Result<(), (usize, String)> {
    match scenario {
        Some(empty) if empty.steps.is_empty() => {
            Err((empty.line, format!("expected steps after scenario {}", empty.id)))
        }
        _ => Ok(()),
    }
}

enum Line {
    Header(Scenario),
    Step(Step),
}

/// The rest of a line.
struct Words(VecDeque<Token>);

type Parsed<T> = Result<T, String>;

/// Words that say what is checked and cannot name a contact.
const CHECKS: [&str; 4] = ["gone", "count", "one", "none"];

impl Words {
    fn line(&mut self, file: &str, line: usize) -> Parsed<Line> {
        let step = match self.word("scenario, given, when or then")?.as_str() {
            "scenario" => return self.header(file, line).map(Line::Header),
            "given" => self.given().map(Step::Given)?,
            "when" => self.when().map(Step::When)?,
            "then" => self.then().map(Step::Then)?,
            other => return Err(format!("expected scenario, given, when or then, found {other:?}")),
        };
        self.end()?;
        Ok(Line::Step(step))
    }

    fn header(&mut self, file: &str, line: usize) -> Parsed<Scenario> {
        let id = self.word("the id of the scenario")?;
        let mut settings = self.settings()?;
        let profile = settings.iter().position(|(key, _)| key == "profile");
        let profile = profile.map(|place| settings.remove(place).1).unwrap_or_default();
        if profile.is_empty() {
            return Err("expected profile=P in the header".into());
        }
        Ok(Scenario { id, profile, settings, steps: Vec::new(), file: file.to_owned(), line })
    }

    fn given(&mut self) -> Parsed<Given> {
        let verb = self.word("what is given")?;
        Ok(match mailbox_of(&verb)? {
            ("hub", None) => Given::Hub { name: self.contact()?, fields: self.assigns::<HubField>()? },
            ("src", mailbox) => Given::Source {
                mailbox: or_default(mailbox),
                id: self.contact()?,
                fields: self.assigns::<SourceField>()?,
            },
            ("folder", mailbox) => {
                Given::Folder { mailbox: or_default(mailbox), name: self.text("the name of a folder")? }
            }
            ("link", None) => {
                let pair = self.word("HUB-SOURCE")?;
                let (hub, id) = pair.split_once('-').ok_or("expected HUB-SOURCE, such as H1-S1")?;
                let mailbox = if self.0.is_empty() { DEFAULT_BOX.to_owned() } else { self.mailbox()? };
                Given::Link { hub: contact(hub)?, id: contact(id)?, mailbox }
            }
            ("user", None) => Given::User { user: self.user()?, mailbox: self.mailbox()? },
            ("account", None) => {
                let id = self.contact()?;
                let [name, access] = self.exactly(["name", "access"])?;
                Given::Account { id, name, access: names(&access)? }
            }
            ("group", None) => Given::Group { members: self.text("the members in quotes")? },
            ("server", None) => {
                let [requires] = self.exactly(["requires"])?;
                Given::Server { requires: names(&requires)? }
            }
            _ => {
                return Err(format!(
                    "expected hub, src, link, user, account, group, server or folder after given, found {verb:?}"
                ));
            }
        })
    }

    fn when(&mut self) -> Parsed<When> {
        let verb = self.word("what happens")?;
        Ok(match mailbox_of(&verb)? {
            ("hub", None) => self.hub_step()?,
            ("src", mailbox) => self.source_step(or_default(mailbox))?,
            ("sync", None) if self.0.is_empty() => When::Sync(None),
            ("sync", None) => When::Sync(Some(self.mailbox()?)),
            ("open", None) => When::Open(self.contact()?),
            ("search", None) => When::Search(self.text("a text to search for")?),
            ("call", None) => {
                When::Call(Some(self.text("a number or anonymous")?).filter(|number| number != "anonymous"))
            }
            ("tick", None) => When::Tick(self.number("minutes")?),
            ("donate", None) => {
                let (mailbox, id) = (self.mailbox()?, self.contact()?);
                match self.word("as")?.as_str() {
                    "as" => When::Donate { mailbox, id, name: self.contact()? },
                    other => return Err(format!("expected as NAME, found {other:?}")),
                }
            }
            ("subscribe", None) => When::Subscribe { user: self.user()?, name: self.contact()? },
            ("unsubscribe", None) => When::Unsubscribe { user: self.user()?, name: self.contact()? },
            ("connect", None) => When::Connect(self.settings()?),
            ("disconnect", None) => When::Disconnect,
            ("offline", None) => When::Offline(self.mailbox()?),
            ("online", None) => When::Online(self.mailbox()?),
            ("expire", None) => When::Expire,
            ("set", None) => match <[(String, String); 1]>::try_from(self.settings()?) {
                Ok([(key, value)]) => When::Set { key, value },
                Err(_) => return Err("expected one knob=value".into()),
            },
            ("confirm", None) => When::Confirm,
            ("restore", None) => When::Restore,
            _ => {
                return Err(format!(
                    "expected hub, src, sync, open, search, call, tick, donate, subscribe, unsubscribe, connect, \
                     disconnect, offline, online, expire, set, confirm or restore after when, found {verb:?}"
                ));
            }
        })
    }

    fn hub_step(&mut self) -> Parsed<When> {
        let verb = self.word("add, edit or del")?;
        let name = self.contact()?;
        let by = self.by()?;
        match verb.as_str() {
            "add" => Ok(When::HubAdd { name, fields: self.assigns()?, by }),
            "edit" => Ok(When::HubEdit { name, fields: self.some_assigns()?, by }),
            "del" => Ok(When::HubDelete { name, by }),
            other => Err(format!("expected add, edit or del after hub, found {other:?}")),
        }
    }

    fn source_step(&mut self, mailbox: String) -> Parsed<When> {
        let verb = self.word("add, edit or del")?;
        let id = self.contact()?;
        match verb.as_str() {
            "add" => Ok(When::SourceAdd { mailbox, id, fields: self.assigns()? }),
            "edit" => Ok(When::SourceEdit { mailbox, id, fields: self.some_assigns()? }),
            "del" => Ok(When::SourceDelete { mailbox, id }),
            other => Err(format!("expected add, edit or del after src, found {other:?}")),
        }
    }

    fn then(&mut self) -> Parsed<Then> {
        let verb = self.word("what must hold")?;
        Ok(match mailbox_of(&verb)? {
            ("hub", None) => Then::Hub(self.check()?),
            ("src", mailbox) => Then::Source { mailbox: or_default(mailbox), check: self.check()? },
            ("writes", None) => {
                let sides =
                    self.settings()?.into_iter().map(|(side, count)| Ok((side, number(&count, "writes")?)));
                let sides = sides.collect::<Parsed<Vec<_>>>()?;
                if sides.is_empty() {
                    return Err("expected SIDE=COUNT, the side being hub or a mailbox".into());
                }
                Then::Writes(sides)
            }
            ("caller", None) => Then::Caller(self.caller()?),
            ("results", None) => {
                let mut names = Vec::new();
                while !self.0.is_empty() {
                    names.push(self.text("the name of a hit")?);
                }
                Then::Results(names)
            }
            ("state", None) => {
                let word = self.word("a state")?;
                let state = Connection::TABLE.iter().find(|(_, known)| *known == word);
                let known: Vec<&str> = Connection::TABLE.iter().map(|(_, word)| *word).collect();
                Then::State(state.ok_or_else(|| one_of("a state", &known, &word))?.0)
            }
            ("event", None) => Then::Event(self.event()?),
            ("no_event", None) => Then::NoEvent(self.event()?),
            ("folder", mailbox) => {
                Then::Folder { mailbox: or_default(mailbox), name: self.text("the name of a folder")? }
            }
            _ => {
                return Err(format!(
                    "expected hub, src, writes, caller, results, state, event, no_event or folder after then, \
                     found {verb:?}"
                ));
            }
        })
    }

    fn check<D: Detail>(&mut self) -> Parsed<Check<D>> {
        let word = self.word("a contact, count, one or none")?;
        match word.as_str() {
            "count" => Ok(Check::Count(self.number("contacts")?)),
            "one" => Ok(Check::One(self.some_assigns()?)),
            "none" => Ok(Check::None(self.some_assigns()?)),
            name => {
                let name = contact(name)?;
                if matches!(self.0.front(), Some(Token::Word { text, quoted: false }) if text == "gone") {
                    self.0.pop_front();
                    return Ok(Check::Gone(name));
                }
                Ok(Check::Has { name, fields: self.assigns()? })
            }
        }
    }

    fn caller(&mut self) -> Parsed<Caller> {
        let bare = matches!(self.0.front(), Some(Token::Word { quoted: false, .. }));
        let text = self.text("unknown, withheld or a name")?;
        Ok(match (bare, text.as_str()) {
            (true, "unknown") => Caller::Unknown,
            (true, "withheld") => Caller::Withheld,
            _ => Caller::Shown(text),
        })
    }

    fn event(&mut self) -> Parsed<Event> {
        let first = self.word("an event")?;
        let Some((_, further, facts)) = EVENTS.iter().find(|(known, ..)| *known == first) else {
            let known: Vec<&str> = EVENTS.iter().map(|(known, ..)| *known).collect();
            return Err(one_of("an event", &known, &first));
        };
        let mut event = Event { words: vec![first], facts: Vec::new() };
        while let Some(Token::Word { text, .. }) = self.0.front() {
            if !further.contains(&"*") && !further.contains(&text.as_str()) {
                return Err(one_of(&format!("after {}", event.words.join(" ")), further, text));
            }
            event.words.push(self.word("a word")?);
        }
        event.facts = self.settings()?;
        match event.facts.iter().find(|(key, _)| !facts.contains(&key.as_str())) {
            Some((key, _)) => Err(one_of(&format!("of event {}", event.words.join(" ")), facts, key)),
            None => Ok(event),
        }
    }

    /// `by=U`, wherever it stands.
    fn by(&mut self) -> Parsed<Option<String>> {
        let place = self.0.iter().position(|token| matches!(token, Token::Pair { key, .. } if key == "by"));
        match place.and_then(|place| self.0.remove(place)) {
            Some(Token::Pair { value: Literal::One(user), .. }) => name(&user, "a user after by=").map(Some),
            Some(_) => Err("expected by=USER".into()),
            None => Ok(None),
        }
    }

    /// Fields of a contact up to the end of the line, each of a kind that the field takes, none twice.
    fn assigns<D: Detail>(&mut self) -> Parsed<Vec<Assign<D>>> {
        let mut assigns: Vec<Assign<D>> = Vec::new();
        for (name, value) in self.pairs()? {
            let known = || one_of("a field of this side", &Key::<D>::names(), &name);
            let key = Key::<D>::named(&name).ok_or_else(known)?;
            match (key.takes(), &value) {
                (Takes::List, Literal::Many(_)) | (Takes::Text, Literal::One(_)) => {}
                (Takes::List, Literal::One(_)) => return Err(format!("expected a list: {name}=[…]")),
                (Takes::OneOf(words), Literal::One(word)) if words.contains(&word.as_str()) => {}
                (Takes::OneOf(words), _) => return Err(format!("expected {name}={}", words.join("|"))),
                (Takes::Text, Literal::Many(_)) => return Err(format!("expected one text: {name}=…")),
            }
            assigns.push(Assign { key, value });
        }
        Ok(assigns)
    }

    fn some_assigns<D: Detail>(&mut self) -> Parsed<Vec<Assign<D>>> {
        let assigns = self.assigns()?;
        if assigns.is_empty() { Err("expected field=value".into()) } else { Ok(assigns) }
    }

    /// `key=value` pairs up to the end of the line, as texts.
    fn settings(&mut self) -> Parsed<Vec<(String, String)>> {
        let text = |(key, value)| match value {
            Literal::One(text) => Ok((key, text)),
            Literal::Many(_) => Err(format!("expected one text: {key}=…")),
        };
        self.pairs()?.into_iter().map(text).collect()
    }

    /// The texts of exactly these keys.
    fn exactly<const N: usize>(&mut self, keys: [&str; N]) -> Parsed<[String; N]> {
        let settings = self.settings()?;
        let expected = || format!("expected {}=…", keys.join("=… "));
        if settings.len() != N {
            return Err(expected());
        }
        let mut texts = keys.map(|_| String::new());
        for (key, text) in keys.iter().zip(&mut texts) {
            let found = settings.iter().find(|(k, v)| k == key && !v.is_empty());
            text.clone_from(&found.ok_or_else(expected)?.1);
        }
        Ok(texts)
    }

    fn pairs(&mut self) -> Parsed<Vec<(String, Literal)>> {
        let mut pairs: Vec<(String, Literal)> = Vec::new();
        while let Some(token) = self.0.pop_front() {
            match token {
                Token::Pair { key, .. } if pairs.iter().any(|(k, _)| *k == key) => {
                    return Err(format!("{key} comes twice"));
                }
                Token::Pair { key, value } => pairs.push((key, value)),
                Token::Word { text, .. } => return Err(format!("expected key=value, found {text:?}")),
            }
        }
        Ok(pairs)
    }

    /// A bare word.
    fn word(&mut self, what: &str) -> Parsed<String> {
        match self.0.pop_front() {
            Some(Token::Word { text, quoted: false }) => Ok(text),
            Some(Token::Word { text, .. }) => Err(format!("expected {what}, found {text:?} in quotes")),
            Some(Token::Pair { key, .. }) => Err(format!("expected {what}, found {key}=")),
            None => Err(format!("expected {what} at the end of the line")),
        }
    }

    /// A word, bare or quoted.
    fn text(&mut self, what: &str) -> Parsed<String> {
        match self.0.pop_front() {
            Some(Token::Word { text, .. }) => Ok(text),
            Some(Token::Pair { key, .. }) => Err(format!("expected {what}, found {key}=")),
            None => Err(format!("expected {what} at the end of the line")),
        }
    }

    fn contact(&mut self) -> Parsed<String> {
        contact(&self.word("the name of a contact")?)
    }

    fn user(&mut self) -> Parsed<String> {
        name(&self.word("a user")?, "a user")
    }

    fn mailbox(&mut self) -> Parsed<String> {
        mailbox(&self.word("a mailbox")?)
    }

    fn number(&mut self, what: &str) -> Parsed<u32> {
        number(&self.word(&format!("a number of {what}"))?, what)
    }

    fn end(&self) -> Parsed<()> {
        match self.0.front() {
            None => Ok(()),
            Some(Token::Word { text, .. }) => Err(format!("expected the end of the line, found {text:?}")),
            Some(Token::Pair { key, .. }) => Err(format!("expected the end of the line, found {key}=")),
        }
    }
}

fn number(text: &str, what: &str) -> Parsed<u32> {
    text.parse().map_err(|_| format!("expected a number of {what}, found {text:?}"))
}

/// Letters, digits and `_`, a letter first.
fn name(text: &str, what: &str) -> Parsed<String> {
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if first && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {what} (letters, digits, _), found {text:?}"))
    }
}

fn names(list: &str) -> Parsed<Vec<String>> {
    list.split(',').map(|text| name(text, "a name")).collect()
}

fn contact(text: &str) -> Parsed<String> {
    if CHECKS.contains(&text) {
        return Err(format!("expected the name of a contact, found {text:?}"));
    }
    name(text, "the name of a contact")
}

fn mailbox(text: &str) -> Parsed<String> {
    if text == "hub" { Err("expected a mailbox, found the hub".into()) } else { name(text, "a mailbox") }
}

/// A verb and the mailbox behind its `@`.
fn mailbox_of(verb: &str) -> Parsed<(&str, Option<String>)> {
    match verb.split_once('@') {
        Some((verb, box_name)) => Ok((verb, Some(mailbox(box_name)?))),
        None => Ok((verb, None)),
    }
}

fn or_default(mailbox: Option<String>) -> String {
    mailbox.unwrap_or_else(|| DEFAULT_BOX.to_owned())
}

fn one_of(what: &str, known: &[&str], found: &str) -> String {
    match known {
        [] => format!("expected nothing more {what}, found {found:?}"),
        _ => format!("expected {what}: one of {}; found {found:?}", known.join(", ")),
    }
}
