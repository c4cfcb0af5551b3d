//! The runner: executes the steps of a scenario against a host, then demands that everything is quiet.

use super::check::{Seen, check};
use super::field::{Detail, SourceField};
use super::host::{Draft, Hit, Host, HostError, HostResult};
use super::model::{Caller, Check, DEFAULT_BOX, DEFAULT_USER, Given, Scenario, Step, Then, When};
use super::world::World;
use crate::id::UserId;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// Where a scenario failed, and how everything stood then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The scenario's id.
    pub scenario: String,
    /// Its file.
    pub file: String,
    /// The line of the step.
    pub line: usize,
    /// The step in the notation, or what was done after the last one.
    pub step: String,
    /// What was expected and what was found.
    pub problem: String,
    /// Both sides and the events.
    pub world: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, file, line, step, problem, world } = self;
        write!(f, "{scenario} failed at {file}:{line}\n  {step}\n  {problem}\n{world}")
    }
}

impl std::error::Error for Failure {}

/// Runs a scenario on a fresh host.
///
/// After the last step comes one more cycle, in which neither side may be written (E-01). If the last thing that
/// happened was not itself a cycle over all sources, one cycle runs before it to carry over what is still under way.
///
/// # Errors
/// The first step that does not hold.
pub fn run<H: Host + ?Sized>(scenario: &Scenario, host: &mut H) -> Result<(), Box<Failure>> {
    let fail = |line: usize, step: String, error: HostError, world: String| {
        let (scenario, file) = (scenario.id.clone(), scenario.file.clone());
        Box::new(Failure { scenario, file, line, step, problem: error.0, world })
    };
    let world = World::begin(scenario, host).map_err(|error| {
        let header = format!("scenario {} profile={}", scenario.id, scenario.profile);
        fail(scenario.line, header, error, String::new())
    })?;
    let mut runner = Runner { world, host, baseline: None, caller: None, hits: None };
    for placed in &scenario.steps {
        let done = runner.step(&placed.step);
        done.map_err(|error| fail(placed.line, placed.step.to_string(), error, runner.show()))?;
    }
    let last = scenario.steps.iter().rev().find_map(|placed| match &placed.step {
        Step::When(when) => Some(when),
        Step::Given(_) | Step::Then(_) => None,
    });
    let quiet = runner.stays_quiet(matches!(last, Some(When::Sync(None))));
    quiet.map_err(|error| {
        let line = scenario.steps.last().map_or(scenario.line, |placed| placed.line);
        fail(line, "(the cycle after the last step)".to_owned(), error, runner.show())
    })
}

struct Runner<'a, H: ?Sized> {
    world: World,
    host: &'a mut H,
    /// Writes of each side before the first `when`.
    baseline: Option<BTreeMap<String, u64>>,
    caller: Option<Caller>,
    hits: Option<Vec<Hit>>,
}

/// The library's name among the sides of `writes`.
const HUB: &str = "hub";

