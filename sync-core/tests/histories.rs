//! Random histories on two sources and the hub, with faults and crashes; when they stop, everything comes to rest
//! equal on all sides, and no number that nobody removed is lost or doubled.
//!
//! A failure prints its seed: `ACQUAINT_SEED=N cargo test --test histories` runs just that one, `ACQUAINT_SEEDS=N`
//! the first N.

// A test may read its environment and files; the core may not.
#![allow(clippy::disallowed_methods)]

use acquaint_core::contact::{Contact, Element, Field, Value};
use acquaint_core::driver::load;
use acquaint_core::engine::{Answer, Effect, EffectKind, Engine, Event, Job, Report};
use acquaint_core::id::{ContactId, RemoteId, SourceId, UserId};
use acquaint_core::library::{Edit, Library, NewContact, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::source::HostSource;
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock, Edit as SimEdit, Faults, Habits, SimBox};
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A small generator of our own: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

struct World {
    dice: Dice,
    clock: Clock,
    store: Arc<MemoryStore>,
    library: Library,
    sims: Vec<(SourceId, SimBox)>,
    /// Numbers that must be on every side in the end: added, and neither removed nor on a contact that was deleted.
    alive: BTreeSet<String>,
    next: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let clock = Clock::new(Time(1_000_000));
        let store = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(store.clone(), [7; 16])).expect("a library");
        let mut sims = Vec::new();
        for name in ["a", "b"] {
            let sim = SimBox::new(clock.clone());
            let mut flag = || dice.roll(2) == 0;
            sim.set_habits(Habits {
                cursors: flag(),
                whole_items: flag(),
                versions: true,
                times: flag(),
                echo: flag(),
                page_rows: 4,
            });
            let mut policy = Policy::default();
            policy.set("match", if flag() { "none" } else { "uid,phone" }).expect("a knob");
            policy.set("guard_min", "1000").expect("a knob");
            let id = SourceId::new(name).expect("a name");
            block_on(library.add_source(&id, &SourceRow::new("sim", UserId::from("u"), policy)))
                .expect("added");
            sims.push((id, sim));
        }
        Self { dice, clock, store, library, sims, alive: BTreeSet::new(), next: 0 }
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn number(&mut self) -> String {
        let number = format!("+1{:06}", self.fresh());
        self.alive.insert(number.clone());
        number
    }

    fn tick(&self) {
        self.clock.move_to(self.clock.now().plus_seconds(1));
    }

    fn person(&mut self) -> Contact {
        let (name, number) = (self.fresh(), self.number());
        Contact::new()
            .with(Field::First, format!("P{name}").as_str())
            .with_element(Field::Phones, Element::text(number))
    }

    fn forget(&mut self, contact: &Contact) {
        for element in contact.list(&Field::Phones) {
            self.alive.remove(&element.content.show());
        }
    }

    /// A change to a contact: another title, another number, or a number less.
    fn change(&mut self, old: &Contact) -> (Field, Option<Value>) {
        let mut numbers = old.list(&Field::Phones).to_vec();
        match self.dice.roll(3) {
            0 => (Field::Title, Some(Value::Text(format!("T{}", self.fresh())))),
            1 => {
                numbers.push(Element::text(self.number()));
                (Field::Phones, Some(Value::List(numbers)))
            }
            _ if numbers.is_empty() => (Field::Title, None),
            _ => {
                let gone = numbers.remove(0);
                self.alive.remove(&gone.content.show());
                (Field::Phones, Some(Value::List(numbers)))
            }
        }
    }

    fn act(&mut self) {
        self.tick();
        let side = self.dice.roll(3) as usize;
        match (side, self.dice.roll(10)) {
            (2, 0..3) => {
                let new = NewContact { contact: self.person(), ..NewContact::default() };
                block_on(self.library.add(vec![new], &UserId::from("u"), self.clock.now())).expect("added");
            }
            (2, roll) => {
                let contacts = block_on(self.library.contacts(None, 1_000)).expect("contacts");
                if contacts.is_empty() {
                    return;
                }
                let listed = &contacts[self.dice.roll(contacts.len() as u64) as usize];
                let user = UserId::from("u");
                if roll == 3 {
                    self.doom(&listed.record.contact, Some(listed.id));
                    block_on(self.library.delete(listed.id, &user, self.clock.now())).expect("deleted");
                } else {
                    let change = self.change(&listed.record.contact);
                    let edit = Edit { fields: vec![change], ..Edit::default() };
                    block_on(self.library.edit(listed.id, &edit, &user, self.clock.now())).expect("edited");
                }
            }
            (_, 0..3) => {
                let id = format!("item{}", self.fresh());
                let edit = SimEdit::from_contact(&self.person());
                self.sims[side].1.add(id, &edit).expect("added");
            }
            (_, roll) => {
                let items = self.sims[side].1.items();
                if items.is_empty() {
                    return;
                }
                let item = items[self.dice.roll(items.len() as u64) as usize].clone();
                if roll == 3 {
                    self.doom(&item.contact, None);
                    self.sims[side].1.delete(item.id).expect("deleted");
                } else {
                    let (field, value) = self.change(&item.contact);
                    let edit = match value {
                        Some(value) => SimEdit::new().set(field, value),
                        None => SimEdit::new().clear(field),
                    };
                    self.sims[side].1.edit(item.id, &edit).expect("edited");
                }
            }
        }
    }

    /// A contact was deleted on one side: whatever its copies hold may go with it.
    fn doom(&mut self, contact: &Contact, id: Option<ContactId>) {
        self.forget(contact);
        let mut copies: Vec<Contact> = Vec::new();
        for listed in block_on(self.library.contacts(None, 1_000)).expect("contacts") {
            if Some(listed.id) == id
                || listed.record.contact.text(&Field::First) == contact.text(&Field::First)
            {
                copies.push(listed.record.contact);
            }
        }
        for (_, sim) in &self.sims {
            let same = |c: &Contact| c.text(&Field::First) == contact.text(&Field::First);
            copies.extend(sim.items().into_iter().map(|item| item.contact).filter(same));
        }
        for copy in copies {
            self.forget(&copy);
        }
    }

    fn faults(&mut self) -> Faults {
        let mut faults = Faults::default();
        match self.dice.roll(10) {
            0 => faults.lost_answers = 2,
            1 => faults.unsent = 2,
            2 => faults.stale = 2,
            3 => faults.throttled = 1,
            4 => faults.cut_after = Some(1),
            5 => faults.expired_cursors = 1,
            6 => (faults.lost_answers, faults.new_ids) = (3, true),
            7 => faults.new_ids = true,
            _ => {}
        }
        faults
    }

    /// A cycle; with `crash` it stops at that effect, before or after carrying it out.
    fn cycle(&mut self, crash: Option<u64>) -> Option<Report> {
        let mut engine = Engine::new();
        let begin = Event::Begin { now: self.clock.now(), job: Job::Cycle(None), alone: true };
        let mut queue: VecDeque<Effect> = engine.step(begin).into();
        for done in 0..100_000 {
            // Answers come back in any order.
            let waiting = queue.iter().filter(|e| matches!(e.kind, EffectKind::Run { .. })).count() as u64;
            let at = if waiting == queue.len() as u64 && waiting > 1 {
                self.dice.roll(waiting) as usize
            } else {
                0
            };
            let effect = queue.remove(at).expect("the engine waits for something");
            if let EffectKind::Finish(report) = effect.kind {
                assert_eq!((&report.store_error, &report.bug), (&None, &None));
                return Some(report);
            }
            if crash == Some(done) && self.dice.roll(2) == 0 {
                return None;
            }
            let answer = match effect.kind.clone() {
                EffectKind::Load(query) => Answer::Loaded(block_on(load(&*self.store, query))),
                EffectKind::Commit(batch) => Answer::Committed(block_on(self.store.apply(batch))),
                EffectKind::Run { source, command } => {
                    let sim = &self.sims.iter().find(|(id, _)| *id == source).expect("a source").1;
                    Answer::Ran(block_on(sim.run(command)))
                }
                EffectKind::Report(_) | EffectKind::Finish(_) => continue,
            };
            if crash == Some(done) {
                return None;
            }
            // Somebody edits while the pass runs.
            if self.dice.roll(40) == 0 {
                self.act();
            }
            queue.extend(engine.step(Event::Done { now: self.clock.now(), id: effect.id, answer }));
        }
        panic!("the cycle does not end");
    }

    fn sides(&self) -> Vec<BTreeMap<String, usize>> {
        let show = |contact: &Contact| {
            let part = |(f, v): (&Field, &Value)| match v {
                Value::List(elements) => {
                    let mut keys: Vec<String> = elements.iter().map(|e| e.key(f)).collect();
                    keys.sort();
                    format!("{f}={}", keys.join(","))
                }
                value => format!("{f}={}", value.show()),
            };
            contact.iter().map(part).collect::<Vec<_>>().join(" ")
        };
        let count = |contacts: Vec<Contact>| {
            let mut counts = BTreeMap::new();
            contacts.iter().for_each(|c| *counts.entry(show(c)).or_default() += 1);
            counts
        };
        let hub = block_on(self.library.contacts(None, 10_000)).expect("contacts");
        let mut sides = vec![count(hub.into_iter().map(|l| l.record.contact).collect())];
        sides
            .extend(self.sims.iter().map(|(_, s)| count(s.items().into_iter().map(|i| i.contact).collect())));
        sides
    }

    fn settle(&mut self, seed: u64) {
        for (_, sim) in &self.sims {
            sim.set_faults(Faults::default());
        }
        for _ in 0..6 {
            self.tick();
            let quiet_dice = std::mem::replace(&mut self.dice, Dice(seed));
            let report = self.calm_cycle();
            self.dice = quiet_dice;
            if report.sources.values().all(|s| s.counts.writes() == (0, 0) && s.error.is_none()) {
                return;
            }
        }
        panic!("seed {seed}: it does not come to rest");
    }

    fn calm_cycle(&self) -> Report {
        let mut engine = Engine::new();
        let begin = Event::Begin { now: self.clock.now(), job: Job::Cycle(None), alone: true };
        let mut queue: VecDeque<Effect> = engine.step(begin).into();
        loop {
            let effect = queue.pop_front().expect("the engine waits for something");
            let answer = match effect.kind {
                EffectKind::Load(query) => Answer::Loaded(block_on(load(&*self.store, query))),
                EffectKind::Commit(batch) => Answer::Committed(block_on(self.store.apply(batch))),
                EffectKind::Run { source, command } => {
                    let sim = &self.sims.iter().find(|(id, _)| *id == source).expect("a source").1;
                    Answer::Ran(block_on(sim.run(command)))
                }
                EffectKind::Report(_) => continue,
                EffectKind::Finish(report) => return report,
            };
            queue.extend(engine.step(Event::Done { now: self.clock.now(), id: effect.id, answer }));
        }
    }
}

fn history(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..6 {
        for _ in 0..world.dice.roll(6) {
            world.act();
        }
        let faults = [world.faults(), world.faults()];
        for ((_, sim), faults) in world.sims.iter().zip(faults) {
            sim.set_faults(faults);
        }
        let crash = (world.dice.roll(3) == 0).then(|| world.dice.roll(40));
        world.tick();
        world.cycle(crash);
    }
    world.settle(seed);
    let sides = world.sides();
    assert_eq!(sides[0], sides[1], "seed {seed}: the hub and a differ");
    assert_eq!(sides[0], sides[2], "seed {seed}: the hub and b differ");
    let all: String = sides[0].keys().cloned().collect();
    for number in &world.alive {
        assert!(all.contains(number.as_str()), "seed {seed}: {number} is lost");
    }
    for (_, sim) in &world.sims {
        let ids: BTreeSet<RemoteId> = sim.items().into_iter().map(|item| item.id).collect();
        assert_eq!(ids.len(), sim.items().len());
    }
    for card in sides[0].keys().filter(|card| card.contains("phones=+")) {
        let number = &card[card.find("phones=").expect("numbers") + 7..][..8];
        let holders = sides[0].keys().filter(|other| other.contains(number)).count();
        assert_eq!(holders, 1, "seed {seed}: {number} is on two contacts");
    }
    assert!(sides[0].values().all(|n| *n == 1), "seed {seed}: a contact is doubled");
}

#[test]
fn histories_come_to_rest_equal_and_whole() {
    match std::env::var("ACQUAINT_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => history(seed),
        None => {
            let seeds = std::env::var("ACQUAINT_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
            (0..seeds).for_each(history);
        }
    }
}