impl<H: Host + ?Sized> Runner<'_, H> {
    fn step(&mut self, step: &Step) -> HostResult<()> {
        match step {
            Step::Given(given) => {
                self.world.step();
                self.given(given)
            }
            Step::When(when) => {
                if self.baseline.is_none() {
                    self.baseline = Some(self.writes()?);
                }
                self.world.step();
                self.when(when)
            }
            Step::Then(then) => self.then(then),
        }
    }

    fn given(&mut self, given: &Given) -> HostResult<()> {
        match given {
            Given::Hub { name, fields } => {
                let draft = Draft::new(fields).owned_by(&UserId::from(DEFAULT_USER));
                let id = self.host.given_contact(&draft)?;
                self.world.name(name, id)
            }
            Given::Source { mailbox, id, fields } => self.world.add_item(mailbox, id, fields),
            Given::Link { hub, id, mailbox } => {
                let (contact, item) = (self.world.contact(hub)?, self.world.item(mailbox, id)?);
                let source = &self.world.mailbox(mailbox)?.source;
                self.host.given_link(contact, source, &item)
            }
            // Both were taken up before the first step.
            Given::User { .. } | Given::Server { .. } => Ok(()),
            Given::Account { id, name, access } => {
                let access: Vec<UserId> = access.iter().map(|user| UserId::from(user.as_str())).collect();
                self.host.add_account(id, name, &access)
            }
            Given::Group { members } => self.host.add_group(members),
            Given::Folder { mailbox, name } => {
                self.world.mailbox(mailbox)?.sim.add_folder(name);
                Ok(())
            }
        }
    }

    fn when(&mut self, when: &When) -> HostResult<()> {
        match when {
            When::HubAdd { name, fields, by } => {
                let by = user(by.as_deref());
                let id = self.host.add(&by, &Draft::new(fields).owned_by(&by))?;
                self.world.name(name, id)
            }
            When::HubEdit { name, fields, by } => {
                let id = self.world.contact(name)?;
                self.host.edit(&user(by.as_deref()), id, &Draft::new(fields))
            }
            When::HubDelete { name, by } => {
                let id = self.world.contact(name)?;
                self.host.delete(&user(by.as_deref()), id)
            }
            When::SourceAdd { mailbox, id, fields } => self.world.add_item(mailbox, id, fields),
            When::SourceEdit { mailbox, id, fields } => self.world.edit_item(mailbox, id, fields),
            When::SourceDelete { mailbox, id } => self.world.delete_item(mailbox, id),
            When::Sync(None) => self.host.sync(None),
            When::Sync(Some(mailbox)) => self.host.sync(Some(&self.world.mailbox(mailbox)?.source)),
            When::Open(name) => self.host.open(self.world.contact(name)?),
            When::Search(text) => {
                self.hits = Some(self.host.search(text)?);
                Ok(())
            }
            When::Call(number) => {
                self.caller = Some(self.host.call(number.as_deref())?);
                Ok(())
            }
            When::Tick(minutes) => {
                let end = self.world.clock.now().plus_minutes(i64::from(*minutes));
                self.host.tick(*minutes)?;
                self.world.clock.move_to(end);
                Ok(())
            }
            When::Donate { mailbox, id, name } => {
                let item = self.world.item(mailbox, id)?;
                let contact = self.host.donate(&self.world.mailbox(mailbox)?.source, &item)?;
                self.world.name(name, contact)
            }
            When::Subscribe { user, name } => {
                self.host.subscribe(&UserId::from(user.as_str()), self.world.contact(name)?, true)
            }
            When::Unsubscribe { user, name } => {
                self.host.subscribe(&UserId::from(user.as_str()), self.world.contact(name)?, false)
            }
            When::Connect(settings) => {
                if !settings.is_empty() {
                    self.world.credentials.clone_from(settings);
                }
                let mailbox = self.world.mailbox(DEFAULT_BOX)?;
                mailbox.sim.sign_in(&self.world.credentials);
                self.host.connect(&mailbox.source, &self.world.credentials)
            }
            When::Disconnect => {
                let mailbox = self.world.mailbox(DEFAULT_BOX)?;
                self.host.disconnect(&mailbox.source)?;
                // Whoever still reads after this has kept the credentials.
                mailbox.sim.sign_out();
                Ok(())
            }
            When::Offline(mailbox) => {
                self.world.mailbox(mailbox)?.sim.set_online(false);
                Ok(())
            }
            When::Online(mailbox) => {
                self.world.mailbox(mailbox)?.sim.set_online(true);
                Ok(())
            }
            When::Expire => {
                self.world.mailbox(DEFAULT_BOX)?.sim.sign_out();
                Ok(())
            }
            When::Set { key, value } => self.host.set(key, value),
            When::Confirm => self.host.answer_held(true),
            When::Restore => self.host.answer_held(false),
        }
    }

    fn then(&self, then: &Then) -> HostResult<()> {
        match then {
            Then::Hub(expected) => {
                if let Some(name) = named(expected) {
                    self.world.contact(name)?;
                }
                Ok(check(expected, &self.world.hub(self.host)?)?)
            }
            Then::Source { mailbox, check: expected } => self.source(mailbox, expected),
            Then::Writes(sides) => self.writes_since(sides),
            Then::Caller(expected) => match &self.caller {
                Some(found) if found == expected => Ok(()),
                Some(found) => Err(HostError(format!("expected caller {expected}, found {found}"))),
                None => Err("there was no call yet".into()),
            },
            Then::Results(expected) => self.results(expected),
            Then::State(expected) => {
                let found = self.host.state(&self.world.mailbox(DEFAULT_BOX)?.source)?;
                same("state", expected, &found)
            }
            Then::Event(expected) => {
                if self.host.events()?.iter().any(|event| event.is(expected)) {
                    return Ok(());
                }
                Err(HostError(format!("expected event {expected}, it has not happened")))
            }
            Then::NoEvent(pattern) => match self.host.events()?.iter().find(|event| event.is(pattern)) {
                Some(found) => Err(HostError(format!("expected no event {pattern}, found {found}"))),
                None => Ok(()),
            },
            Then::Folder { mailbox, name } => {
                let folders = self.world.mailbox(mailbox)?.sim.folders();
                match folders.iter().filter(|folder| folder.name == *name).count() {
                    1 => Ok(()),
                    found => Err(HostError(format!("expected one folder {name:?}, found {found}"))),
                }
            }
        }
    }

    fn source(&self, mailbox: &str, expected: &Check<SourceField>) -> HostResult<()> {
        if let Some(id) = named(expected) {
            self.world.item(mailbox, id)?;
        }
        Ok(check(expected, &self.world.mailbox(mailbox)?.seen())?)
    }

    fn results(&self, expected: &[String]) -> HostResult<()> {
        let Some(hits) = &self.hits else { return Err("there was no search yet".into()) };
        let name = |hit: &Hit| match hit {
            Hit::Contact(id) => self.world.name_of(*id),
            Hit::Item(_, id) => id.0.clone(),
            Hit::Group(members) => format!("group:{members}"),
        };
        let found = Then::Results(hits.iter().map(name).collect());
        same("these hits", &Then::Results(expected.to_vec()), &found)
    }

    /// Writes of each side so far.
    fn writes(&self) -> HostResult<BTreeMap<String, u64>> {
        let mailboxes = self.world.mailboxes.iter();
        let mut writes: BTreeMap<String, u64> =
            mailboxes.map(|(name, mailbox)| (name.clone(), count(mailbox.sim.writes()))).collect();
        writes.insert(HUB.to_owned(), self.host.hub_writes()?);
        Ok(writes)
    }

    fn writes_since(&self, sides: &[(String, u32)]) -> HostResult<()> {
        let now = self.writes()?;
        let baseline = self.baseline.clone().unwrap_or_default();
        for (side, expected) in sides {
            let now = now.get(side).ok_or_else(|| HostError(format!("the scenario has no side {side}")))?;
            let found = now.saturating_sub(baseline.get(side).copied().unwrap_or(*now));
            if found != u64::from(*expected) {
                return Err(HostError(format!("expected writes {side}={expected}, found {side}={found}")));
            }
        }
        Ok(())
    }

    /// Demands that a cycle writes nothing (E-01), not even a marker.
    fn stays_quiet(&mut self, settled: bool) -> HostResult<()> {
        if !settled {
            self.world.step();
            self.host.sync(None)?;
        }
        self.world.step();
        let before = self.still()?;
        self.host.sync(None)?;
        let after = self.still()?;
        for (side, now) in &after.writes {
            let written = now.saturating_sub(before.writes.get(side).copied().unwrap_or_default());
            if written > 0 {
                return Err(HostError(format!("expected a quiet cycle, found {written} writes at {side}")));
            }
        }
        if after.hub != before.hub {
            return Err("expected a quiet cycle, found the library changed".into());
        }
        Ok(())
    }

    fn still(&self) -> HostResult<Still> {
        let mut writes = self.writes()?;
        for (name, mailbox) in &self.world.mailboxes {
            writes.insert(name.clone(), count(mailbox.sim.log().len()));
        }
        let hub = self.world.hub(self.host)?;
        Ok(Still { writes, hub: hub.iter().map(Seen::to_string).collect() })
    }

    /// Both sides and what was reported, as lines of text.
    fn show(&self) -> String {
        let mut text = String::new();
        let hub = self.world.hub(self.host);
        show_side(&mut text, HUB, hub.as_deref().unwrap_or(&[]));
        for (name, mailbox) in &self.world.mailboxes {
            show_side(&mut text, &format!("src@{name}"), &mailbox.seen());
        }
        for event in self.host.events().unwrap_or_default() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  event {event}");
        }
        text
    }
}

/// What must not change in a quiet cycle.
struct Still {
    writes: BTreeMap<String, u64>,
    hub: Vec<String>,
}

fn show_side<D: Detail>(text: &mut String, side: &str, contacts: &[Seen<D>]) {
    if contacts.is_empty() {
        let _ = writeln!(text, "  {side} is empty");
    }
    for contact in contacts {
        let _ = writeln!(text, "  {side} {contact}");
    }
}

fn user(name: Option<&str>) -> UserId {
    UserId::from(name.unwrap_or(DEFAULT_USER))
}

/// The contact that a check names.
fn named<D>(check: &Check<D>) -> Option<&str> {
    match check {
        Check::Has { name, .. } | Check::Gone(name) => Some(name),
        Check::Count(_) | Check::One(_) | Check::None(_) => None,
    }
}

fn same<T: PartialEq + fmt::Display>(what: &str, expected: &T, found: &T) -> HostResult<()> {
    if expected == found {
        Ok(())
    } else {
        Err(HostError(format!("{what}: expected {expected}, found {found}")))
    }
}

fn count(writes: usize) -> u64 {
    u64::try_from(writes).unwrap_or(u64::MAX)
}
